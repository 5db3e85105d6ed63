package replay

import (
	"cmp"
	"runtime/debug"
	"slices"
	"time"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/incident"
)

// LimitMemory sets the collector of a process that is there for a replay: as usual while there is room, since
// collecting is a third of its work, and whatever it costs from 3 GB on, which is what some four million alerts take at
// least.
func LimitMemory() { debug.SetMemoryLimit(3 << 30) }

// memory keeps what a store would, but only what later decisions and the result ask for, and small, so that millions of
// alerts fit. What most alerts leave behind has a form of its own:
//
//	alert ─▶ compactAlert      an id of an alert ─▶ idNode      an incident that went quiet ─▶ compactIncident
type memory struct {
	alerts          map[string]compactAlert
	idNodes         map[string]idNode // nodes that only lead to an alert
	nodes           map[string]incident.Node
	incidents       map[string]incident.Incident
	compacted       map[string]compactIncident
	sequence        int64
	newest          time.Time
	countAfterSweep int // records left by the last sweep
	texts           textPool
}

func newMemory() *memory {
	return &memory{
		alerts: map[string]compactAlert{}, idNodes: map[string]idNode{}, nodes: map[string]incident.Node{},
		incidents: map[string]incident.Incident{}, compacted: map[string]compactIncident{},
		texts: textPool{words: map[string]string{}, fields: map[sharedFields]*sharedFields{}},
	}
}

func (m *memory) loadRecords(refs incident.Refs) incident.Loaded {
	l := incident.Loaded{Sequence: m.sequence} // most of what is asked for is new, so nothing is made in advance
	for _, id := range refs.Alerts {
		if b, ok := m.alerts[id]; ok {
			l.Alerts = append(l.Alerts, b.alertRecord(id))
		}
	}
	for _, id := range refs.Incidents {
		if inc, ok := m.findIncident(id); ok {
			l.Incidents = append(l.Incidents, inc)
		}
	}
	for _, key := range refs.Nodes {
		if n, ok := m.nodes[key]; ok {
			l.Nodes = append(l.Nodes, n)
		} else if lead, ok := m.idNodes[key]; ok {
			l.Nodes = append(l.Nodes, lead.expandNode(key))
		}
	}
	return l
}

func (m *memory) findIncident(id string) (incident.Incident, bool) {
	if inc, ok := m.incidents[id]; ok {
		return inc, true
	}
	q, ok := m.compacted[id]
	if !ok {
		return incident.Incident{}, false
	}
	return q.expandIncident(id), true
}

func (m *memory) commitChanges(c incident.Changes) {
	m.sequence = max(m.sequence, c.Sequence)
	for i := range c.Alerts {
		mem := &c.Alerts[i]
		m.alerts[mem.Alert.ID] = m.texts.compactAlertOf(mem)
		if mem.Alert.Last.After(m.newest) {
			m.newest = mem.Alert.Last
		}
	}
	for i := range c.Incidents {
		id := c.Incidents[i].ID
		delete(m.compacted, id)
		m.incidents[id] = c.Incidents[i]
	}
	for i := range c.Nodes {
		m.keepNode(&c.Nodes[i])
	}
	const slack = 20_000
	if m.countShrinkable() > 2*m.countAfterSweep+slack {
		m.forgetExpired()
	}
}

func (m *memory) keepNode(n *incident.Node) {
	if l, ok := idNodeOf(n); ok {
		m.idNodes[n.Key] = l
		return
	}
	delete(m.idNodes, n.Key)
	m.nodes[n.Key] = *n
}

// countShrinkable is how many records there are that a sweep may forget or shrink.
func (m *memory) countShrinkable() int { return len(m.idNodes) + len(m.nodes) + len(m.incidents) }

// forgetExpired forgets what no decision asks for any more, as a store may: nodes past their life, and what old
// incidents show beside their name and counts. It shrinks incidents to which little is likely to happen.
func (m *memory) forgetExpired() {
	for key, n := range m.nodes {
		if m.newest.Sub(n.Last) > incident.LifetimeOf(key) {
			delete(m.nodes, key)
		}
	}
	for key, l := range m.idNodes {
		if m.newest.Sub(l.last.toTime()) > incident.LifetimeOf(key) {
			delete(m.idNodes, key)
		}
	}
	for id, inc := range m.incidents {
		age := m.newest.Sub(inc.Last)
		if age > incident.NodeLifetime && inc.Assets != nil {
			inc.Assets, inc.Kinds = nil, nil
			m.incidents[id] = inc
		}
		if age > compactAfter {
			if q, ok := m.texts.compactIncidentOf(&inc); ok {
				delete(m.incidents, id)
				m.compacted[id] = q
			}
		}
	}
	m.countAfterSweep = m.countShrinkable()
}

// survivorOf follows redirects.
func (m *memory) survivorOf(id string) string {
	for {
		to := m.incidents[id].RedirectTo // a quiet one leads nowhere
		if to == "" {
			return id
		}
		id = to
	}
}

// activeIncidents lists the incidents that live on.
func (m *memory) activeIncidents() []incident.Incident {
	out := make([]incident.Incident, 0, len(m.incidents)+len(m.compacted))
	for _, inc := range m.incidents {
		if inc.RedirectTo == "" {
			out = append(out, inc)
		}
	}
	for id, q := range m.compacted {
		out = append(out, q.expandIncident(id))
	}
	return out
}

func sortIncidents(incs []incident.Incident) {
	slices.SortFunc(incs, func(a, b incident.Incident) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), a.First.Compare(b.First), cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID))
	})
}

// textPool keeps one copy of what many alerts say alike.
type textPool struct {
	words  map[string]string
	fields map[sharedFields]*sharedFields
}

// mostTexts bounds each list of texts: from then on the tenant's texts are taken to be all different.
const mostTexts = 100_000

// poolWord is the one copy of a text.
func (t *textPool) poolWord(s string) string {
	if one, ok := t.words[s]; ok {
		return one
	}
	if len(t.words) < mostTexts {
		t.words[s] = s
	}
	return s
}

// sharedFields is what alerts of one kind have in common.
type sharedFields struct {
	provider, reporter, title string
	class                     alert.Class
	severity                  alert.Severity
}

func (t *textPool) poolFields(v sharedFields) *sharedFields {
	if one, ok := t.fields[v]; ok {
		return one
	}
	if len(t.fields) < mostTexts {
		t.fields[v] = &v
	}
	return &v
}
