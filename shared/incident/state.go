package incident

import (
	"slices"

	"github.com/onepane/onepane/shared/alert"
)

// State is one tenant's memory, as far as the alerts at hand need it. It is not safe for concurrent use.
//
// A host fills it until Missing names nothing more, applies alerts in order, and takes the changes:
//
//	for refs := s.Missing(reports); !refs.Empty(); refs = s.Missing(reports) { s.Put(load(refs), refs) }
//	for _, r := range reports { s.Apply(r, position, now) }
//	commit(s.Take())
type State struct {
	tenant   string
	tune     *Tuning
	sequence int64

	// Every name looked up is present; a nil value says that the store has nothing by that name.
	members   map[string]*AlertRecord
	incidents map[string]*Incident
	nodes     map[string]*Node
	// unfollowed are the nodes loaded so far whose incidents are perhaps not. Later ones are: what touches a node is at hand.
	unfollowed []*Node

	changedMembers, changedIncidents, changedNodes changed
}

// changed keeps names in the order of their first change.
type changed struct {
	seen map[string]bool
	list []string
}

func (c *changed) add(name string) {
	if !c.seen[name] {
		if c.seen == nil {
			c.seen = map[string]bool{}
		}
		c.seen[name] = true
		c.list = append(c.list, name)
	}
}

// NewState is the memory of a tenant of which nothing is loaded yet. A nil tuning is Default.
func NewState(tenant string, tune *Tuning) *State {
	if tune == nil {
		tune = Default()
	}
	return &State{
		tenant: tenant, tune: tune,
		members: map[string]*AlertRecord{}, incidents: map[string]*Incident{}, nodes: map[string]*Node{},
	}
}

// Size is how many records the state holds in memory.
func (s *State) Size() int { return len(s.members) + len(s.incidents) + len(s.nodes) }

// Put adds what was loaded for refs; what refs names and l lacks is known not to exist from now on. What the state
// already holds stays.
func (s *State) Put(l Loaded, refs Refs) {
	s.sequence = max(s.sequence, l.Sequence)
	for i := range l.Alerts {
		keep(s.members, l.Alerts[i].Alert.ID, &l.Alerts[i])
	}
	for i := range l.Incidents {
		keep(s.incidents, l.Incidents[i].ID, &l.Incidents[i])
	}
	for i := range l.Nodes {
		if n := &l.Nodes[i]; keep(s.nodes, n.Key, n) {
			s.unfollowed = append(s.unfollowed, n)
		}
	}
	absent(s.members, refs.Alerts)
	absent(s.incidents, refs.Incidents)
	absent(s.nodes, refs.Nodes)
}

func keep[T any](m map[string]*T, name string, v *T) bool {
	if m[name] != nil {
		return false
	}
	m[name] = v
	return true
}

func absent[T any](m map[string]*T, names []string) {
	for _, n := range names {
		if _, ok := m[n]; !ok {
			m[n] = nil
		}
	}
}

// Missing names what must be loaded before reports can be applied. Each call follows references one step further. A report
// that lacks nothing is not looked at again: what a state has loaded, it keeps.
func (s *State) Missing(reports []*Report) Refs {
	m := missing{s: s}
	s.unfollowed = slices.DeleteFunc(s.unfollowed, m.incidents)
	for _, r := range reports {
		if r.loaded != s && m.report(r) {
			r.loaded = s
		}
	}
	m.refs.distinct() // what is loaded twice is kept twice
	return m.refs
}

// report follows all that a decision about r reads, and reports whether it is at hand.
func (m *missing) report(r *Report) bool {
	before := m.refs.count()
	m.member(r.Alert.ID)
	for _, id := range r.members {
		m.member(id)
	}
	m.alert, m.stored = &r.Alert, nil
	m.names(r)
	m.known(m.s.members[r.Alert.ID])
	// What a report is merged into is resolved anew: its own names are needed too, but lead no further.
	stored := m.stored
	for _, mem := range stored {
		m.names(NewReport(mem.Alert))
	}
	return m.refs.count() == before
}

func (m *missing) names(r *Report) {
	for _, k := range r.lookups {
		m.node(k)
	}
}

// known notes an alert that the report at hand may be merged into.
func (m *missing) known(mem *AlertRecord) {
	if mem != nil && mem.FoldedInto != "" {
		mem = m.s.members[mem.FoldedInto]
	}
	if mem != nil && !slices.Contains(m.stored, mem) {
		m.stored = append(m.stored, mem)
	}
}

