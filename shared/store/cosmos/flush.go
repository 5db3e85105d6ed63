package cosmos

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/go-json-experiment/json"
	"golang.org/x/sync/errgroup"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/store/cosmos/cosmosdb"
)

// runHousekeeping brings the tables up to the log when it is long or old, or takes a compaction of nodes one step
// on. The commit before it stands whatever becomes of this: what fails is done by a later commit, from the
// beginning, to the same effect.
func runHousekeeping(ctx context.Context, v *view) {
	var err error
	what := "compaction"
	switch {
	case needsFlush(v):
		what, err = "flush", flushLog(ctx, v)
	case v.nodes.NeedsCompaction(v.manifest.Levels):
		err = compactNodes(ctx, v)
	default:
		return
	}
	if err == nil {
		return
	}
	v.dropView(v) // the manifest may have been replaced all the same
	if fault.Of(err) != fault.Conflict && ctx.Err() == nil {
		v.opts.Log.WarnContext(ctx, "housekeeping put off", "what", what, "tenant", v.Name, "version", v.manifest.Version, "error", err.Error())
	}
}

// needsFlush is true every Options.Fold commits; a flush that failed is tried again after a few more. A log that is
// never long is flushed before its nodes expire.
func needsFlush(v *view) bool {
	const patience = 8
	n := len(v.log)
	return n >= v.opts.Fold && (n-v.opts.Fold)%patience == 0 || n > 0 && v.nodes.NeedsRenewal(v.manifest.LogSince)
}

// compactNodes takes a compaction of nodes one step on.
func compactNodes(ctx context.Context, v *view) error {
	levels, err := v.nodes.CompactStep(ctx, v.nodeSnapshot())
	if err != nil {
		return err
	}
	next, m := *v, v.manifest
	m.Levels = levels
	if err := v.replaceManifest(ctx, &next, m, nil); err != nil {
		return err
	}
	v.replaceView(v, &next)
	return nil
}

// flusher is one flush in the making.
type flusher struct {
	*view
	next    manifest            // as it will be
	changes [][]itemChange      // to be carried out, by volume
	pages   map[string]*payload // of incidents, as they will be
}

// flushLog puts the log into the tables: updated rows into the commits they came with, incidents into their pages,
// nodes into a run. Only the last batch moves Flushed: until then the log covers whatever the tables say.
func flushLog(ctx context.Context, v *view) error {
	f := &flusher{view: v, next: v.manifest, pages: map[string]*payload{}}
	f.openVolume()
	f.changes = make([][]itemChange, len(f.next.Volumes))
	for _, step := range []func(context.Context) error{f.flushRows, f.flushIncidents, f.flushNodes, f.deleteUnreferenced} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	after := &view{tenant: v.tenant, manifest: v.manifest, etag: v.etag, tables: v.tables.afterFlush(v, f.pages),
		rows: map[string]*alertRow{}, incidents: map[string]*incidentRow{}}
	if err := f.writeVolumes(ctx, after); err != nil {
		return err
	}
	if err := f.commitManifest(ctx, after); err != nil {
		return err
	}
	v.replaceView(v, after)
	return nil
}

// openVolume begins the next volume, in the manifest that the flush will leave, when the newest is large enough.
func (f *flusher) openVolume() {
	f.next.Volumes = slices.Clone(f.next.Volumes)
	if f.next.Volumes[len(f.next.Volumes)-1].Bytes < f.opts.VolumeAt {
		return
	}
	f.next.Volumes = append(f.next.Volumes, volume{
		From: f.next.Flushed + 1,
		Page: uint64(f.next.Sequence)/pageSpan + 1, // no incident of a page that is written already has such a number
	})
}

// flushRows writes the commits of the log into the newest volume, and anew those in volumes whose alerts have been
// updated since.
func (f *flusher) flushRows(ctx context.Context) error {
	origins := map[uint64]*logEntry{}
	for _, r := range f.rows {
		if r.V != r.Origin {
			origins[r.Origin] = nil
		}
	}
	for _, l := range f.log {
		origins[l.item.V] = l
	}
	versions := sortedKeys(origins)
	flushed := make([]flushedCommit, len(versions))
	reads, readCtx := errgroup.WithContext(ctx)
	reads.SetLimit(parallel)
	for i, version := range versions {
		reads.Go(func() (err error) {
			if flushed[i], err = f.flushCommit(readCtx, version, origins[version]); err != nil {
				return fmt.Errorf("commit %d: %w", version, err)
			}
			return nil
		})
	}
	if err := reads.Wait(); err != nil {
		return err
	}
	for i, c := range flushed {
		n := f.next.volumeOfCommit(versions[i])
		if err := f.addChange(n, c.item.ID, c.item, c.etag); err != nil {
			return err
		}
		f.next.Volumes[n].Rows += int64(c.rows)
	}
	return nil
}

