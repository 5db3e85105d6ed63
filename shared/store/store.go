// Package store keeps alerts, exposures, incidents and the correlation state of each tenant: the promises, in words.
// Drivers keep them (localstore, later cosmos), storetest checks every one.
//
//	correlate ──Load──▶ decide ──Commit(version)──▶ all of it, or none
//	api, portal, export ──Incidents, Alerts, Changes──▶ what was committed
//
// # What Cosmos DB can promise, and how
//
// The contract is cut to what one Cosmos logical partition can do: a transactional batch is atomic within one
// partition key, holds at most 100 operations and 2 MB, and costs 5 RU per KB-sized write; 20 GB and 10,000 RU/s per
// logical partition; no ORDER BY across partitions.
//
//	container "state"    pk /tenant            one small partition a tenant
//	  id "tenant"          {version, sequence}          ← If-Match on its ETag is Commit's version check
//	  id "n/<shard>"       nodes of one of 256 shards of the key space, expire by NodeLife (TTL)
//	  id "i/<incident>"    incident, open and recent ones
//	  id "c/<version>"     one commit: heads of its alerts (id, incident, status, times, severity, body), feed entry
//	container "bodies"   pk /tenant, /chunk    alert bodies, up to 100 to an item (chunk = commit), written first,
//	                                           idempotently; invisible until a head in "state" names them
//	container "archive"  pk /tenant, /month    closed incidents and old heads, moved there by the change feed
//
//	Commit = write chunk(s) to "bodies"; then ONE batch in "state":
//	         replace tenant (If-Match) + create c/<version> + upsert ≤ 90 n/ and i/ documents
//
// A crash between the two leaves an unnamed chunk, which the repeated commit overwrites; a lost race fails the
// batch with 412, which is fault.Conflict. A batch too large for one commit is cut by correlate (MaxCommit). Heads of
// 100 alerts in one item cost about what one write of 100 KB costs (50 RU), half a unit an alert; the chunk of bodies as
// much again per 100 KB; nodes and incidents are packed, so that operations per batch stay below 100 whatever
// the alerts touch. Reads: newest first is a range over c/ ids within the partition; get by id is a point read by
// the commit version that the id's shard remembers. A tenant that outgrows 20 GB of heads
// (about 40 million alerts) moves heads to "archive" by month.
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
	// never seen is version 0 with nothing in it. Members are whole, bodies included.
	Load(ctx context.Context, tenant string, refs incident.Refs) (incident.Loaded, error)
	// Commit makes changes visible, whole or not at all, even through a crash at any point, and moves the tenant to
	// version+1. It is fault.Conflict when the tenant is no longer at version, and changes nothing then. Whatever
	// it names replaces what was there. At most MaxCommit members. Tenants never see one another.
	Commit(ctx context.Context, tenant string, version uint64, c incident.Changes) error
}

// Reader is the side that shows. All of it follows merges and folds: an alert of a merged incident is listed with the
// survivor and names the survivor, a folded alert's id finds the alert it was folded into.
type Reader interface {
	// Tenants lists the tenants with anything stored, sorted.
	Tenants(ctx context.Context) ([]string, error)
	// Alert finds one alert or exposure by id; fault.NotFound when there is none.
	Alert(ctx context.Context, tenant, id string) (incident.Member, error)
	// Alerts lists alerts; neither exposures nor folded alerts are among them.
	Alerts(ctx context.Context, tenant string, q query.Query) (Page[incident.Member], error)
	// Exposures lists posture findings.
	Exposures(ctx context.Context, tenant string, q query.Query) (Page[incident.Member], error)
	// Incident finds one incident by id, also a redirected one; fault.NotFound when there is none.
	Incident(ctx context.Context, tenant, id string) (incident.Incident, error)
	// Incidents lists incidents, redirected ones included unless q excludes them.
	Incidents(ctx context.Context, tenant string, q query.Query) (Page[incident.Incident], error)
	// IncidentAlerts lists the alerts of an incident and of all that were merged into it, by first activity unless q
	// orders otherwise.
	IncidentAlerts(ctx context.Context, tenant, id string, q query.Query) (Page[incident.Member], error)
	// Stats counts what is stored, all tenants together. It may lag a little behind.
	Stats(ctx context.Context) (Stats, error)
}

// Page is one page of a listing.
type Page[T any] = query.Page[T]

// Stats counts rows.
type Stats = query.Stats

// Feed tells what changed, for exports and live views.
type Feed interface {
	// Changes returns up to limit changes of the tenant after the cursor ("" for the beginning) in commit order, and the cursor
	// after them. Every committed change appears; one that was overtaken by a later change of the same thing may be
	// left out. Read what changed with Reader.
	Changes(ctx context.Context, tenant, cursor string, limit int) (changes []Change, next string, err error)
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
