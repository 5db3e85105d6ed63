package incident

import (
	"cmp"
	"slices"
	"time"

	"github.com/onepane/onepane/shared/alert"
)

// This file keeps posture findings as context: a thing remembers its open exposures, an incident those of the things it
// touches, whichever of the two came first. They tie nothing together. What nobody reported for NodeLife is forgotten
// here, as all of a node is, and stays in the list of exposures.

// OpenExposure is one open exposure of a thing.
type OpenExposure struct {
	ID       string         `json:"id"`             // the exposure's
	Asset    string         `json:"asset,omitzero"` // the thing's key, in an incident; empty at the thing itself
	Severity alert.Severity `json:"severity,omitzero"`
}

// Bounds of what is remembered, so that a thing with a thousand findings costs no more than one with a few: the gravest stay.
const (
	maxExposedThing = 8
	// MaxOpenExposures bounds Incident.Exposures.
	MaxOpenExposures = 32
)

// expose notes an exposure, or that it is over, on the things it is about and in the open incidents that touched them.
func (s *State) expose(m *AlertRecord, v *arrival, now time.Time) {
	over := m.Status == alert.StatusResolved
	for _, t := range v.ties {
		if !assetKinds[m.Alert.Evidence[t.evidence].Kind] {
			continue
		}
		n := s.edit(t.key)
		n.Exposures = exposed(n.Exposures, OpenExposure{ID: m.Alert.ID, Severity: m.Alert.Severity}, over, maxExposedThing)
		n.span(m.Alert.First, m.Alert.Last)
		for _, touch := range n.Activities {
			inc := s.incident(touch.Incident)
			if inc == nil || !inc.open() {
				continue
			}
			changed := exposed(inc.Exposures, OpenExposure{m.Alert.ID, t.key, m.Alert.Severity}, over, MaxOpenExposures)
			if slices.Equal(changed, inc.Exposures) {
				continue
			}
			inc.Exposures, inc.Updated = changed, later(now, inc.Updated)
			s.changedIncidents.add(inc.ID)
		}
	}
}

// shows takes over the exposures of a thing that the incident touches.
func (i *Incident) shows(key string, n *Node) {
	if n == nil {
		return
	}
	for _, x := range n.Exposures {
		x.Asset = key
		i.Exposures = exposed(i.Exposures, x, false, MaxOpenExposures)
	}
}

// exposed is list with x in it, once, or without it when it is over: the gravest first, at most that many. The list
// itself stays as it is.
func exposed(list []OpenExposure, x OpenExposure, over bool, most int) []OpenExposure {
	if !over && slices.Contains(list, x) {
		return list
	}
	same := func(o OpenExposure) bool { return o.ID == x.ID && o.Asset == x.Asset }
	out := slices.DeleteFunc(slices.Clone(list), same)
	if !over {
		out = append(out, x)
		slices.SortStableFunc(out, func(a, b OpenExposure) int { return cmp.Compare(b.Severity.Rank(), a.Severity.Rank()) })
	}
	return slices.Clip(out[:min(len(out), most)])
}

// OpenExposures counts the distinct exposures in i.Exposures.
func (i Incident) OpenExposures() int {
	n, _ := i.openExposures()
	return n
}

// openExposures counts the distinct exposures of the incident's things and finds the gravest severity among them.
func (i Incident) openExposures() (n int, gravest alert.Severity) {
	seen := map[string]bool{}
	for _, x := range i.Exposures {
		seen[x.ID] = true
		if x.Severity.Rank() > gravest.Rank() {
			gravest = x.Severity
		}
	}
	return len(seen), gravest
}
