// Package store keeps alerts, exposures, incidents and the correlation state of each tenant, documents and audit logs:
// the promises, in words. The drivers localstore and cosmos keep them; storetest checks every one on both.
//
//	correlate ──Load──▶ decide ──Commit(version)──▶ all of it, or none
//	api, portal, export ──Incidents, Alerts, Changes──▶ what was committed
//	api, settings, export ──Documents, AuditLog──▶ what people set and did
//
// Every method is safe for concurrent use. A tenant name is at most 200 bytes; a longer one is fault.Invalid. What a
// change means is decided in package correlation, comparing and paging rows in package query; how a driver batches and
// what that costs stands in the driver's own package comment.
package store

import (
	"context"
	"time"

	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
)

// MaxCommit is how many alerts one commit holds at most.
const MaxCommit = 100

// Correlation is the side that decides: it reads state and writes decisions.
type Correlation interface {
	// Load reads what refs names, as of one version of the tenant's state. What does not exist is left out; a tenant
	// never seen is version 0 with nothing in it. Alerts are whole, bodies included.
	Load(ctx context.Context, tenant string, refs incident.Refs) (incident.Loaded, error)
	// Commit makes changes visible, whole or not at all, even through a crash at any point, and moves the tenant to
	// version+1. It is fault.Conflict when the tenant is no longer at version, and changes nothing then. Whatever
	// it names replaces what was there. At most MaxCommit alerts. Tenants never see one another. The changes' audit
	// entries are in the tenant's AuditLog with them: no change without its entries, no entries without their change.
	Commit(ctx context.Context, tenant string, version uint64, c incident.Changes) error
}

// Reader is the side that shows. All of it follows merges and folds: an alert of a merged incident is listed with the
// survivor and names the survivor, a folded alert's id finds the alert it was folded into.
type Reader interface {
	// Tenants lists the tenants with anything stored, sorted.
	Tenants(ctx context.Context) ([]string, error)
	// Alert finds one alert or exposure by id; fault.NotFound when there is none.
	Alert(ctx context.Context, tenant, id string) (incident.AlertRecord, error)
	// Alerts lists alerts; neither exposures nor folded alerts are among them.
	Alerts(ctx context.Context, tenant string, q query.Query) (Page[incident.AlertRecord], error)
	// Exposures lists posture findings; folded ones are not among them.
	Exposures(ctx context.Context, tenant string, q query.Query) (Page[incident.AlertRecord], error)
	// Incident finds one incident by id, also a redirected one; fault.NotFound when there is none.
	Incident(ctx context.Context, tenant, id string) (incident.Incident, error)
	// Incidents lists incidents, redirected ones included unless q excludes them.
	Incidents(ctx context.Context, tenant string, q query.Query) (Page[incident.Incident], error)
	// IncidentAlerts lists the alerts of an incident and of all that were merged into it, by first activity unless q
	// orders otherwise.
	IncidentAlerts(ctx context.Context, tenant, id string, q query.Query) (Page[incident.AlertRecord], error)
	// Stats counts the rows of all tenants together. It may lag behind the latest commits.
	Stats(ctx context.Context) (Stats, error)
}

// Index finds alerts by the names of the things in their evidence. Its cost grows with the alerts that name them and
// not with others.
type Index interface {
	// Mentions lists the alerts and exposures that name a thing by one of m.Names, each once, folded ones left out: up
	// to m.Limit, which must be positive, newest first unless m.Oldest. An alert whose evidence has lost a name may
	// still be listed under it.
	Mentions(ctx context.Context, tenant string, m incident.MentionQuery) ([]incident.Mention, error)
	// Identity is what correlation remembers of a name; a name that no alert has used for incident.NodeLifetime has
	// only itself.
	Identity(ctx context.Context, tenant, name string) (incident.Identity, error)
	// Sources counts the tenant's alerts and exposures from each provider, sorted by the provider's name.
	Sources(ctx context.Context, tenant string) ([]incident.Source, error)
}

// Page is one page of a listing.
type Page[T any] = query.Page[T]

// Stats counts rows.
type Stats = query.Stats

// Feed tells what changed, for exports and live views.
type Feed interface {
	// Changes returns up to limit changes of the tenant after the cursor ("" for the beginning) in commit order, and
	// the cursor after them. Every committed change appears; one that was overtaken by a later change of the same thing
	// may be left out. Read what changed with Reader. A cursor that Changes did not give is fault.Invalid.
	Changes(ctx context.Context, tenant, cursor string, limit int) (changes []Change, next string, err error)
}

// Retention deletes what is over.
type Retention interface {
	// Purge deletes up to limit incidents that are resolved and were last updated before the given time, each with the
	// incidents merged into it, all their alerts and the alerts folded into those. It returns how many incidents it
	// deleted: fewer than limit means that no more are due. An incident that is not resolved stays, whatever its age,
	// and so does what belongs to it. What was deleted is fault.NotFound to every reader; the feed may still name it.
	// When a purge breaks off within an incident, the next one deletes the rest. Before must lie incident.MinRetention
	// back or more, for correlation remembers that long.
	Purge(ctx context.Context, tenant string, before time.Time, limit int) (int, error)
}

// Change says that one thing changed.
type Change struct {
	Kind    ChangeKind `json:"kind"`
	ID      string     `json:"id"`
	Version uint64     `json:"version"` // of the tenant, when it changed
	Time    time.Time  `json:"time"`
}

// ChangeKind is what changed.
type ChangeKind string

// The kinds of change.
const (
	AlertChanged    ChangeKind = "alert"
	ExposureChanged ChangeKind = "exposure"
	IncidentChanged ChangeKind = "incident"
)
