package correlation

import (
	"slices"
	"strings"
	"time"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/correlation/score"
	"github.com/onepane/onepane/shared/incident"
)

// Outcome says what became of one report.
type Outcome struct {
	AlertID    string // the alert it is part of now: its own, or the one it was folded into
	Incident   string // that alert's incident; empty for an exposure
	Folded     bool
	New        bool     // a report of an alert never seen before
	Changed    bool     // false for a repeat that said nothing new
	Opened     bool     // it opened its incident
	MergedFrom []string // incidents that were merged into Incident because of it
}

// Apply decides where a report belongs and changes the memory accordingly. Applying the same report again changes
// nothing. Position is the event's place in the bus's log, 0 where there is none; now is when the decision is made: it
// is recorded, and never part of the decision.
func (e *Engine) Apply(r *Report, position uint64, now time.Time) Outcome {
	if rec := e.alerts.Get(r.Alert.ID); rec != nil {
		return e.updateAlert(rec, r.Alert, now)
	}
	a := e.resolveReport(r)
	if original, rule := e.findOriginal(a); original != nil {
		return e.foldAlert(original, r.Alert, rule, now)
	}
	rec := &incident.AlertRecord{Alert: r.Alert, Status: r.Alert.Status, Created: now, Updated: now, Position: position}
	rec.KeepResolved(now)
	e.alerts.Change(r.Alert.ID, rec)
	e.indexIDs(r)
	e.indexFingerprint(a)
	out := Outcome{}
	if r.Alert.Class == alert.Exposure {
		e.recordExposure(rec, a, now)
	} else {
		out = e.assignIncident(rec, a, now)
	}
	out.AlertID, out.New, out.Changed = r.Alert.ID, true, true
	return out
}

// foldAlert makes an alert another sighting of the original.
func (e *Engine) foldAlert(original *incident.AlertRecord, a alert.Alert, rule string, now time.Time) Outcome {
	if len(a.Sightings) == 0 {
		a.Sightings = []alert.Sighting{{
			AlertID: a.ID, Reporter: a.Reporter, ReportID: a.ReportID, Title: a.Title, Type: a.Type, Updated: a.Updated, Rule: rule,
		}}
	}
	e.alerts.Change(a.ID, &incident.AlertRecord{
		Alert: a, FoldedInto: original.Alert.ID, Incident: original.Incident, Status: a.Status, Created: now, Updated: now,
		Reasons: []incident.Reason{{Rule: rule, Alert: original.Alert.ID, Weight: 1, Gap: gapBetween(&a, &original.Alert)}},
	})
	out := e.updateAlert(original, a, now)
	out.Folded, out.New = true, true
	return out
}

// updateAlert merges a later report into an alert that is known.
func (e *Engine) updateAlert(rec *incident.AlertRecord, a alert.Alert, now time.Time) Outcome {
	if original := e.alerts.Get(rec.FoldedInto); original != nil {
		out := e.updateAlert(original, a, now)
		out.Folded = true
		return out
	}
	out := Outcome{AlertID: rec.Alert.ID, Incident: rec.Incident}
	inc := e.survivorOf(rec.Incident)
	if inc != nil {
		out.Incident = inc.ID
	}
	merged, changed := alert.Merge(rec.Alert, a)
	if !changed {
		return out
	}
	out.Changed = true
	rec.Alert, rec.Position = merged, 0
	if !rec.StatusSet {
		rec.Status = merged.Status
	}
	rec.Updated = incident.Later(now, rec.Updated)
	rec.KeepResolved(now)
	e.alerts.Change(rec.Alert.ID, rec)
	r := NewReport(merged)
	e.indexIDs(r)
	if merged.Class == alert.Exposure {
		e.recordExposure(rec, e.resolveReport(r), now)
	} else if inc != nil {
		v := e.resolveReport(r)
		inc.Summarize(&v.Alert, e.involvedEntities(v), false, now)
		e.incidents.Change(inc.ID, inc)
		if !inc.Noise {
			e.recordActivity(inc, v, false)
		}
	}
	return out
}

// assignIncident puts a new alert where it belongs. The first rule that applies wins:
//
//  1. its own rule opted out of correlation          → an incident of its own, which nothing joins
//  2. it links to incidents, the best from JoinAt on → the best; others from MergeAt on are merged into it
//  3. it recurs on one entity all the time           → that entity's noise incident, or one that becomes it
//  4. nothing of the above                           → a new incident
func (e *Engine) assignIncident(rec *incident.AlertRecord, a *arrival, now time.Time) Outcome {
	e.assessSuspicion(a)
	ranked := rankCandidates(&e.memory, a)
	switch {
	case e.optedOut(&a.Alert):
		return e.openIncident(rec, a, incident.Incident{Uncorrelated: true}, ranked.deferred, now)
	case ranked.canJoin():
		return e.joinIncident(rec, a, ranked, now)
	}
	if noise, why := e.findNoiseIncident(a); noise != nil {
		return e.addToNoise(rec, a, noise, why, now)
	}
	return e.openIncident(rec, a, incident.Incident{Noise: e.isRecurring(a)}, ranked.deferred, now)
}