// flushedCommit is a commit's item as it will be in its volume.
type flushedCommit struct {
	item commitItem
	etag azcore.ETag // of the item that is there; "" when there is none
	rows int         // how many more the volume has then
}

// flushCommit makes a commit's item with its own rows as they are now. A commit of the log, which fresh is then, is
// not in a volume yet, unless a flush did not end.
func (f *flusher) flushCommit(ctx context.Context, version uint64, fresh *logEntry) (out flushedCommit, err error) {
	in := f.volumePartition(f.next.volumeOfCommit(version))
	var c content
	if fresh == nil {
		out.item, c, out.etag, err = f.readCommit(ctx, in, version)
		out.rows = -len(out.item.IDs)
	} else {
		out.item, c = fresh.item, content{slices.Clone(fresh.Rows), slices.Clone(fresh.Incidents)}
		out.etag, err = f.readETag(ctx, in, out.item.ID)
	}
	if err != nil {
		return out, err
	}
	out.item.Tenant, out.item.zoneMap, out.item.IDs, out.item.Nodes = in.Name, zoneMap{}, nil, nil
	for i := range c.Rows {
		r := &c.Rows[i]
		if r.Origin != version {
			continue
		}
		if now := f.rows[r.Alert.ID]; now != nil {
			*r = *now
		}
		if !r.Purged {
			out.item.addRow(kindOf(r.AlertRecord), *r)
			out.item.IDs = append(out.item.IDs, alertTerm(r.Alert.ID))
		}
	}
	for i, told := range c.Incidents {
		c.Incidents[i] = incidentRow{Incident: incident.Incident{ID: told.ID, Updated: told.Updated}, V: told.V}
	}
	out.rows += len(out.item.IDs)
	out.item.Content, err = f.storePayload(ctx, c, f.opts.Inline)
	return out, err
}

// readETag is that of an item; "" when there is none.
func (f *flusher) readETag(ctx context.Context, in cosmosdb.Partition, id string) (azcore.ETag, error) {
	read, err := f.client.ReadItem(ctx, in, id)
	if fault.Of(err) == fault.NotFound {
		return "", nil
	}
	return read.ETag, err
}

// flushIncidents writes the pages anew that incidents of the log are on.
func (f *flusher) flushIncidents(ctx context.Context) error {
	changed := map[string][]*incidentRow{}
	for _, i := range f.incidents {
		changed[pageOf(i.ID)] = append(changed[pageOf(i.ID)], i)
	}
	pages := sortedKeys(changed)
	flushed := make([]flushedPage, len(pages))
	reads, readCtx := errgroup.WithContext(ctx)
	reads.SetLimit(parallel)
	for n, page := range pages {
		reads.Go(func() (err error) {
			flushed[n], err = f.flushPage(readCtx, page, changed[page])
			return err
		})
	}
	if err := reads.Wait(); err != nil {
		return err
	}
	for i, p := range flushed {
		f.pages[pages[i]] = &p.item.Rows
		n := f.next.volumeOfPage(pages[i])
		if err := f.addChange(n, p.item.ID, p.item, p.etag); err != nil {
			return err
		}
		f.next.Volumes[n].Incidents += int64(p.incidents)
	}
	return nil
}

// flushedPage is a page of incidents as it will be in its volume.
type flushedPage struct {
	item      incidentsItem
	etag      azcore.ETag // of the item that is there; "" when there is none
	incidents int         // how many more the volume has then
}

