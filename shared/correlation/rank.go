package correlation

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/onepane/onepane/shared/correlation/score"
	"github.com/onepane/onepane/shared/incident"
)

// This file finds the incidents that an alert may belong to, and what speaks for each.

// candidate is an incident that an alert might belong to.
type candidate struct {
	incident  *incident.Incident
	doubt     float64 // product of (1 - weight): what the links leave open
	score     float64 // 1 - doubt
	suspicion float64 // how much the alerts that it links to look like an attack
	reasons   []incident.Reason
}

// ranking is what an arrival links to.
type ranking struct {
	*memory
	arrival    *arrival
	candidates []candidate // open incidents, the best first
	// deferred are links that are too weak as things stand and may come to weigh enough.
	deferred []incident.DeferredLink
}

// rankCandidates ranks the open incidents that an arrival links to. Independent links add up: a score is one minus the
// product of what each leaves open.
func rankCandidates(m *memory, a *arrival) *ranking {
	r := &ranking{memory: m, arrival: a}
	for i := range a.entities {
		v := &a.entities[i]
		if n := m.nodes.Get(v.key); n != nil {
			for j := range n.Activities {
				r.linkByEntity(v, &n.Activities[j])
			}
		}
	}
	r.linkByStatement()
	for i := range r.candidates {
		r.candidates[i].score = 1 - r.candidates[i].doubt
	}
	slices.SortStableFunc(r.candidates, func(x, y candidate) int {
		return cmp.Or(cmp.Compare(y.score, x.score), y.incident.Alerts-x.incident.Alerts, incident.CompareAge(x.incident, y.incident))
	})
	r.preferSplitSide()
	return r
}

// linkByEntity adds what one shared entity says about an incident that used it lately: how much likelier the attack
// behind it is to bring this alert than chance is, times what sharing such an entity is worth at all.
func (r *ranking) linkByEntity(v *involved, act *incident.Activity) {
	a := r.arrival
	gap := incident.Gap(a.Alert.First, act.First, act.Last)
	if gap > r.params.Horizon {
		return
	}
	inc := r.survivorOf(act.Incident)
	if inc == nil || !inc.IsOpen() || inc.Noise {
		return
	}
	rates := r.params.Rates(score.Link{
		Worth: v.worth, Observed: r.observeEpisodes(a, v, inc), Gravity: a.history.gravity, Stage: stageIn(inc, a), KnownOnly: a.knownOnly,
		Gap: gap, Burst: act.Burst, Dilution: act.Dilution, Suspicion: act.Suspicion,
	})
	weight := rates.Weight(v.worth, act.Suspicion)
	isLink, isDeferred := weight >= r.params.LinkAt, r.canWeighEnough(rates, v.worth, act.Suspicion, inc.Suspicion)
	if !isLink && !isDeferred {
		return
	}
	why := incident.Reason{
		Rule: sharedRule(v.class), Alert: act.Alert, Entity: v.key, Name: v.display, Weight: roundWeight(weight), Gap: gap,
	}
	if isDeferred {
		r.deferred = append(r.deferred, incident.DeferredLink{
			Incident: inc.ID, Alert: a.Alert.ID, Reason: why, Worth: v.worth, AttackRate: rates.Attack, CoincidenceRate: rates.Coincidence,
			BaseRate: rates.Base, UnknownAttackRate: rates.UnknownAttack, Suspicion: act.Suspicion,
		})
	}
	if isLink {
		r.addReason(inc, why, act.Suspicion*weight/v.worth)
	}
}

// canWeighEnough reports whether a deferred link can come to merge two incidents, and is not all but explained by
// chance.
func (r *ranking) canWeighEnough(rates score.Rates, worth, there, other float64) bool {
	return r.params.Revisited(rates, worth, 0, 0, there, other) >= r.params.DeferAt && r.params.Revisited(rates, worth, 0, 1, there, 1) >= r.params.Hindsight
}

// stageIn is how an alert's tactics relate to those of the incident.
func stageIn(inc *incident.Incident, a *arrival) score.Stage {
	if len(inc.Tactics) == 0 {
		return score.Same
	}
	if len(a.Alert.Tactics) == 0 {
		return score.Unstated
	}
	first := inc.Tactics[0].Order()
	for _, t := range a.Alert.Tactics {
		if t.Order() > first && !slices.Contains(inc.Tactics, t) {
			return score.Further
		}
	}
	return score.Same
}

