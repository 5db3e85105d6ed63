package incident

import (
	"math"
	"slices"
	"strings"
	"time"
)

// Node is one name in a tenant's memory: an entity key and which incidents used it lately, a carried id and the alert
// it names, a kind of alert and how often it came. Nodes are small, expire, and are all that correlation remembers
// besides alerts and incidents. Times are event times.
type Node struct {
	Key string `json:"key"`
	// SameAs says that this key is another name of that node; the rest is then kept there.
	SameAs string `json:"sameAs,omitzero"`
	// Aliases are the strong names that lead here, at most maxAliases.
	Aliases []string `json:"also,omitempty"`
	Alert   string   `json:"alert,omitzero"` // the alert that a carried id names
	// First and Last span the alerts seen.
	First    time.Time `json:"first,omitzero"`
	Last     time.Time `json:"last,omitzero"`
	Episodes int       `json:"alerts,omitzero"` // one kind within score.Params.Episode counts once
	// Activities are the incidents that used this entity last, newest last, at most maxActivities.
	Activities []Activity `json:"touches,omitempty"`
	// Targets are the entities that this name, when it is a weak one, stood for, newest last, at most maxTargets.
	Targets []AliasTarget `json:"owners,omitempty"`
	// CoOccurring is who else appeared in alerts with this entity (machines, people, resources), as hashes, at most
	// maxCoOccurring: how widely shared it is.
	CoOccurring []uint32 `json:"company,omitempty"`
	// Fingerprints are those of the latest alerts on this entity, newest last, at most maxFingerprints.
	Fingerprints []Fingerprint `json:"briefs,omitempty"`
	// KnownShare is, of a kind, which share of its late alerts named known indicators only, 0 to 1.
	KnownShare float64 `json:"plain,omitzero"`
	// Exposures are the open exposures of this entity, the gravest first, at most maxNodeExposures.
	Exposures Exposures `json:"exposures,omitempty"`
	// KindCounts counts the kinds of alerts seen on this entity, at most maxKindCounts: what is usual here.
	KindCounts []KindCount `json:"types,omitempty"`
}

// Fingerprint is what is remembered of an alert to recognize another product's copy of it.
type Fingerprint struct {
	Alert    string    `json:"alert"`
	Reporter string    `json:"reporter"`
	Words    string    `json:"words"` // of the title, letters and digits only
	First    time.Time `json:"first"`
}

// Activity is one incident's use of an entity.
type Activity struct {
	Incident string    `json:"incident"`
	Alert    string    `json:"alert"` // the latest alert of that incident on this entity
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	Episodes int       `json:"alerts"` // of that incident here
	// Burst counts its alerts here, fading with Fading.BurstHalfLife, as of Last.
	Burst float64 `json:"recent,omitzero"`
	// Suspicion is how much its alerts look like an attack by what they say of this entity, 0 to 1.
	Suspicion float64 `json:"credit,omitzero"`
	// Dilution is how little of what its alerts say concerns this entity, 0 unless they named many like it.
	Dilution float64 `json:"vague,omitzero"`
}

// AliasTarget is an entity that a weak name stood for, and when last.
type AliasTarget struct {
	Key  string    `json:"key"`
	Last time.Time `json:"last"`
	// Inferred says that no alert named both together: the short form of a full host name.
	Inferred bool `json:"guess,omitzero"`
}

// KindCount is how often one kind of alert was seen on an entity, in episodes, and when.
type KindCount struct {
	Kind     string    `json:"type"`
	Episodes int       `json:"n"`
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	Incident string    `json:"incident,omitzero"` // where the latest episode went
	Streak   int       `json:"here,omitzero"`     // how many of the latest episodes went there, one after another
}

// Bounds of what a node remembers, so that a decision costs the same however much happens on an entity.
const (
	maxActivities    = 16
	maxTargets       = 4
	maxAliases       = 8
	maxFingerprints  = 6
	maxKindCounts    = 32
	maxCoOccurring   = 48
	maxNodeExposures = 8
)

