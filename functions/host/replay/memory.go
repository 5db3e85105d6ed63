package replay

import (
	"cmp"
	"slices"
	"time"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/incident"
)

// memory keeps what a store would, but of alerts only what later decisions ask: millions fit.
type memory struct {
	members   map[string]compact
	incidents map[string]incident.Incident
	nodes     map[string]incident.Node
	sequence  int64
	newest    time.Time
	swept     int               // nodes left by the last sweep
	words     map[string]string // one copy of each text that many alerts share
}

// compact is what is left of an alert.
type compact struct {
	incident, folded    string
	provider, id, title string
	reporter, report    string
	class               alert.Class
	severity            alert.Severity
	first, last         time.Time
	updated             time.Time
}

func newMemory() *memory {
	return &memory{members: map[string]compact{}, incidents: map[string]incident.Incident{}, nodes: map[string]incident.Node{}, words: map[string]string{}}
}

func (m *memory) load(refs incident.Refs) incident.Loaded {
	l := incident.Loaded{Sequence: m.sequence}
	for _, id := range refs.Members {
		if c, ok := m.members[id]; ok {
			l.Members = append(l.Members, c.member(id))
		}
	}
	for _, id := range refs.Incidents {
		if inc, ok := m.incidents[id]; ok {
			l.Incidents = append(l.Incidents, inc)
		}
	}
	for _, key := range refs.Nodes {
		if n, ok := m.nodes[key]; ok {
			l.Nodes = append(l.Nodes, n)
		}
	}
	return l
}

func (m *memory) commit(c incident.Changes) {
	m.sequence = max(m.sequence, c.Sequence)
	for _, mem := range c.Members {
		m.members[mem.Alert.ID] = m.shrink(mem)
		if mem.Alert.Last.After(m.newest) {
			m.newest = mem.Alert.Last
		}
	}
	for _, inc := range c.Incidents {
		m.incidents[inc.ID] = inc
	}
	for _, n := range c.Nodes {
		m.nodes[n.Key] = n
	}
	const slack = 50_000
	if len(m.nodes) > 2*m.swept+slack {
		m.sweep()
	}
}

// sweep forgets what no decision asks for any more, as a store may: nodes past their life, and what old incidents show
// beside their name and counts.
func (m *memory) sweep() {
	for key, n := range m.nodes {
		if m.newest.Sub(n.Last) > incident.Life(key) {
			delete(m.nodes, key)
		}
	}
	for id, inc := range m.incidents {
		if inc.Assets != nil && m.newest.Sub(inc.Last) > incident.NodeLife {
			inc.Assets, inc.Kinds = nil, nil
			m.incidents[id] = inc
		}
	}
	m.swept = len(m.nodes)
}

// word is the one copy of a text.
func (m *memory) word(s string) string {
	if one, ok := m.words[s]; ok {
		return one
	}
	const most = 100_000
	if len(m.words) < most {
		m.words[s] = s
	}
	return s
}

func (m *memory) shrink(mem incident.Member) compact {
	a := mem.Alert
	report := a.ReportID
	if report == a.Origin.ID {
		report = a.Origin.ID
	}
	return compact{
		incident: mem.Incident, folded: mem.FoldedInto, provider: m.word(a.Origin.Provider), id: a.Origin.ID, title: m.word(a.Title),
		reporter: m.word(a.Reporter), report: report, class: a.Class, severity: a.Severity, first: a.First, last: a.Last, updated: a.Updated,
	}
}

func (c compact) member(id string) incident.Member {
	return incident.Member{
		Incident: c.incident, FoldedInto: c.folded,
		Alert: alert.Alert{
			ID: id, Origin: alert.Origin{Provider: c.provider, ID: c.id}, Title: c.title, Reporter: c.reporter,
			ReportID: c.report, Class: c.class, Severity: c.severity, First: c.first, Last: c.last, Updated: c.updated,
		},
	}
}

// survivor follows redirects.
func (m *memory) survivor(id string) string {
	for {
		to := m.incidents[id].RedirectTo
		if to == "" {
			return id
		}
		id = to
	}
}

func (m *memory) open() []incident.Incident {
	out := make([]incident.Incident, 0, len(m.incidents))
	for _, inc := range m.incidents {
		if inc.RedirectTo == "" {
			out = append(out, inc)
		}
	}
	return out
}

func sortIncidents(incs []incident.Incident) {
	slices.SortFunc(incs, func(a, b incident.Incident) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), a.First.Compare(b.First), cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID))
	})
}
