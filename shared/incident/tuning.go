package incident

import (
	"time"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// Tuning is every constant the decision uses. Weights and scores run from 0 (nothing) to 1 (certainty).
type Tuning struct {
	// JoinAt is the score from which an alert joins an incident.
	JoinAt float64
	// MergeAt is the score from which an alert that ties to two incidents merges them.
	MergeAt float64
	// Hindsight is the weight from which a tie that was too weak when an alert opened its incident merges it after all, once
	// more alerts made it look like an attack; Trust is how much of another incident's credit counts for what it did anywhere.
	Hindsight, Trust float64

	// Weights is what sharing a thing is worth, by key class, when it is rare and the alerts are close in time.
	Weights map[string]float64
	// Victim, Attacker and Context scale a weight by the role the alert gives the thing; Context not that of a machine, from which
	// an attack may well have come.
	Victim, Attacker, Context float64
	// Weak scales the weight of a name that identifies only when nothing contradicts it.
	Weak float64
	// Common is the weight of accounts and hosts that exist everywhere (root, SYSTEM, localhost).
	Common float64
	// Company is how many others an entity may appear with before its weight is halved.
	Company float64

	// Step is how many alerts of one kind an attack brings per hour on an entity it has just touched; after a gap of
	// StepFade it is half, after ten times that a tenth: attackers sleep over a night.
	Step     float64
	StepFade time.Duration
	// Seed is how many alerts of one kind on one entity attacks bring per hour when none is known to be under way: the prior
	// that an alert by itself is part of one.
	Seed float64
	// Own is how many episodes of a kind an incident may bring on an entity before they count as chance all the same: what
	// repeats more often is a drip.
	Own float64
	// Familiar is how many episodes of a kind, anywhere in the tenant, halve how telling it is.
	Familiar float64
	// Burst is what each alert of the last minutes adds to that, BurstMost at most in all; it halves every BurstHalfLife.
	Burst, BurstMost float64
	BurstHalfLife    time.Duration
	// Pulse is what an alert of a kind that the incident already shows counts for in a burst; one of a new kind counts 1.
	Pulse float64
	// Together is what two alerts of the same moment on one entity have in common whatever they are, as a rate per hour that
	// halves every TogetherHalfLife: two things seldom happen at once by chance.
	Together         float64
	TogetherHalfLife time.Duration
	// IntenseKinds and IntenseGap are from how many kinds of alerts and up to which pause two bursts on one entity are taken for
	// one attack.
	IntenseKinds int
	IntenseGap   time.Duration
	// Gravity scales the drive of an attack by what an alert's severity says.
	Gravity map[alert.Severity]float64
	// Progress scales it for an alert that takes the attack a stage further, Unstaged for one that names no stage where the
	// attack shows some.
	Progress, Unstaged float64
	// Plain scales it for an alert with indicators, none of them strange: attackers seldom come from where everyone comes from.
	Plain float64
	// Horizon is the largest gap that ties at all.
	Horizon time.Duration

	// Episode is the time within which one kind on one entity counts once.
	Episode time.Duration
	// Prior is the time a tenant is taken to have been watched before its first alert, and PriorEpisodes what was seen in it, of
	// kinds and entities that never came again: how ready the first days are to believe in chance.
	// After PriorFades real episodes half of them are forgotten, down to PriorLeast.
	Prior                                 time.Duration
	PriorEpisodes, PriorFades, PriorLeast float64
	// Unseen is how many episodes a kind or an entity is taken to have had besides those that were seen; UnseenIndicator the
	// same for things of which there are endless many (files, domains, public addresses).
	Unseen, UnseenIndicator, UnseenAddress float64
	// Strange is how many alerts of a kind without a strange indicator it takes to halve the expectation of one.
	Strange float64
	// Inherit is how much of an incident's credit an alert takes over that joins it.
	Inherit, InheritCrowd float64
	// IndicatorFade is StepFade for indicators: an attacker keeps them for days.
	IndicatorFade time.Duration
	// DripCount is from how many episodes on a kind may have an incident of its own that gathers it; DripWindow is how long
	// that one goes on without another.
	DripCount  int
	DripWindow time.Duration

	// AddressLife is how long a private address is believed to stay with its machine.
	AddressLife time.Duration
	// FoldWithin is how far apart two products' reports of one finding may lie, without a shared id.
	FoldWithin time.Duration
	// CarriedWithin is the same for reports that carry one id.
	CarriedWithin time.Duration
	// RulesOptIn, when not 0, leaves alerts of Sentinel's analytics rules uncorrelated unless their rule's description begins
	// with #INC_CORR#: the product's own default for a tenant.
	RulesOptIn int
	// MaxAlerts is how many alerts an incident takes; more open a new one.
	MaxAlerts int
}

// Default is the tuning a tenant starts with.
func Default() *Tuning {
	return &Tuning{
		JoinAt: 0.5, MergeAt: 0.8, Hindsight: 0.75, Trust: 0.5,
		Weights: map[string]float64{
			"session": 0.95, "machine": 0.9, "container": 0.9, "pod": 0.9, "host": 0.88, "mailbox": 0.88, "user": 0.88,
			"resource": 0.85, "file": 0.85, "domain": 0.8, "url": 0.8, "app": 0.75, "ip": 0.75, "image": 0.7, "cluster": 0.4,
			"registry_key": 0.3, "process": 0.1, "other": 0.3,
		},
		Victim: 1, Attacker: 1.1, Context: 0.5, Weak: 0.9, Common: 0.1, Company: 32,
		Step: 0.0007, Seed: 0.000002, Familiar: 2, Own: 6, StepFade: 45 * time.Minute, Burst: 0.1, BurstMost: 5, BurstHalfLife: 5 * time.Minute, Pulse: 0.15,
		Together: 0.08, TogetherHalfLife: 15 * time.Second,
		IntenseKinds: 4, IntenseGap: 3 * time.Hour,
		Gravity: map[alert.Severity]float64{
			alert.Unknown: 0.8, alert.Informational: 0.3, alert.Low: 0.6, alert.Medium: 1, alert.High: 1.6, alert.Critical: 2,
		},
		Progress: 1.5, Plain: 0.2, Unstaged: 0.4, Horizon: 96 * time.Hour,
		Episode: 10 * time.Minute, Prior: 48 * time.Hour, PriorEpisodes: 1000, PriorFades: 30, PriorLeast: 25, Unseen: 0.5, UnseenIndicator: 0.05, UnseenAddress: 0.2, Strange: 5, Inherit: 0.5, InheritCrowd: 0.5, IndicatorFade: 12 * time.Hour, DripCount: 6, DripWindow: 48 * time.Hour,
		AddressLife: 24 * time.Hour, FoldWithin: 2 * time.Minute, CarriedWithin: carriedWithin, MaxAlerts: 10000,
	}
}

// carriedWithin is Tuning.CarriedWithin by default.
const carriedWithin = 24 * time.Hour

// Bounds of what a node remembers.
const (
	maxTouches = 16
	maxOwners  = 4
	maxAlso    = 8
	maxBriefs  = 6
	maxTypes   = 32
	maxCompany = 48
	maxKinds   = 16
	maxTies    = 64 // entities of one alert that are looked at
)

// common are accounts and hosts that exist everywhere and identify nobody.
var common = map[string]bool{
	"user:root": true, "user:administrator": true, "user:admin": true, "user:system": true, "user:guest": true,
	"user:network service": true, "user:local service": true, "user:anonymous": true, "user:anonymous logon": true,
	"user:nobody": true, "user:www-data": true, "user:ubuntu": true, "user:ec2-user": true, "user:azureuser": true,
	"user:daemon": true, "user:service": true, "user:test": true, "user:user": true, "user:sa": true,
	"user:postgres": true, "user:mysql": true, "user:system:anonymous": true, "user:system:unauthenticated": true,
	"host:localhost": true, "host:workstation": true, "host:desktop": true,
	"user:sid/s-1-5-18": true, "user:sid/s-1-5-19": true, "user:sid/s-1-5-20": true,
}

// assetKinds are the kinds of things a tenant owns and protects.
var assetKinds = map[entity.Kind]bool{
	entity.Host: true, entity.Resource: true, entity.User: true, entity.Mailbox: true, entity.Container: true,
	entity.Pod: true, entity.Cluster: true, entity.App: true,
}
