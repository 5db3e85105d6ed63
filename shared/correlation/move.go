package correlation

import (
	"slices"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
)

// Move takes alerts out of their incidents into another, or into a new one when To is empty. With From set all of them
// must come from there. An incident that is left without alerts becomes redirected to where they went.
type Move struct {
	Alerts   []string // at most MaxAlertsPerAction
	From, To string
	Comment  string
}

func (mv Move) followNeeds(l *lookahead) {
	l.followIncident(mv.From)
	l.followIncident(mv.To)
	for _, id := range mv.Alerts[:min(len(mv.Alerts), MaxAlertsPerAction)] {
		l.followAlert(id)
		if rec := l.alertOf(id); rec != nil {
			l.followReport(NewReport(rec.Alert))
		}
	}
}

// departure is what a move takes out of one incident.
type departure struct {
	from   *incident.Incident
	alerts []*incident.AlertRecord
}

// departuresOf are the alerts that a move moves, by the incident they leave. What is there already is left out, and so
// is what does not exist.
func departuresOf(m *memory, mv Move) []departure {
	var out []departure
	to := m.survivorOf(mv.To)
	for _, id := range mv.Alerts {
		rec := m.alertOf(id)
		if rec == nil {
			continue
		}
		from := m.survivorOf(rec.Incident)
		if from == nil || from == to {
			continue
		}
		at := slices.IndexFunc(out, func(d departure) bool { return d.from == from })
		if at < 0 {
			at, out = len(out), append(out, departure{from: from})
		}
		if !slices.Contains(out[at].alerts, rec) {
			out[at].alerts = append(out[at].alerts, rec)
		}
	}
	return out
}

func (mv Move) performOn(run *actionRun) error {
	to, done, err := mv.checkMove(run)
	if done || err != nil {
		return err
	}
	departures := departuresOf(&run.memory, mv)
	if to == nil {
		to = run.newIncident(run.actor.At)
	}
	run.Incident = to.ID
	alertsBefore := to.Alerts
	if mv.Comment != "" {
		to.Comments = append(slices.Clip(to.Comments), incident.Comment{Text: mv.Comment, By: run.actor.Name, Created: run.actor.At})
	}
	for _, d := range departures {
		run.moveDeparture(d, to)
	}
	forgetSplits(to)
	to.ModifiedBy = run.actor.Name
	run.auditAlertCount("move", to, map[string]string{}, alertsBefore, map[string]string{})
	return nil
}

// checkMove finds the incident to move to, nil for a new one. done says that the alerts are already where they should
// be.
func (mv Move) checkMove(run *actionRun) (to *incident.Incident, done bool, err error) {
	if to, err = mv.requireTarget(run); err != nil {
		return nil, false, err
	}
	if err := mv.requireMovable(run); err != nil {
		return nil, false, err
	}
	departures := departuresOf(&run.memory, mv)
	if len(departures) == 0 { // all of them are there
		run.Incident = to.ID
		return to, true, nil
	}
	if mv.From != "" {
		if done, err = mv.checkFrom(run, departures); done || err != nil {
			return to, done, err
		}
	}
	moved := 0
	for _, d := range departures {
		moved += len(d.alerts)
		if len(d.from.SplitFrom) >= maxSplits {
			return nil, false, fault.Errorf(fault.TooLarge, "Incident %s was taken apart %d times already.", d.from.ID, len(d.from.SplitFrom))
		}
	}
	if to != nil && to.Alerts+moved > run.params.MaxAlerts {
		return nil, false, fault.Errorf(fault.Precondition, "Incident %s holds %d alerts; with %d more it would hold more than %d.", to.ID, to.Alerts, moved, run.params.MaxAlerts)
	}
	return to, false, nil
}

// requireTarget finds the incident to move to, nil for a new one.
func (mv Move) requireTarget(run *actionRun) (*incident.Incident, error) {
	if mv.To == "" {
		return nil, nil
	}
	to, err := run.requireActive(mv.To)
	if err == nil && to.Status == incident.Resolved {
		err = fault.Errorf(fault.Precondition, "Incident %s is resolved and takes no more alerts: open it again first.", to.ID)
	}
	return to, err
}

// requireMovable checks what is to be moved, and the comment.
func (mv Move) requireMovable(run *actionRun) error {
	if len(mv.Alerts) == 0 {
		return fault.Errorf(fault.Invalid, "Name the alerts to move.")
	}
	if len(mv.Alerts) > MaxAlertsPerAction {
		return fault.Errorf(fault.TooLarge, "At most %d alerts are moved at once, not %d.", MaxAlertsPerAction, len(mv.Alerts))
	}
	for _, id := range mv.Alerts {
		rec, err := run.requireAlert(id)
		if err != nil {
			return err
		}
		if rec.Alert.Class == alert.Exposure {
			return fault.Errorf(fault.Invalid, "'%s' is an exposure: it belongs to no incident.", rec.Alert.ID)
		}
		run.Alerts = append(run.Alerts, rec.Alert.ID)
	}
	return (Edit{Comment: mv.Comment}).editWork(&incident.Work{}, run.actor)
}

// checkFrom checks that all alerts come from one incident, and that something stays there when they go into a new one.
// What was split off before is done.
func (mv Move) checkFrom(run *actionRun, departures []departure) (done bool, err error) {
	from, err := run.requireActive(mv.From)
	if err != nil {
		return false, err
	}
	d := departures[0]
	if len(departures) == 1 && mv.To == "" && d.from != from && d.from.IsSplitFrom(from) && d.from.Alerts == len(d.alerts) {
		run.Incident = d.from.ID
		return true, nil
	}
	for _, d := range departures {
		if d.from != from {
			return false, fault.Errorf(fault.Precondition, "Alert %s is in incident %s, not in %s.", d.alerts[0].Alert.ID, d.from.ID, from.ID)
		}
	}
	if mv.To == "" && len(d.alerts) >= from.Alerts {
		return false, fault.Errorf(fault.Precondition, "Incident %s would be left without alerts: leave at least one, or merge it into another.", from.ID)
	}
	return false, nil
}

