package incident

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/entity"
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
	for _, id := range mg.IDs[:min(len(mg.IDs), MaxMerged)] {
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
	if len(ids) < 2 || len(ids) > MaxMerged {
		return nil, fault.Errorf(fault.Invalid, "2 to %d incidents are merged at once, not %d.", MaxMerged, len(ids))
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
				return nil, fault.Errorf(fault.Held, "Incidents %s and %s cannot be merged: %s.", b.ID, a.ID, why)
			}
		}
	}
	if alerts > s.tune.MaxAlerts {
		return nil, fault.Errorf(fault.Held, "The incidents cannot be merged: together they would hold %d alerts, and an incident holds at most %d.", alerts, s.tune.MaxAlerts)
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
	return names(a.Apart, b) || names(b.Apart, a)
}

// names reports whether ids has the incident or one that was merged into it.
func names(ids []string, i *Incident) bool {
	return slices.ContainsFunc(ids, func(id string) bool { return i.has(id) })
}

// has reports whether an id is the incident's own or of one that was merged into it.
func (i *Incident) has(id string) bool { return id == i.ID || slices.Contains(i.Merged, id) }

// together forgets that parts of an incident were apart.
func together(i *Incident) {
	i.Apart = slices.DeleteFunc(slices.Clone(i.Apart), i.has)
}

func part(a, b *Incident) {
	a.Apart, b.Apart = union(a.Apart, []string{b.ID}), union(b.Apart, []string{a.ID})
}

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
	for _, id := range mv.Alerts[:min(len(mv.Alerts), MaxActed)] {
		m.member(id)
		if mem := m.s.member(id); mem != nil {
			reports = append(reports, NewReport(mem.Alert))
		}
	}
	m.more(m.s.Missing(reports))
}

// more adds further names to what is missing.
func (m *missing) more(r Refs) {
	m.refs.Members = append(m.refs.Members, r.Members...)
	m.refs.Incidents = append(m.refs.Incidents, r.Incidents...)
	m.refs.Nodes = append(m.refs.Nodes, r.Nodes...)
}

// group is what a move takes out of one incident.
type group struct {
	from    *Incident
	members []*Member
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
	if len(mv.Alerts) == 0 {
		return nil, false, fault.Errorf(fault.Invalid, "Name the alerts to move.")
	}
	if len(mv.Alerts) > MaxActed {
		return nil, false, fault.Errorf(fault.TooLarge, "At most %d alerts are moved at once, not %d.", MaxActed, len(mv.Alerts))
	}
	if err := (Edit{Comment: mv.Comment}).work(&Work{}, d.by); err != nil {
		return nil, false, err
	}
	if mv.To != "" {
		if to, err = s.living(mv.To); err != nil {
			return nil, false, err
		}
		if to.Status == Resolved {
			return nil, false, fault.Errorf(fault.Held, "Incident %s is resolved and takes no more alerts: open it again first.", to.ID)
		}
	}
	for _, id := range mv.Alerts {
		m, err := s.alert(id)
		if err != nil {
			return nil, false, err
		}
		if m.Alert.Class == alert.Exposure {
			return nil, false, fault.Errorf(fault.Invalid, "'%s' is an exposure: it belongs to no incident.", m.Alert.ID)
		}
		d.Alerts = append(d.Alerts, m.Alert.ID)
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
	moved, have := 0, 0
	for _, g := range groups {
		moved += len(g.members)
		if len(g.from.Apart) >= maxApart {
			return nil, false, fault.Errorf(fault.TooLarge, "Incident %s was taken apart %d times already.", g.from.ID, len(g.from.Apart))
		}
	}
	if to != nil {
		have = to.Alerts
	}
	if have+moved > s.tune.MaxAlerts {
		return nil, false, fault.Errorf(fault.Held, "Incident %s holds %d alerts; with %d more it would hold more than %d.", to.ID, have, moved, s.tune.MaxAlerts)
	}
	return to, false, nil
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
			return false, fault.Errorf(fault.Held, "Alert %s is in incident %s, not in %s.", g.members[0].Alert.ID, g.from.ID, from.ID)
		}
	}
	if mv.To == "" && len(g.members) >= from.Alerts {
		return false, fault.Errorf(fault.Held, "Incident %s would be left without alerts: leave at least one, or merge it into another.", from.ID)
	}
	return false, nil
}

