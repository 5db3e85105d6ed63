package correlation

import (
	"slices"

	"github.com/onepane/onepane/shared/correlation/score"
	"github.com/onepane/onepane/shared/incident"
)

// This file is the tenant's history of episodes: what it says of an arrival, and how an arrival enters it. An episode is
// the same kind on the same entity within score.Params.Episode, so that a burst is one event.

// history is what a tenant's episodes say of an arrival, whatever the entity: worked out once, before it is counted.
type history struct {
	hours, total    float64 // the time the tenant was watched, and its episodes
	ofKind          float64 // episodes of the arrival's kind, anywhere
	severityShare   float64
	indicatorRarity float64
	gravity         float64 // of the arrival's severity
}

// assessSuspicion looks up the history of an arrival, and sets how much it looks like part of an attack, as things stood
// before it: by the entity that speaks for it most.
func (e *Engine) assessSuspicion(a *arrival) {
	a.history = e.historyOf(a)
	for i := range a.entities {
		v := &a.entities[i]
		v.suspicion = e.params.Suspicion(a.history.gravity, e.observe(a, v, nil))
		a.suspicion = max(a.suspicion, e.params.FullSuspicion(v.suspicion, v.worth))
	}
	for i := range a.entities {
		v := &a.entities[i]
		v.suspicion = max(v.suspicion, a.suspicion) * a.shareOf(v.class, e.params)
	}
}

func (e *Engine) historyOf(a *arrival) history {
	h := history{indicatorRarity: 1, gravity: e.params.Gravity[string(a.Alert.Severity)]}
	if all := e.nodes.Get(tenantNode); all != nil {
		h.total, h.hours = float64(all.Episodes), all.Last.Sub(all.First).Hours()
	}
	if n := e.nodes.Get(a.kindNode); n != nil {
		h.ofKind = float64(n.Episodes)
		if a.novel {
			h.indicatorRarity = 1 - n.KnownShare
		}
	}
	ofSeverity := 0.0
	if n := e.nodes.Get(severityNode(a.Alert.Severity)); n != nil {
		ofSeverity = float64(n.Episodes)
	}
	h.severityShare = e.params.SeverityShare(ofSeverity, h.total)
	return h
}

// observe is what history says of an arrival on one of its entities, without what the incident brought itself; inc may be
// nil.
func (e *Engine) observe(a *arrival, v *involved, inc *incident.Incident) score.Observed {
	o := score.Observed{
		Hours: a.history.hours, Total: a.history.total, OfKind: a.history.ofKind,
		SeverityShare: a.history.severityShare, IndicatorRarity: a.history.indicatorRarity, Sort: v.sort,
	}
	if n := e.nodes.Get(v.key); n != nil {
		o.OfEntity = max(float64(n.Episodes)-e.episodesOf(inc, n), 0)
		if c := n.CountOf(a.kind); c != nil {
			own := 0.0
			if inc != nil && e.survivorOf(c.Incident) == inc {
				own = min(float64(c.Streak), e.params.Own)
			}
			o.OfBoth = max(float64(c.Episodes)-own, 0)
			o.OfKind -= own
		}
	}
	o.OfKind = max(o.OfKind, 0)
	return o
}

// episodesOf is how many episodes on a node belong to an incident, or to those that were merged into it.
func (e *Engine) episodesOf(inc *incident.Incident, n *incident.Node) float64 {
	if inc == nil {
		return 0
	}
	own := 0
	for i := range n.Activities {
		act := &n.Activities[i]
		if act.Incident == inc.ID || len(inc.Merged) > 0 && e.survivorOf(act.Incident) == inc {
			own += act.Episodes
		}
	}
	return float64(own)
}

// inheritSuspicion lets an arrival take over part of the suspicion of the incident that it joins, on entities that little
// else touches. What goes on on a machine or at a private address besides need not be the incident's doing.
func (e *Engine) inheritSuspicion(a *arrival, inc *incident.Incident, suspicion float64) {
	for i := range a.entities {
		v := &a.entities[i]
		if v.sort == score.Machine || v.sort == score.PrivateAddress {
			continue
		}
		others := 0.0
		if n := e.nodes.Get(v.key); n != nil {
			others = float64(n.Episodes) - e.episodesOf(inc, n)
		}
		v.suspicion = max(v.suspicion, e.params.Inherited(suspicion, others))
	}
}

// countEpisodes counts an arrival among the episodes of its entities, tenant, kind and severity. Where it names several
// entities, its primary one says whether an episode began.
func (e *Engine) countEpisodes(a *arrival, incidentID string) {
	first, last := a.Alert.First, a.Alert.Last
	began := len(a.entities) == 0
	primary := a.primaryEntity()
	for i := range a.entities {
		v := &a.entities[i]
		v.began = e.nodes.CountEpisode(v.key, a.kind, incidentID, first, last)
		if v == primary {
			began = v.began
		}
	}
	e.nodes.Edit(tenantNode).ExtendSpan(first, last)
	if !began {
		return
	}
	e.nodes.Get(tenantNode).Episodes++
	for _, key := range []string{a.kindNode, severityNode(a.Alert.Severity)} {
		n := e.nodes.Edit(key)
		n.Episodes++
		n.ExtendSpan(first, last)
	}
	if slices.ContainsFunc(a.entities, func(v involved) bool { return v.sort.IsEndless() }) {
		n := e.nodes.Edit(a.kindNode)
		n.KnownShare = e.params.LearnKnownShare(n.KnownShare, a.novel)
	}
}

// recordActivity records that an incident's alert used its entities, who appeared together, and what it claims belongs
// together. newKind says that the incident had no alert of the kind: a flood of one kind is no burst.
func (e *Engine) recordActivity(inc *incident.Incident, a *arrival, newKind bool) {
	burst := e.params.Pulse
	if newKind {
		burst = 1
	}
	act := incident.Activity{Incident: inc.ID, Alert: a.Alert.ID, First: a.Alert.First, Last: a.Alert.Last, Episodes: 1}
	for i := range a.entities {
		v, here := &a.entities[i], act
		here.Burst, here.Dilution = burst, 1-a.shareOf(v.class, e.params)
		if v.began { // a flood says no more than its first
			here.Suspicion = v.suspicion
		}
		n := e.nodes.AddActivity(v.key, here)
		for j := range a.entities {
			if o := &a.entities[j]; i != j && (o.sort == score.Machine || o.class == "user" || o.class == "resource") {
				n.AddCoOccurring(incident.Hash(o.key))
			}
		}
	}
	for _, name := range a.claims {
		e.nodes.AddActivity(name, act).ExtendSpan(act.First, act.Last)
	}
}
