package incident

import (
	"slices"
	"strconv"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/fault"
)

// Move takes alerts out of their incidents into another, or into a new one when To is empty. With From set all of them
// must come from there. An incident that is left without alerts becomes redirected to where they went.
type Move struct {
	Alerts   []string // at most MaxActed
	From, To string
	Comment  string
}

func (mv Move) needs(m *missing) {
	m.incident(mv.From)
	m.incident(mv.To)
	var reports []*Report
	for _, id := range mv.Alerts[:min(len(mv.Alerts), MaxAlertsPerAction)] {
		m.member(id)
		if mem := m.s.member(id); mem != nil {
			reports = append(reports, NewReport(mem.Alert))
		}
	}
	m.more(m.s.Missing(reports))
}

// more adds further names to what is missing.
func (m *missing) more(r Refs) {
	m.refs.Alerts = append(m.refs.Alerts, r.Alerts...)
	m.refs.Incidents = append(m.refs.Incidents, r.Incidents...)
	m.refs.Nodes = append(m.refs.Nodes, r.Nodes...)
}

// group is what a move takes out of one incident.
type group struct {
	from    *Incident
	members []*AlertRecord
}

// groups are the alerts that a move moves, by the incident they leave. What is there already is left out, and so is what does
// not exist.
func (s *State) groups(mv Move) []group {
	var out []group
	to := s.incident(mv.To)
	for _, id := range mv.Alerts {
		m := s.member(id)
		if m == nil {
			continue
		}
		from := s.incident(m.Incident)
		if from == nil || from == to {
			continue
		}
		at := slices.IndexFunc(out, func(g group) bool { return g.from == from })
		if at < 0 {
			at, out = len(out), append(out, group{from: from})
		}
		if !slices.Contains(out[at].members, m) {
			out[at].members = append(out[at].members, m)
		}
	}
	return out
}

func (mv Move) do(s *State, d *deed) error {
	to, done, err := mv.check(s, d)
	if done || err != nil {
		return err
	}
	groups := s.groups(mv)
	fresh := to == nil
	if fresh {
		to = s.open(d.by.At)
	}
	d.Incident = to.ID
	before := map[string]string{"alerts": strconv.Itoa(to.Alerts)}
	if mv.Comment != "" {
		to.Comments = append(slices.Clip(to.Comments), Comment{Text: mv.Comment, By: d.by.Name, Created: d.by.At})
	}
	for _, g := range groups {
		s.moveGroup(g, to, d)
	}
	together(to)
	to.ModifiedBy = d.by.Name
	d.record("move", "incident", to.ID, before, map[string]string{"alerts": strconv.Itoa(to.Alerts)})
	return nil
}

// check finds the incident to move to, nil for a new one. done says that the alerts are already where they should be.
func (mv Move) check(s *State, d *deed) (to *Incident, done bool, err error) {
	if to, err = mv.target(s); err != nil {
		return nil, false, err
	}
	if err := mv.movable(s, d); err != nil {
		return nil, false, err
	}
	groups := s.groups(mv)
	if len(groups) == 0 { // all of them are there
		d.Incident = to.ID
		return to, true, nil
	}
	if mv.From != "" {
		if done, err = mv.checkFrom(s, d, groups); done || err != nil {
			return to, done, err
		}
	}
	moved := 0
	for _, g := range groups {
		moved += len(g.members)
		if len(g.from.SplitFrom) >= maxApart {
			return nil, false, fault.Errorf(fault.TooLarge, "Incident %s was taken apart %d times already.", g.from.ID, len(g.from.SplitFrom))
		}
	}
	if to != nil && to.Alerts+moved > s.tune.MaxAlerts {
		return nil, false, fault.Errorf(fault.Precondition, "Incident %s holds %d alerts; with %d more it would hold more than %d.", to.ID, to.Alerts, moved, s.tune.MaxAlerts)
	}
	return to, false, nil
}

// target is the incident to move to, nil for a new one.
func (mv Move) target(s *State) (*Incident, error) {
	if mv.To == "" {
		return nil, nil
	}
	to, err := s.living(mv.To)
	if err == nil && to.Status == Resolved {
		err = fault.Errorf(fault.Precondition, "Incident %s is resolved and takes no more alerts: open it again first.", to.ID)
	}
	return to, err
}

