package cosmos

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/go-json-experiment/json"
	"golang.org/x/sync/errgroup"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/store/cosmos/cosmosdb"
	"github.com/onepane/onepane/shared/store/cosmos/frame"
	"github.com/onepane/onepane/shared/store/cosmos/lsm"
)

// tenant is what a store remembers of one tenant between calls. All of it can be read again. It is itself the
// tenant's own partition, with its manifest, log and id index.
type tenant struct {
	*backend
	cosmosdb.Partition
	audit *auditLog
	nodes *lsm.Tree

	deciding sync.Mutex // held by whoever commits, so that commits of one process follow each other

	mu      sync.Mutex // guards what follows, also while it is read anew
	current *view
	used    uint64 // when it was used last, in calls of the store
}

func newTenant(b *backend, audit *auditLog, name string) *tenant {
	return &tenant{
		backend: b, Partition: cosmosdb.NewPartition(name), audit: audit,
		nodes: &lsm.Tree{
			LayerBlobs: nodeBlobs{b.blobs, name}, RunBlobs: nodeBlobs{b.runs, name}, Indexes: b.indexes,
			Now: b.opts.Now, Life: incident.NodeLifetime, CompactAt: b.opts.Merge,
		},
	}
}

// nodeBlobs is lsm.Blobs of one tenant.
type nodeBlobs struct {
	blobs  *cosmosdb.Blobs
	tenant string
}

func (b nodeBlobs) PutBlob(ctx context.Context, data []byte, ttl int) (lsm.Ref, error) {
	ref, err := b.blobs.PutBlob(ctx, b.tenant, data, ttl)
	return lsm.Ref(ref), err
}

func (b nodeBlobs) GetBlob(ctx context.Context, ref lsm.Ref) ([]byte, error) {
	return b.blobs.GetBlob(ctx, b.tenant, cosmosdb.BlobRef(ref))
}

// currentView reads the manifest and brings what is remembered up to it: one unit when nothing has changed.
func (t *tenant) currentView(ctx context.Context) (*view, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	read, err := t.client.ReadItem(ctx, t.Partition, manifestID)
	switch {
	case fault.Of(err) == fault.NotFound:
		t.current = &view{tenant: t, manifest: manifest{Form: currentForm, Volumes: []volume{{From: 1}}}, tables: newTableCache()}
		return t.current, nil
	case err != nil:
		return nil, fmt.Errorf("read manifest: %w", err)
	case t.current != nil && t.current.etag == read.ETag:
		return t.current, nil
	}
	m, err := decodeManifest(read.Body)
	if err == nil {
		err = m.requireForm()
	}
	if err != nil {
		return nil, fmt.Errorf("read manifest: %w", err)
	}
	t.advanceSessions(m)
	v, err := t.advanceView(ctx, m, read.ETag)
	if err != nil {
		return nil, err
	}
	t.current = v
	return v, nil
}

// advanceSessions makes what is asked of volumes from now on answered as of a manifest or later. t.mu is held.
func (t *tenant) advanceSessions(m manifest) {
	for n := range m.Volumes {
		seen := m.Volumes[n].Seen
		if before := t.current; before == nil || n >= len(before.manifest.Volumes) || before.manifest.Volumes[n].Seen != seen {
			t.volumePartition(n).AdvanceTo(seen)
		}
	}
}

// advanceView makes the view of a manifest out of the one before: it reads the commits that came since. t.mu is held.
func (t *tenant) advanceView(ctx context.Context, m manifest, etag azcore.ETag) (*view, error) {
	v := &view{tenant: t, manifest: m, etag: etag}
	known := map[uint64]*logEntry{}
	if old := t.current; old != nil && old.manifest.Version <= m.Version {
		for _, l := range old.log {
			known[l.item.V] = l
		}
		if old.manifest.Flushed == m.Flushed {
			v.tables = old.tables
		}
	}
	if v.tables == nil {
		v.tables = newTableCache()
	}
	v.log = make([]*logEntry, m.Version-m.Flushed)
	reads, readCtx := errgroup.WithContext(ctx)
	reads.SetLimit(parallel)
	for i := range v.log {
		version := m.Flushed + 1 + uint64(i)
		if v.log[i] = known[version]; v.log[i] != nil {
			continue
		}
		reads.Go(func() error {
			item, content, _, err := t.readCommit(readCtx, t.Partition, version)
			if err != nil {
				return fmt.Errorf("read commit %d: %w", version, err)
			}
			v.log[i] = newLogEntry(item, content)
			return nil
		})
	}
	if err := reads.Wait(); err != nil {
		return nil, err
	}
	v.rows, v.incidents = map[string]*alertRow{}, map[string]*incidentRow{}
	for _, l := range v.log {
		v.applyLogEntry(l)
	}
	return v, nil
}

// viewAt is the view of a tenant at a version. What is remembered will do: if others have moved past it, the batch
// is refused.
func (t *tenant) viewAt(ctx context.Context, version uint64) (*view, error) {
	t.mu.Lock()
	v := t.current
	t.mu.Unlock()
	if v == nil || v.manifest.Version != version {
		var err error
		if v, err = t.currentView(ctx); err != nil {
			return nil, err
		}
	}
	if v.manifest.Version != version {
		return nil, fault.Errorf(fault.Conflict, "it is at version %d, not %d", v.manifest.Version, version)
	}
	return v, nil
}

