package localstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/store"
)

// Store keeps the tenants of one data directory. It is safe for concurrent use; open it once per directory.
type Store struct {
	*reader
	*documents
	*auditLog
	dir  *datadir.Dir
	log  *datadir.Log
	opts Options

	mu      sync.Mutex // guards what follows
	tenants map[string]*tenant
	total   store.Stats
}

var (
	_ store.Correlation = (*Store)(nil)
	_ store.Reader      = (*Store)(nil)
	_ store.Index       = (*Store)(nil)
	_ store.Feed        = (*Store)(nil)
	_ store.Retention   = (*Store)(nil)
	_ store.Documents   = (*Store)(nil)
	_ store.AuditLog    = (*Store)(nil)
)

// Options are what a deployment or a test may choose; the zero value is fine.
type Options struct {
	Queue string           // the queue whose log Member.Position points into; "" is "alerts"
	Sync  bool             // wait for the disk at every commit, also where the bus would offer its events again
	Now   func() time.Time // only bounds what counts as the present when nodes expire; nil is time.Now
}

// Open opens the store of a directory.
func Open(dir *datadir.Dir, opts Options) (*Store, error) {
	if opts.Queue == "" {
		opts.Queue = "alerts"
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	log, audit := dir.Log(opts.Queue), &auditLog{dir: dir, now: opts.Now}
	s := &Store{reader: &reader{dir: dir, log: log}, documents: &documents{dir, audit}, auditLog: audit,
		dir: dir, log: log, opts: opts, tenants: map[string]*tenant{}}
	prefix := []byte{tenantTable}
	it, err := dir.DB.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: datadir.PrefixEnd(prefix)})
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

// tenantOf finds or makes what the store remembers of a tenant. One that has never committed is not listed.
func (s *Store) tenantOf(name string) *tenant {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tenants[name]
	if t == nil {
		t = &tenant{name: name}
		s.tenants[name] = t
	}
	return t
}

// publishState takes over a tenant's new state; the caller holds t.mu.
func (s *Store) publishState(t *tenant, now state) {
	s.mu.Lock()
	defer s.mu.Unlock()
	addStats(&s.total, t.state.Rows, -1)
	addStats(&s.total, now.Rows, 1)
	t.state = now
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
