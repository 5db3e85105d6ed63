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
func (s *State) leave(key string, from *Incident, rest []AlertRecord) {
	n := s.edit(key)
	var stay *Activity
	for _, r := range rest {
		if !s.mentions(&r.Alert, n) {
			continue
		}
		t := Activity{Alert: r.Alert.ID, First: r.Alert.First, Last: r.Alert.Last}
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
	touches := make([]Activity, 0, len(n.Activities))
	for _, t := range n.Activities {
		if from.has(t.Incident) {
			if stay == nil {
				continue
			}
			t.Alert, t.First, t.Last = stay.Alert, stay.First, stay.Last
		}
		touches = append(touches, t)
	}
	n.Activities = touches
}

// mentions reports whether an alert names a thing, as far as the names at hand tell.
func (s *State) mentions(a *alert.Alert, n *Node) bool {
	r := NewReport(*a)
	return slices.ContainsFunc(append(r.lookups, r.claims...), func(key string) bool {
		if key == n.Key || slices.Contains(n.Aliases, key) || s.name(key) == n.Key {
			return true
		}
		lent := s.nodes[key]
		return lent != nil && slices.ContainsFunc(lent.Targets, func(o AliasTarget) bool { return s.name(o.Key) == n.Key })
	})
}

// retell makes the incident's story from the alerts that stayed. Things that only those that left name are no longer its
// assets.
func (i *Incident) retell(rest []AlertRecord, left []*AlertRecord) {
	slices.SortStableFunc(rest, func(a, b AlertRecord) int { return a.Alert.First.Compare(b.Alert.First) })
	if !i.SeveritySet {
		i.Severity = ""
	}
	i.Tactics, i.Products, i.Clouds, i.Kinds, i.GravestTitle, i.GravestRank = nil, nil, nil, nil, "", 0
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

func (i *Incident) forgetAssets(rest []AlertRecord, left []*AlertRecord) {
	stays := func(x Asset) bool {
		return !slices.ContainsFunc(left, func(m *AlertRecord) bool { return shows(&m.Alert, x) }) ||
			slices.ContainsFunc(rest, func(m AlertRecord) bool { return shows(&m.Alert, x) })
	}
	had := len(i.Assets)
	i.Assets = slices.DeleteFunc(slices.Clone(i.Assets), func(x Asset) bool { return !stays(x) })
	i.Exposures = slices.DeleteFunc(slices.Clone(i.Exposures), func(x OpenExposure) bool {
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