// replaceView takes over the view after an own write, unless somebody has read a newer one.
func (t *tenant) replaceView(before, after *view) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current == before {
		t.current = after
	}
}

// dropView makes the next call read the manifest, and not trust what was remembered when a write failed.
func (t *tenant) dropView(v *view) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current == v {
		t.current = nil
	}
}

// replaceManifest writes a new manifest in the place of v's, deletes items of the log in the same batch, and brings
// v up to it.
func (t *tenant) replaceManifest(ctx context.Context, v *view, m manifest, trimmed []string) error {
	m.Nonce = rand.Text()
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	var b cosmosdb.Batch
	b.ReplaceItem(manifestID, data, v.etag)
	for _, id := range trimmed {
		b.DeleteItem(id)
	}
	written, err := t.client.RunBatch(ctx, t.Partition, &b)
	if err != nil {
		return err
	}
	v.manifest, v.etag = m, written.ETags[0]
	return nil
}

// volumePartition is the n-th partition of the tenant's tables.
func (t *tenant) volumePartition(n int) cosmosdb.Partition {
	return t.partitionBeside(volumePrefix + strconv.Itoa(n) + "/")
}

// mentionsPartition is the partition of commits made while a volume was the newest.
func (t *tenant) mentionsPartition(volume int) cosmosdb.Partition {
	if volume == 0 {
		return t.partitionBeside(mentionsPrefix + "/")
	}
	return t.partitionBeside(mentionsPrefix + "-" + strconv.Itoa(volume) + "/")
}

func (t *tenant) partitionBeside(prefix string) cosmosdb.Partition {
	return t.client.PartitionOf(prefix, t.Name)
}

// readCommit reads a commit that the manifest names: of the log in the tenant's own partition, of the tables in its
// volume.
func (t *tenant) readCommit(ctx context.Context, in cosmosdb.Partition, version uint64) (commitItem, content, azcore.ETag, error) {
	read, err := t.client.ReadItem(ctx, in, commitID(version))
	if fault.Of(err) == fault.NotFound { // another copy of the partition answered
		err = fault.Errorf(fault.Unavailable, "%w", err)
	}
	if err != nil {
		return commitItem{}, content{}, "", err
	}
	it, c, err := t.decodeCommit(ctx, read.Body)
	return it, c, read.ETag, err
}

func (t *tenant) decodeCommit(ctx context.Context, data []byte) (it commitItem, c content, err error) {
	if err = json.Unmarshal(data, &it); err != nil {
		return it, c, fmt.Errorf("damaged item: %w", err)
	}
	return it, c, t.openPayload(ctx, it.Content, &c)
}

// payload is bulk inside an item, or beside it when it is too large for one.
type payload struct {
	Data []byte            `json:"data,omitempty"`
	Blob *cosmosdb.BlobRef `json:"blob,omitempty"`
}

// storePayload packs v into a payload, in the blobs container when it has more than most bytes.
func (t *tenant) storePayload(ctx context.Context, v any, most int) (payload, error) {
	data, err := frame.Encode(v)
	if err != nil {
		return payload{}, err
	}
	if len(data) <= most {
		return payload{Data: data}, nil
	}
	ref, err := t.blobs.PutBlob(ctx, t.Name, data, 0)
	return payload{Blob: &ref}, err
}

// openPayload unpacks a payload; an empty one leaves v alone.
func (t *tenant) openPayload(ctx context.Context, p payload, v any) error {
	data := p.Data
	if p.Blob != nil {
		var err error
		if data, err = t.blobs.GetBlob(ctx, t.Name, *p.Blob); err != nil {
			return err
		}
	}
	if len(data) == 0 {
		return nil
	}
	return frame.Decode(data, v)
}

// openPage unpacks a page of incidents, which may be nil.
func (t *tenant) openPage(ctx context.Context, p *payload) (map[string]*incidentRow, error) {
	if p == nil {
		return nil, nil
	}
	var rows []incidentRow
	if err := t.openPayload(ctx, *p, &rows); err != nil {
		return nil, err
	}
	out := make(map[string]*incidentRow, len(rows))
	for i := range rows {
		out[rows[i].ID] = &rows[i]
	}
	return out, nil
}

// readPage reads a page of incidents from its volume; nil when there is none.
func (t *tenant) readPage(ctx context.Context, volume int, page string) (*payload, azcore.ETag, error) {
	read, err := t.client.ReadItem(ctx, t.volumePartition(volume), incidentsID(page))
	if fault.Of(err) == fault.NotFound {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("read incidents: %w", err)
	}
	it, err := decodeIncidents(read.Body)
	return &it.Rows, read.ETag, err
}

// writeItems writes items in one batch, if each of those in their places is still the one that it was, and gives
// the session token of that.
func (t *tenant) writeItems(ctx context.Context, in cosmosdb.Partition, changes []itemChange) (token string, err error) {
	var b cosmosdb.Batch
	for _, c := range changes {
		if c.etag == "" {
			b.CreateItem(c.data)
		} else {
			b.ReplaceItem(c.id, c.data, c.etag)
		}
	}
	written, err := t.client.RunBatch(ctx, in, &b)
	return written.Token, err
}
