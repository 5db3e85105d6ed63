package incident

import (
	"math"
	"slices"
	"time"

	"github.com/onepane/onepane/shared/alert"
)

// This file answers one question: how often would an alert of this kind hit this entity if nobody attacked? What is
// rare by chance is telling, whatever it is; what fires here all day tells nothing, whatever its severity.
//
// Counts are of episodes: the same kind on the same entity within Tuning.Episode counts once, so that a burst is
// one event. A rate is episodes per hour of the tenant's observed time, with a prior for what was not seen yet.

// tenantNode and kindNode are where episodes are counted that belong to no entity.
const tenantNode = "tenant:"

func kindNode(kind string) string { return "kind:" + kind }

func severityNode(s alert.Severity) string { return "severity:" + string(s) }

// odds is what chance depends on besides the entity and the incident: worked out once for an arrival, before it is counted.
type odds struct {
	total, hours float64 // the tenant's episodes, and the time it was watched
	prior        float64
	ofKind       float64 // episodes of the arrival's kind, anywhere
	usual        float64
	unusual      float64 // how likely alerts of the kind are to name a strange indicator, if it does: 1 says nothing
}

func (s *State) oddsOf(v *arrival) odds {
	o := odds{hours: s.tune.Prior.Hours(), unusual: 1}
	if all := s.nodes[tenantNode]; all != nil {
		o.total = float64(all.Episodes)
		o.hours += all.Last.Sub(all.First).Hours()
	}
	if n := s.nodes[v.kindNode]; n != nil {
		o.ofKind = float64(n.Episodes)
		if v.strange {
			o.unusual = 1 - n.KnownShare
		}
	}
	o.prior, o.usual = s.prior(o.total), s.usual(v.Alert.Severity, o.total)
	return o
}

// chance is the rate, per hour, at which alerts of a kind hit an entity without anything being wrong, not counting
// what incident inc itself added. It is what was seen of that pair, plus what kind and entity would give if they were
// independent: a kind that fires everywhere, an entity that everything touches. What names a strange indicator, and of a
// kind that seldom does, is as much rarer.
func (s *State) chance(v *arrival, t *tie, n *Node, inc *Incident) float64 {
	ofKind, ofEntity, ofPair := v.odds.ofKind, 0.0, 0.0
	if n != nil {
		ofEntity = float64(n.Episodes)
		if c := n.typed(v.kind); c != nil {
			ofPair = float64(c.Episodes)
			own := s.own(c, inc)
			ofPair -= own
			ofKind -= own
		}
		ofEntity -= s.within(n, inc)
	}
	ofKind, ofEntity, ofPair = max(ofKind, 0), max(ofEntity, 0), max(ofPair, 0)
	independent := (ofKind + s.tune.Unseen*v.odds.usual) * (ofEntity + s.unseen(t)) / (v.odds.total + v.odds.prior)
	return (ofPair + independent) / v.odds.hours * v.odds.unusual
}

// unseen is how many episodes an entity is taken to have had besides those that were seen.
func (s *State) unseen(t *tie) float64 {
	switch {
	case !t.endless:
		return s.tune.Unseen
	case t.class == "ip":
		return s.tune.UnseenAddress
	}
	return s.tune.UnseenIndicator
}

// prior is how many episodes, of kinds and entities that never came again, a tenant is taken to have had before its first
// alert. The more was seen, the less is imagined.
func (s *State) prior(total float64) float64 {
	return s.tune.PriorLeast + s.tune.PriorEpisodes/(1+total/s.tune.PriorFades)
}

// usual is how common a severity is in this tenant, 1 when all are alike: a kind never seen before is likelier noise when
// it is as mild as noise is.
func (s *State) usual(severity alert.Severity, total float64) float64 {
	of := 0.0
	if n := s.nodes[severityNode(severity)]; n != nil {
		of = float64(n.Episodes)
	}
	const severities, smooth = 4, 5
	return severities * (of + smooth) / (total + severities*smooth)
}

// own is how many episodes of a kind on an entity the incident itself brought, as far as they do not count against it.
func (s *State) own(c *KindCount, inc *Incident) float64 {
	if c == nil || inc == nil || s.incident(c.Incident) != inc {
		return 0
	}
	return min(float64(c.Streak), s.tune.Own)
}

