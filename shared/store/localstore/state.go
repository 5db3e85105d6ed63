package localstore

import (
	"maps"
	"sync"
	"time"

	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/store"
)

// tenant is what a store remembers of one tenant between commits. mu makes commits of one tenant follow each other.
type tenant struct {
	name string

	mu    sync.Mutex
	state state // written with Store.mu held as well
	sweep sweep
}

// state is a tenant's record: the version that commits are checked against, and what is counted.
type state struct {
	Version  uint64      `json:"version"`
	Sequence int64       `json:"sequence"`
	Rows     store.Stats `json:"rows"`
	// Newest is the latest Node.Last that was ever written, Oldest a lower bound of all that are stored: while they are
	// less than incident.NodeLifetime apart, no node has expired. Both as datadir.TimeKey.
	Newest uint64 `json:"newest"`
	Oldest uint64 `json:"oldest"`
	// Groups counts rows by status and severity, Sources by provider.
	Groups  map[label]int64            `json:"groups,omitempty"`
	Sources map[string]incident.Source `json:"sources,omitempty"`
	// Indexed is the version that the indexes of groups and mentions, and the counts above, are as of. An older Onepane
	// leaves it out when it commits; Open then rebuilds them.
	Indexed uint64 `json:"indexed,omitzero"`
}

// clone is a copy that shares no map with st: it changes with the commit, and only if that succeeds.
func (st state) clone() state {
	st.Groups, st.Sources = maps.Clone(st.Groups), maps.Clone(st.Sources)
	return st
}

// countRow counts a row of a row table; folded rows are not counted.
func (st *state) countRow(rows byte, n int64) {
	switch rows {
	case alertRows:
		st.Rows.Alerts += n
	case exposureRows:
		st.Rows.Exposures += n
	case incidentRows:
		st.Rows.Incidents += n
	}
}

func addStats(to *store.Stats, d store.Stats, times int64) {
	to.Alerts += d.Alerts * times
	to.Exposures += d.Exposures * times
	to.Incidents += d.Incidents * times
}

// countGroup adds n to the rows of a status and severity. Groups by assignee are not counted: there is no bound to
// them.
func (st *state) countGroup(l label, n int64) {
	if l[1:2] != byState {
		return
	}
	if st.Groups == nil {
		st.Groups = map[label]int64{}
	}
	if st.Groups[l] += n; st.Groups[l] <= 0 {
		delete(st.Groups, l)
	}
}

// countSource adds times, 1 or -1, to the alerts or exposures of an alert's provider.
func (st *state) countSource(m incident.AlertRecord, rows byte, times int64) {
	name := m.Alert.Origin.Provider
	s := st.Sources[name]
	s.Provider = name
	switch rows {
	case alertRows:
		s.Alerts += times
	case exposureRows:
		s.Exposures += times
	}
	for _, at := range []time.Time{m.Created, m.Alert.Delivered} {
		if at.After(s.Last) {
			s.Last = at.UTC()
		}
	}
	if st.Sources == nil {
		st.Sources = map[string]incident.Source{}
	}
	st.Sources[name] = s
}
