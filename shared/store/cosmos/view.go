package cosmos

import (
	"context"
	"fmt"
	"maps"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/data/azcosmos"
	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/fault"
)

// tenant is what a store remembers of one tenant between calls. All of it can be read again.
type tenant struct {
	name    string // of its partition: see partitionOf
	pk      azcosmos.PartitionKey
	session session

	deciding sync.Mutex // held by Commit, so that commits of one process follow each other

	mu      sync.Mutex // guards what follows, also while it is read anew
	current *view
	used    uint64 // when it was used last, in calls of the store
}

// view is a tenant as of one manifest. It does not change.
type view struct {
	manifest manifest
	etag     azcore.ETag // "" when there is no manifest yet
	log      []*logEntry // the commits that are not in the tables, oldest first
	// What the log says last of each of its rows and incidents.
	rows      map[string]*alertRow
	incidents map[string]*incidentRow
	tables    *tableCache
}

// logEntry is one commit of the log.
type logEntry struct {
	item commitItem
	content

	mu    sync.Mutex
	nodes map[string]*node // nil until somebody asks
}

func (s *Store) tenantByName(name string) *tenant {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	name = partitionKey(name)
	t := s.tenants[name]
	if t == nil {
		t = &tenant{name: name, pk: azcosmos.NewPartitionKeyString(name)}
		s.dropOldestTenant()
		s.tenants[name] = t
	}
	t.used = s.calls
	return t
}

// dropOldestTenant drops the tenant that was not asked for the longest, when there are too many.
func (s *Store) dropOldestTenant() {
	if len(s.tenants) < s.opts.Tenants {
		return
	}
	var oldest *tenant
	for _, t := range s.tenants {
		if oldest == nil || t.used < oldest.used {
			oldest = t
		}
	}
	delete(s.tenants, oldest.name)
}

// partition is the tenant's own, with its manifest, log and id index.
func (t *tenant) partition() partition { return partition{t.name, t.pk, &t.session} }

// currentView reads the manifest and brings what is remembered up to it: one unit when nothing has changed.
func (s *Store) currentView(ctx context.Context, t *tenant) (*view, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	read, err := s.client.readItem(ctx, stateContainer, t.pk, manifestID, &t.session)
	switch {
	case fault.Of(err) == fault.NotFound:
		t.current = &view{manifest: manifest{Form: currentForm, Volumes: []volume{{From: 1}}}, tables: newTableCache()}
		return t.current, nil
	case err != nil:
		return nil, fmt.Errorf("read manifest: %w", err)
	case t.current != nil && t.current.etag == read.etag:
		return t.current, nil
	}
	r, err := decodeManifest(read.body)
	if err == nil {
		err = r.requireForm()
	}
	if err != nil {
		return nil, fmt.Errorf("read manifest: %w", err)
	}
	s.advanceSessions(t, r, t.current)
	v, err := s.advanceView(ctx, t, r, read.etag)
	if err != nil {
		return nil, err
	}
	t.current = v
	return v, nil
}

func decodeManifest(data []byte) (r manifest, err error) {
	if err = json.Unmarshal(data, &r); err != nil {
		err = fmt.Errorf("damaged item: %w", err)
	}
	return r, err
}

// requireForm refuses what this version does not read: fault.Unavailable, for no alert is to blame.
func (r *manifest) requireForm() error {
	switch {
	case r.Form > currentForm:
		return fault.Errorf(fault.Unavailable, "a newer version has written it, in form %d; this one knows %d", r.Form, currentForm)
	case r.Form < currentForm:
		return fault.Errorf(fault.Unavailable, "it is in form %d, which \"onepane migrate\" brings to form %d", r.Form, currentForm)
	}
	return nil
}

// advanceView makes the view of a manifest out of the one before: it reads the commits that came since. t.mu is held.
func (s *Store) advanceView(ctx context.Context, t *tenant, r manifest, etag azcore.ETag) (*view, error) {
	v := &view{manifest: r, etag: etag}
	have := map[uint64]*logEntry{}
	if old := t.current; old != nil && old.manifest.Version <= r.Version {
		for _, l := range old.log {
			have[l.item.V] = l
		}
		if old.manifest.Flushed == r.Flushed {
			v.tables = old.tables
		}
	}
	if v.tables == nil {
		v.tables = newTableCache()
	}
	layers := make([]*logEntry, r.Version-r.Flushed)
	err := each(ctx, len(layers), func(ctx context.Context, i int) error {
		version := r.Flushed + 1 + uint64(i)
		l := have[version]
		if l == nil {
			var err error
			l = &logEntry{}
			if l.item, l.content, _, err = s.readCommit(ctx, t, t.partition(), version); err != nil {
				return fmt.Errorf("read commit %d: %w", version, err)
			}
		}
		layers[i] = l
		return nil
	})
	if err != nil {
		return nil, err
	}
	v.log = layers
	v.rows, v.incidents = map[string]*alertRow{}, map[string]*incidentRow{}
	for _, l := range layers {
		v.applyLogEntry(l)
	}
	return v, nil
}

// readCommit reads a commit that the manifest names: of the log in the tenant's own partition, of the tables in its volume.
func (s *Store) readCommit(ctx context.Context, t *tenant, in partition, version uint64) (commitItem, content, azcore.ETag, error) {
	read, err := s.client.readItem(ctx, stateContainer, in.pk, commitID(version), in.session)
	if fault.Of(err) == fault.NotFound { // another copy of the partition answered
		err = fault.Errorf(fault.Unavailable, "%w", err)
	}
	if err != nil {
		return commitItem{}, content{}, "", err
	}
	it, c, err := s.decodeCommit(ctx, t, read.body)
	return it, c, read.etag, err
}

// decodeCommit decodes a commit.
func (s *Store) decodeCommit(ctx context.Context, t *tenant, data []byte) (it commitItem, c content, err error) {
	if err = json.Unmarshal(data, &it); err != nil {
		return it, c, fmt.Errorf("damaged item: %w", err)
	}
	return it, c, s.openPayload(ctx, t.name, it.Content, &c)
}

func (v *view) applyLogEntry(l *logEntry) {
	for i := range l.Rows {
		v.rows[l.Rows[i].Alert.ID] = &l.Rows[i]
	}
	for i := range l.Incidents {
		v.incidents[l.Incidents[i].ID] = &l.Incidents[i]
	}
}

// withCommit is the view after one more commit, as the writer knows it without reading.
func (v *view) withCommit(r manifest, etag azcore.ETag, l *logEntry) *view {
	next := &view{manifest: r, etag: etag, tables: v.tables, log: append(v.log[:len(v.log):len(v.log)], l),
		rows: maps.Clone(v.rows), incidents: maps.Clone(v.incidents)}
	if next.rows == nil {
		next.rows, next.incidents = map[string]*alertRow{}, map[string]*incidentRow{}
	}
	next.applyLogEntry(l)
	return next
}

// exists says whether the tenant has ever committed.
func (v *view) exists() bool { return v.etag != "" }

// parallel is how many requests of one call are under way at once.
const parallel = 8

// each runs do for 0 to n-1, a few at a time, and gives the first error after all have ended.
func each(ctx context.Context, n int, do func(ctx context.Context, i int) error) error {
	if n == 0 {
		return ctx.Err()
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(parallel, n) {
		workers.Go(func() {
			for i := range next {
				if err := do(ctx, i); err != nil {
					stop(err)
				}
			}
		})
	}
	for i := range n {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	workers.Wait()
	return context.Cause(ctx)
}
