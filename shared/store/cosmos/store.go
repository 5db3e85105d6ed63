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

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/store"
)

// Store keeps tenants in two containers of one database. It is safe for concurrent use; any number of processes may open
// one each.
type Store struct {
	client  client
	blobs   *blobCache // bodies, contents and nodes of commits: written all the time, seldom read again
	nodes   *blobCache // of runs: read all the time, so that nothing else may push them out
	indexes indexCache
	opts    Options

	mu      sync.Mutex
	tenants map[string]*tenant
	calls   uint64
	seen    map[string]*session // of partitions beside the tenants' own
}

var (
	_ store.Correlation = (*Store)(nil)
	_ store.Reader      = (*Store)(nil)
	_ store.Feed        = (*Store)(nil)
	_ store.Retention   = (*Store)(nil)
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

	// Fold is how many commits are flushed into the tables at once; 0 is 96. A larger number costs less, and more to start with.
	Fold int
	// Merge is how many runs of nodes are merged at once; 0 is 16.
	Merge int
	// CacheBytes bounds what is kept of items that never change; 0 is 64 MB.
	CacheBytes int64
	// Tenants bounds the tenants remembered between calls; 0 is 256.
	Tenants int
	// Inline is the size in bytes up to which rows are inside their item; 0 is 256 KB. Larger ones go to the blobs container.
	Inline int
	// VolumeAt is the size in bytes, about, at which a tenant's tables go on in another partition; 0 is 6 GB.
	VolumeAt int64

	perBatch int // items of a flush's batch beside the manifest
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
		o.Wait = sleepContext
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
	s := &Store{opts: opts.withDefaults(), tenants: map[string]*tenant{}}
	s.blobs, s.nodes = newBlobCache(s.opts.CacheBytes/2), newBlobCache(s.opts.CacheBytes/2)
	s.client = client{opts: s.opts}
	if err := s.client.reconnect(); err != nil {
		return nil, fault.Errorf(fault.Invalid, "open cosmos store: %w", err)
	}
	return s, nil
}

// Tenants is store.Reader.
func (s *Store) Tenants(ctx context.Context) ([]string, error) {
	roots, err := s.readManifests(ctx)
	if err != nil {
		return nil, fmt.Errorf("list tenants: %w", err)
	}
	var out []string
	for _, r := range roots {
		out = append(out, tenantName(r.Tenant))
	}
	slices.Sort(out)
	return out, nil
}

// Stats is store.Reader.
func (s *Store) Stats(ctx context.Context) (store.Stats, error) {
	roots, err := s.readManifests(ctx)
	if err != nil {
		return store.Stats{}, fmt.Errorf("count rows: %w", err)
	}
	var sum store.Stats
	for _, r := range roots {
		sum.Alerts += r.Rows.Alerts
		sum.Exposures += r.Rows.Exposures
		sum.Incidents += r.Rows.Incidents
	}
	return sum, nil
}

// readManifests reads every tenant's counts. It is the only question that spans partitions, and costs a few units for each 100
// tenants.
func (s *Store) readManifests(ctx context.Context) ([]manifest, error) {
	var out []manifest
	err := s.client.runQuery(ctx, azcosmos.NewPartitionKey(), sqlQuery{text: "SELECT c.tenant, c.rows FROM c WHERE c.type = 'root'", page: 1000}, nil,
		func(item []byte) (bool, error) {
			var r manifest
			err := json.Unmarshal(item, &r)
			out = append(out, r)
			return true, err
		})
	return out, err
}
