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
	lasting  float64 // the same, if both sides turn out to be bursts of many kinds: those tie over longer gaps
	score    float64
	reasons  []Reason
}

// candidates are the open incidents a ties to, the best first. Independent ties add up: the score is one minus the
// product of what each leaves open.
func (s *State) candidates(a alert.Alert, ties []tie) []candidate {
	var found []candidate
	for _, t := range ties {
		if n := s.nodes[t.key]; n != nil {
			found = s.byTouch(found, a, t, n)
		}
	}
	found = s.byStatement(found, a)
	for i := range found {
		c := &found[i]
		c.score = 1 - c.doubt
		if s.progresses(a, c.incident) {
			c.score += (1 - c.score) * s.tune.Progress
		}
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

// byTouch adds what one shared entity says about each incident that touched it lately.
func (s *State) byTouch(found []candidate, a alert.Alert, t tie, n *Node) []candidate {
	for _, touch := range n.Touches {
		inc := s.incident(touch.Incident)
		if inc == nil || !inc.open() || inc.Background {
			continue
		}
		apart := gap(a.First, touch.First, touch.Last)
		if apart > s.tune.Horizon {
			continue
		}
		lasting := t.weight * fade(apart, s.tune.FadeIntense)
		w := t.weight * s.closeness(apart, a, inc)
		if w < 0.02 && lasting < s.tune.MergeAt {
			continue
		}
		found = add(found, inc, max(w, lasting), Reason{Rule: "shared " + spoken(t.class), Alert: touch.Alert, Entity: t.key, Name: t.display, Weight: round(w), Gap: apart})
	}
	return found
}

// byStatement adds what the provider itself says: alerts it names as members, and its own correlation key.
func (s *State) byStatement(found []candidate, a alert.Alert) []candidate {
	for _, id := range memberIDs(a) {
		if m := s.members[id]; m != nil {
			if inc := s.incident(m.Incident); inc != nil && inc.open() {
				found = add(found, inc, 0.95, Reason{Rule: "named by " + a.Reporter, Alert: id, Weight: 0.95, Gap: gap(a.First, m.Alert.First, m.Alert.Last)})
			}
		}
	}
	for _, name := range statements(a) {
		n := s.nodes[name]
		if n == nil {
			continue
		}
		for _, touch := range n.Touches {
			if inc := s.incident(touch.Incident); inc != nil && inc.open() {
				found = add(found, inc, 0.95, Reason{Rule: "grouped by " + a.Reporter, Alert: touch.Alert, Weight: 0.95, Gap: gap(a.First, touch.First, touch.Last)})
			}
		}
	}
	return found
}

func add(found []candidate, inc *Incident, lasting float64, r Reason) []candidate {
	for i := range found {
		if c := &found[i]; c.incident == inc {
			c.doubt *= 1 - r.Weight
			c.lasting *= 1 - lasting
			c.reasons = append(c.reasons, r)
			return found
		}
	}
	return append(found, candidate{incident: inc, doubt: 1 - r.Weight, lasting: 1 - lasting, reasons: []Reason{r}})
}

// closeness is how much of a tie is left after a gap: plain alerts must be near, stages of an attack may be days apart.
func (s *State) closeness(apart time.Duration, a alert.Alert, inc *Incident) float64 {
	if len(a.Tactics) > 0 && len(inc.Tactics) > 0 && a.Severity.Rank() >= alert.Low.Rank() {
		return fade(apart, s.tune.FadeStaged)
	}
	return fade(apart, s.tune.Fade)
}

// fade is what is left of a weight after a gap.
func fade(apart, over time.Duration) float64 { return math.Exp(-float64(apart) / float64(over)) }

// belongs reports whether another candidate is the same attack as the incident an alert has joined, so that they merge.
func (s *State) belongs(inc *Incident, c candidate) bool {
	return c.score >= s.tune.MergeAt ||
		inc.intense(s.tune) && c.incident.intense(s.tune) && 1-c.lasting >= s.tune.MergeAt
}

// intense reports whether an incident shows many kinds of alerts, which noise seldom does.
func (i *Incident) intense(t *Tuning) bool { return len(i.Kinds) >= t.IntenseKinds }

// progresses reports whether a takes the incident's attack a step further: a stage it has not shown yet, after one it has.
func (s *State) progresses(a alert.Alert, inc *Incident) bool {
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

// open reports whether alerts may still join: work on it has not ended.
func (i *Incident) open() bool { return i.Status == Active || i.Status == InProgress }

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