// within is how many episodes on a node belong to an incident, or to those that were merged into it.
func (s *State) within(n *Node, inc *Incident) float64 {
	if inc == nil {
		return 0
	}
	own := 0
	for i := range n.Activities {
		t := &n.Activities[i]
		if t.Incident == inc.ID || len(inc.Merged) > 0 && s.incident(t.Incident) == inc {
			own += t.Episodes
		}
	}
	return float64(own)
}

// drive is the rate, per hour, at which an attack behind an incident would bring this arrival on an entity that it last touched so
// long ago: much right after, little by little less, never nothing.
func (s *State) drive(v *arrival, t *tie, n *Node, touch *Activity, inc *Incident, apart time.Duration) float64 {
	fade := s.tune.StepFade
	if t.endless && t.class != "ip" {
		fade = s.tune.IndicatorFade
	}
	step := s.tune.Step / (1 + float64(apart)/float64(fade))
	burst := s.tune.Burst * touch.Burst * math.Exp2(-float64(apart)/float64(s.tune.BurstHalfLife))
	drive := (step + min(burst, s.tune.BurstMost)) * s.tune.Gravity[v.Alert.Severity] * s.telling(v, n, inc)
	if v.plain && !t.endless {
		drive *= s.tune.Plain
	}
	switch {
	case s.progresses(&v.Alert, inc):
		drive *= s.tune.Progress
	case len(v.Alert.Tactics) == 0 && len(inc.Tactics) > 0:
		drive *= s.tune.Unstaged
	}
	return drive
}

// together is the rate, per hour, at which anything whatever would bring this arrival along with what an incident did on an entity
// so long ago. Machines seldom do two things at once by chance. People, and addresses that many share, often do: there it counts
// less for a kind that fires anyway, for one that comes from where everyone comes from, and for one among many that were named.
func (s *State) together(v *arrival, t *tie, n *Node, touch *Activity, inc *Incident, apart time.Duration) float64 {
	together := s.tune.Together * (1 - touch.Dilution) * math.Exp2(-float64(apart)/float64(s.tune.TogetherHalfLife))
	if t.machine {
		return together
	}
	if t.endless || t.class == "user" || t.class == "mailbox" {
		together *= s.telling(v, n, inc)
	}
	if v.plain {
		together *= s.tune.Plain
	}
	return together
}

// telling is how likely attacks show in a kind of alert, 1 for a kind never seen here before, little for one that fired many
// times without one. What incident inc itself brought does not count against it.
func (s *State) telling(v *arrival, on *Node, inc *Incident) float64 {
	n := v.odds.ofKind
	n -= s.own(on.typed(v.kind), inc)
	return s.tune.Familiar / (s.tune.Familiar + max(n, 0)*v.odds.unusual)
}

// surprise is how much an alert looks like part of an attack by what it says of one entity, 0 to 1: rare there, or grave.
func (s *State) surprise(v *arrival, t *tie) float64 {
	n := s.nodes[t.key]
	seed := s.rival(v) * s.telling(v, n, nil)
	return seed / (seed + s.chance(v, t, n, nil))
}

// rival is the rate, per hour, at which an attack that nobody knows of would bring an arrival of this severity on one entity.
func (s *State) rival(v *arrival) float64 { return s.tune.Seed * s.tune.Gravity[v.Alert.Severity] }

// weigh sets the credit of an arrival's ties: an alert looks like part of an attack by what is most surprising in it, as things
// stood before it.
func (s *State) weigh(v *arrival) {
	const full = 0.7 // the weight of a tie from which its surprise counts in full
	v.odds = s.oddsOf(v)
	most := 0.0
	for i := range v.ties {
		t := &v.ties[i]
		t.credit = s.surprise(v, t)
		most = max(most, t.credit*min(1, t.weight/full))
	}
	v.credit = most
	for i := range v.ties {
		t := &v.ties[i]
		t.credit = max(t.credit, most) * v.share(t.class)
	}
}

// share is how much of what an alert says concerns each of its entities of a class: one that names many people or machines, as a
// password spray does, says little about each.
func (v *arrival) share(class string) float64 {
	const few = 2
	n := 0
	for i := range v.ties {
		if v.ties[i].class == class {
			n++
		}
	}
	return few / max(few, float64(n))
}

