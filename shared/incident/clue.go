package incident

import (
	"slices"
	"time"
)

// DeferredLink is a tie of the alert that opened an incident to another incident, too weak to join it while chance could explain the
// alert. When the incident turns out to be an attack, chance no longer does: then the alert came of the other attack, or of one
// that has nothing to do with it and hit the same thing, which is rarer by far. Rates are per hour, see drive and chance.
type DeferredLink struct {
	Incident          string  `json:"incident"`        // the other one, as of then
	Alert             string  `json:"alert"`           // the opener
	Reason            Reason  `json:"tie"`             // as it stood
	Worth             float64 `json:"worth"`           // what sharing the thing is worth
	AttackRate        float64 `json:"lead"`            // how often an attack for sure would bring the alert
	CoincidenceRate   float64 `json:"together"`        // how often anything of the same moment would
	BaseRate          float64 `json:"chance"`          // how often it comes by chance
	UnknownAttackRate float64 `json:"rival"`           // how often another attack would bring it
	Suspicion         float64 `json:"credit,omitzero"` // how much the other incident looked like an attack by what it did there
	SuspicionBefore   float64 `json:"before,omitzero"` // the credit of the opener's own incident
}

// maxClues bounds Incident.Clues.
const maxClues = 4

// weight is what the tie says now: own and other are the credits of the two incidents.
func (c *DeferredLink) weight(own, other float64, tune *Tuning) float64 {
	since := 1.0 // how sure it is, by what came after the opener, that this is an attack
	if c.SuspicionBefore < 1 {
		since = max(0, (own-c.SuspicionBefore)/(1-c.SuspicionBefore))
	}
	drive := c.AttackRate*max(c.Suspicion, tune.Trust*other) + c.CoincidenceRate
	return c.Worth * drive / (drive + c.UnknownAttackRate + c.BaseRate*(1-since))
}

// promises reports whether a clue to an incident can come to weigh enough, and is not all but explained by chance.
func (c *DeferredLink) promises(other *Incident, tune *Tuning) bool {
	const faint = 0.05
	return c.weight(0, other.Suspicion, tune) >= faint && c.weight(1, 1, tune) >= tune.Hindsight
}

// credible adds to how much an incident looks like an attack.
func (i *Incident) credible(by float64) { i.Suspicion = 1 - (1-i.Suspicion)*(1-by) }

// opened takes over the clues of the alert that opened an incident.
func (i *Incident) opened(v *arrival) {
	for j := range v.clues {
		v.clues[j].SuspicionBefore = i.Suspicion
	}
	i.DeferredLinks = mostTelling(v.clues)
}

// mostTelling keeps the clues that could come to weigh most.
func mostTelling(cs []DeferredLink) []DeferredLink {
	slices.SortStableFunc(cs, func(a, b DeferredLink) int { return sign(b.Worth*b.AttackRate - a.Worth*a.AttackRate) })
	return cs[:min(len(cs), maxClues)]
}

// hindsight merges an incident with those that its clues lead to, as far as they weigh enough by now.
func (s *State) hindsight(inc *Incident, out *Outcome, now time.Time) *Incident {
	for _, c := range slices.Clone(inc.DeferredLinks) {
		other := s.incident(c.Incident)
		if other == nil || other == inc || !other.open() || other.Noise || Blocked(*inc, *other, s.tune.MaxAlerts) != "" {
			continue
		}
		w := c.weight(inc.Suspicion, other.Suspicion, s.tune)
		if w < s.tune.Hindsight {
			continue
		}
		because := c.Reason
		because.Weight = round(w)
		other.DeferredLinks = nil // what they lead to need not be at hand
		inc = s.mergeInto(inc, other, cause{c.Alert, because, because}, out, now)
	}
	return inc
}
