package replay

import (
	"cmp"
	"runtime/debug"
	"slices"
	"time"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/incident"
)

// Frugal sets the collector of a process that is there for a replay: as usual while there is room, since collecting is a third
// of its work, and whatever it costs from 3 GB on, which is what some four million alerts take at least.
func Frugal() { debug.SetMemoryLimit(3 << 30) }

// memory keeps what a store would, but only what later decisions and the result ask for, and small, so that millions of
// alerts fit. What most alerts leave behind has a form of its own:
//
//	alert ─▶ brief      an id of an alert ─▶ lead      an incident that went quiet ─▶ quiet
type memory struct {
	members   map[string]brief
	leads     map[string]lead // nodes that only lead to an alert
	nodes     map[string]incident.Node
	incidents map[string]incident.Incident
	quiet     map[string]quiet
	sequence  int64
	newest    time.Time
	swept     int // records left by the last sweep
	texts     texts
}

func newMemory() *memory {
	return &memory{
		members: map[string]brief{}, leads: map[string]lead{}, nodes: map[string]incident.Node{},
		incidents: map[string]incident.Incident{}, quiet: map[string]quiet{},
		texts: texts{words: map[string]string{}, voices: map[voice]*voice{}},
	}
}

func (m *memory) load(refs incident.Refs) incident.Loaded {
	l := incident.Loaded{Sequence: m.sequence} // most of what is asked for is new, so nothing is made in advance
	for _, id := range refs.Alerts {
		if b, ok := m.members[id]; ok {
			l.Alerts = append(l.Alerts, b.member(id))
		}
	}
	for _, id := range refs.Incidents {
		if inc, ok := m.incident(id); ok {
			l.Incidents = append(l.Incidents, inc)
		}
	}
	for _, key := range refs.Nodes {
		if n, ok := m.nodes[key]; ok {
			l.Nodes = append(l.Nodes, n)
		} else if lead, ok := m.leads[key]; ok {
			l.Nodes = append(l.Nodes, lead.node(key))
		}
	}
	return l
}

func (m *memory) incident(id string) (incident.Incident, bool) {
	if inc, ok := m.incidents[id]; ok {
		return inc, true
	}
	q, ok := m.quiet[id]
	if !ok {
		return incident.Incident{}, false
	}
	return q.incident(id), true
}

func (m *memory) commit(c incident.Changes) {
	m.sequence = max(m.sequence, c.Sequence)
	for i := range c.Alerts {
		mem := &c.Alerts[i]
		m.members[mem.Alert.ID] = m.texts.brief(mem)
		if mem.Alert.Last.After(m.newest) {
			m.newest = mem.Alert.Last
		}
	}
	for i := range c.Incidents {
		id := c.Incidents[i].ID
		delete(m.quiet, id)
		m.incidents[id] = c.Incidents[i]
	}
	for i := range c.Nodes {
		m.keep(&c.Nodes[i])
	}
	const slack = 20_000
	if m.size() > 2*m.swept+slack {
		m.sweep()
	}
}

func (m *memory) keep(n *incident.Node) {
	if l, ok := leadOf(n); ok {
		m.leads[n.Key] = l
		return
	}
	delete(m.leads, n.Key)
	m.nodes[n.Key] = *n
}

// size is how many records there are that a sweep may forget or shrink.
func (m *memory) size() int { return len(m.leads) + len(m.nodes) + len(m.incidents) }

// sweep forgets what no decision asks for any more, as a store may: nodes past their life, and what old incidents show
// beside their name and counts. It shrinks incidents to which little is likely to happen.
func (m *memory) sweep() {
	for key, n := range m.nodes {
		if m.newest.Sub(n.Last) > incident.LifetimeOf(key) {
			delete(m.nodes, key)
		}
	}
	for key, l := range m.leads {
		if m.newest.Sub(l.last.time()) > incident.LifetimeOf(key) {
			delete(m.leads, key)
		}
	}
	for id, inc := range m.incidents {
		age := m.newest.Sub(inc.Last)
		if age > incident.NodeLifetime && inc.Assets != nil {
			inc.Assets, inc.Kinds = nil, nil
			m.incidents[id] = inc
		}
		if age > quietAfter {
			if q, ok := m.texts.quiet(&inc); ok {
				delete(m.incidents, id)
				m.quiet[id] = q
			}
		}
	}
	m.swept = m.size()
}

// survivor follows redirects.
func (m *memory) survivor(id string) string {
	for {
		to := m.incidents[id].RedirectTo // a quiet one leads nowhere
		if to == "" {
			return id
		}
		id = to
	}
}

// open lists the incidents that live on.
func (m *memory) open() []incident.Incident {
	out := make([]incident.Incident, 0, len(m.incidents)+len(m.quiet))
	for _, inc := range m.incidents {
		if inc.RedirectTo == "" {
			out = append(out, inc)
		}
	}
	for id, q := range m.quiet {
		out = append(out, q.incident(id))
	}
	return out
}

func sortIncidents(incs []incident.Incident) {
	slices.SortFunc(incs, func(a, b incident.Incident) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), a.First.Compare(b.First), cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID))
	})
}

// texts keeps one copy of what many alerts say alike.
type texts struct {
	words  map[string]string
	voices map[voice]*voice
}

// mostTexts bounds each list of texts: from then on the tenant's texts are taken to be all different.
const mostTexts = 100_000

// word is the one copy of a text.
func (t *texts) word(s string) string {
	if one, ok := t.words[s]; ok {
		return one
	}
	if len(t.words) < mostTexts {
		t.words[s] = s
	}
	return s
}

// voice is what alerts of one kind have in common.
type voice struct {
	provider, reporter, title string
	class                     alert.Class
	severity                  alert.Severity
}

func (t *texts) voice(v voice) *voice {
	if one, ok := t.voices[v]; ok {
		return one
	}
	if len(t.voices) < mostTexts {
		t.voices[v] = &v
	}
	return &v
}
