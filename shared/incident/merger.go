package incident

import "slices"

// Merger says why one incident was merged into another: which alert tied to both, and by what.
type Merger struct {
	Incident string `json:"incident"`         // the one that went
	Opener   string `json:"opener,omitzero"`  // the alert that had opened it, and so has no reasons of its own
	Alert    string `json:"alert,omitzero"`   // the alert that caused the merge; empty when a person did
	Because  Reason `json:"because,omitzero"` // the weightiest tie of that alert to the incident that went
}

// maxMergers bounds Incident.Mergers: beyond it the earliest are kept, for they are what the incident is made of.
const maxMergers = 64

// cause is an alert that ties to two incidents: to the one it joins, and to the other.
type cause struct {
	alert      string
	own, other Reason
}

// explains records why gone was merged into i.
func (i *Incident) explains(gone *Incident, alert string, because Reason) {
	i.remembers(Merger{Incident: gone.ID, Opener: gone.Opener, Alert: alert, Because: because})
}

func (i *Incident) remembers(m Merger) {
	same := func(o Merger) bool { return o.Incident == m.Incident }
	if len(i.Mergers) < maxMergers && !slices.ContainsFunc(i.Mergers, same) {
		i.Mergers = append(slices.Clip(i.Mergers), m)
	}
}

// weightiest is the reason to name when only one is; zero when there is none.
func weightiest(rs []Reason) Reason {
	if len(rs) == 0 {
		return Reason{}
	}
	return slices.MaxFunc(rs, func(a, b Reason) int {
		switch {
		case a.Weight > b.Weight:
			return 1
		case a.Weight < b.Weight:
			return -1
		}
		return 0
	})
}