// linkByStatement adds what the provider itself says: alerts that it names as members, and its own correlation key.
func (r *ranking) linkByStatement() {
	a := r.arrival
	state := func(incidentID, rule, alertID string, first, last time.Time) {
		if inc := r.survivorOf(incidentID); inc != nil && inc.IsOpen() {
			gap := incident.Gap(a.Alert.First, first, last)
			r.addReason(inc, incident.Reason{Rule: rule + a.Alert.Reporter, Alert: alertID, Weight: r.params.Stated, Gap: gap}, 1)
		}
	}
	for _, id := range a.summarized {
		if rec := r.alerts.Get(id); rec != nil {
			state(rec.Incident, "named by ", id, rec.Alert.First, rec.Alert.Last)
		}
	}
	for _, name := range a.statements {
		if n := r.nodes.Get(name); n != nil {
			for _, act := range n.Activities {
				state(act.Incident, "grouped by ", act.Alert, act.First, act.Last)
			}
		}
	}
}

// addReason takes one more reason for an incident into account. One entity links once, however many incidents that used
// it were merged: by its best.
func (r *ranking) addReason(inc *incident.Incident, why incident.Reason, suspicion float64) {
	i := slices.IndexFunc(r.candidates, func(c candidate) bool { return c.incident == inc })
	if i < 0 {
		r.candidates = append(r.candidates, candidate{incident: inc, doubt: 1 - why.Weight, suspicion: suspicion, reasons: []incident.Reason{why}})
		return
	}
	c := &r.candidates[i]
	c.suspicion = max(c.suspicion, suspicion)
	for i := range c.reasons {
		if had := &c.reasons[i]; had.Rule == why.Rule && had.Entity == why.Entity {
			if why.Weight > had.Weight {
				c.doubt *= (1 - why.Weight) / (1 - had.Weight)
				*had = why
			}
			return
		}
	}
	c.doubt *= 1 - why.Weight
	c.reasons = append(c.reasons, why)
}

// preferSplitSide puts first, of two incidents that a person took apart and that an arrival both links to, the one
// where the person, or what came since, has its like.
func (r *ranking) preferSplitSide() {
	found := r.candidates
	if len(found) < 2 || len(found[0].incident.SplitFrom) == 0 {
		return
	}
	best, most := 0, r.countLike(found[0].incident)
	for i := 1; i < len(found) && found[i].score >= r.params.JoinAt; i++ {
		if !found[0].incident.IsSplitFrom(found[i].incident) {
			continue
		}
		if n := r.countLike(found[i].incident); n > most {
			best, most = i, n
		}
	}
	chosen := found[best]
	r.candidates = slices.Insert(slices.Delete(found, best, best+1), 0, chosen)
}

// countLike is on how many of an arrival's entities the latest alert of its kind went to an incident.
func (r *ranking) countLike(inc *incident.Incident) int {
	a := r.arrival
	n := 0
	for i := range a.entities {
		if c := r.nodes.Get(a.entities[i].key).CountOf(a.kind); c != nil && inc.Includes(c.Incident) {
			n++
		}
	}
	return n
}

// findEarlierBursts finds the incidents that are earlier bursts of the attack that inc is a burst of: each shows many
// kinds of alerts on an entity that they share, within hours.
func (r *ranking) findEarlierBursts(inc *incident.Incident) []candidate {
	if len(inc.Kinds) < r.params.IntenseKinds {
		return nil
	}
	var out []candidate
	for i := range r.arrival.entities {
		v := &r.arrival.entities[i]
		n := r.nodes.Get(v.key)
		if n == nil || v.worth < r.params.JoinAt {
			continue
		}
		mine := r.activityOf(inc, n)
		if mine == nil {
			continue
		}
		for j := range n.Activities {
			theirs := &n.Activities[j]
			other := r.survivorOf(theirs.Incident)
			if other == nil || other == inc || !other.IsOpen() || len(other.Kinds) < r.params.IntenseKinds {
				continue
			}
			gap := min(incident.Gap(mine.First, theirs.First, theirs.Last), incident.Gap(theirs.First, mine.First, mine.Last))
			if gap <= r.params.IntenseGap {
				out = append(out, candidate{incident: other, reasons: []incident.Reason{{
					Rule: "earlier burst on " + classWord(v.class), Alert: theirs.Alert, Entity: v.key, Name: v.display,
					Weight: roundWeight(v.worth), Gap: gap,
				}}})
			}
		}
	}
	return out
}

// sharedRule is the rule of a link by an entity of a class; those of most links are not made anew.
func sharedRule(class string) string {
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
	return "shared " + classWord(class)
}

// classWord is a class of entities as a person says it.
func classWord(class string) string {
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

// roundWeight keeps weights readable and equal on every machine.
func roundWeight(w float64) float64 { return math.Round(w*1000) / 1000 }
