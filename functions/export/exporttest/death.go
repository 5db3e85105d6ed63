package exporttest

import (
	"context"
	"sync"

	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
	"github.com/onepane/onepane/shared/store"
)

// fuse ends a process at one of its steps; from then on nothing it asks for happens.
type fuse struct {
	mu    sync.Mutex
	left  int  // steps to live
	after bool // the last step still happens, and its answer is lost
	kill  func()
}

// runStep runs do unless the process is dead, and lets it die.
func (f *fuse) runStep(do func() error) error {
	if f == nil {
		return do()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left--
	switch {
	case f.left > 0:
		return do()
	case f.left == 0 && f.after:
		_ = do() // the answer is lost
	}
	f.left = -1
	f.kill()
	return errProcessDead
}

type dyingTarget struct {
	export.Target
	fuse *fuse
}

// Send is a step.
func (m dyingTarget) Send(ctx context.Context, rs []export.Record) (n int, err error) {
	if dead := m.fuse.runStep(func() error { n, err = m.Target.Send(ctx, rs); return err }); dead != nil {
		return 0, dead
	}
	return n, err
}

type fullStore interface {
	export.Store
	export.Documents
}

// dyingStore makes a step of what moves an export on: its reads of the feed and its writes.
type dyingStore struct {
	fullStore
	fuse *fuse
}

func (m dyingStore) Changes(ctx context.Context, tenant, cursor string, limit int) (cs []store.Change, next string, err error) {
	err = m.fuse.runStep(func() error { cs, next, err = m.fullStore.Changes(ctx, tenant, cursor, limit); return err })
	return cs, next, err
}

func (m dyingStore) PutDocument(ctx context.Context, kind string, d store.Document) (v uint64, err error) {
	err = m.fuse.runStep(func() error { v, err = m.fullStore.PutDocument(ctx, kind, d); return err })
	return v, err
}

func (m dyingStore) IncidentAlerts(ctx context.Context, tenant, id string, q query.Query) (query.Page[incident.AlertRecord], error) {
	return m.fullStore.IncidentAlerts(ctx, tenant, id, q)
}
