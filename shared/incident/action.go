package incident

import (
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/onepane/onepane/shared/fault"
)

// This file and edit.go, regroup.go, move.go and unfold.go are the analyst's hand: what a person decides about alerts and incidents, as pure
// as what correlation decides. It stays: what a person took apart is never merged again by correlation, what was put
// together stays together, and later alerts prefer the side that the person gave their like.
//
//	Action ──▶ State.Needs ─▶ load ─▶ State.Sources ─▶ list ─▶ State.Act ──▶ Done, records for the audit
//	                                                               └─▶ State.Take

// Action is one decision of a person: EditIncident, EditAlerts, Merge, Move or Unfold. Repeating one changes nothing
// more, comments apart.
type Action interface {
	// needs names what must be loaded, one step further with each call.
	needs(m *missing)
	// do checks everything before it changes anything.
	do(s *State, d *deed) error
}

// Actor is who acts, and when.
type Actor struct {
	Name string
	At   time.Time
	// IfMatch, when set, is the Tag that the thing to be edited must still have.
	IfMatch string
	// Audit, when set, makes what the journal says of records, to be committed together with what they tell of. It may be asked
	// several times, as often as an action is decided anew. An error commits nothing.
	Audit func([]AuditRecord) ([]AuditEntry, error)
}

// ActionResult says what became of an action.
type ActionResult struct {
	Incident string   // the incident to look at now
	Alerts   []string // the alerts that it was about
	Changed  bool
	Records  []AuditRecord
	Notes    []string // what was left undone, in words
}

// AuditRecord is one line of the audit: who changed what. Before and After hold what differs, by the API's names.
type AuditRecord struct {
	Who    string            `json:"who"`
	When   time.Time         `json:"when"`
	What   string            `json:"what"` // "edit", "merge", "move", "unfold"
	Kind   string            `json:"kind"` // of the thing: "incident" or "alert"
	ID     string            `json:"id"`
	Before map[string]string `json:"before,omitempty"`
	After  map[string]string `json:"after,omitempty"`
}

// The bounds of one action.
const (
	MaxAlertsPerAction   = 100  // alerts that one action changes: what a store commits at once
	MaxIncidentsPerMerge = 5    // incidents that are merged at once (unified-api reference, 5.1)
	maxRetold            = 1000 // alerts of an incident that loses some, up to which its story is told anew
	maxApart             = 500  // incidents that one was taken apart from
)

// The rules of memberships that a person made.
const (
	handMoved   = "moved by hand"
	handMerged  = "merged by hand"
	handUnfused = "taken apart by hand"
)

// ErrStale says that a thing is no longer as the one who acts on it saw it.
var ErrStale = errors.New("it was changed since it was read")

// FieldError is a value that a field cannot take. Its kind is fault.Invalid.
type FieldError struct {
	Field string // as the API calls it
	Text  string
}

// Error gives the reason, which names the field.
func (e *FieldError) Error() string { return e.Text }

func badField(field, text string) error {
	return fault.Errorf(fault.Invalid, "%w", &FieldError{field, "Property '" + field + "' " + text + "."})
}

// Needs names what must be loaded before an action can be done. Each call follows references one step further.
func (s *State) Needs(a Action) Refs {
	m := missing{s: s}
	a.needs(&m)
	return m.refs
}

// Sources names the incidents whose alerts an action must know all of, to tell their story without those it takes away.
// Ask once Needs names nothing more.
func (s *State) Sources(a Action) []string {
	mv, ok := a.(Move)
	if !ok {
		return nil
	}
	var out []string
	for _, g := range s.groups(mv) {
		if rest := g.from.Alerts - len(g.members); rest > 0 && rest <= maxRetold {
			out = append(out, g.from.ID)
		}
	}
	return out
}

// Act does what a person decided. whole has the alerts of each incident that Sources named. After an error nothing has
// changed: fault.NotFound for what is not there, fault.Precondition for what the present state forbids, fault.Invalid for what
// never can be, fault.TooLarge for too much at once.
func (s *State) Act(a Action, by Actor, whole map[string][]AlertRecord) (ActionResult, error) {
	d := &deed{by: by, whole: whole}
	if err := a.do(s, d); err != nil {
		return ActionResult{}, err
	}
	d.Changed = len(d.Records) > 0
	return d.ActionResult, nil
}

// deed is an action being done.
type deed struct {
	ActionResult
	by    Actor
	whole map[string][]AlertRecord
}

// record notes what differs between two accounts of a thing and reports whether anything does.
func (d *deed) record(what, kind, id string, before, after map[string]string) bool {
	r := AuditRecord{Who: d.by.Name, When: d.by.At, What: what, Kind: kind, ID: id, Before: map[string]string{}, After: map[string]string{}}
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if before[name] != after[name] {
			r.Before[name], r.After[name] = before[name], after[name]
		}
	}
	if len(r.After) == 0 {
		return false
	}
	d.Records = append(d.Records, r)
	return true
}

// alert finds an alert to act on; a folded report stands for the alert that it was folded into.
func (s *State) alert(id string) (*AlertRecord, error) {
	m := s.member(id)
	if m == nil {
		return nil, fault.Errorf(fault.NotFound, "No alert with id '%s' was found.", clipped(id))
	}
	return m, nil
}

// living finds an incident to act on.
func (s *State) living(id string) (*Incident, error) {
	inc := s.incidents[id]
	switch {
	case inc == nil:
		return nil, fault.Errorf(fault.NotFound, "No incident with id '%s' was found.", clipped(id))
	case inc.RedirectTo != "":
		return nil, fault.Errorf(fault.Precondition, "Incident %s was merged into incident %s: act on that one.", id, s.incident(id).ID)
	}
	return inc, nil
}

func clipped(s string) string {
	const most = 100
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}