type missing struct {
	s     *State
	alert *alert.Alert // whose names are followed
	// stored are the alerts that it may be merged into, as far as they are loaded.
	stored []*AlertRecord
	refs   Refs
}

func (m *missing) member(id string) {
	if mem, ok := m.s.members[id]; !ok {
		m.refs.Alerts = append(m.refs.Alerts, id)
	} else if mem != nil {
		if mem.FoldedInto != "" {
			m.member(mem.FoldedInto)
		}
		m.incident(mem.Incident)
	}
}

// incident names an incident, what it was merged into, and where the clues of that lead.
func (m *missing) incident(id string) {
	inc := m.living(id)
	if inc == nil {
		return
	}
	for i := range inc.DeferredLinks {
		m.living(inc.DeferredLinks[i].Incident)
	}
}

// living is the incident that an id leads to, nil when there is none or it must be loaded first.
func (m *missing) living(id string) *Incident {
	for id != "" {
		inc, ok := m.s.incidents[id]
		if !ok {
			m.refs.Incidents = append(m.refs.Incidents, id)
		}
		if inc == nil || inc.RedirectTo == "" {
			return inc
		}
		id = inc.RedirectTo
	}
	return nil
}

// node names a node and all that a decision reads through it: the things it may stand for, the alert it leads to.
func (m *missing) node(key string) {
	for n := m.chain(key); n != nil; n = m.chain(n.SameAs) {
		for _, o := range n.Targets { // things own no things: one step is enough
			for own := m.chain(o.Key); own != nil; own = m.chain(own.SameAs) {
				m.around(own)
			}
		}
		if n.Alert != "" {
			m.member(n.Alert)
			m.known(m.s.members[n.Alert])
		}
		m.around(n)
	}
}

// chain is the node by that key, nil when there is none or it must be loaded first.
func (m *missing) chain(key string) *Node {
	if key == "" {
		return nil
	}
	n, ok := m.s.nodes[key]
	if !ok {
		m.refs.Nodes = append(m.refs.Nodes, key)
	}
	return n
}

// around follows the alerts a node remembers that the one at hand may be a copy of.
func (m *missing) around(n *Node) {
	for i := range n.Fingerprints {
		if b := &n.Fingerprints[i]; b.copies(m.alert, m.s.tune) {
			m.member(b.Alert)
			m.known(m.s.members[b.Alert])
		}
	}
}

// incidents follows the incidents a node remembers, and reports whether all are at hand.
func (m *missing) incidents(n *Node) bool {
	before := m.refs.count()
	for i := range n.Activities {
		m.incident(n.Activities[i].Incident)
	}
	for i := range n.KindCounts {
		m.incident(n.KindCounts[i].Incident)
	}
	return m.refs.count() == before
}

// Take returns what changed since the last Take and forgets that it did.
func (s *State) Take() Changes {
	c := Changes{
		Sequence:  s.sequence,
		Alerts:    make([]AlertRecord, 0, len(s.changedMembers.list)),
		Incidents: make([]Incident, 0, len(s.changedIncidents.list)),
		Nodes:     make([]Node, 0, len(s.changedNodes.list)),
	}
	for _, id := range s.changedMembers.list {
		c.Alerts = append(c.Alerts, *s.members[id])
	}
	for _, id := range s.changedIncidents.list {
		c.Incidents = append(c.Incidents, *s.incidents[id])
	}
	for _, key := range s.changedNodes.list {
		c.Nodes = append(c.Nodes, *s.nodes[key])
	}
	s.changedMembers, s.changedIncidents, s.changedNodes = changed{}, changed{}, changed{}
	return c
}

// incident follows redirects to the incident that lives on; nil when there is none by that id.
func (s *State) incident(id string) *Incident {
	inc := s.incidents[id]
	for inc != nil && inc.RedirectTo != "" {
		inc = s.incidents[inc.RedirectTo]
	}
	return inc
}

// edit returns the node by that key for changing, new when there was none.
func (s *State) edit(key string) *Node {
	n := s.nodes[key]
	if n == nil {
		n = &Node{Key: key}
		s.nodes[key] = n
	}
	s.changedNodes.add(key)
	return n
}