// NodeLifetime is how long a node is kept at most after the last event that touched it: stores may forget it
// NodeLifetime after Node.Last.
const NodeLifetime = 30 * 24 * time.Hour

// MinRetention is how long a store keeps an incident at least after its last change: longer than any node leads there.
const MinRetention = NodeLifetime + 15*24*time.Hour

// CarriedIDWithin is how far apart two reports that carry one id may lie by default, and half of how long an id is
// kept.
const CarriedIDWithin = 24 * time.Hour

// LifetimeOf is how long the node by that key is of use after Node.Last: an id for as long as copies of its alert may
// come.
func LifetimeOf(key string) time.Duration {
	if strings.HasPrefix(key, "id:") {
		return 2 * CarriedIDWithin
	}
	return NodeLifetime
}

// Gap is how far a moment lies outside a span, 0 within it.
func Gap(at, first, last time.Time) time.Duration {
	switch {
	case at.Before(first):
		return first.Sub(at)
	case at.After(last):
		return at.Sub(last)
	}
	return 0
}

// Later is the later of two times, a where they are equal.
func Later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// CountOf is how often a kind was seen on the node, nil when it never was. It may be asked of no node.
func (n *Node) CountOf(kind string) *KindCount {
	if n == nil {
		return nil
	}
	for i := range n.KindCounts {
		if n.KindCounts[i].Kind == kind {
			return &n.KindCounts[i]
		}
	}
	return nil
}

// ExtendSpan widens the span of the node's alerts.
func (n *Node) ExtendSpan(first, last time.Time) {
	if n.First.IsZero() || first.Before(n.First) {
		n.First = first
	}
	if last.After(n.Last) {
		n.Last = last
	}
}

// CountEpisode counts an alert of a kind that went to an incident, and reports whether it began an episode: the kind
// was not seen here within that time before. Of too many kinds, the one seen least is forgotten.
func (n *Node) CountEpisode(kind string, at time.Time, incident string, episode time.Duration) (began bool) {
	c := n.CountOf(kind)
	if c == nil {
		if len(n.KindCounts) >= maxKindCounts {
			i := rarestKind(n.KindCounts)
			n.KindCounts[i] = n.KindCounts[len(n.KindCounts)-1]
			n.KindCounts = n.KindCounts[:len(n.KindCounts)-1]
		}
		n.KindCounts = append(n.KindCounts, KindCount{Kind: kind, First: at})
		c = &n.KindCounts[len(n.KindCounts)-1]
	}
	began = c.Episodes == 0 || Gap(at, c.First, c.Last) > 0 && Gap(at, c.Last, c.Last) > episode
	if began {
		n.Episodes++
		c.Episodes++
		if c.Incident != incident {
			c.Incident, c.Streak = incident, 0
		}
		c.Streak++
	}
	if at.Before(c.First) {
		c.First = at
	}
	c.Last = Later(at, c.Last)
	return began
}

// rarestKind is the kind to forget: seen least, and of those the longest ago.
func rarestKind(counts []KindCount) int {
	rarest := 0
	for i, c := range counts {
		if r := counts[rarest]; c.Episodes < r.Episodes || c.Episodes == r.Episodes && c.Last.Before(r.Last) {
			rarest = i
		}
	}
	return rarest
}

// Fading is how what an incident did on an entity is forgotten.
type Fading struct {
	Episode       time.Duration // alerts closer than that to the activity count as one episode
	BurstHalfLife time.Duration
}

// AddActivity notes an incident's use of the node. Of too many, the one that has been quiet longest is forgotten.
func (n *Node) AddActivity(a Activity, f Fading) {
	for i := range n.Activities {
		if n.Activities[i].Incident == a.Incident {
			n.Activities[i].extendBy(a, f)
			return
		}
	}
	n.Activities = append(n.Activities, a)
	slices.SortStableFunc(n.Activities, func(a, b Activity) int { return a.Last.Compare(b.Last) })
	if len(n.Activities) > maxActivities {
		n.Activities = slices.Delete(n.Activities, 0, 1)
	}
}

