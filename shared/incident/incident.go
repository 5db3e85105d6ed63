// Package incident decides which alerts belong together. An alert comes in with the tenant's state; out come the
// incident it belongs to and the reasons. The decision is pure: no clock, no I/O, no randomness.
//
// The same reports in the same order give the same records, whatever the batches, restarts, repeats and stores. Another order
// of delivery is another input. Gaps, spans and windows are of event time, so that a late alert lands where it belongs, ties what
// it ties and merges what it shows to be one; but how rare a thing is, and whether it is a drip, is judged by what came before, and
// a resolved incident takes nothing more. Of attacks, nearly all pairs of alerts that order joins stay joined, and nearly nothing more joins
// (functions/correlate, TestLateAlertsFindTheirPlace, has the figures).
//
//	              ┌ members, incidents, nodes ┐
//	alert ──▶ State.Missing ─▶ load ─▶ State.Apply ──▶ Outcome
//	                                       └─▶ State.Take: Changes for the store, to be committed whole
package incident

import (
	"hash/fnv"
	"math"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/query"
)

// Status is where work on an incident stands, in the Graph's words.
type Status string

// The statuses. Redirected is an incident whose content moved into RedirectTo.
const (
	Active     Status = "active"
	InProgress Status = "inProgress"
	Resolved   Status = "resolved"
	Redirected Status = "redirected"
)

// Incident is alerts judged to be one attack.
type Incident struct {
	ID     string `json:"id"` // decimal, unique within the tenant (see MakeID)
	Tenant string `json:"tenant"`
	Name   string `json:"name"`
	// NameSet and SeveritySet say that a person chose them; correlation then leaves them alone, except that a merge
	// names anew (unified-api reference, 4.3).
	NameSet     bool           `json:"nameSet,omitzero"`
	Severity    alert.Severity `json:"severity"`
	SeveritySet bool           `json:"severitySet,omitzero"`
	Status      Status         `json:"status"`
	Work
	Description      string   `json:"description,omitzero"`
	Summary          string   `json:"summary,omitzero"`
	ResolvingComment string   `json:"resolvingComment,omitzero"`
	Tags             []string `json:"tags,omitempty"`
	SystemTags       []string `json:"systemTags,omitempty"`

	Created    time.Time `json:"created"` // when the first alert arrived
	Updated    time.Time `json:"updated"` // when it or one of its alerts last changed here
	ModifiedBy string    `json:"modifiedBy,omitzero"`
	First      time.Time `json:"first"` // activity span of its alerts
	Last       time.Time `json:"last"`

	RedirectTo string   `json:"redirectTo,omitzero"`
	Merged     []string `json:"merged,omitempty"` // incidents that were merged into this one, however indirectly
	// SplitFrom are incidents that a person took this one apart from: never merged again, nor what was merged into either.
	SplitFrom []string `json:"apart,omitempty"`
	// Opener is the alert that opened the incident; Mergers say why the merged ones are here, at most maxMergers.
	Opener  string   `json:"opener,omitzero"`
	Mergers []Merger `json:"mergers,omitempty"`

	Alerts   int             `json:"alerts"` // distinct alerts, folded ones not counted
	Tactics  []attack.Tactic `json:"tactics,omitempty"`
	Products []string        `json:"products,omitempty"` // product names, first come first
	Clouds   []entity.Cloud  `json:"clouds,omitempty"`
	// Assets are the tenant's own things that its alerts touch, first come first, at most MaxAssets.
	Assets     []Asset `json:"assets,omitempty"`
	AssetCount int     `json:"assetCount,omitzero"` // distinct assets, also beyond MaxAssets
	// Exposures are the open exposures of those assets, the gravest first, at most MaxExposed.
	Exposures []OpenExposure `json:"exposures,omitempty"`
	// GravestTitle is the title of the gravest alert, with its severity rank: what the incident is named after while it is small.
	GravestTitle string `json:"lead,omitzero"`
	GravestRank  int    `json:"leadRank,omitzero"`
	// Kinds are the kinds of alerts seen, as hashes, at most maxKinds: many kinds in one incident are seldom noise.
	Kinds []uint32 `json:"kinds,omitempty"`
	// Suspicion is how much its alerts look like an attack, 0 to 1: of a kind only the first counts.
	Suspicion float64 `json:"credit,omitzero"`
	// DeferredLinks are what may come to tie it to other incidents.
	DeferredLinks []DeferredLink `json:"clues,omitempty"`
	// Noise says that it only gathers what fires here all the time; nothing else joins it.
	Noise bool `json:"background,omitzero"`
	// Uncorrelated says that its rule wants its alerts uncorrelated; nothing joins it.
	Uncorrelated bool `json:"alone,omitzero"`
}

// MaxAssets bounds Incident.Assets, so that a large incident costs no more per alert than a small one.
const MaxAssets = 100

// Asset is an entity the tenant owns and an incident touches.
type Asset struct {
	Key   string       `json:"key"` // canonical entity key
	Kind  entity.Kind  `json:"kind"`
	Name  string       `json:"name"` // as a person knows it
	Value string       `json:"value"`
	Cloud entity.Cloud `json:"cloud,omitzero"`
}

