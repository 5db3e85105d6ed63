package incident

import (
	"slices"
	"time"

	"github.com/onepane/onepane/shared/alert"
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

// Apply decides where a report belongs and changes the state accordingly. Applying the same report again changes nothing.
// Position is the event's place in the bus's log, 0 where there is none; now is when the decision is made: it is recorded, and
// never part of the decision.
func (s *State) Apply(r *Report, position uint64, now time.Time) Outcome {
	a := r.Alert
	if m := s.members[a.ID]; m != nil {
		return s.again(m, a, now)
	}
	v := s.arrive(r)
	if original, rule := s.duplicate(v); original != nil {
		return s.fold(original, a, rule, now)
	}
	m := &AlertRecord{Alert: a, Status: a.Status, Created: now, Updated: now, Position: position}
	m.resolved(now)
	s.members[a.ID] = m
	s.changedMembers.add(a.ID)
	s.remember(m, r.ids)
	s.brief(m, v.ties)
	if a.Class == alert.Exposure {
		s.expose(m, v, now)
		return Outcome{AlertID: a.ID, New: true, Changed: true}
	}
	out := s.place(m, v, now)
	out.AlertID, out.New, out.Changed = a.ID, true, true
	return out
}

// again merges a later report into an alert that is known.
func (s *State) again(m *AlertRecord, a alert.Alert, now time.Time) Outcome {
	if m.FoldedInto != "" {
		if original := s.members[m.FoldedInto]; original != nil {
			out := s.again(original, a, now)
			out.Folded = true
			return out
		}
	}
	out := Outcome{AlertID: m.Alert.ID, Incident: m.Incident}
	if inc := s.incident(m.Incident); inc != nil {
		out.Incident = inc.ID
	}
	merged, changed := alert.Merge(m.Alert, a)
	if !changed {
		return out
	}
	out.Changed = true
	m.Alert, m.Position = merged, 0
	if !m.StatusSet {
		m.Status = merged.Status
	}
	m.Updated = later(now, m.Updated)
	m.resolved(now)
	s.changedMembers.add(m.Alert.ID)
	r := NewReport(merged)
	s.remember(m, r.ids)
	if merged.Class == alert.Exposure {
		s.expose(m, s.arrive(r), now)
	} else if inc := s.incident(m.Incident); inc != nil {
		v := s.arrive(r)
		s.tell(inc, v, false, now)
		if !inc.Noise {
			s.touch(inc, v, false)
		}
	}
	return out
}

// resolved keeps Resolved in step with Status.
func (m *AlertRecord) resolved(now time.Time) {
	switch {
	case m.Status != alert.StatusResolved:
		m.Resolved = time.Time{}
	case m.Resolved.IsZero():
		m.Resolved = now
	}
}

// place puts a new alert into an incident: the best it ties to, the drip it is one more drop of, or one of its own.
func (s *State) place(m *AlertRecord, v *arrival, now time.Time) Outcome {
	s.weigh(v)
	out := Outcome{}
	var inc *Incident
	alone := s.alone(&v.Alert)
	if found := s.prefer(v, s.candidates(v)); !alone && len(found) > 0 && found[0].score >= s.tune.JoinAt && found[0].incident.Alerts < s.tune.MaxAlerts {
		inc = s.join(m, found, v.ties, &out, now)
		s.inherit(v, inc, found[0].credit)
	} else if c, ok := s.drip(v); ok && !alone {
		inc, m.Reasons = c.incident, c.reasons
	} else {
		inc = s.open(now)
		inc.Opener = m.Alert.ID
		inc.Noise, inc.Uncorrelated = s.dripping(v) && !alone, alone
		out.Opened = true
	}
	m.Incident, out.Incident = inc.ID, inc.ID
	m.Reasons = strongest(m.Reasons)
	inc.Alerts++
	newKind := inc.saw(v.kind)
	if newKind {
		inc.credible(v.credit)
	}
	s.tell(inc, v, out.Opened, now)
	s.count(v, inc.ID)
	if !inc.Noise {
		s.touch(inc, v, newKind)
		if out.Opened {
			inc.opened(v)
		} else {
			out.Incident = s.hindsight(inc, &out, now).ID
		}
	}
	return out
}

// join puts an alert into the best incident it ties to, and merges the others that it ties to as firmly.
func (s *State) join(m *AlertRecord, found []candidate, ties []tie, out *Outcome, now time.Time) *Incident {
	inc := found[0].incident
	m.Reasons = found[0].reasons
	for _, c := range found[1:] {
		if c.score < s.tune.MergeAt {
			break
		}
		inc = s.mergeInto(inc, c.incident, cause{m.Alert.ID, weightiest(found[0].reasons), weightiest(c.reasons)}, out, now)
		if s.incident(c.incident.ID) == inc { // what ties it to an incident that stays apart is no reason
			m.Reasons = append(m.Reasons, c.reasons...)
		}
	}
	for _, p := range s.pauses(inc, ties) {
		inc = s.mergeInto(inc, p.incident, cause{m.Alert.ID, p.reasons[0], p.reasons[0]}, out, now)
	}
	return inc
}

// mergeInto merges two incidents because of an alert that ties to both, if nothing forbids it, and returns the one that
// goes on.
func (s *State) mergeInto(inc, other *Incident, why cause, out *Outcome, now time.Time) *Incident {
	survivor, gone := s.merge(inc, other, now)
	if survivor == nil {
		return inc
	}
	tie := why.other
	if gone == inc {
		tie = why.own
	}
	survivor.explains(gone, why.alert, tie)
	out.MergedFrom = append(out.MergedFrom, gone.ID)
	return survivor
}

// maxReasons bounds what is kept to explain one membership.
const maxReasons = 6

// strongest keeps the weightiest reasons.
func strongest(rs []Reason) []Reason {
	slices.SortStableFunc(rs, func(a, b Reason) int {
		switch {
		case a.Weight > b.Weight:
			return -1
		case a.Weight < b.Weight:
			return 1
		}
		return 0
	})
	return rs[:min(len(rs), maxReasons)]
}

// open starts a new incident.
func (s *State) open(now time.Time) *Incident {
	s.sequence++
	inc := &Incident{ID: MakeID(s.tenant, s.sequence), Tenant: s.tenant, Status: Active, Created: now, Updated: now}
	s.incidents[inc.ID] = inc
	s.changedIncidents.add(inc.ID)
	return inc
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
