package correlation

import (
	"slices"

	"github.com/onepane/onepane/shared/correlation/score"
	"github.com/onepane/onepane/shared/incident"
)

// This file is the tenant's history of episodes: what it says of an arrival, and how an arrival enters it. An episode
// is the same kind on the same entity within score.Params.Episode, so that a burst is one event.

// history is what a tenant's episodes say of an arrival, whatever the entity: worked out once, before it is counted.
type history struct {
	hours, total    float64 // the time the tenant was watched, and its episodes
	ofKind          float64 // episodes of the arrival's kind, anywhere
	severityShare   float64
	indicatorRarity float64
	gravity         float64 // of the arrival's severity
}

// assessSuspicion looks up the history of an arrival, and sets how much it looks like part of an attack, as things
// stood before it: by the entity that speaks for it most.
func (m *memory) assessSuspicion(a *arrival) {
	a.history = m.historyOf(a)
	for i := range a.entities {
		v := &a.entities[i]
		v.suspicion = m.params.Suspicion(a.history.gravity, m.observeEpisodes(a, v, nil))
		a.suspicion = max(a.suspicion, m.params.FullSuspicion(v.suspicion, v.worth))
	}
	for i := range a.entities {
		v := &a.entities[i]
		v.suspicion = max(v.suspicion, a.suspicion) * a.shareOf(v.class, m.params)
	}
}

func (m *memory) historyOf(a *arrival) history {
	h := history{indicatorRarity: 1, gravity: m.params.Gravity[string(a.Alert.Severity)]}
	if all := m.nodes.Get(tenantNode); all != nil {
		h.total, h.hours = float64(all.Episodes), all.Last.Sub(all.First).Hours()
	}
	if n := m.nodes.Get(a.kindNode); n != nil {
		h.ofKind = float64(n.Episodes)
		if a.novel {
			h.indicatorRarity = 1 - n.KnownShare
		}
	}
	ofSeverity := 0.0
	if n := m.nodes.Get(severityNode(a.Alert.Severity)); n != nil {
		ofSeverity = float64(n.Episodes)
	}
	h.severityShare = m.params.SeverityShare(ofSeverity, h.total)
	return h
}

// observeEpisodes is what history says of an arrival on one of its entities, without what the incident brought
// itself; inc may be nil.
func (m *memory) observeEpisodes(a *arrival, v *involved, inc *incident.Incident) score.Observed {
	o := score.Observed{
		Hours: a.history.hours, Total: a.history.total, OfKind: a.history.ofKind,
		SeverityShare: a.history.severityShare, IndicatorRarity: a.history.indicatorRarity, Sort: v.sort,
	}
	if n := m.nodes.Get(v.key); n != nil {
		o.OfEntity = max(float64(n.Episodes)-m.episodesOf(inc, n), 0)
		if c := n.CountOf(a.kind); c != nil {
			own := 0.0
			if inc != nil && m.survivorOf(c.Incident) == inc {
				own = min(float64(c.Streak), m.params.Own)
			}
			o.OfBoth = max(float64(c.Episodes)-own, 0)
			o.OfKind -= own
		}
	}
	o.OfKind = max(o.OfKind, 0)
	return o
}

// episodesOf is how many episodes on a node belong to an incident, or to those that were merged into it.
func (m *memory) episodesOf(inc *incident.Incident, n *incident.Node) float64 {
	if inc == nil {
		return 0
	}
	own := 0
	for i := range n.Activities {
		act := &n.Activities[i]
		if act.Incident == inc.ID || len(inc.Merged) > 0 && m.survivorOf(act.Incident) == inc {
			own += act.Episodes
		}
	}
	return float64(own)
}

// inheritSuspicion lets an arrival take over part of the suspicion of the incident that it joins, on entities that
// little else touches. What goes on on a machine or at a private address besides need not be the incident's doing.
func (m *memory) inheritSuspicion(a *arrival, inc *incident.Incident, suspicion float64) {
	for i := range a.entities {
		v := &a.entities[i]
		if v.sort == score.Machine || v.sort == score.PrivateAddress {
			continue
		}
		others := 0.0
		if n := m.nodes.Get(v.key); n != nil {
			others = float64(n.Episodes) - m.episodesOf(inc, n)
		}
		v.suspicion = max(v.suspicion, m.params.Inherited(suspicion, others))
	}
}

// countEpisodes counts an arrival among the episodes of its entities, tenant, kind and severity. Where it names several
// entities, its primary one says whether an episode began.
func (m *memory) countEpisodes(a *arrival, incidentID string) {
	first, last := a.Alert.First, a.Alert.Last
	began := len(a.entities) == 0
	primary := a.primaryEntity()
	for i := range a.entities {
		v := &a.entities[i]
		v.began = m.nodes.CountEpisode(v.key, a.kind, incidentID, first, last)
		if v == primary {
			began = v.began
		}
	}
	m.nodes.Edit(tenantNode).ExtendSpan(first, last)
	if !began {
		return
	}
	m.nodes.Get(tenantNode).Episodes++
	for _, key := range []string{a.kindNode, severityNode(a.Alert.Severity)} {
		n := m.nodes.Edit(key)
		n.Episodes++
		n.ExtendSpan(first, last)
	}
	if slices.ContainsFunc(a.entities, func(v involved) bool { return v.sort.IsIndicator() }) {
		n := m.nodes.Edit(a.kindNode)
		n.KnownShare = m.params.LearnKnownShare(n.KnownShare, a.novel)
	}
}

// recordActivity records that an incident's alert used its entities, who appeared together, and what it claims belongs
// together. newKind says that the incident had no alert of the kind: a flood of one kind is no burst.
func (m *memory) recordActivity(inc *incident.Incident, a *arrival, newKind bool) {
	burst := m.params.Pulse
	if newKind {
		burst = 1
	}
	act := incident.Activity{Incident: inc.ID, Alert: a.Alert.ID, First: a.Alert.First, Last: a.Alert.Last, Episodes: 1}
	for i := range a.entities {
		v, here := &a.entities[i], act
		here.Burst, here.Dilution = burst, 1-a.shareOf(v.class, m.params)
		if v.began { // a flood says no more than its first
			here.Suspicion = v.suspicion
		}
		n := m.nodes.AddActivity(v.key, here)
		for j := range a.entities {
			if o := &a.entities[j]; i != j && (o.sort == score.Machine || o.class == "user" || o.class == "resource") {
				n.AddCoOccurring(incident.Hash(o.key))
			}
		}
	}
	for _, name := range a.claims {
		m.nodes.AddActivity(name, act).ExtendSpan(act.First, act.Last)
	}
}