// Work is what people decided about an alert or an incident.
type Work struct {
	AssignedTo     string    `json:"assignedTo,omitzero"`
	Classification string    `json:"classification,omitzero"` // the Graph's words; empty when untouched
	Determination  string    `json:"determination,omitzero"`
	Comments       []Comment `json:"comments,omitempty"`
}

// Comment is a remark by a person or the system.
type Comment struct {
	Text    string    `json:"text"`
	By      string    `json:"by"`
	Created time.Time `json:"created"`
}

// AlertRecord is an alert (or exposure) as stored: what was reported, and what became of it here.
type AlertRecord struct {
	Alert    alert.Alert `json:"alert"`
	Incident string      `json:"incident,omitzero"` // as of joining; redirects lead on. Empty for exposures
	Reasons  []Reason    `json:"reasons,omitempty"` // why it is in that incident; none for the first alert
	// FoldedInto is the alert this one is a duplicate of; it then has no incident of its own.
	FoldedInto string       `json:"foldedInto,omitzero"`
	Status     alert.Status `json:"status"` // the alert's, until a person sets another
	StatusSet  bool         `json:"statusSet,omitzero"`
	Work
	Created  time.Time `json:"created"` // when it first arrived
	Updated  time.Time `json:"updated"` // when it last changed here
	Resolved time.Time `json:"resolved,omitzero"`
	// Position is where the bus keeps the event whose data is exactly Alert, for a store that shares the bus's log
	// and need not write it again; 0 when there is none.
	Position uint64 `json:"-"`
}

// Reason is one tie between an alert and its incident.
type Reason struct {
	Rule   string        `json:"rule"`            // what kind of tie: "shared entity", "same report", "named member" …
	Alert  string        `json:"alert,omitzero"`  // the earlier alert it ties to
	Entity string        `json:"entity,omitzero"` // the shared thing's canonical key
	Name   string        `json:"name,omitzero"`   // the shared thing as the alert names it
	Weight float64       `json:"weight"`          // 0 to 1
	Gap    time.Duration `json:"-"`               // between the activities; "gap" in seconds on the wire
}

// reason is Reason on the wire.
type reason struct {
	plainReason
	Gap float64 `json:"gap,omitzero"` // seconds
}

type plainReason Reason // without methods, so that encoding it does not recurse

// MarshalJSON writes the gap in seconds.
func (r Reason) MarshalJSON() ([]byte, error) {
	return json.Marshal(reason{plainReason(r), r.Gap.Seconds()})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (r *Reason) UnmarshalJSON(b []byte) error {
	var w reason
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	*r = Reason(w.plainReason)
	r.Gap = time.Duration(math.Round(w.Gap * float64(time.Second)))
	return nil
}

// suffixes is how many incident ids one sequence number spans: see MakeID.
const suffixes = 10000

// MakeID makes a tenant's n-th incident id (n from 1): n followed by four digits that belong to the tenant. Ids are
// short, rise with n, and hardly ever mean two incidents to someone who sees several tenants.
func MakeID(tenant string, n int64) string {
	h := fnv.New32a()
	h.Write([]byte(tenant)) // never fails
	return strconv.FormatInt(n*suffixes+int64(h.Sum32()%suffixes), 10)
}

// Text gives i's filterable text fields.
func (i Incident) Text(f query.Field) string {
	switch f {
	case query.ID:
		return i.ID
	case query.Severity:
		return string(i.Severity.Graph())
	case query.Status:
		return string(i.Status)
	case query.DisplayName, query.Title:
		return i.Name
	case query.Priority:
		return query.Number(i.Priority().Score)
	}
	return i.Work.text(f)
}

// Time gives i's filterable times.
func (i Incident) Time(f query.Field) time.Time {
	switch f {
	case query.Created:
		return i.Created
	case query.Updated:
		return i.Updated
	case query.FirstActivity:
		return i.First
	case query.LastActivity:
		return i.Last
	}
	return time.Time{}
}

// Text gives m's filterable text fields.
func (m AlertRecord) Text(f query.Field) string {
	switch f {
	case query.ID:
		return m.Alert.ID
	case query.Severity:
		return string(m.Alert.Severity.Graph())
	case query.Status:
		return string(m.Status)
	case query.Title:
		return m.Alert.Title
	case query.ServiceSource:
		return m.Alert.GraphService()
	case query.IncidentID:
		return m.Incident
	}
	return m.Work.text(f)
}

// Time gives m's filterable times.
func (m AlertRecord) Time(f query.Field) time.Time {
	switch f {
	case query.Created:
		return m.Created
	case query.Updated:
		return m.Updated
	case query.FirstActivity:
		return m.Alert.First
	case query.LastActivity:
		return m.Alert.Last
	}
	return time.Time{}
}

func (w Work) text(f query.Field) string {
	switch f {
	case query.AssignedTo:
		return w.AssignedTo
	case query.Classification:
		return w.Classification
	case query.Determination:
		return w.Determination
	}
	return ""
}
