package correlation

import (
	"slices"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
)

// Merge puts up to MaxIncidentsPerMerge incidents together. Which one goes on is not the person's choice: the one
// with the most alerts, the older of equal ones. The guards of the product hold here too (unified-api reference, 4.5
// and 5.1), except that a person may put together what was taken apart.
type Merge struct {
	IDs     []string
	Comment string
}

func (mg Merge) followNeeds(l *lookahead) {
	for _, id := range mg.IDs[:min(len(mg.IDs), MaxIncidentsPerMerge)] {
		l.followIncident(id)
	}
}

func (mg Merge) performOn(run *actionRun) error {
	group, err := run.requireMergeable(mg.IDs)
	if err != nil {
		return err
	}
	survivor := group[0]
	run.Incident = survivor.ID
	if len(group) == 1 { // they are one already
		return nil
	}
	work := survivor.Work
	for _, gone := range group[1:] {
		work.Comments = slices.Concat(work.Comments, gone.Comments)
	}
	slices.SortStableFunc(work.Comments, func(a, b incident.Comment) int { return a.Created.Compare(b.Created) })
	work.Comments = work.Comments[:min(len(work.Comments), maxComments)]
	if err := (Edit{Comment: mg.Comment}).editWork(&work, run.actor); err != nil {
		return err
	}
	before, alertsBefore := survivor.AuditFields(), survivor.Alerts
	survivor.Comments = work.Comments
	for _, gone := range group[1:] {
		run.mergeByHand(survivor, gone)
	}
	forgetSplits(survivor)
	survivor.ModifiedBy = run.actor.Name
	run.incidents.Change(survivor.ID, survivor)
	run.auditAlertCount("merge", survivor, before, alertsBefore, survivor.AuditFields())
	return nil
}

// mergeByHand merges one incident into the survivor because a person said so.
func (run *actionRun) mergeByHand(survivor, gone *incident.Incident) {
	before := gone.AuditFields()
	before["redirectIncidentId"] = gone.RedirectTo
	survivor.AddMerger(incident.MergerOf(gone, "", incident.Reason{Rule: ruleMergedByHand, Name: run.actor.Name, Weight: 1}))
	survivor.TakeOver(gone, run.actor.At)
	run.incidents.Change(gone.ID, gone)
	run.incidents.Change(survivor.ID, survivor)
	after := gone.AuditFields()
	after["redirectIncidentId"] = survivor.ID
	run.auditChange("merge", "incident", gone.ID, before, after)
}

// requireMergeable finds the distinct incidents behind ids, the one that goes on first, if nothing forbids their merge.
func (run *actionRun) requireMergeable(ids []string) ([]*incident.Incident, error) {
	if len(ids) < 2 || len(ids) > MaxIncidentsPerMerge {
		return nil, fault.Errorf(fault.Invalid, "2 to %d incidents are merged at once, not %d.", MaxIncidentsPerMerge, len(ids))
	}
	var group []*incident.Incident
	alerts := 0
	for _, id := range ids {
		inc := run.survivorOf(id)
		if inc == nil {
			return nil, fault.Errorf(fault.NotFound, "No incident with id '%s' was found.", clipText(id))
		}
		if !slices.Contains(group, inc) {
			group, alerts = append(group, inc), alerts+inc.Alerts
		}
	}
	for i, a := range group {
		for _, b := range group[:i] {
			if why := incident.WhyNotMergeByHand(a, b, run.params.MaxAlerts); why != "" {
				return nil, fault.Errorf(fault.Precondition, "Incidents %s and %s cannot be merged: %s.", b.ID, a.ID, why)
			}
		}
	}
	if alerts > run.params.MaxAlerts {
		return nil, fault.Errorf(fault.Precondition, "The incidents cannot be merged: together they would hold %d alerts, and an incident holds at most %d.", alerts, run.params.MaxAlerts)
	}
	slices.SortFunc(group, func(a, b *incident.Incident) int {
		if a.Alerts != b.Alerts {
			return b.Alerts - a.Alerts
		}
		return incident.CompareAge(a, b)
	})
	return group, nil
}

// forgetSplits forgets that parts of an incident were taken apart: a person put them together.
func forgetSplits(i *incident.Incident) {
	i.SplitFrom = slices.DeleteFunc(slices.Clone(i.SplitFrom), i.Includes)
}
