// Package score weighs what may join a new alert to an incident. Numbers go in, numbers come out: it knows no alert, no
// incident and no clock, and imports nothing of the project.
//
// A link weighs as much as the entity that both share is worth, times how much likelier an attack is to have brought
// the alert there than anything else. All rates are per hour.
//
//	weight = worth · explained / (explained + base rate)
//	explained = attack rate · suspicion + coincidence rate
//
// Params has every constant of it, score.go the rates, suspicion.go how much an alert or an incident looks like an
// attack, worth.go what sharing an entity is worth.
package score

import (
	"math"
	"time"
)

// Sort is what matters of an entity to a rate: how many of its sort there are, and how much happens on one by itself.
type Sort uint8

// The sorts of entities. An indicator (a file, a domain, a URL, a session) and a public address are of an endless
// number: to hear of one again means something.
const (
	Thing Sort = iota // anything else: a cloud resource, a cluster, an app
	Machine
	Person
	PrivateAddress
	PublicAddress
	Indicator
)

// IsIndicator reports whether there are endlessly many entities of the sort, so that hearing of one again means
// something.
func (s Sort) IsIndicator() bool { return s == PublicAddress || s == Indicator }

// Stage is how an alert's tactics relate to those that an incident has shown.
type Stage uint8

// The stages. Further is a later step of the kill chain that the incident has not shown yet; Unstated says that the
// alert names no tactic where the incident has some.
const (
	Same Stage = iota
	Further
	Unstated
)

// Observed is what a tenant's history says of one kind of alert on one entity, in episodes, without those that the
// incident in question brought itself.
type Observed struct {
	Hours, Total             float64 // time watched; episodes of every kind
	OfKind, OfEntity, OfBoth float64
	// SeverityShare is how common the alert's severity is, as SeverityShare gives it: 1 when all are alike.
	SeverityShare float64
	// IndicatorRarity is how likely alerts of the kind are to name a novel indicator, if this one does; 1 if not.
	IndicatorRarity float64
	Sort            Sort // of the entity
}

// Link is one entity that a new alert and an incident share.
type Link struct {
	Worth float64 // what sharing the entity says at most, 0 to 1: see Params.Worth
	Observed
	Gravity   float64 // by the alert's severity: see Params.Gravity
	Stage     Stage
	KnownOnly bool // the alert names indicators, and none of them is novel

	// What the incident did on the entity.
	Gap       time.Duration // between the alert and the incident's activity there
	Burst     float64       // alerts of that activity, fading: see Params.FadeBurst
	Dilution  float64       // how little of what its alerts said concerned the entity, 0 to 1
	Suspicion float64       // how much its alerts there look like an attack, 0 to 1
}

// Rates are how often, per hour, an alert like the one at hand would come to the entity, by what brings it.
type Rates struct {
	Attack        float64 // an attack that is behind the incident for sure
	Coincidence   float64 // whatever happened there at the same moment
	Base          float64 // nothing in particular
	UnknownAttack float64 // an attack that nobody knows of
}

// Rates of a link.
func (p *Params) Rates(l Link) Rates {
	return Rates{
		Attack: p.attackRate(l), Coincidence: p.coincidenceRate(l),
		Base: p.BaseRate(l.Observed), UnknownAttack: p.unknownAttackRate(l.Gravity),
	}
}

// Weight of a link with these rates, 0 to 1: worth is what the shared entity is worth at most, suspicion how much the
// incident looks like an attack by what it did there.
func (r Rates) Weight(worth, suspicion float64) float64 {
	explained := r.Attack*suspicion + r.Coincidence
	return worth * explained / (explained + r.Base)
}

// Revisited is the weight of a link of the alert that opened an incident, once more alerts have come. The surer it is
// that they are an attack, the less does the base rate explain the opener: it came of the other attack, or of one that
// nobody knows of and that hit the same entity, which is rarer by far. before and now are the suspicion of the opener's
// own incident when it opened and now; there is that of the other incident by what it did on the entity, other by all
// it did.
func (p *Params) Revisited(r Rates, worth, before, now, there, other float64) float64 {
	sure := 1.0
	if before < 1 {
		sure = max(0, (now-before)/(1-before))
	}
	explained := r.Attack*max(there, p.Trust*other) + r.Coincidence
	return worth * explained / (explained + r.UnknownAttack + r.Base*(1-sure))
}

// BaseRate is how often the kind comes to the entity while nobody attacks: what was seen of the pair, and what kind and
// entity would give if they were independent (a kind that fires everywhere, an entity that everything touches),
// smoothed by Params.Unseen.
func (p *Params) BaseRate(o Observed) float64 {
	independent := (o.OfKind + p.Unseen*o.SeverityShare) * (o.OfEntity + p.unseenOf(o.Sort)) / (o.Total + p.priorEpisodes(o.Total))
	return (o.OfBoth + independent) / (o.Hours + p.Prior.Hours()) * o.IndicatorRarity
}

// unseenOf is how many episodes an entity is taken to have had besides those that were seen.
func (p *Params) unseenOf(s Sort) float64 {
	switch s {
	case PublicAddress:
		return p.UnseenAddress
	case Indicator:
		return p.UnseenIndicator
	}
	return p.Unseen
}

// priorEpisodes is how many episodes, of kinds and entities that never came again, a tenant is taken to have had before
// its first alert. The more was seen, the fewer are imagined.
func (p *Params) priorEpisodes(total float64) float64 {
	return p.PriorLeast + p.PriorEpisodes/(1+total/p.PriorFades)
}

// attackRate is how often an attack that is behind the incident for sure would bring the alert: much right after its
// last activity, little by little less, never nothing.
func (p *Params) attackRate(l Link) float64 {
	fade := p.StepFade
	if l.Sort == Indicator {
		fade = p.IndicatorFade
	}
	step := p.Step / (1 + float64(l.Gap)/float64(fade))
	burst := p.Burst * l.Burst * math.Exp2(-float64(l.Gap)/float64(p.BurstHalfLife))
	rate := (step + min(burst, p.BurstMost)) * l.Gravity * p.Novelty(l.Observed)
	if l.KnownOnly && !l.Sort.IsIndicator() {
		rate *= p.Plain
	}
	switch l.Stage {
	case Further:
		rate *= p.Progress
	case Unstated:
		rate *= p.Unstaged
	}
	return rate
}

// coincidenceRate is how often anything whatever would bring the alert along with what the incident did so long ago.
// Machines seldom do two things at once by chance. People, and what many share, often do: there it counts less for a
// kind that fires anyway, for an alert that comes from where everyone comes from, and for an entity among many that
// were named.
func (p *Params) coincidenceRate(l Link) float64 {
	rate := p.Together * (1 - l.Dilution) * math.Exp2(-float64(l.Gap)/float64(p.TogetherHalfLife))
	if l.Sort == Machine {
		return rate
	}
	if l.Sort.IsIndicator() || l.Sort == Person {
		rate *= p.Novelty(l.Observed)
	}
	if l.KnownOnly {
		rate *= p.Plain
	}
	return rate
}

// unknownAttackRate is how often an attack that nobody knows of would bring an alert of that gravity to one entity.
func (p *Params) unknownAttackRate(gravity float64) float64 { return p.Seed * gravity }

// FadeBurst is what a burst of alerts counts for so much later. It halves every Params.BurstHalfLife.
func (p *Params) FadeBurst(burst float64, gap time.Duration) float64 {
	return burst * math.Exp2(-float64(gap)/float64(p.BurstHalfLife))
}
