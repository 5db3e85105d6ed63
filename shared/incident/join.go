package incident

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/onepane/onepane/shared/alert"
)

// candidate is an incident an alert might belong to, with what speaks for it.
type candidate struct {
	incident *Incident
	doubt    float64 // product of (1 - weight): what the ties leave open
	score    float64
	credit   float64 // how much the alerts it ties to look like an attack
	reasons  []Reason
}

// candidates are the open incidents an arrival ties to, the best first. Independent ties add up: the score is one minus the
// product of what each leaves open.
func (s *State) candidates(v *arrival) []candidate {
	var found []candidate
	for i := range v.ties {
		t := &v.ties[i]
		if n := s.nodes[t.key]; n != nil {
			found = s.byTouch(found, v, t, n)
		}
	}
	found = s.byStatement(found, v)
	for i := range found {
		found[i].score = 1 - found[i].doubt
	}
	slices.SortStableFunc(found, func(x, y candidate) int {
		switch {
		case x.score != y.score:
			return sign(y.score - x.score)
		case x.incident.Alerts != y.incident.Alerts:
			return y.incident.Alerts - x.incident.Alerts
		}
		return older(x.incident, y.incident)
	})
	return found
}

// byTouch adds what one shared entity says about each incident that touched it lately: how much likelier the attack
// behind it is to bring this alert than chance, times what sharing such a thing is worth at all.
func (s *State) byTouch(found []candidate, v *arrival, t *tie, n *Node) []candidate {
	for i := range n.Activities {
		touch := &n.Activities[i]
		apart := gap(v.Alert.First, touch.First, touch.Last)
		if apart > s.tune.Horizon {
			continue
		}
		inc := s.incident(touch.Incident)
		if inc == nil || !inc.open() || inc.Noise {
			continue
		}
		lead, together, chance := s.drive(v, t, n, touch, inc, apart), s.together(v, t, n, touch, inc, apart), s.chance(v, t, n, inc)
		drive := lead*touch.Suspicion + together
		w := t.weight * drive / (drive + chance)
		c := DeferredLink{Incident: inc.ID, Alert: v.Alert.ID, Worth: t.weight, AttackRate: lead, CoincidenceRate: together, BaseRate: chance, UnknownAttackRate: s.rival(v), Suspicion: touch.Suspicion}
		ties, hints := w >= 0.03, c.promises(inc, s.tune)
		if !ties && !hints {
			continue
		}
		why := Reason{Rule: shares(t.class), Alert: touch.Alert, Entity: t.key, Name: t.display, Weight: round(w), Gap: apart}
		if hints {
			c.Reason = why
			v.clues = append(v.clues, c)
		}
		if ties {
			found = add(found, inc, why, touch.Suspicion*w/t.weight)
		}
	}
	return found
}

// byStatement adds what the provider itself says: alerts it names as members, and its own correlation key.
func (s *State) byStatement(found []candidate, v *arrival) []candidate {
	a := &v.Alert
	for _, id := range v.members {
		if m := s.members[id]; m != nil {
			if inc := s.incident(m.Incident); inc != nil && inc.open() {
				found = add(found, inc, Reason{Rule: "named by " + a.Reporter, Alert: id, Weight: 0.95, Gap: gap(a.First, m.Alert.First, m.Alert.Last)}, 1)
			}
		}
	}
	for _, name := range v.statements {
		n := s.nodes[name]
		if n == nil {
			continue
		}
		for _, touch := range n.Activities {
			if inc := s.incident(touch.Incident); inc != nil && inc.open() {
				found = add(found, inc, Reason{Rule: "grouped by " + a.Reporter, Alert: touch.Alert, Weight: 0.95, Gap: gap(a.First, touch.First, touch.Last)}, 1)
			}
		}
	}
	return found
}

func add(found []candidate, inc *Incident, r Reason, credit float64) []candidate {
	for i := range found {
		if c := &found[i]; c.incident == inc {
			c.credit = max(c.credit, credit)
			c.add(r)
			return found
		}
	}
	return append(found, candidate{incident: inc, doubt: 1 - r.Weight, credit: credit, reasons: []Reason{r}})
}