// extendBy takes more of the same incident's activity into account.
func (a *Activity) extendBy(by Activity, f Fading) {
	gap := Gap(by.First, a.First, a.Last)
	if gap > f.Episode {
		a.Episodes += by.Episodes
	}
	a.Burst = a.Burst*math.Exp2(-float64(gap)/float64(f.BurstHalfLife)) + by.Burst
	a.Dilution = min(a.Dilution, by.Dilution)
	a.Suspicion = 1 - (1-a.Suspicion)*(1-by.Suspicion)
	if !by.Last.Before(a.Last) {
		a.Alert = by.Alert
	}
	a.Last = Later(by.Last, a.Last)
	if by.First.Before(a.First) {
		a.First = by.First
	}
}

// AddTarget notes an entity that the name stood for. Of too many, the one noted first is forgotten.
func (n *Node) AddTarget(t AliasTarget) {
	for i := range n.Targets {
		if had := &n.Targets[i]; had.Key == t.Key {
			had.Last = Later(had.Last, t.Last)
			had.Inferred = had.Inferred && t.Inferred
			return
		}
	}
	n.Targets = append(n.Targets, t)
	if len(n.Targets) > maxTargets {
		n.Targets = slices.Delete(n.Targets, 0, 1)
	}
}

// AddAlias notes a strong name that leads to the node, as long as there is room.
func (n *Node) AddAlias(key string) {
	if len(n.Aliases) < maxAliases && !slices.Contains(n.Aliases, key) {
		n.Aliases = append(n.Aliases, key)
	}
}

// AddCoOccurring notes, by a hash, who appeared in an alert together with the entity, as long as there is room.
func (n *Node) AddCoOccurring(who uint32) {
	if len(n.CoOccurring) < maxCoOccurring && !slices.Contains(n.CoOccurring, who) {
		n.CoOccurring = append(n.CoOccurring, who)
	}
}

// AddFingerprint remembers an alert, once, for copies of it to be recognized. Of too many, the oldest is forgotten.
func (n *Node) AddFingerprint(f Fingerprint) {
	if slices.ContainsFunc(n.Fingerprints, func(had Fingerprint) bool { return had.Alert == f.Alert }) {
		return
	}
	n.Fingerprints = append(n.Fingerprints, f)
	if len(n.Fingerprints) > maxFingerprints {
		n.Fingerprints = slices.Delete(n.Fingerprints, 0, 1)
	}
}

// AdoptHistory takes over which incidents and kinds of alerts another node saw.
func (n *Node) AdoptHistory(from *Node, f Fading) {
	for _, a := range from.Activities {
		n.AddActivity(a, f)
	}
	for _, c := range from.KindCounts {
		if had := n.CountOf(c.Kind); had != nil {
			had.Episodes += c.Episodes
			had.Last = Later(had.Last, c.Last)
		} else if len(n.KindCounts) < maxKindCounts {
			n.KindCounts = append(n.KindCounts, c)
		}
	}
}

// AdoptExposures takes over the open exposures of another node.
func (n *Node) AdoptExposures(from *Node) {
	for _, x := range from.Exposures {
		n.Exposures = n.Exposures.With(x, maxNodeExposures)
	}
}

// Absorb takes over all that another node of the same entity remembers, which then leads here.
func (n *Node) Absorb(other *Node, f Fading) {
	n.AdoptHistory(other, f)
	for _, t := range other.Targets {
		n.AddTarget(t)
	}
	for _, who := range other.CoOccurring {
		n.AddCoOccurring(who)
	}
	for _, key := range append(other.Aliases, other.Key) {
		n.AddAlias(key)
	}
	n.Fingerprints = append(n.Fingerprints, other.Fingerprints...)
	n.Fingerprints = n.Fingerprints[max(0, len(n.Fingerprints)-maxFingerprints):]
	n.AdoptExposures(other)
	n.Episodes += other.Episodes
	n.ExtendSpan(other.First, other.Last)
	*other = Node{Key: other.Key, SameAs: n.Key, First: other.First, Last: other.Last}
}
