package incident

import (
	"time"

	"github.com/onepane/onepane/shared/entity"
)

// Tuning is every constant the decision uses. Weights and scores run from 0 (nothing) to 1 (certainty).
type Tuning struct {
	// JoinAt is the score from which an alert joins an incident.
	JoinAt float64
	// MergeAt is the score from which an alert that ties to two incidents merges them.
	MergeAt float64

	// Weights is what sharing a thing is worth, by key class, when it is rare and the alerts are close in time.
	Weights map[string]float64
	// Victim, Attacker and Context scale a weight by the role the alert gives the thing.
	Victim, Attacker, Context float64
	// Weak scales the weight of a name that identifies only when nothing contradicts it.
	Weak float64
	// Common is the weight of accounts and hosts that exist everywhere (root, SYSTEM, localhost).
	Common float64
	// Company is how many others an entity may appear with before its weight is halved.
	Company float64

	// Fade is the gap after which a tie between two plain alerts has lost 63 % of its weight; FadeStaged the same when
	// both sides show kill-chain stages: attackers sleep over a night, noise does not wait for them.
	Fade, FadeStaged time.Duration
	// FadeIntense is the same between two incidents that each show at least IntenseKinds kinds of alerts.
	FadeIntense  time.Duration
	IntenseKinds int
	// Horizon is the largest gap that ties at all.
	Horizon time.Duration
	// Progress is what a step along the kill chain adds to a tie's score, in parts of what is missing to 1.
	Progress float64

	// BackgroundCount and BackgroundSpan: a type seen so often on one entity over so long is background there,
	// unless it bursts. BackgroundGap is how rarely it may come and still count.
	BackgroundCount int
	BackgroundSpan  time.Duration
	BackgroundGap   time.Duration
	// Burst is how many times the usual rate makes background a burst; BurstHalfLife is how fast bursts are forgotten.
	Burst         float64
	BurstHalfLife time.Duration
	// Amid is how close to an intense incident's own alerts background still belongs to it.
	Amid time.Duration
	// BackgroundWindow is how long an incident of background alerts of one type on one entity goes on.
	BackgroundWindow time.Duration

	// AddressLife is how long a private address is believed to stay with its machine.
	AddressLife time.Duration
	// FoldWithin is how far apart two products' reports of one finding may lie, without a shared id.
	FoldWithin time.Duration
	// CarriedWithin is the same for reports that carry one id.
	CarriedWithin time.Duration
	// MaxAlerts is how many alerts an incident takes; more open a new one.
	MaxAlerts int
}

// Default is the tuning a tenant starts with.
func Default() *Tuning {
	return &Tuning{
		JoinAt: 0.5, MergeAt: 0.6,
		Weights: map[string]float64{
			"session": 0.95, "machine": 0.9, "container": 0.85, "pod": 0.85, "host": 0.85, "mailbox": 0.8,
			"user": 0.8, "resource": 0.75, "file": 0.6, "ip": 0.65, "domain": 0.55, "url": 0.6, "cluster": 0.35,
			"app": 0.3, "image": 0.2, "registry_key": 0.2, "process": 0.1, "other": 0.2,
		},
		Victim: 1, Attacker: 1.1, Context: 0.4, Weak: 0.9, Common: 0.1, Company: 8,
		Fade: 50 * time.Minute, FadeStaged: 60 * time.Hour, FadeIntense: 6 * time.Hour, IntenseKinds: 4, Horizon: 7 * 24 * time.Hour, Progress: 0.15,
		BackgroundCount: 8, BackgroundSpan: 8 * time.Hour, BackgroundGap: 24 * time.Hour,
		Burst: 12, BurstHalfLife: 10 * time.Minute, Amid: 90 * time.Second, BackgroundWindow: 24 * time.Hour,
		AddressLife: 24 * time.Hour, FoldWithin: 20 * time.Minute, CarriedWithin: 24 * time.Hour, MaxAlerts: 10000,
	}
}

// Bounds of what a node remembers.
const (
	maxTouches = 8
	maxOwners  = 4
	maxAlso    = 8
	maxTypes   = 24
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
