package correlation

import (
	"time"

	"github.com/onepane/onepane/shared/correlation/resolve"
	"github.com/onepane/onepane/shared/correlation/table"
	"github.com/onepane/onepane/shared/incident"
)

// memory is a tenant's records as far as they are at hand.
type memory struct {
	tenant    string
	params    *Params
	sequence  int64 // number of the newest incident
	alerts    table.Table[incident.AlertRecord]
	incidents table.Table[incident.Incident]
	nodes     resolve.Resolver
}

// alertOf is the alert by an id, or the one that it was folded into; nil when there is none.
func (m *memory) alertOf(id string) *incident.AlertRecord {
	rec := m.alerts.Get(id)
	if rec != nil && rec.FoldedInto != "" {
		rec = m.alerts.Get(rec.FoldedInto)
	}
	return rec
}

// survivorOf is the incident by an id, or the one that it was merged into; nil when there is none.
func (m *memory) survivorOf(id string) *incident.Incident {
	inc := m.incidents.Get(id)
	for inc != nil && inc.RedirectTo != "" {
		inc = m.incidents.Get(inc.RedirectTo)
	}
	return inc
}

// newIncident starts an incident with the next id.
func (m *memory) newIncident(now time.Time) *incident.Incident {
	m.sequence++
	inc := &incident.Incident{
		ID: incident.MakeID(m.tenant, m.sequence), Tenant: m.tenant, Status: incident.Active, Created: now, Updated: now,
	}
	m.incidents.Change(inc.ID, inc)
	return inc
}

// activityOf is an incident's latest use of a node, also under the name of one that was merged into it; nil when it has
// none.
func (m *memory) activityOf(inc *incident.Incident, n *incident.Node) *incident.Activity {
	for i := len(n.Activities) - 1; i >= 0; i-- {
		if m.survivorOf(n.Activities[i].Incident) == inc {
			return &n.Activities[i]
		}
	}
	return nil
}