// movable checks what is to be moved, and the comment.
func (mv Move) movable(s *State, d *deed) error {
	if len(mv.Alerts) == 0 {
		return fault.Errorf(fault.Invalid, "Name the alerts to move.")
	}
	if len(mv.Alerts) > MaxAlertsPerAction {
		return fault.Errorf(fault.TooLarge, "At most %d alerts are moved at once, not %d.", MaxAlertsPerAction, len(mv.Alerts))
	}
	for _, id := range mv.Alerts {
		m, err := s.alert(id)
		if err != nil {
			return err
		}
		if m.Alert.Class == alert.Exposure {
			return fault.Errorf(fault.Invalid, "'%s' is an exposure: it belongs to no incident.", m.Alert.ID)
		}
		d.Alerts = append(d.Alerts, m.Alert.ID)
	}
	return (Edit{Comment: mv.Comment}).work(&Work{}, d.by)
}

// checkFrom checks that all alerts come from one incident, and that something stays there when they go into a new one.
// What was split off before is done.
func (mv Move) checkFrom(s *State, d *deed, groups []group) (done bool, err error) {
	from, err := s.living(mv.From)
	if err != nil {
		return false, err
	}
	g := groups[0]
	if len(groups) == 1 && mv.To == "" && g.from != from && apartByHand(g.from, from) && g.from.Alerts == len(g.members) {
		d.Incident = g.from.ID
		return true, nil
	}
	for _, g := range groups {
		if g.from != from {
			return false, fault.Errorf(fault.Precondition, "Alert %s is in incident %s, not in %s.", g.members[0].Alert.ID, g.from.ID, from.ID)
		}
	}
	if mv.To == "" && len(g.members) >= from.Alerts {
		return false, fault.Errorf(fault.Precondition, "Incident %s would be left without alerts: leave at least one, or merge it into another.", from.ID)
	}
	return false, nil
}

// moveGroup moves what comes from one incident.
func (s *State) moveGroup(g group, to *Incident, d *deed) {
	rest, known := d.whole[g.from.ID]
	rest = slices.DeleteFunc(slices.Clone(rest), func(r AlertRecord) bool {
		return slices.ContainsFunc(g.members, func(m *AlertRecord) bool { return m.Alert.ID == r.Alert.ID })
	})
	var left []tie
	for _, m := range g.members {
		left = append(left, s.moveOne(m, g.from, to, d)...)
	}
	g.from.Alerts -= len(g.members)
	if g.from.Alerts <= 0 {
		g.from.Alerts = 0
		to.explains(g.from, "", Reason{Rule: handMoved, Name: d.by.Name, Weight: 1})
		s.redirect(to, g.from, d.by.At)
		return
	}
	part(g.from, to)
	if known {
		for _, t := range left {
			s.leave(t.key, g.from, rest)
		}
		g.from.retell(rest, g.members)
	} else {
		d.Notes = append(d.Notes, "Incident "+g.from.ID+" is large: its name, severity and assets still tell of the alerts that left.")
	}
	s.stir(g.from.ID, d.by)
}

// moveOne moves an alert and tells its things where it went; it returns them.
func (s *State) moveOne(m *AlertRecord, from, to *Incident, d *deed) []tie {
	v := s.arrive(NewReport(m.Alert))
	s.weigh(v)
	v.anew()
	for i := range v.ties {
		n := s.edit(v.ties[i].key)
		for _, t := range n.Activities {
			if from.has(t.Incident) {
				v.ties[i].credit = max(v.ties[i].credit, t.Suspicion)
			}
		}
		// What keeps firing goes on in the incident that gathers it.
		if c := n.typed(v.kind); c != nil && from.has(c.Incident) && !from.Noise {
			n.KindCounts = slices.Clone(n.KindCounts)
			n.typed(v.kind).Incident = to.ID
		}
	}
	d.record("move", "alert", m.Alert.ID, map[string]string{"incidentId": from.ID}, map[string]string{"incidentId": to.ID})
	m.Incident, m.Updated = to.ID, later(d.by.At, m.Updated)
	m.Reasons = []Reason{{Rule: handMoved, Name: d.by.Name, Weight: 1}}
	s.changedMembers.add(m.Alert.ID)
	first := to.Alerts == 0
	if first {
		to.Opener = m.Alert.ID
	}
	if from.Opener == m.Alert.ID {
		from.Opener = ""
	}
	from.DeferredLinks = nil // what may have spoken for merging it was said before a person looked
	to.Alerts++
	newKind := to.saw(v.kind)
	if newKind {
		to.credible(v.credit)
	}
	s.tell(to, v, first, d.by.At)
	s.touch(to, v, newKind)
	for _, name := range v.claims {
		v.ties = append(v.ties, tie{key: name})
	}
	return v.ties
}
