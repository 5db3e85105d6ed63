package cosmos

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/data/azcosmos"
	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/backoff"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
	"github.com/onepane/onepane/shared/store"
	"github.com/onepane/onepane/shared/store/cosmos/cosmosdb"
	"github.com/onepane/onepane/shared/store/cosmos/lsm"
)

// Store keeps tenants in two containers of one database, and documents and audit logs beside them. It is safe for
// concurrent use; any number of processes may open one each.
type Store struct {
	*backend
	*documents
	*auditLog

	mu      sync.Mutex
	tenants map[string]*tenant
	calls   uint64
}

// backend is what all of a store works with.
type backend struct {
	opts    Options
	client  *cosmosdb.Client
	blobs   *cosmosdb.Blobs // bodies, contents and nodes of commits: written all the time, seldom read again
	runs    *cosmosdb.Blobs // of nodes: read all the time, so that nothing else may push them out of the cache
	indexes *lsm.Indexes
}

// parallel is how many requests of one call are under way at once.
const parallel = 8

var (
	_ store.Correlation = (*Store)(nil)
	_ store.Reader      = (*Store)(nil)
	_ store.Index       = (*Store)(nil)
	_ store.Feed        = (*Store)(nil)
	_ store.Retention   = (*Store)(nil)
	_ store.Documents   = (*Store)(nil)
	_ store.AuditLog    = (*Store)(nil)
)

// Options say where the containers are, and what a deployment or a test may choose.
type Options struct {
	// Connect makes a client: see Connect and ConnectWithKey. It is called again when a client may be of no more use.
	Connect  func() (*azcosmos.Client, error)
	Database string // "" is "onepane"
	State    string // container as StateContainer describes it; "" is "state"
	Blobs    string // container as BlobsContainer describes it; "" is "blobs"

	Now  func() time.Time                                 // nil is time.Now
	Log  *slog.Logger                                     // what housekeeping could not do now and will try again; nil is silent
	Wait func(ctx context.Context, d time.Duration) error // before a request is tried again; nil waits on the clock

	// Fold is how many commits are flushed into the tables at once; 0 is 96. A larger number costs less, and more
	// to start with.
	Fold int
	// Merge is how many runs of nodes are merged at once; 0 is 16.
	Merge int
	// CacheBytes bounds what is kept of items that never change; 0 is 64 MB.
	CacheBytes int64
	// Tenants bounds the tenants remembered between calls; 0 is 256.
	Tenants int
	// Inline is the size in bytes up to which rows are inside their item; 0 is 256 KB. Larger ones go to the blobs
	// container.
	Inline int
	// VolumeAt is the size in bytes, about, at which a tenant's tables go on in another partition; 0 is 6 GB.
	VolumeAt int64

	perBatch int // items of a flush's batch
}

func (o Options) withDefaults() Options {
	o.Database = orDefault(o.Database, "onepane")
	o.State = orDefault(o.State, "state")
	o.Blobs = orDefault(o.Blobs, "blobs")
	o.Fold = orDefault(o.Fold, 96)
	o.Merge = orDefault(o.Merge, 16)
	o.CacheBytes = orDefault(o.CacheBytes, 64<<20)
	o.Tenants = orDefault(o.Tenants, 256)
	o.Inline = orDefault(o.Inline, 256<<10)
	o.VolumeAt = orDefault(o.VolumeAt, 6<<30)
	o.perBatch = orDefault(o.perBatch, 99)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Wait == nil {
		o.Wait = backoff.Wait
	}
	return o
}

func orDefault[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// Open opens the store. It reads nothing yet.
func Open(opts Options) (*Store, error) {
	if opts.Connect == nil {
		return nil, fault.Errorf(fault.Invalid, "open cosmos store: nothing says how to connect")
	}
	opts = opts.withDefaults()
	client, err := cosmosdb.NewClient(cosmosdb.Options{
		Connect: opts.Connect, Database: opts.Database, State: opts.State, Blobs: opts.Blobs, Wait: opts.Wait,
	})
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "open cosmos store: %w", err)
	}
	b := &backend{
		opts: opts, client: client,
		blobs: cosmosdb.NewBlobs(client, opts.CacheBytes/2), runs: cosmosdb.NewBlobs(client, opts.CacheBytes/2),
		indexes: lsm.NewIndexes(indexBytes),
	}
	log := &auditLog{b}
	return &Store{backend: b, documents: &documents{b, log}, auditLog: log, tenants: map[string]*tenant{}}, nil
}

// indexBytes is how much is remembered of the indexes of runs: 20 bits a node that a tenant has.
const indexBytes = 64 << 20

// tenantByName is what is remembered of a tenant. What was used the longest ago is forgotten for one that is new.
func (s *Store) tenantByName(name string) *tenant {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	partition := cosmosdb.EscapeName(name)
	t := s.tenants[partition]
	if t == nil {
		if len(s.tenants) >= s.opts.Tenants {
			s.dropOldestTenant()
		}
		t = newTenant(s.backend, s.auditLog, partition)
		s.tenants[partition] = t
	}
	t.used = s.calls
	return t
}