// moveDeparture moves the alerts that leave one incident.
func (run *actionRun) moveDeparture(d departure, to *incident.Incident) {
	var names []string // node keys that the alerts touched
	for _, rec := range d.alerts {
		names = append(names, run.moveAlert(rec, d.from, to)...)
	}
	d.from.Alerts = max(d.from.Alerts-len(d.alerts), 0)
	if d.from.Alerts == 0 {
		to.AddMerger(incident.MergerOf(d.from, "", incident.Reason{Rule: ruleMovedByHand, Name: run.actor.Name, Weight: 1}))
		to.Redirect(d.from, run.actor.At)
		run.incidents.Change(d.from.ID, d.from)
		return
	}
	d.from.SplitFrom, to.SplitFrom = incident.Union(d.from.SplitFrom, []string{to.ID}), incident.Union(to.SplitFrom, []string{d.from.ID})
	if all, known := run.whole[d.from.ID]; known {
		stayed := slices.DeleteFunc(slices.Clone(all), func(r incident.AlertRecord) bool {
			return slices.ContainsFunc(d.alerts, func(left *incident.AlertRecord) bool { return left.Alert.ID == r.Alert.ID })
		})
		for _, name := range names {
			run.narrowActivity(name, d.from, stayed)
		}
		d.from.Resummarize(stayed, d.alerts)
	} else {
		run.Notes = append(run.Notes, "Incident "+d.from.ID+" is large: its name, severity and assets still tell of the alerts that left.")
	}
	run.markEdited(d.from)
}

// moveAlert moves an alert and notes on its entities where it went. It returns the node keys of the entities, and of
// what the alert claims belongs together.
func (run *actionRun) moveAlert(rec *incident.AlertRecord, from, to *incident.Incident) []string {
	a := run.resolveReport(NewReport(rec.Alert))
	run.assessSuspicion(a)
	a.beginEpisodes()
	var names []string
	for i := range a.entities {
		v := &a.entities[i]
		names = append(names, v.key)
		n := run.nodes.Edit(v.key)
		for _, act := range n.Activities {
			if from.Includes(act.Incident) {
				v.suspicion = max(v.suspicion, act.Suspicion)
			}
		}
		// What keeps firing goes on in the incident that gathers it.
		if c := n.CountOf(a.kind); c != nil && from.Includes(c.Incident) && !from.Noise {
			n.KindCounts = slices.Clone(n.KindCounts)
			n.CountOf(a.kind).Incident = to.ID
		}
	}
	run.auditChange("move", "alert", rec.Alert.ID, map[string]string{"incidentId": from.ID}, map[string]string{"incidentId": to.ID})
	rec.Incident, rec.Updated = to.ID, incident.Later(run.actor.At, rec.Updated)
	rec.Reasons = []incident.Reason{{Rule: ruleMovedByHand, Name: run.actor.Name, Weight: 1}}
	run.alerts.Change(rec.Alert.ID, rec)
	opener := to.Alerts == 0
	if opener {
		to.Opener = rec.Alert.ID
	}
	if from.Opener == rec.Alert.ID {
		from.Opener = ""
	}
	from.DeferredLinks = nil // what may have spoken for merging it was said before a person looked
	newKind := to.AddAlert(&rec.Alert, a.kind, run.involvedEntities(a), opener, run.actor.At)
	if newKind {
		to.RaiseSuspicion(a.suspicion)
	}
	run.incidents.Change(to.ID, to)
	run.recordActivity(to, a, newKind)
	return append(names, a.claims...)
}

// narrowActivity brings what a node knows of an incident in line with the alerts that stayed there.
func (run *actionRun) narrowActivity(key string, from *incident.Incident, stayed []incident.AlertRecord) {
	n := run.nodes.Edit(key)
	var rest *incident.Activity
	for i := range stayed {
		a := &stayed[i].Alert
		switch {
		case !run.isNamedBy(a, n):
		case rest == nil:
			rest = &incident.Activity{Alert: a.ID, First: a.First, Last: a.Last}
		default:
			if !a.Last.Before(rest.Last) {
				rest.Alert = a.ID
			}
			rest.Last = incident.Later(rest.Last, a.Last)
			if a.First.Before(rest.First) {
				rest.First = a.First
			}
		}
	}
	activities := make([]incident.Activity, 0, len(n.Activities))
	for _, act := range n.Activities {
		if from.Includes(act.Incident) {
			if rest == nil {
				continue
			}
			act.Alert, act.First, act.Last = rest.Alert, rest.First, rest.Last
		}
		activities = append(activities, act)
	}
	n.Activities = activities
}

// isNamedBy reports whether an alert names the entity of a node, as far as the names at hand tell.
func (run *actionRun) isNamedBy(a *alert.Alert, n *incident.Node) bool {
	r := NewReport(*a)
	return slices.ContainsFunc(append(r.lookups, r.claims...), func(key string) bool {
		if key == n.Key || slices.Contains(n.Aliases, key) || run.nodes.Canonical(key) == n.Key {
			return true
		}
		alias := run.nodes.Get(key)
		return alias != nil && slices.ContainsFunc(alias.Targets, func(t incident.AliasTarget) bool { return run.nodes.Canonical(t.Key) == n.Key })
	})
}