// How a rule's description says whether its alerts are correlated (unified-api reference, 5.1): at the start, in any
// case.
const (
	markDontCorrelate = "#dont_corr#"
	markCorrelate     = "#inc_corr#"
)

// optedOut reports whether an alert is to have an incident of its own that nothing joins: its rule says so, or the
// tenant correlates alerts of analytics rules only when they say so. It is asked once, when the alert is new: what the
// description becomes later changes nothing.
func (e *Engine) optedOut(a *alert.Alert) bool {
	begins := func(mark string) bool {
		return len(a.Description) >= len(mark) && strings.EqualFold(a.Description[:len(mark)], mark)
	}
	switch {
	case begins(markDontCorrelate):
		return true
	case begins(markCorrelate):
		return false
	}
	return e.params.RulesOptIn > 0 && a.Origin.Provider == "sentinel"
}

// canJoin reports whether the best candidate weighs enough and takes one alert more.
func (r *ranking) canJoin() bool {
	return len(r.candidates) > 0 && r.candidates[0].score >= r.params.JoinAt && r.candidates[0].incident.Alerts < r.params.MaxAlerts
}

// isRecurring reports whether a kind fires on its primary entity so often that an incident of its own may gather it.
func (e *Engine) isRecurring(a *arrival) bool {
	v := a.primaryEntity()
	if v == nil {
		return false
	}
	c := e.nodes.Get(v.key).CountOf(a.kind)
	return c != nil && c.Episodes >= e.params.DripCount
}

// findNoiseIncident finds the incident that gathers what recurs on the primary entity, nil when there is none or it is
// over.
func (e *Engine) findNoiseIncident(a *arrival) (*incident.Incident, incident.Reason) {
	if !e.isRecurring(a) {
		return nil, incident.Reason{}
	}
	v := a.primaryEntity()
	c := e.nodes.Get(v.key).CountOf(a.kind)
	inc, gap := e.survivorOf(c.Incident), incident.Gap(a.Alert.First, c.First, c.Last)
	if inc == nil || !inc.IsOpen() || !inc.Noise || gap > e.params.DripWindow || inc.Alerts >= e.params.MaxAlerts {
		return nil, incident.Reason{}
	}
	return inc, incident.Reason{
		Rule: "keeps firing on one " + classWord(v.class), Alert: inc.Opener, Entity: v.key, Name: v.display, Weight: 1, Gap: gap,
	}
}

// openIncident starts an incident with an alert. like says what sort of incident it is; deferred may link it to others
// later.
func (e *Engine) openIncident(rec *incident.AlertRecord, a *arrival, like incident.Incident, deferred []incident.DeferredLink, now time.Time) Outcome {
	inc := e.newIncident(now)
	inc.Opener, inc.Noise, inc.Uncorrelated = rec.Alert.ID, like.Noise, like.Uncorrelated
	out := Outcome{Incident: inc.ID, Opened: true}
	e.admitAlert(rec, a, inc, nil, now)
	if !inc.Noise {
		for i := range deferred {
			deferred[i].SuspicionBefore = inc.Suspicion
		}
		inc.KeepDeferredLinks(deferred)
	}
	return out
}

// addToNoise adds one more of what recurs to the incident that gathers it.
func (e *Engine) addToNoise(rec *incident.AlertRecord, a *arrival, noise *incident.Incident, why incident.Reason, now time.Time) Outcome {
	e.admitAlert(rec, a, noise, []incident.Reason{why}, now)
	return Outcome{Incident: noise.ID}
}

// joinIncident puts an alert into the best incident that it links to, merges the others that it links to as firmly, and
// weighs again what the incident deferred.
func (e *Engine) joinIncident(rec *incident.AlertRecord, a *arrival, ranked *ranking, now time.Time) Outcome {
	best, out := ranked.candidates[0], Outcome{}
	inc, reasons := best.incident, best.reasons
	for _, c := range ranked.candidates[1:] {
		if c.score < e.params.MergeAt {
			break
		}
		inc = e.mergeIncidents(inc, c.incident, rec.Alert.ID, weightiestReason(best.reasons), weightiestReason(c.reasons), &out, now)
		if e.survivorOf(c.incident.ID) == inc { // what links it to an incident that stays apart is no reason
			reasons = append(reasons, c.reasons...)
		}
	}
	for _, c := range ranked.findEarlierBursts(inc) {
		inc = e.mergeIncidents(inc, c.incident, rec.Alert.ID, c.reasons[0], c.reasons[0], &out, now)
	}
	e.inheritSuspicion(a, inc, best.suspicion)
	e.admitAlert(rec, a, inc, reasons, now)
	if !inc.Noise {
		inc = e.revisitDeferredLinks(inc, &out, now)
	}
	out.Incident = inc.ID
	return out
}

