package incident

import (
	"slices"
	"strings"
	"time"
)

// Node is one name in a tenant's memory: an entity key and who touched it lately, a carried id and the alert it
// names, a fingerprint of a recent alert. Nodes are small, expire, and are all that correlation remembers besides
// alerts and incidents.
type Node struct {
	Key string `json:"key"`
	// SameAs says that this key is another name of that node; the rest is then kept there.
	SameAs string `json:"sameAs,omitzero"`
	// Aliases are the strong names that lead here, at most maxAlso.
	Aliases  []string  `json:"also,omitempty"`
	Alert    string    `json:"alert,omitzero"` // the alert a carried id or fingerprint names
	First    time.Time `json:"first,omitzero"` // event time of the earliest and latest alert seen
	Last     time.Time `json:"last,omitzero"`
	Episodes int       `json:"alerts,omitzero"` // episodes seen
	// Activities are the incidents that touched this entity last, newest last, at most maxTouches.
	Activities []Activity `json:"touches,omitempty"`
	// Targets are the things that this name, when it is a weak one, stood for, newest last, at most maxOwners.
	Targets []AliasTarget `json:"owners,omitempty"`
	// CoOccurring is who else appeared in alerts with this entity (machines, people, resources), as hashes, at most
	// maxCompany: how widely shared it is.
	CoOccurring []uint32 `json:"company,omitempty"`
	// Fingerprints are the latest alerts on this entity, newest last, at most maxBriefs.
	Fingerprints []Fingerprint `json:"briefs,omitempty"`
	// KnownShare is, of a kind, which part of its late alerts named no indicator that was strange at the time, 0 to 1.
	KnownShare float64 `json:"plain,omitzero"`
	// Exposures are the open exposures of this thing, the gravest first, at most maxExposedThing.
	Exposures []OpenExposure `json:"exposures,omitempty"`
	// KindCounts counts the alert types seen on this entity, at most maxTypes: what is background here.
	KindCounts []KindCount `json:"types,omitempty"`
}

// Fingerprint is what is remembered of an alert to recognize another product's copy of it.
type Fingerprint struct {
	Alert    string    `json:"alert"`
	Reporter string    `json:"reporter"`
	Words    string    `json:"words"`
	First    time.Time `json:"first"`
}

// Activity is one incident's use of an entity.
type Activity struct {
	Incident string    `json:"incident"`
	Alert    string    `json:"alert"` // the latest alert of that incident on this entity
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	Episodes int       `json:"alerts"` // episodes of that incident here
	// Burst counts its alerts here with a half-life of Tuning.BurstHalfLife, as of Last.
	Burst float64 `json:"recent,omitzero"`
	// Suspicion is how much its alerts look like an attack by what they say of this entity, 0 to 1.
	Suspicion float64 `json:"credit,omitzero"`
	// Dilution is how little of what its alerts say concerns this entity, 0 unless they named many like it.
	Dilution float64 `json:"vague,omitzero"`
}

// AliasTarget is a thing that a weak name stood for, and when last.
type AliasTarget struct {
	Key  string    `json:"key"`
	Last time.Time `json:"last"`
	// Inferred says that nobody named both together: the short form of a full host name.
	Inferred bool `json:"guess,omitzero"`
}

// KindCount is how often one kind of alert was seen on an entity, in episodes, and when.
type KindCount struct {
	Kind     string    `json:"type"`
	Episodes int       `json:"n"`
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	Incident string    `json:"incident,omitzero"` // where the latest episode went
	Streak   int       `json:"here,omitzero"`     // how many of the latest went there, one after another
}

// NodeLifetime is how long a node is kept at most after the last event that touched it: stores may forget it NodeLife after
// Node.Last.
const NodeLifetime = 30 * 24 * time.Hour

// MinRetention is how long a store keeps an incident at least after its last change: longer than any node leads there.
const MinRetention = NodeLifetime + 15*24*time.Hour

// LifetimeOf is how long the node by that key is of use after Node.Last: an id for as long as copies of its alert may come.
func LifetimeOf(key string) time.Duration {
	if strings.HasPrefix(key, "id:") {
		return 2 * carriedWithin
	}
	return NodeLifetime
}

// Refs names what a decision needs from the store. Order and repetition mean nothing.
type Refs struct {
	Alerts    []string // alert ids
	Incidents []string
	Nodes     []string
}

// Empty reports whether nothing is named.
func (r Refs) Empty() bool { return r.count() == 0 }

func (r *Refs) distinct() {
	for _, names := range []*[]string{&r.Alerts, &r.Incidents, &r.Nodes} {
		slices.Sort(*names)
		*names = slices.Compact(*names)
	}
}

func (r Refs) count() int { return len(r.Alerts) + len(r.Incidents) + len(r.Nodes) }

// Loaded is what the store has of what Refs names; what it lacks is left out.
type Loaded struct {
	Alerts    []AlertRecord
	Incidents []Incident
	Nodes     []Node
	// Sequence is the number of the tenant's newest incident, 0 before the first.
	Sequence int64
	// Version is the tenant's state that this was read from; a commit names it.
	Version uint64
}

// Changes is what one batch of decisions changed, to become visible whole or not at all.
type Changes struct {
	Alerts       []AlertRecord // new and changed ones, whole
	Incidents    []Incident
	Nodes        []Node
	Sequence     int64
	AuditEntries []AuditEntry // what is noted of it; without anything that changed there is nothing to note
}

// Empty reports whether nothing changed.
func (c Changes) Empty() bool { return len(c.Alerts)+len(c.Incidents)+len(c.Nodes) == 0 }
