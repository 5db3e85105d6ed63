package incident

import (
	"slices"
	"strconv"

	"github.com/onepane/onepane/shared/fault"
)

// Merge puts up to MaxMerged incidents together. Which one goes on is not the person's choice: the one with the most
// alerts, the older of equal ones. The guards of the product hold here too (unified-api reference, 4.5 and 5.1), except
// that a person may put together what was taken apart.
type Merge struct {
	IDs     []string
	Comment string
}

func (mg Merge) needs(m *missing) {
	for _, id := range mg.IDs[:min(len(mg.IDs), MaxIncidentsPerMerge)] {
		m.incident(id)
	}
}

func (mg Merge) do(s *State, d *deed) error {
	group, err := s.mergeable(mg.IDs)
	if err != nil {
		return err
	}
	survivor := group[0]
	d.Incident = survivor.ID
	if len(group) == 1 { // they are one already
		return nil
	}
	noted := *survivor
	for _, gone := range group[1:] {
		noted.Comments = slices.Concat(noted.Comments, gone.Comments)
	}
	slices.SortStableFunc(noted.Comments, func(a, b Comment) int { return a.Created.Compare(b.Created) })
	noted.Comments = noted.Comments[:min(len(noted.Comments), maxComments)]
	if err := (Edit{Comment: mg.Comment}).work(&noted.Work, d.by); err != nil {
		return err
	}
	before := survivor.account()
	before["alerts"] = strconv.Itoa(survivor.Alerts)
	survivor.Comments = noted.Comments
	for _, gone := range group[1:] {
		was := gone.account()
		was["redirectIncidentId"] = gone.RedirectTo
		survivor.explains(gone, "", Reason{Rule: handMerged, Name: d.by.Name, Weight: 1})
		s.take(survivor, gone, d.by.At)
		now := gone.account()
		now["redirectIncidentId"] = survivor.ID
		d.record("merge", "incident", gone.ID, was, now)
	}
	together(survivor)
	survivor.ModifiedBy = d.by.Name
	after := survivor.account()
	after["alerts"] = strconv.Itoa(survivor.Alerts)
	d.record("merge", "incident", survivor.ID, before, after)
	return nil
}

// mergeable are the distinct incidents behind ids, the one that goes on first, if nothing forbids their merge.
func (s *State) mergeable(ids []string) ([]*Incident, error) {
	if len(ids) < 2 || len(ids) > MaxIncidentsPerMerge {
		return nil, fault.Errorf(fault.Invalid, "2 to %d incidents are merged at once, not %d.", MaxIncidentsPerMerge, len(ids))
	}
	var group []*Incident
	alerts := 0
	for _, id := range ids {
		inc := s.incident(id)
		if inc == nil {
			return nil, fault.Errorf(fault.NotFound, "No incident with id '%s' was found.", clipped(id))
		}
		if !slices.Contains(group, inc) {
			group, alerts = append(group, inc), alerts+inc.Alerts
		}
	}
	for i, a := range group {
		for _, b := range group[:i] {
			if why := guard(*a, *b, s.tune.MaxAlerts); why != "" {
				return nil, fault.Errorf(fault.Precondition, "Incidents %s and %s cannot be merged: %s.", b.ID, a.ID, why)
			}
		}
	}
	if alerts > s.tune.MaxAlerts {
		return nil, fault.Errorf(fault.Precondition, "The incidents cannot be merged: together they would hold %d alerts, and an incident holds at most %d.", alerts, s.tune.MaxAlerts)
	}
	slices.SortFunc(group, func(a, b *Incident) int {
		if a.Alerts != b.Alerts {
			return b.Alerts - a.Alerts
		}
		return older(a, b)
	})
	return group, nil
}

// apartByHand reports whether a person took two incidents apart, or some that were merged into them.
func apartByHand(a, b *Incident) bool {
	return names(a.SplitFrom, b) || names(b.SplitFrom, a)
}

// names reports whether ids has the incident or one that was merged into it.
func names(ids []string, i *Incident) bool {
	return slices.ContainsFunc(ids, func(id string) bool { return i.has(id) })
}

// has reports whether an id is the incident's own or of one that was merged into it.
func (i *Incident) has(id string) bool { return id == i.ID || slices.Contains(i.Merged, id) }

// together forgets that parts of an incident were apart.
func together(i *Incident) {
	i.SplitFrom = slices.DeleteFunc(slices.Clone(i.SplitFrom), i.has)
}

func part(a, b *Incident) {
	a.SplitFrom, b.SplitFrom = union(a.SplitFrom, []string{b.ID}), union(b.SplitFrom, []string{a.ID})
}

// prefer puts first, of two incidents that a person took apart and that an arrival both ties to, the one where the person,
// or what came since, has its like.
func (s *State) prefer(v *arrival, found []candidate) []candidate {
	if len(found) < 2 || len(found[0].incident.SplitFrom) == 0 {
		return found
	}
	best, most := 0, s.alike(v, found[0].incident)
	for i := 1; i < len(found) && found[i].score >= s.tune.JoinAt; i++ {
		if !apartByHand(found[0].incident, found[i].incident) {
			continue
		}
		if n := s.alike(v, found[i].incident); n > most {
			best, most = i, n
		}
	}
	chosen := found[best]
	return slices.Insert(slices.Delete(found, best, best+1), 0, chosen)
}

// alike is on how many of an arrival's things the latest alert of its kind went to an incident.
func (s *State) alike(v *arrival, inc *Incident) int {
	n := 0
	for _, t := range v.ties {
		if c := s.nodes[t.key].typed(v.kind); c != nil && inc.has(c.Incident) {
			n++
		}
	}
	return n
}
