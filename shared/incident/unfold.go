package incident

import (
	"slices"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/fault"
)

// Unfold makes a report that was taken for another product's copy of an alert an alert of its own again, in the same
// incident. It is not folded again. The original shows its own title and type again; things that both may have named
// stay with it, since nobody wrote down who named them first.
type Unfold struct {
	ID string // of the folded report: Sighting.AlertID
}

func (u Unfold) needs(m *missing) {
	m.member(u.ID)
	mem := m.s.members[u.ID]
	if mem == nil {
		return
	}
	reports := []*Report{NewReport(mem.Alert)}
	if original := m.s.members[mem.FoldedInto]; original != nil {
		reports = append(reports, NewReport(original.Alert))
	}
	m.more(m.s.Missing(reports))
}

func (u Unfold) do(s *State, d *deed) error {
	m := s.members[u.ID]
	if m == nil {
		return fault.Errorf(fault.NotFound, "No alert with id '%s' was found.", clipped(u.ID))
	}
	d.Alerts, d.Incident = []string{u.ID}, m.Incident
	if m.FoldedInto == "" {
		if inc := s.incident(m.Incident); inc != nil {
			d.Incident = inc.ID
		}
		if slices.ContainsFunc(m.Reasons, func(r Reason) bool { return r.Rule == handUnfused }) {
			return nil
		}
		return fault.Errorf(fault.Precondition, "Alert %s was not folded into another.", u.ID)
	}
	original := s.member(u.ID)
	inc := s.incident(original.Incident)
	if inc != nil && inc.Alerts >= s.tune.MaxAlerts {
		return fault.Errorf(fault.Precondition, "Incident %s holds %d alerts and takes no more.", inc.ID, inc.Alerts)
	}
	d.record("unfold", "alert", u.ID, map[string]string{"foldedInto": original.Alert.ID}, map[string]string{"foldedInto": ""})
	s.without(original, m, d)
	m.FoldedInto, m.Alert.Sightings, m.Updated = "", nil, later(d.by.At, m.Updated)
	m.Reasons = []Reason{{Rule: handUnfused, Alert: original.Alert.ID, Name: d.by.Name, Weight: 1, Gap: apart(&m.Alert, &original.Alert)}}
	s.changedMembers.add(u.ID)
	r := NewReport(m.Alert)
	s.reclaim(r, original)
	v := s.arrive(r)
	s.brief(m, v.ties)
	if inc == nil { // an exposure
		return nil
	}
	d.Incident, m.Incident = inc.ID, inc.ID
	if inc.Status == Resolved {
		m.Status, m.StatusSet = alert.StatusResolved, true
		m.resolved(d.by.At)
	}
	inc.Alerts++
	newKind := inc.saw(v.kind)
	s.tell(inc, v, false, d.by.At)
	if !inc.Noise {
		s.weigh(v)
		v.anew()
		s.touch(inc, v, newKind)
	}
	inc.ModifiedBy = d.by.Name
	return nil
}

// without takes a folded report out of the alert that it was folded into.
func (s *State) without(original, folded *AlertRecord, d *deed) {
	a, gone := &original.Alert, &folded.Alert
	own := slices.IndexFunc(a.Sightings, func(x alert.Sighting) bool { return x.AlertID == a.ID })
	if own >= 0 {
		x := a.Sightings[own]
		a.Title, a.Type, a.Reporter, a.ReportID, a.Updated = x.Title, x.Type, x.Reporter, x.ReportID, x.Updated
	}
	a.Sightings = slices.DeleteFunc(slices.Clone(a.Sightings), func(x alert.Sighting) bool { return x.AlertID == gone.ID })
	if len(a.Sightings) < 2 {
		a.Sightings = nil
	}
	theirs := append(slices.Clone(gone.CarriedIDs), gone.ReportID, gone.Origin.ID)
	a.CarriedIDs = slices.DeleteFunc(slices.Clone(a.CarriedIDs), func(id string) bool { return slices.Contains(theirs, id) })
	original.Position, original.Updated = 0, later(d.by.At, original.Updated)
	s.changedMembers.add(a.ID)
}

// reclaim makes the ids that only the unfolded report carries lead to it.
func (s *State) reclaim(r *Report, original *AlertRecord) {
	others := carried(original.Alert)
	for _, id := range r.ids {
		if !slices.Contains(others, id) {
			s.lead(id, r.Alert)
		}
	}
}