// flushPage makes a page of the one in its volume, which must still be there when the new one is written, and what
// has changed.
func (f *flusher) flushPage(ctx context.Context, page string, changed []*incidentRow) (out flushedPage, err error) {
	volume := f.next.volumeOfPage(page)
	stored, etag, err := f.readPage(ctx, volume, page)
	if err != nil {
		return out, err
	}
	incidents, err := f.openPage(ctx, stored)
	if err != nil {
		return out, err
	}
	for _, i := range incidents {
		if i.V <= f.manifest.Flushed { // those of a flush that did not end are not counted yet
			out.incidents--
		}
	}
	if incidents == nil {
		incidents = map[string]*incidentRow{}
	}
	for _, i := range changed {
		if incidents[i.ID] = i; i.Purged {
			delete(incidents, i.ID)
		}
	}
	out.etag, out.incidents = etag, out.incidents+len(incidents)
	out.item = incidentsItem{ID: incidentsID(page), Tenant: f.volumePartition(volume).Name, Type: incidentsType}
	if len(incidents) == 0 {
		out.item.Type = emptyType // no listing meets it
	}
	var rows []incidentRow
	for _, id := range sortedKeys(incidents) {
		rows = append(rows, *incidents[id])
		out.item.addRow(incidentKind, incidents[id])
	}
	out.item.Rows, err = f.storePayload(ctx, rows, f.opts.Inline)
	return out, err
}

// flushNodes makes a sorted run of the log's nodes.
func (f *flusher) flushNodes(ctx context.Context) (err error) {
	f.next.Levels, err = f.nodes.Flush(ctx, f.nodeSnapshot())
	return err
}

// deleteUnreferenced deletes the blobs that commits of the log left without a reader, unless a later one has
// written the same again.
func (f *flusher) deleteUnreferenced(ctx context.Context) error {
	used := map[string]bool{}
	for _, r := range f.rows {
		if !r.Purged {
			used[r.Body.Blob.ID] = true
		}
	}
	for _, l := range f.log {
		for _, ref := range l.item.Unreferenced {
			if used[ref.ID] {
				continue
			}
			if err := f.blobs.DeleteBlob(ctx, f.Name, ref); err != nil {
				return fmt.Errorf("delete blob: %w", err)
			}
		}
	}
	return nil
}

// itemChange is an item to be written into a volume.
type itemChange struct {
	id   string
	data []byte
	etag azcore.ETag // of the item in its place; "" when there is none
}

// addChange adds an item to be written into a volume.
func (f *flusher) addChange(n int, id string, item any, etag azcore.ETag) error {
	data, err := json.Marshal(item)
	if err == nil {
		f.changes[n] = append(f.changes[n], itemChange{id, data, etag})
	}
	if etag == "" {
		f.next.Volumes[n].Bytes += int64(len(data))
	}
	return err
}

// writeVolumes writes what belongs into volumes, provided that nobody has moved on since it was read. After is the
// view to go on from.
func (f *flusher) writeVolumes(ctx context.Context, after *view) error {
	if err := f.replaceManifest(ctx, after, f.manifest, nil); err != nil { // the claim
		return err
	}
	for n := range f.changes {
		in := f.volumePartition(n)
		for part, rest := fillBatch(f.changes[n], f.opts.perBatch); len(part) > 0; part, rest = fillBatch(rest, f.opts.perBatch) {
			seen, err := f.writeItems(ctx, in, part)
			if err != nil {
				return fmt.Errorf("volume %d: %w", n, err)
			}
			f.next.Volumes[n].Seen = seen
		}
	}
	return nil
}

// maxBatchBytes leaves room in the 2 MB of a batch.
const maxBatchBytes = 1_500_000

// fillBatch takes changes off a list: what fits in a batch.
func fillBatch(changes []itemChange, most int) (part, rest []itemChange) {
	n, size := 0, 0
	for n < len(changes) && n < most && (n == 0 || size+len(changes[n].data) <= maxBatchBytes) {
		size += len(changes[n].data)
		n++
	}
	return changes[:n], changes[n:]
}

// commitManifest deletes the commits that the flush before this one copied to a volume: whoever is slow may still
// look for the last ones in the log. With the last of them the manifest says that the log is flushed.
func (f *flusher) commitManifest(ctx context.Context, after *view) error {
	was := f.manifest
	f.next.Flushed, f.next.LogSince = was.Version, 0
	for {
		from := f.next.Trimmed + 1
		f.next.Trimmed = min(was.Flushed, f.next.Trimmed+uint64(f.opts.perBatch))
		m := f.next
		done := m.Trimmed == was.Flushed
		if !done {
			m.Flushed, m.LogSince, m.Levels, m.Volumes = was.Flushed, was.LogSince, was.Levels, was.Volumes
		}
		var trimmed []string
		for v := from; v <= m.Trimmed; v++ {
			trimmed = append(trimmed, commitID(v))
		}
		if err := f.replaceManifest(ctx, after, m, trimmed); err != nil || done {
			return err
		}
	}
}

func sortedKeys[K cmp.Ordered, T any](m map[K]T) []K { return slices.Sorted(maps.Keys(m)) }
