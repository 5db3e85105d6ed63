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
	// Also are the strong names that lead here, at most maxAlso.
	Also   []string  `json:"also,omitempty"`
	Alert  string    `json:"alert,omitzero"` // the alert a carried id or fingerprint names
	First  time.Time `json:"first,omitzero"` // event time of the earliest and latest alert seen
	Last   time.Time `json:"last,omitzero"`
	Alerts int       `json:"alerts,omitzero"` // episodes seen
	// Touches are the incidents that touched this entity last, newest last, at most maxTouches.
	Touches []Touch `json:"touches,omitempty"`
	// Owners are the things that this name, when it is a weak one, stood for, newest last, at most maxOwners.
	Owners []Owner `json:"owners,omitempty"`
	// Company is who else appeared in alerts with this entity (machines, people, resources), as hashes, at most
	// maxCompany: how widely shared it is.
	Company []uint32 `json:"company,omitempty"`
	// Briefs are the latest alerts on this entity, newest last, at most maxBriefs.
	Briefs []Brief `json:"briefs,omitempty"`
	// Plain is, of a kind, which part of its late alerts named no indicator that was strange at the time, 0 to 1.
	Plain float64 `json:"plain,omitzero"`
	// Exposures are the open exposures of this thing, the gravest first, at most maxExposedThing.
	Exposures []Exposed `json:"exposures,omitempty"`
	// Types counts the alert types seen on this entity, at most maxTypes: what is background here.
	Types []TypeCount `json:"types,omitempty"`
}

// Brief is what is remembered of an alert to recognize another product's copy of it.
type Brief struct {
	Alert    string    `json:"alert"`
	Reporter string    `json:"reporter"`
	Words    string    `json:"words"`
	First    time.Time `json:"first"`
}

// Touch is one incident's use of an entity.
type Touch struct {
	Incident string    `json:"incident"`
	Alert    string    `json:"alert"` // the latest alert of that incident on this entity
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	Alerts   int       `json:"alerts"` // episodes of that incident here
	// Recent counts its alerts here with a half-life of Tuning.BurstHalfLife, as of Last.
	Recent float64 `json:"recent,omitzero"`
	// Credit is how much its alerts look like an attack by what they say of this entity, 0 to 1.
	Credit float64 `json:"credit,omitzero"`
	// Vague is how little of what its alerts say concerns this entity, 0 unless they named many like it.
	Vague float64 `json:"vague,omitzero"`
}

// Owner is a thing that a weak name stood for, and when last.
type Owner struct {
	Key  string    `json:"key"`
	Last time.Time `json:"last"`
	// Guess says that nobody named both together: the short form of a full host name.
	Guess bool `json:"guess,omitzero"`
}

// TypeCount is how often one kind of alert was seen on an entity, in episodes, and when.
type TypeCount struct {
	Type     string    `json:"type"`
	N        int       `json:"n"`
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	Incident string    `json:"incident,omitzero"` // where the latest episode went
	Here     int       `json:"here,omitzero"`     // how many of the latest went there, one after another
}

// NodeLife is how long a node is kept at most after the last event that touched it: stores may forget it NodeLife after
// Node.Last.
const NodeLife = 30 * 24 * time.Hour

// LeastKept is how long a store keeps an incident at least after its last change: longer than any node leads there.
const LeastKept = NodeLife + 15*24*time.Hour

// Life is how long the node by that key is of use after Node.Last: an id for as long as copies of its alert may come.
func Life(key string) time.Duration {
	if strings.HasPrefix(key, "id:") {
		return 2 * carriedWithin
	}
	return NodeLife
}

// Refs names what a decision needs from the store. Order and repetition mean nothing.
type Refs struct {
	Members   []string // alert ids
	Incidents []string
	Nodes     []string
}

// Empty reports whether nothing is named.
func (r Refs) Empty() bool { return r.count() == 0 }

func (r *Refs) distinct() {
	for _, names := range []*[]string{&r.Members, &r.Incidents, &r.Nodes} {
		slices.Sort(*names)
		*names = slices.Compact(*names)
	}
}

func (r Refs) count() int { return len(r.Members) + len(r.Incidents) + len(r.Nodes) }

// Loaded is what the store has of what Refs names; what it lacks is left out.
type Loaded struct {
	Members   []Member
	Incidents []Incident
	Nodes     []Node
	// Sequence is the number of the tenant's newest incident, 0 before the first.
	Sequence int64
	// Version is the tenant's state that this was read from; a commit names it.
	Version uint64
}

// Changes is what one batch of decisions changed, to become visible whole or not at all.
type Changes struct {
	Members   []Member // new and changed ones, whole
	Incidents []Incident
	Nodes     []Node
	Sequence  int64
	Journal   []Entry // what is noted of it; without anything that changed there is nothing to note
}

// Empty reports whether nothing changed.
func (c Changes) Empty() bool { return len(c.Members)+len(c.Incidents)+len(c.Nodes) == 0 }
