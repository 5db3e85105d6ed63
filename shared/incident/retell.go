package incident

import (
	"cmp"
	"slices"
	"strings"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/entity"
)

// This file makes an incident and the memory of things tell only of the alerts that stayed, once a person moved some.

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
