// Package localstore is the store inside one process, kept in a data directory that it shares with the bus.
//
//	Commit ──▶ one batch: heads, indexes, incidents, nodes, feed, version
//	               │
//	 head ─────────┴─position──▶ the bus's log, where the body already is
//
// Listings walk heads, which are narrow and lie in the order of the default listing, and read bodies only of the rows
// that they return. What the keys look like is written in package datadir.
package localstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/store"
)

// Store keeps the tenants of one data directory. It is safe for concurrent use; open it once per directory.
type Store struct {
	dir  *datadir.Dir
	log  *datadir.Log
	opts Options

	mu      sync.Mutex
	tenants map[string]*tenant
	total   store.Stats

	looked     atomic.Int64 // rows that listings looked at
	documentMu sync.Mutex   // writes to it follow one another
}

var (
	_ store.Correlation = (*Store)(nil)
	_ store.Reader      = (*Store)(nil)
	_ store.Feed        = (*Store)(nil)
)

// Options are what a deployment or a test may choose; the zero value is fine.
type Options struct {
	Queue string           // the queue whose log Member.Position points into; "" is "alerts"
	Sync  bool             // wait for the disk at every commit, also where the bus would offer its events again
	Now   func() time.Time // only bounds what counts as the present when nodes expire; nil is time.Now
}

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
	// Newest is the latest event time that a node was touched at, Oldest the least Node.Last there may be: as long as they are
	// less than a node's life apart there is nothing to forget. Both as datadir.TimeKey.
	Newest uint64 `json:"newest"`
	Oldest uint64 `json:"oldest"`
	// Groups counts rows by status and severity, Sources by provider.
	Groups  map[label]int64            `json:"groups,omitempty"`
	Sources map[string]incident.Source `json:"sources,omitempty"`
	// Indexed is the version that the indexes of groups and mentions, and the counts above, are as of. An Onepane that does not
	// know them leaves it out; they are then made anew.
	Indexed uint64 `json:"indexed,omitzero"`
}

// Open opens the store of a directory.
func Open(dir *datadir.Dir, opts Options) (*Store, error) {
	if opts.Queue == "" {
		opts.Queue = "alerts"
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	s := &Store{dir: dir, log: dir.Log(opts.Queue), opts: opts, tenants: map[string]*tenant{}}
	prefix := []byte{tenantTable}
	it, err := dir.DB.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: datadir.After(prefix)})
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	for ok := it.First(); ok; ok = it.Next() {
		t := &tenant{name: string(it.Key()[2:])}
		if err := json.Unmarshal(it.Value(), &t.state); err != nil {
			return nil, errors.Join(fmt.Errorf("open store: record of tenant %q: %w", t.name, err), it.Close())
		}
		s.tenants[t.name] = t
		addStats(&s.total, t.state.Rows, 1)
	}
	if err := it.Close(); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	for _, t := range s.tenants {
		if err := s.rebuildIndexes(t); err != nil {
			return nil, fmt.Errorf("open store: index %q: %w", t.name, err)
		}
	}
	return s, nil
}

// Tenants is store.Reader.
func (s *Store) Tenants(context.Context) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for name, t := range s.tenants {
		if t.state.Version > 0 {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out, nil
}

// Stats is store.Reader.
func (s *Store) Stats(context.Context) (store.Stats, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.total, nil
}

func addStats(to *store.Stats, d store.Stats, times int64) {
	to.Alerts += d.Alerts * times
	to.Exposures += d.Exposures * times
	to.Incidents += d.Incidents * times
}
