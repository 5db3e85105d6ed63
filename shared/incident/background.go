package incident

import (
	"math"
	"slices"
	"time"

	"github.com/onepane/onepane/shared/alert"
)

// place of a type count: the machine an alert is about, or its weightiest entity.
func ground(ties []tie) (tie, bool) {
	best := -1
	for i, t := range ties {
		if best < 0 || t.machine && !ties[best].machine || t.machine == ties[best].machine && t.weight > ties[best].weight {
			best = i
		}
	}
	if best < 0 {
		return tie{}, false
	}
	return ties[best], true
}

// background reports whether alerts of a's type fire on its entity all the time, so that one more says nothing:
// it then joins the drip it belongs to and ties nothing else. A burst of them does say something.
func (s *State) background(a alert.Alert, ties []tie) bool {
	t, ok := ground(ties)
	if !ok {
		return false
	}
	c := s.nodes[t.key].typed(a)
	if c == nil || c.N < s.tune.BackgroundCount {
		return false
	}
	span := a.First.Sub(c.First)
	if span < s.tune.BackgroundSpan || span/time.Duration(c.N) > s.tune.BackgroundGap {
		return false
	}
	usual := float64(c.N) / span.Hours() * s.tune.BurstHalfLife.Hours() / math.Ln2
	return s.recent(*c, a.First) < max(3, s.tune.Burst*usual)
}

// recent is a type count's decayed count at a time.
func (s *State) recent(c TypeCount, at time.Time) float64 {
	return c.Recent * math.Exp2(-gap(at, c.Last, c.Last).Hours()/s.tune.BurstHalfLife.Hours())
}

// sameDrip is the incident that earlier background of this type on this entity went to.
func (s *State) sameDrip(a alert.Alert, ties []tie) []candidate {
	t, ok := ground(ties)
	if !ok {
		return nil
	}
	c := s.nodes[t.key].typed(a)
	if c == nil {
		return nil
	}
	inc := s.incident(c.Incident)
	if inc == nil || !inc.open() || !inc.Background || gap(a.First, c.Last, c.Last) > s.tune.BackgroundWindow {
		return nil
	}
	return []candidate{{incident: inc, score: 1, reasons: []Reason{{
		Rule: "background of one type on one entity", Entity: t.key, Name: t.display, Weight: 1, Gap: gap(a.First, c.Last, c.Last),
	}}}}
}

// amid is the intense incident on the same entity that an alert falls right into: there even background is
// part of what happens.
func (s *State) amid(a alert.Alert, ties []tie) []candidate {
	t, ok := ground(ties)
	if !ok || s.nodes[t.key] == nil {
		return nil
	}
	for _, touch := range s.nodes[t.key].Touches {
		inc, apart := s.incident(touch.Incident), gap(a.First, touch.First, touch.Last)
		if inc != nil && inc.open() && inc.intense(s.tune) && apart <= s.tune.Amid {
			return []candidate{{incident: inc, score: 1, reasons: []Reason{{
				Rule: "background amid an attack on one entity", Alert: touch.Alert, Entity: t.key, Name: t.display, Weight: round(t.weight), Gap: apart,
			}}}}
		}
	}
	return nil
}

// count records that a's type was seen on its entity, and where it went.
func (s *State) count(a alert.Alert, ties []tie, incident string) {
	t, ok := ground(ties)
	if !ok {
		return
	}
	n := s.edit(t.key)
	n.Alerts++
	n.span(a.First, a.Last)
	c := n.typed(a)
	if c == nil {
		if len(n.Types) >= maxTypes {
			i := oldest(n.Types)
			n.Types = slices.Delete(n.Types, i, i+1)
		}
		n.Types = append(n.Types, TypeCount{Type: kindOf(a), First: a.First})
		c = &n.Types[len(n.Types)-1]
	}
	c.Recent = s.recent(*c, a.First) + 1
	c.N++
	c.Last = later(a.First, c.Last)
	if a.First.Before(c.First) {
		c.First = a.First
	}
	c.Incident = incident
}

func (n *Node) typed(a alert.Alert) *TypeCount {
	if n == nil {
		return nil
	}
	kind := kindOf(a)
	for i := range n.Types {
		if n.Types[i].Type == kind {
			return &n.Types[i]
		}
	}
	return nil
}

func (n *Node) counted(t TypeCount) {
	for i := range n.Types {
		if h := &n.Types[i]; h.Type == t.Type {
			h.N += t.N
			h.Last = later(h.Last, t.Last)
			return
		}
	}
	if len(n.Types) < maxTypes {
		n.Types = append(n.Types, t)
	}
}

func oldest(ts []TypeCount) int {
	at := 0
	for i := range ts {
		if ts[i].Last.Before(ts[at].Last) {
			at = i
		}
	}
	return at
}

// kindOf is what is counted as one kind of alert: type, or title for senders without types, per provider.
func kindOf(a alert.Alert) string {
	if a.Type != "" {
		return a.Origin.Provider + "/" + a.Type
	}
	return a.Origin.Provider + "/" + a.Title
}