// inherit lets an arrival take over part of the credit of the incident that it joined, on things that little else touches.
func (s *State) inherit(v *arrival, inc *Incident, credit float64) {
	for i := range v.ties {
		t := &v.ties[i]
		if t.machine || t.class == "ip" && !t.endless {
			continue // what else goes on there need not be its doing
		}
		others := 0.0
		if n := s.nodes[t.key]; n != nil {
			others = float64(n.Episodes) - s.within(n, inc)
		}
		t.credit = max(t.credit, s.tune.Inherit*credit/(1+others/s.tune.InheritCrowd))
	}
}

// count records an arrival among the episodes of its tenant, kind and entities.
func (s *State) count(v *arrival, incident string) {
	a := &v.Alert
	began := len(v.ties) == 0
	on, _ := ground(v.ties)
	for i := range v.ties {
		t := &v.ties[i]
		n := s.edit(t.key)
		t.began = n.seen(v.kind, a.First, incident, s.tune.Episode)
		if t.began {
			n.Episodes++
		}
		if t.key == on.key {
			began = t.began
		}
		n.span(a.First, a.Last)
	}
	all := s.edit(tenantNode)
	all.span(a.First, a.Last)
	if !began {
		return
	}
	all.Episodes++
	for _, name := range []string{v.kindNode, severityNode(a.Severity)} {
		n := s.edit(name)
		n.Episodes++
		n.span(a.First, a.Last)
	}
	if slices.ContainsFunc(v.ties, func(t tie) bool { return t.endless }) {
		s.edit(v.kindNode).expect(v.strange, s.tune.Strange)
	}
}

// expect learns how often alerts of a kind name a strange indicator.
func (n *Node) expect(strange bool, memory float64) {
	if strange {
		n.KnownShare -= n.KnownShare / (memory + 1)
	} else {
		n.KnownShare += (1 - n.KnownShare) / (memory + 1)
	}
}

// seen counts a kind on a node and reports whether an episode began.
func (n *Node) seen(kind string, at time.Time, incident string, episode time.Duration) bool {
	c := n.typed(kind)
	if c == nil {
		if len(n.KindCounts) >= maxTypes {
			i := rarest(n.KindCounts)
			n.KindCounts[i] = n.KindCounts[len(n.KindCounts)-1]
			n.KindCounts = n.KindCounts[:len(n.KindCounts)-1]
		}
		n.KindCounts = append(n.KindCounts, KindCount{Kind: kind, First: at})
		c = &n.KindCounts[len(n.KindCounts)-1]
	}
	began := c.Episodes == 0 || gap(at, c.First, c.Last) > 0 && gap(at, c.Last, c.Last) > episode
	if began {
		c.Episodes++
		if c.Incident != incident {
			c.Incident, c.Streak = incident, 0
		}
		c.Streak++
	}
	if at.Before(c.First) {
		c.First = at
	}
	c.Last = later(at, c.Last)
	return began
}

// rarest is the kind to forget: seen least, and of those the longest ago.
func rarest(ts []KindCount) int {
	at := 0
	for i := range ts {
		if ts[i].Episodes < ts[at].Episodes || ts[i].Episodes == ts[at].Episodes && ts[i].Last.Before(ts[at].Last) {
			at = i
		}
	}
	return at
}

func (n *Node) typed(kind string) *KindCount {
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

// counted takes over what was counted under another name.
func (n *Node) counted(t KindCount) {
	if h := n.typed(t.Kind); h != nil {
		h.Episodes += t.Episodes
		h.Last = later(h.Last, t.Last)
	} else if len(n.KindCounts) < maxTypes {
		n.KindCounts = append(n.KindCounts, t)
	}
}

// ground is what an alert is about: the machine, or else its weightiest entity.
func ground(ties []tie) (tie, bool) {
	best := -1
	for i, t := range ties {
		if best < 0 || t.machine && !ties[best].machine || t.machine == ties[best].machine && t.weight > ties[best].weight {
			best = i
		}
	}
	if best < 0 {
		return tie{}, false
	}
	return ties[best], true
}
