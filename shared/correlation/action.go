package correlation

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
)

// This file and edit.go, merge.go, move.go and unfold.go are what a person decides about alerts and incidents, as pure
// as what correlation decides. It stays: what a person took apart is never merged again by correlation, what was put
// together stays together, and later alerts prefer the side where the person put their like.
//
//	Action ──▶ Engine.Needs ─▶ load ─▶ Engine.Sources ─▶ list ─▶ Engine.Act ──▶ ActionResult, audit records
//	                                                                 └─▶ Engine.Take

// Action is one decision of a person: EditIncident, EditAlerts, Merge, Move or Unfold. Repeating one changes nothing
// more, comments apart.
type Action interface {
	// follow names what must be loaded, one step further with each call.
	followNeeds(l *lookahead)
	// perform checks everything before it changes anything.
	performOn(run *actionRun) error
}

// Actor is who acts, and when.
type Actor struct {
	Name string
	At   time.Time
	// IfMatch, when set, is the tag that the thing to be edited must still have: see Incident.Tag.
	IfMatch string
	// Audit, when set, makes the entries of the audit log, to be committed together with what they tell of. It may be
	// called several times, as often as an action is decided anew. An error commits nothing.
	Audit func([]incident.AuditRecord) ([]incident.AuditEntry, error)
}

// ActionResult says what became of an action.
type ActionResult struct {
	Incident string   // the incident to look at now
	Alerts   []string // the alerts that it was about
	Changed  bool
	Records  []incident.AuditRecord
	Notes    []string // what was left undone, in words
}

// The bounds of one action.
const (
	MaxAlertsPerAction   = 100  // alerts that one action changes: what a store commits at once
	MaxIncidentsPerMerge = 5    // incidents that are merged at once (unified-api reference, 5.1)
	maxResummarized      = 1000 // alerts of an incident that loses some, up to which its summary is made anew
	maxSplits            = 500  // incidents that one was taken apart from
)

// The rules of memberships that a person made.
const (
	ruleMovedByHand    = "moved by hand"
	ruleMergedByHand   = "merged by hand"
	ruleUnfoldedByHand = "taken apart by hand"
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
func (e *Engine) Needs(a Action) incident.Refs {
	l := lookahead{memory: &e.memory}
	a.followNeeds(&l)
	e.unfollowed = slices.DeleteFunc(e.unfollowed, l.followNode)
	return l.refs
}

// Sources names the incidents whose alerts an action must know all of, to summarize them without those it takes away.
// Ask once Needs names nothing more.
func (e *Engine) Sources(a Action) []string {
	mv, ok := a.(Move)
	if !ok {
		return nil
	}
	var ids []string
	for _, d := range departuresOf(&e.memory, mv) {
		if stay := d.from.Alerts - len(d.alerts); stay > 0 && stay <= maxResummarized {
			ids = append(ids, d.from.ID)
		}
	}
	return ids
}

// Act does what a person decided. whole has the alerts of each incident that Sources named. After an error nothing has
// changed: fault.NotFound for what is not there, fault.Precondition for what the present state forbids, fault.Invalid
// for what never can be, fault.TooLarge for too much at once.
func (e *Engine) Act(a Action, by Actor, whole map[string][]incident.AlertRecord) (ActionResult, error) {
	run := &actionRun{Engine: e, actor: by, whole: whole}
	if err := a.performOn(run); err != nil {
		return ActionResult{}, err
	}
	run.Changed = len(run.Records) > 0
	return run.ActionResult, nil
}

// actionRun is an action being done.
type actionRun struct {
	*Engine
	ActionResult
	actor Actor
	whole map[string][]incident.AlertRecord
}

// auditChange notes what differs between two states of a thing, and reports whether anything does.
func (run *actionRun) auditChange(what, kind, id string, before, after map[string]string) bool {
	r := incident.AuditRecord{
		Who: run.actor.Name, When: run.actor.At, What: what, Kind: kind, ID: id, Before: map[string]string{}, After: map[string]string{},
	}
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if before[name] != after[name] {
			r.Before[name], r.After[name] = before[name], after[name]
		}
	}
	if len(r.After) == 0 {
		return false
	}
	run.Records = append(run.Records, r)
	return true
}

// auditAlertCount notes a change of an incident's fields and of how many alerts it holds.
func (run *actionRun) auditAlertCount(what string, inc *incident.Incident, before map[string]string, alertsBefore int, after map[string]string) {
	before["alerts"], after["alerts"] = strconv.Itoa(alertsBefore), strconv.Itoa(inc.Alerts)
	run.auditChange(what, "incident", inc.ID, before, after)
}

// markEdited moves an incident's time of change: it was edited, or one of its alerts was.
func (run *actionRun) markEdited(inc *incident.Incident) {
	inc.Updated, inc.ModifiedBy = incident.Later(run.actor.At, inc.Updated), run.actor.Name
	run.incidents.Change(inc.ID, inc)
}

// requireAlert finds an alert to act on; a folded report stands for the alert that it was folded into.
func (run *actionRun) requireAlert(id string) (*incident.AlertRecord, error) {
	rec := run.alertOf(id)
	if rec == nil {
		return nil, fault.Errorf(fault.NotFound, "No alert with id '%s' was found.", clipText(id))
	}
	return rec, nil
}

// requireActive finds an incident to act on, which must not be merged into another.
func (run *actionRun) requireActive(id string) (*incident.Incident, error) {
	inc := run.incidents.Get(id)
	switch {
	case inc == nil:
		return nil, fault.Errorf(fault.NotFound, "No incident with id '%s' was found.", clipText(id))
	case inc.RedirectTo != "":
		return nil, fault.Errorf(fault.Precondition, "Incident %s was merged into incident %s: act on that one.", id, run.survivorOf(id).ID)
	}
	return inc, nil
}

// clipText is a text as far as a message shows it: 100 bytes.
func clipText(s string) string {
	const most = 100
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}