// moveGroup moves what comes from one incident.
func (s *State) moveGroup(g group, to *Incident, d *deed) {
	rest, known := d.whole[g.from.ID]
	rest = slices.DeleteFunc(slices.Clone(rest), func(r Member) bool {
		return slices.ContainsFunc(g.members, func(m *Member) bool { return m.Alert.ID == r.Alert.ID })
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
func (s *State) moveOne(m *Member, from, to *Incident, d *deed) []tie {
	v := s.arrive(NewReport(m.Alert))
	s.weigh(v)
	for i := range v.ties {
		n := s.edit(v.ties[i].key)
		for _, t := range n.Touches {
			if from.has(t.Incident) {
				v.ties[i].credit = max(v.ties[i].credit, t.Credit)
			}
		}
		// What keeps firing goes on in the incident that gathers it.
		if c := n.typed(v.kind); c != nil && from.has(c.Incident) && !from.Background {
			n.Types = slices.Clone(n.Types)
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
	to.Alerts++
	newKind := to.saw(v.kind)
	s.tell(to, v, first, d.by.At)
	s.touch(to, v, newKind)
	for _, name := range v.claims {
		v.ties = append(v.ties, tie{key: name})
	}
	return v.ties
}

// leave brings a thing's memory of an incident in line with the alerts that stayed there.
func (s *State) leave(key string, from *Incident, rest []Member) {
	n := s.edit(key)
	var stay *Touch
	for _, r := range rest {
		if !s.mentions(&r.Alert, n) {
			continue
		}
		t := Touch{Alert: r.Alert.ID, First: r.Alert.First, Last: r.Alert.Last}
		switch {
		case stay == nil:
			stay = &t
		default:
			if !t.Last.Before(stay.Last) {
				stay.Alert = t.Alert
			}
			stay.Last = later(stay.Last, t.Last)
			if t.First.Before(stay.First) {
				stay.First = t.First
			}
		}
	}
	touches := make([]Touch, 0, len(n.Touches))
	for _, t := range n.Touches {
		if from.has(t.Incident) {
			if stay == nil {
				continue
			}
			t.Alert, t.First, t.Last = stay.Alert, stay.First, stay.Last
		}
		touches = append(touches, t)
	}
	n.Touches = touches
}

// mentions reports whether an alert names a thing, as far as the names at hand tell.
func (s *State) mentions(a *alert.Alert, n *Node) bool {
	r := NewReport(*a)
	return slices.ContainsFunc(append(r.lookups, r.claims...), func(key string) bool {
		if key == n.Key || slices.Contains(n.Also, key) || s.name(key) == n.Key {
			return true
		}
		lent := s.nodes[key]
		return lent != nil && slices.ContainsFunc(lent.Owners, func(o Owner) bool { return s.name(o.Key) == n.Key })
	})
}

// retell makes the incident's story from the alerts that stayed. Things that only those that left name are no longer its
// assets.
func (i *Incident) retell(rest []Member, left []*Member) {
	slices.SortStableFunc(rest, func(a, b Member) int { return a.Alert.First.Compare(b.Alert.First) })
	if !i.SeveritySet {
		i.Severity = ""
	}
	i.Tactics, i.Products, i.Clouds, i.Kinds, i.Lead, i.LeadRank = nil, nil, nil, nil, "", 0
	for k, r := range rest {
		a := r.Alert
		if k == 0 {
			i.First, i.Last = a.First, a.Last
			i.Opener = cmp.Or(i.Opener, a.ID)
		}
		i.Last = later(i.Last, a.Last)
		if !i.SeveritySet && a.Severity.Rank() >= i.Severity.Rank() {
			i.Severity = a.Severity
		}
		i.Tactics = attack.Sorted(append(i.Tactics, a.Tactics...))
		if p := product(a); p != "" && !slices.Contains(i.Products, p) {
			i.Products = append(i.Products, p)
		}
		i.cloud(a.Account.Cloud)
		for _, e := range a.Evidence {
			i.cloud(entity.Cloud(e.Attr(entity.AttrCloud)))
		}
		i.saw(kindOf(a))
		i.lead(a, k == 0)
	}
	i.forgetAssets(rest, left)
	i.describe()
}

func (i *Incident) forgetAssets(rest []Member, left []*Member) {
	stays := func(x Asset) bool {
		return !slices.ContainsFunc(left, func(m *Member) bool { return shows(&m.Alert, x) }) ||
			slices.ContainsFunc(rest, func(m Member) bool { return shows(&m.Alert, x) })
	}
	had := len(i.Assets)
	i.Assets = slices.DeleteFunc(slices.Clone(i.Assets), func(x Asset) bool { return !stays(x) })
	i.Exposures = slices.DeleteFunc(slices.Clone(i.Exposures), func(x Exposed) bool {
		return !slices.ContainsFunc(i.Assets, func(a Asset) bool { return a.Key == x.Asset })
	})
	i.AssetCount = max(len(i.Assets), i.AssetCount-(had-len(i.Assets)))
}

// shows reports whether an alert names an asset.
func shows(a *alert.Alert, x Asset) bool {
	return slices.ContainsFunc(a.Evidence, func(e alert.Evidence) bool {
		return e.Kind == x.Kind && strings.EqualFold(e.Value, x.Value) ||
			slices.ContainsFunc(e.Keys(), func(k entity.Key) bool { return k.Text == x.Key })
	})
}

// prefer puts first, of two incidents that a person took apart and that an arrival both ties to, the one where the person,
// or what came since, has its like.
func (s *State) prefer(v *arrival, found []candidate) []candidate {
	if len(found) < 2 || len(found[0].incident.Apart) == 0 {
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
