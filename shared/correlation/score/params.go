package score

import "time"

// Params is every constant that weighs a link. Weights, shares and suspicions run from 0 (nothing) to 1 (certainty),
// rates are per hour, counts are of episodes.
type Params struct {
	// What sharing an entity is worth, before time.

	// Weights is the worth by class of key, of an entity that is rare.
	Weights map[string]float64
	// Victim, Attacker and Context scale it by the role that the alert gives the entity; Context not for a machine.
	Victim, Attacker, Context float64
	// Weak scales it for a name that identifies only while nothing contradicts it; BareAccount once more for an account
	// name without its domain, which may be two people's, PrivateAddress for an address of one network.
	Weak, BareAccount, PrivateAddress float64
	// Common is the worth of accounts and hosts that exist everywhere (root, SYSTEM, localhost).
	Common float64
	// Company is how many others an entity may appear with before its worth is halved.
	Company float64
	// WorthMost is the worth that nothing exceeds.
	WorthMost float64

	// How often a kind of alert comes while nobody attacks.

	// Episode is the time within which one kind on one entity counts once.
	Episode time.Duration
	// Prior is how long a tenant is taken to have been watched before its first alert, and PriorEpisodes what was seen
	// meanwhile, of kinds and entities that never came again: how ready the first days are to believe in chance. After
	// PriorFades real episodes half of them are forgotten, down to PriorLeast.
	Prior                                 time.Duration
	PriorEpisodes, PriorFades, PriorLeast float64
	// Unseen is how many episodes a kind or an entity is taken to have had besides those that were seen;
	// UnseenIndicator and UnseenAddress the same for entities of which there are endlessly many (files, domains; public
	// addresses).
	Unseen, UnseenIndicator, UnseenAddress float64
	// Severities is how many severities share a tenant's alerts, SeveritySmooth how many episodes each is taken to have
	// had before the first.
	Severities, SeveritySmooth float64
	// Strange is how many alerts of a kind without a novel indicator it takes to halve the expectation of one.
	Strange float64
	// Own is how many episodes of a kind an incident may bring to an entity before they count for the base rate all the
	// same: what repeats more often is recurring noise.
	Own float64

	// How often an attack brings an alert.

	// Step is how many alerts of one kind an attack brings per hour to an entity that it has just touched; after a gap
	// of StepFade it is half, after ten times that a tenth: attackers sleep over a night. IndicatorFade is StepFade for
	// indicators, which an attacker keeps for days.
	Step                    float64
	StepFade, IndicatorFade time.Duration
	// Burst is what each alert of the last minutes adds to that, BurstMost at most in all; it halves every
	// BurstHalfLife.
	Burst, BurstMost float64
	BurstHalfLife    time.Duration
	// Pulse is what an alert of a kind that the incident has shown already counts for in a burst; one of a new kind
	// counts 1.
	Pulse float64
	// Gravity scales the rate of attacks by an alert's severity, in the words of the generic alert.
	Gravity map[string]float64
	// Progress scales it for an alert that takes the attack a stage further, Unstaged for one that names no stage where
	// the attack has shown some.
	Progress, Unstaged float64
	// Plain scales it for an alert with indicators, none of them novel: attackers seldom come from where everyone comes
	// from.
	Plain float64
	// Familiar is how many episodes of a kind, anywhere in the tenant, halve its novelty.
	Familiar float64
	// Seed is how many alerts of one kind attacks bring per hour to one entity when none is known to be under way: the
	// prior that an alert by itself is part of one.
	Seed float64

	// Together is what two alerts of the same moment on one entity have in common whatever they are, as a rate that
	// halves every TogetherHalfLife: two things seldom happen at once by chance.
	Together         float64
	TogetherHalfLife time.Duration

	// How much an alert looks like an attack.

	// FullWorth is the worth of an entity from which its suspicion counts in full for the whole alert.
	FullWorth float64
	// Few is up to how many entities of one class an alert says of each all that it says.
	Few float64
	// Inherit is how much of an incident's suspicion an alert takes over that joins it; on an entity where others
	// brought InheritCrowd episodes it is half of that.
	Inherit, InheritCrowd float64
	// Trust is how much of an incident's suspicion counts for what it did anywhere, when a link to it is weighed again.
	Trust float64
}

// Default is the Params that a tenant starts with.
func Default() Params {
	return Params{
		Weights: map[string]float64{
			"session": 0.95, "machine": 0.9, "container": 0.9, "pod": 0.9, "host": 0.88, "mailbox": 0.88, "user": 0.88,
			"resource": 0.85, "file": 0.85, "domain": 0.8, "url": 0.8, "app": 0.75, "ip": 0.75, "image": 0.7, "cluster": 0.4,
			"registry_key": 0.3, "process": 0.1, "other": 0.3,
		},
		Victim: 1, Attacker: 1.1, Context: 0.5, Weak: 0.9, BareAccount: 0.75, PrivateAddress: 0.8, Common: 0.1, Company: 32,
		WorthMost: 0.98,

		Episode: 10 * time.Minute, Prior: 48 * time.Hour, PriorEpisodes: 1000, PriorFades: 30, PriorLeast: 25,
		Unseen: 0.5, UnseenIndicator: 0.05, UnseenAddress: 0.2, Severities: 4, SeveritySmooth: 5, Strange: 5, Own: 6,

		Step: 0.0007, StepFade: 45 * time.Minute, IndicatorFade: 12 * time.Hour,
		Burst: 0.1, BurstMost: 5, BurstHalfLife: 5 * time.Minute, Pulse: 0.15,
		Gravity: map[string]float64{
			"unknown": 0.8, "informational": 0.3, "low": 0.6, "medium": 1, "high": 1.6, "critical": 2,
		},
		Progress: 1.5, Unstaged: 0.4, Plain: 0.2, Familiar: 2, Seed: 0.000002,
		Together: 0.08, TogetherHalfLife: 15 * time.Second,

		FullWorth: 0.7, Few: 2, Inherit: 0.5, InheritCrowd: 0.5, Trust: 0.5,
	}
}
