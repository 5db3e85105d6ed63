package incident

import (
	"slices"
	"time"
)

// Clue is a tie of the alert that opened an incident to another incident, too weak to join it while chance could explain the
// alert. When the incident turns out to be an attack, chance no longer does: then the alert came of the other attack, or of one
// that has nothing to do with it and hit the same thing, which is rarer by far. Rates are per hour, see drive and chance.
type Clue struct {
	Incident string  `json:"incident"`        // the other one, as of then
	Alert    string  `json:"alert"`           // the opener
	Tie      Reason  `json:"tie"`             // as it stood
	Worth    float64 `json:"worth"`           // what sharing the thing is worth
	Lead     float64 `json:"lead"`            // how often an attack for sure would bring the alert
	Together float64 `json:"together"`        // how often anything of the same moment would
	Chance   float64 `json:"chance"`          // how often it comes by chance
	Rival    float64 `json:"rival"`           // how often another attack would bring it
	Credit   float64 `json:"credit,omitzero"` // how much the other incident looked like an attack by what it did there
	Before   float64 `json:"before,omitzero"` // the credit of the opener's own incident
}

// maxClues bounds Incident.Clues.
const maxClues = 4

// weight is what the tie says now: own and other are the credits of the two incidents.
func (c *Clue) weight(own, other float64, tune *Tuning) float64 {
	since := 1.0 // how sure it is, by what came after the opener, that this is an attack
	if c.Before < 1 {
		since = max(0, (own-c.Before)/(1-c.Before))
	}
	drive := c.Lead*max(c.Credit, tune.Trust*other) + c.Together
	return c.Worth * drive / (drive + c.Rival + c.Chance*(1-since))
}

// promises reports whether a clue to an incident can come to weigh enough, and is not all but explained by chance.
func (c *Clue) promises(other *Incident, tune *Tuning) bool {
	const faint = 0.05
	return c.weight(0, other.Credit, tune) >= faint && c.weight(1, 1, tune) >= tune.Hindsight
}

// credible adds to how much an incident looks like an attack.
func (i *Incident) credible(by float64) { i.Credit = 1 - (1-i.Credit)*(1-by) }

// opened takes over the clues of the alert that opened an incident.
func (i *Incident) opened(v *arrival) {
	for j := range v.clues {
		v.clues[j].Before = i.Credit
	}
	i.Clues = mostTelling(v.clues)
}

// mostTelling keeps the clues that could come to weigh most.
func mostTelling(cs []Clue) []Clue {
	slices.SortStableFunc(cs, func(a, b Clue) int { return sign(b.Worth*b.Lead - a.Worth*a.Lead) })
	return cs[:min(len(cs), maxClues)]
}

// hindsight merges an incident with those that its clues lead to, as far as they weigh enough by now.
func (s *State) hindsight(inc *Incident, out *Outcome, now time.Time) *Incident {
	for _, c := range slices.Clone(inc.Clues) {
		other := s.incident(c.Incident)
		if other == nil || other == inc || !other.open() || other.Background || Blocked(*inc, *other, s.tune.MaxAlerts) != "" {
			continue
		}
		w := c.weight(inc.Credit, other.Credit, s.tune)
		if w < s.tune.Hindsight {
			continue
		}
		because := c.Tie
		because.Weight = round(w)
		other.Clues = nil // what they lead to need not be at hand
		inc = s.mergeInto(inc, other, cause{c.Alert, because, because}, out, now)
	}
	return inc
}
