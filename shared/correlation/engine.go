package correlation

import (
	"slices"

	"github.com/onepane/onepane/shared/correlation/resolve"
	"github.com/onepane/onepane/shared/incident"
)

// Engine decides for one tenant. It holds of the tenant's memory what the alerts at hand need, and is not safe for
// concurrent use.
//
// A host fills it until Missing names nothing more, applies alerts in order, and takes the changes:
//
//	for refs := e.Missing(reports); !refs.Empty(); refs = e.Missing(reports) { e.Put(load(refs), refs) }
//	for _, r := range reports { e.Apply(r, position, now) }
//	commit(e.Take())
type Engine struct {
	memory
	// unfollowed are the nodes loaded so far whose incidents are perhaps not. Later ones are: an incident is at hand by
	// the time a node gets to know it.
	unfollowed []*incident.Node
}

// NewEngine knows nothing of the tenant yet. Nil params are DefaultParams.
func NewEngine(tenant string, params *Params) *Engine {
	if params == nil {
		params = DefaultParams()
	}
	nodes := resolve.NewNodes(incident.Fading{Episode: params.Episode, BurstHalfLife: params.BurstHalfLife})
	return &Engine{
		memory: memory{tenant: tenant, params: params, nodes: resolve.Resolver{Nodes: nodes, AddressLife: params.AddressLife}},
	}
}

// Len is how many records the engine knows, or knows to be absent.
func (e *Engine) Len() int { return e.alerts.Len() + e.incidents.Len() + e.nodes.Len() }

// Put adds what was loaded for refs; what refs names and l lacks is known to be absent from now on. What the engine
// already holds stays.
func (e *Engine) Put(l incident.Loaded, refs incident.Refs) {
	e.sequence = max(e.sequence, l.Sequence)
	for i := range l.Alerts {
		e.alerts.Load(l.Alerts[i].Alert.ID, &l.Alerts[i])
	}
	for i := range l.Incidents {
		e.incidents.Load(l.Incidents[i].ID, &l.Incidents[i])
	}
	for i := range l.Nodes {
		if n := &l.Nodes[i]; e.nodes.Load(n.Key, n) {
			e.unfollowed = append(e.unfollowed, n)
		}
	}
	e.alerts.LoadAbsent(refs.Alerts)
	e.incidents.LoadAbsent(refs.Incidents)
	e.nodes.LoadAbsent(refs.Nodes)
}

// Take returns what changed since the last Take and forgets that it did.
func (e *Engine) Take() incident.Changes {
	return incident.Changes{
		Sequence: e.sequence,
		Alerts:   e.alerts.TakeChanged(), Incidents: e.incidents.TakeChanged(), Nodes: e.nodes.TakeChanged(),
	}
}

// Missing names what must be loaded before reports can be applied. Each call follows references one step further. A
// report that lacks nothing is not looked at again: what an engine has loaded, it keeps.
func (e *Engine) Missing(reports []*Report) incident.Refs {
	l := lookahead{memory: &e.memory}
	e.unfollowed = slices.DeleteFunc(e.unfollowed, l.followNode)
	for _, r := range reports {
		if r.loaded != e && l.followReport(r) {
			r.loaded = e
		}
	}
	l.refs.Compact() // what is loaded twice is kept twice
	return l.refs
}
