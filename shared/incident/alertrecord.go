package incident

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/query"
)

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

// Reason is one link between an alert and its incident.
type Reason struct {
	Rule   string        `json:"rule"`            // what links them: "shared machine", "carried id", "moved by hand" …
	Alert  string        `json:"alert,omitzero"`  // the earlier alert that it links to
	Entity string        `json:"entity,omitzero"` // the shared entity's canonical key
	Name   string        `json:"name,omitzero"`   // the shared entity as the alert names it, or the person who acted
	Weight float64       `json:"weight"`          // 0 to 1
	Gap    time.Duration `json:"-"`               // between the activities; "gap" in seconds on the wire
}

// wireReason is Reason on the wire.
type wireReason struct {
	plainReason
	Gap float64 `json:"gap,omitzero"` // seconds
}

type plainReason Reason // without methods, so that encoding it does not recurse

// MarshalJSON writes the gap in seconds.
func (r Reason) MarshalJSON() ([]byte, error) {
	return json.Marshal(wireReason{plainReason(r), r.Gap.Seconds()})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (r *Reason) UnmarshalJSON(b []byte) error {
	var w wireReason
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	*r = Reason(w.plainReason)
	r.Gap = time.Duration(math.Round(w.Gap * float64(time.Second)))
	return nil
}

// Text gives r's filterable text fields.
func (r AlertRecord) Text(f query.Field) string {
	switch f {
	case query.ID:
		return r.Alert.ID
	case query.Severity:
		return string(r.Alert.Severity.Graph())
	case query.Status:
		return string(r.Status)
	case query.Title:
		return r.Alert.Title
	case query.ServiceSource:
		return r.Alert.GraphService()
	case query.IncidentID:
		return r.Incident
	}
	return r.Work.textOf(f)
}

// Time gives r's filterable times.
func (r AlertRecord) Time(f query.Field) time.Time {
	switch f {
	case query.Created:
		return r.Created
	case query.Updated:
		return r.Updated
	case query.FirstActivity:
		return r.Alert.First
	case query.LastActivity:
		return r.Alert.Last
	}
	return time.Time{}
}

// KeepResolved keeps Resolved, when the alert was resolved, in step with Status.
func (r *AlertRecord) KeepResolved(now time.Time) {
	switch {
	case r.Status != alert.StatusResolved:
		r.Resolved = time.Time{}
	case r.Resolved.IsZero():
		r.Resolved = now
	}
}

// MaxReasons bounds what is kept to explain one membership.
const MaxReasons = 6

// KeepReasons keeps the weightiest of the reasons.
func (r *AlertRecord) KeepReasons(reasons []Reason) {
	slices.SortStableFunc(reasons, func(a, b Reason) int { return cmp.Compare(b.Weight, a.Weight) })
	r.Reasons = reasons[:min(len(reasons), MaxReasons)]
}

// AuditFields is what the audit log tells of an alert, by the API's names.
func (r *AlertRecord) AuditFields() map[string]string {
	out := r.Work.auditFields()
	out["status"] = string(r.Status)
	return out
}

// Tag changes whenever something that a person can see or edit of the alert does.
func (r *AlertRecord) Tag() string { return tagOf(r.AuditFields(), r.Updated, len(r.Alert.Sightings)) }
