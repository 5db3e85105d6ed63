package correlation

import (
	"slices"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
)

// Unfold makes a report that was taken for another product's copy of an alert an alert of its own again, in the same
// incident. It is not folded again. The original shows its own title and type again; entities that both may have named
// stay with it, since nobody wrote down who named them first.
type Unfold struct {
	ID string // of the folded report: Sighting.AlertID
}

func (u Unfold) followNeeds(l *lookahead) {
	l.followAlert(u.ID)
	rec := l.alerts.Get(u.ID)
	if rec == nil {
		return
	}
	l.followReport(NewReport(rec.Alert))
	if original := l.alerts.Get(rec.FoldedInto); original != nil {
		l.followReport(NewReport(original.Alert))
	}
}

func (u Unfold) performOn(run *actionRun) error {
	rec := run.alerts.Get(u.ID)
	if rec == nil {
		return fault.Errorf(fault.NotFound, "No alert with id '%s' was found.", clipText(u.ID))
	}
	run.ActionResult.Alerts, run.Incident = []string{u.ID}, rec.Incident
	if rec.FoldedInto == "" {
		if inc := run.survivorOf(rec.Incident); inc != nil {
			run.Incident = inc.ID
		}
		if slices.ContainsFunc(rec.Reasons, func(r incident.Reason) bool { return r.Rule == ruleUnfoldedByHand }) {
			return nil
		}
		return fault.Errorf(fault.Precondition, "Alert %s was not folded into another.", u.ID)
	}
	original := run.alertOf(u.ID)
	inc := run.survivorOf(original.Incident)
	if inc != nil && inc.Alerts >= run.params.MaxAlerts {
		return fault.Errorf(fault.Precondition, "Incident %s holds %d alerts and takes no more.", inc.ID, inc.Alerts)
	}
	run.auditChange("unfold", "alert", u.ID, map[string]string{"foldedInto": original.Alert.ID}, map[string]string{"foldedInto": ""})
	run.removeSighting(original, rec)
	rec.FoldedInto, rec.Alert.Sightings, rec.Updated = "", nil, incident.Later(run.actor.At, rec.Updated)
	rec.Reasons = []incident.Reason{{
		Rule: ruleUnfoldedByHand, Alert: original.Alert.ID, Name: run.actor.Name, Weight: 1, Gap: gapBetween(&rec.Alert, &original.Alert),
	}}
	run.alerts.Change(u.ID, rec)
	r := NewReport(rec.Alert)
	run.reclaimIDs(r, original)
	a := run.resolveReport(r)
	run.indexFingerprint(a)
	if inc != nil { // none where it is an exposure
		run.admitUnfolded(rec, a, inc)
	}
	return nil
}

// admitUnfolded puts an unfolded alert into the incident of the one that it was folded into.
func (run *actionRun) admitUnfolded(rec *incident.AlertRecord, a *arrival, inc *incident.Incident) {
	run.Incident, rec.Incident = inc.ID, inc.ID
	if inc.Status == incident.Resolved {
		rec.Status, rec.StatusSet = alert.StatusResolved, true
		rec.KeepResolved(run.actor.At)
	}
	newKind := inc.AddAlert(&rec.Alert, a.kind, run.involvedEntities(a), false, run.actor.At)
	if !inc.Noise {
		run.assessSuspicion(a)
		a.beginEpisodes()
		run.recordActivity(inc, a, newKind)
	}
	inc.ModifiedBy = run.actor.Name
	run.incidents.Change(inc.ID, inc)
}

// removeSighting takes a folded report out of the alert that it was folded into.
func (run *actionRun) removeSighting(original, folded *incident.AlertRecord) {
	a, gone := &original.Alert, &folded.Alert
	own := slices.IndexFunc(a.Sightings, func(s alert.Sighting) bool { return s.AlertID == a.ID })
	if own >= 0 {
		s := a.Sightings[own]
		a.Title, a.Type, a.Reporter, a.ReportID, a.Updated = s.Title, s.Type, s.Reporter, s.ReportID, s.Updated
	}
	a.Sightings = slices.DeleteFunc(slices.Clone(a.Sightings), func(s alert.Sighting) bool { return s.AlertID == gone.ID })
	if len(a.Sightings) < 2 {
		a.Sightings = nil
	}
	theirs := append(slices.Clone(gone.CarriedIDs), gone.ReportID, gone.Origin.ID)
	a.CarriedIDs = slices.DeleteFunc(slices.Clone(a.CarriedIDs), func(id string) bool { return slices.Contains(theirs, id) })
	original.Position, original.Updated = 0, incident.Later(run.actor.At, original.Updated)
	run.alerts.Change(a.ID, original)
}

// reclaimIDs makes the ids that only the unfolded report carries lead to it.
func (run *actionRun) reclaimIDs(r *Report, original *incident.AlertRecord) {
	others := carriedIDNodes(&original.Alert)
	for _, id := range r.ids {
		if !slices.Contains(others, id) {
			run.nodes.PointID(id, r.Alert.ID, r.Alert.First, r.Alert.Last)
		}
	}
}