// add takes one more reason into account. One thing ties once, however many incidents that touched it were merged: by its best.
func (c *candidate) add(r Reason) {
	for i := range c.reasons {
		if had := &c.reasons[i]; had.Rule == r.Rule && had.Entity == r.Entity {
			if r.Weight > had.Weight {
				c.doubt *= (1 - r.Weight) / (1 - had.Weight)
				*had = r
			}
			return
		}
	}
	c.doubt *= 1 - r.Weight
	c.reasons = append(c.reasons, r)
}

// pauses are the incidents that are earlier bursts of the attack that inc is a burst of: each shows many kinds of alerts
// on an entity they share, within hours.
func (s *State) pauses(inc *Incident, ties []tie) []candidate {
	if len(inc.Kinds) < s.tune.IntenseKinds {
		return nil
	}
	var out []candidate
	for _, t := range ties {
		n := s.nodes[t.key]
		if n == nil || t.weight < s.tune.JoinAt {
			continue
		}
		mine := s.touchOf(n, inc)
		if mine == nil {
			continue
		}
		for i := range n.Activities {
			theirs := &n.Activities[i]
			other := s.incident(theirs.Incident)
			if other == nil || other == inc || !other.open() || len(other.Kinds) < s.tune.IntenseKinds {
				continue
			}
			if apart := min(gap(mine.First, theirs.First, theirs.Last), gap(theirs.First, mine.First, mine.Last)); apart <= s.tune.IntenseGap {
				out = append(out, candidate{incident: other, reasons: []Reason{{
					Rule: "earlier burst on " + spoken(t.class), Alert: theirs.Alert, Entity: t.key, Name: t.display, Weight: round(t.weight), Gap: apart,
				}}})
			}
		}
	}
	return out
}

// touchOf is an incident's latest use of a node, also under the name of one that was merged into it.
func (s *State) touchOf(n *Node, inc *Incident) *Activity {
	for i := len(n.Activities) - 1; i >= 0; i-- {
		if s.incident(n.Activities[i].Incident) == inc {
			return &n.Activities[i]
		}
	}
	return nil
}

// progresses reports whether a takes the incident's attack a step further: a stage it has not shown yet, after one it has.
func (s *State) progresses(a *alert.Alert, inc *Incident) bool {
	if len(inc.Tactics) == 0 {
		return false
	}
	first := inc.Tactics[0].Order()
	for _, t := range a.Tactics {
		if t.Order() > first && !slices.Contains(inc.Tactics, t) {
			return true
		}
	}
	return false
}

// open reports whether alerts may still join: work on it has not ended, and it is not for itself.
func (i *Incident) open() bool {
	return (i.Status == Active || i.Status == InProgress) && !i.Uncorrelated
}

// gap is how far a moment lies outside a span, 0 within it.
func gap(at, first, last time.Time) time.Duration {
	switch {
	case at.Before(first):
		return first.Sub(at)
	case at.After(last):
		return at.Sub(last)
	}
	return 0
}

func spoken(class string) string {
	switch class {
	case "ip":
		return "address"
	case "host":
		return "machine"
	case "registry_key":
		return "registry key"
	case "other":
		return "entity"
	}
	return class
}

// shares is the rule of a tie by a thing of a class; those of most ties are not made anew.
func shares(class string) string {
	switch class {
	case "machine", "host":
		return "shared machine"
	case "user":
		return "shared user"
	case "ip":
		return "shared address"
	case "resource":
		return "shared resource"
	}
	return "shared " + spoken(class)
}

func older(a, b *Incident) int {
	if len(a.ID) != len(b.ID) {
		return len(a.ID) - len(b.ID)
	}
	return strings.Compare(a.ID, b.ID)
}

func sign(f float64) int {
	if f < 0 {
		return -1
	}
	return 1
}

// round keeps weights readable and equal on every machine.
func round(w float64) float64 { return math.Round(w*1000) / 1000 }