func weightiestReason(reasons []incident.Reason) incident.Reason {
	best := reasons[0]
	for _, r := range reasons[1:] {
		if r.Weight > best.Weight {
			best = r
		}
	}
	return best
}

// admitAlert does what follows from the decision for an incident: membership, summary, episodes, activity.
func (e *Engine) admitAlert(rec *incident.AlertRecord, a *arrival, inc *incident.Incident, reasons []incident.Reason, now time.Time) {
	rec.Incident = inc.ID
	rec.KeepReasons(reasons)
	newKind := inc.AddAlert(&a.Alert, a.kind, e.involvedEntities(a), inc.Opener == rec.Alert.ID, now)
	if newKind {
		inc.RaiseSuspicion(a.suspicion)
	}
	e.incidents.Change(inc.ID, inc)
	e.countEpisodes(a, inc.ID)
	if !inc.Noise {
		e.recordActivity(inc, a, newKind)
	}
}

// mergeIncidents merges two incidents because of an alert that links to both, if nothing forbids it, and returns the
// one that goes on: the one with more alerts, the older of equal ones. toOne and toOther are the alert's links to them.
func (e *Engine) mergeIncidents(one, other *incident.Incident, alertID string, toOne, toOther incident.Reason, out *Outcome, now time.Time) *incident.Incident {
	if one == other || incident.WhyNotMerge(one, other, e.params.MaxAlerts) != "" {
		return one
	}
	survivor, gone, because := one, other, toOther
	if other.Alerts > one.Alerts || other.Alerts == one.Alerts && incident.CompareAge(other, one) < 0 {
		survivor, gone, because = other, one, toOne
	}
	survivor.TakeOver(gone, now)
	survivor.AddMerger(incident.MergerOf(gone, alertID, because))
	e.incidents.Change(gone.ID, gone)
	e.incidents.Change(survivor.ID, survivor)
	out.MergedFrom = append(out.MergedFrom, gone.ID)
	return survivor
}

// revisitDeferredLinks merges an incident with those that its deferred links lead to, as far as they weigh enough by
// now.
func (e *Engine) revisitDeferredLinks(inc *incident.Incident, out *Outcome, now time.Time) *incident.Incident {
	for _, d := range slices.Clone(inc.DeferredLinks) {
		other := e.survivorOf(d.Incident)
		if other == nil || other == inc || !other.IsOpen() || other.Noise || incident.WhyNotMerge(inc, other, e.params.MaxAlerts) != "" {
			continue
		}
		rates := score.Rates{Attack: d.AttackRate, Coincidence: d.CoincidenceRate, Base: d.BaseRate, UnknownAttack: d.UnknownAttackRate}
		weight := e.params.Revisited(rates, d.Worth, d.SuspicionBefore, inc.Suspicion, d.Suspicion, other.Suspicion)
		if weight < e.params.Hindsight {
			continue
		}
		because := d.Reason
		because.Weight = roundWeight(weight)
		other.DeferredLinks = nil // what they lead to need not be at hand
		inc = e.mergeIncidents(inc, other, d.Alert, because, because, out, now)
	}
	return inc
}

// recordExposure notes an exposure, or that it is over, on the entities it is about and in the open incidents that used
// them, whichever of the two came first. It links nothing.
func (e *Engine) recordExposure(rec *incident.AlertRecord, a *arrival, now time.Time) {
	over := rec.Status == alert.StatusResolved
	x := incident.OpenExposure{ID: rec.Alert.ID, Severity: rec.Alert.Severity}
	for i := range a.entities {
		v := &a.entities[i]
		if !incident.IsAssetKind(rec.Alert.Evidence[v.evidence].Kind) {
			continue
		}
		n := e.nodes.Edit(v.key)
		n.RecordExposure(x, over)
		n.ExtendSpan(rec.Alert.First, rec.Alert.Last)
		for _, act := range n.Activities {
			inc := e.survivorOf(act.Incident)
			x.Asset = v.key
			if inc != nil && inc.IsOpen() && inc.RecordExposure(x, over, now) {
				e.incidents.Change(inc.ID, inc)
			}
		}
		x.Asset = ""
	}
}