func (s *Store) dropOldestTenant() {
	var oldest *tenant
	for _, t := range s.tenants {
		if oldest == nil || t.used < oldest.used {
			oldest = t
		}
	}
	delete(s.tenants, oldest.Name)
}

// Load is store.Correlation.
func (s *Store) Load(ctx context.Context, name string, refs incident.Refs) (incident.Loaded, error) {
	v, err := s.tenantByName(name).currentView(ctx)
	if err != nil {
		return incident.Loaded{}, fmt.Errorf("load from %q: %w", name, err)
	}
	out, err := v.loadRefs(ctx, refs)
	if err != nil {
		return incident.Loaded{}, fmt.Errorf("load from %q: %w", name, err)
	}
	return out, nil
}

// Commit is store.Correlation.
func (s *Store) Commit(ctx context.Context, name string, version uint64, c incident.Changes) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(c.Alerts) > store.MaxCommit {
		return fault.Errorf(fault.TooLarge, "commit for %q: %d alerts are more than %d", name, len(c.Alerts), store.MaxCommit)
	}
	if n := len(cosmosdb.EscapeName(name)); n > maxTenantName {
		return fault.Errorf(fault.Invalid, "commit: the tenant's name has %d bytes, more than %d", n, maxTenantName)
	}
	if err := s.tenantByName(name).commitChanges(ctx, version, c); err != nil {
		return fmt.Errorf("commit for %q: %w", name, err)
	}
	return nil
}

// maxTenantName is the longest partition key of the service, in bytes.
const maxTenantName = 2048

// Purge is store.Retention.
func (s *Store) Purge(ctx context.Context, name string, before time.Time, limit int) (int, error) {
	due, err := s.Incidents(ctx, name, query.Query{Top: max(limit, 1), Order: []query.Order{{Field: query.Updated}}, Where: query.And{
		Left:  query.Compare{Field: query.Status, Op: query.Eq, Text: string(incident.Resolved)},
		Right: query.Compare{Field: query.Updated, Op: query.Lt, Time: before},
	}})
	if err != nil {
		return 0, fmt.Errorf("purge: %w", err)
	}
	t := s.tenantByName(name)
	t.deciding.Lock()
	defer t.deciding.Unlock()
	n := 0
	for _, i := range due.Items[:min(limit, len(due.Items))] {
		for done := false; !done; {
			if done, err = t.purgeStep(ctx, i.ID, before); err != nil {
				return n, fmt.Errorf("purge incident %s of %q: %w", i.ID, name, err)
			}
		}
		n++
	}
	return n, nil
}

// Migrate brings a tenant's data to the form that this version reads, and does nothing when it is. Processes of
// versions before that are refused from then on, as by any newer form: stop them first, or they will offer their
// alerts again.
func (s *Store) Migrate(ctx context.Context, name string) error {
	t := s.tenantByName(name)
	t.deciding.Lock()
	defer t.deciding.Unlock()
	m := &migration{tenant: t, volume: volume{From: 1}}
	if err := m.runSteps(ctx); err != nil {
		return fmt.Errorf("migrate %q: %w", name, err)
	}
	return nil
}

// Tenants is store.Reader.
func (s *Store) Tenants(ctx context.Context) ([]string, error) {
	manifests, err := s.readManifests(ctx)
	if err != nil {
		return nil, fmt.Errorf("list tenants: %w", err)
	}
	var out []string
	for _, m := range manifests {
		out = append(out, cosmosdb.UnescapeName(m.Tenant))
	}
	slices.Sort(out)
	return out, nil
}

// Stats is store.Reader.
func (s *Store) Stats(ctx context.Context) (store.Stats, error) {
	manifests, err := s.readManifests(ctx)
	if err != nil {
		return store.Stats{}, fmt.Errorf("count rows: %w", err)
	}
	var sum store.Stats
	for _, m := range manifests {
		sum.Alerts += m.Rows.Alerts
		sum.Exposures += m.Rows.Exposures
		sum.Incidents += m.Rows.Incidents
	}
	return sum, nil
}

// readManifests reads every tenant's counts. It spans partitions, and costs a few units for each 100 tenants.
func (s *Store) readManifests(ctx context.Context) ([]manifest, error) {
	q := cosmosdb.Query{Text: "SELECT c.tenant, c.rows FROM c WHERE c.type = 'root'", Page: 1000}
	var out []manifest
	err := s.client.RunQuery(ctx, cosmosdb.AllPartitions, q, func(item []byte) (bool, error) {
		var m manifest
		err := json.Unmarshal(item, &m)
		out = append(out, m)
		return true, err
	})
	return out, err
}
