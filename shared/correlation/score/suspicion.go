package score

// This file answers how much an alert, an entity in it or an incident looks like an attack: its suspicion, 0 to 1.

// Novelty is how likely attacks show in a kind of alert: 1 for a kind never seen in the tenant, half of it after
// Params.Familiar episodes, little for one that fired many times without an attack.
func (p *Params) Novelty(o Observed) float64 {
	return p.Familiar / (p.Familiar + o.OfKind*o.IndicatorRarity)
}

// Suspicion of an alert by what it says of one entity: it is rare there, or grave.
func (p *Params) Suspicion(gravity float64, o Observed) float64 {
	attack := p.unknownAttackRate(gravity) * p.Novelty(o)
	return attack / (attack + p.BaseRate(o))
}

// FullSuspicion is what the suspicion of one entity counts for the whole alert, by what sharing the entity is worth.
func (p *Params) FullSuspicion(suspicion, worth float64) float64 {
	return suspicion * min(1, worth/p.FullWorth)
}

// ShareOf is how much of what an alert says concerns each of n entities of one class, 0 to 1: an alert that names many
// people or machines, as a password spray does, says little about each.
func (p *Params) ShareOf(n int) float64 { return p.Few / max(p.Few, float64(n)) }

// Inherited is the suspicion that an alert takes over from the incident it joins, on an entity where others brought so
// many episodes.
func (p *Params) Inherited(incident, others float64) float64 {
	return p.Inherit * incident / (1 + others/p.InheritCrowd)
}

// Combine gives the suspicion of two things that speak for an attack independently.
func Combine(a, b float64) float64 { return 1 - (1-a)*(1-b) }

// SeverityShare is how common a severity is in a tenant, 1 when all are alike: a kind never seen before is likelier
// noise when it is as mild as noise is.
func (p *Params) SeverityShare(ofSeverity, total float64) float64 {
	return p.Severities * (ofSeverity + p.SeveritySmooth) / (total + p.Severities*p.SeveritySmooth)
}

// LearnKnownShare moves the share of a kind's alerts that name known indicators only, by one alert more.
func (p *Params) LearnKnownShare(share float64, novel bool) float64 {
	if novel {
		return share - share/(p.Strange+1)
	}
	return share + (1-share)/(p.Strange+1)
}
