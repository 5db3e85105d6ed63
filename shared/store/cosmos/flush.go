package cosmos

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
)

// runHousekeeping brings the tables up to the log when it is long or old, or takes a compaction one step on. The commit before
// it stands whatever becomes of this: what fails is done by a later commit, from the beginning, to the same effect.
func (s *Store) runHousekeeping(ctx context.Context, t *tenant, v *view) {
	var err error
	what := "merge"
	switch {
	case s.needsFlush(v):
		what, err = "fold", s.flushLog(ctx, t, v)
	case s.needsCompaction(v):
		err = s.compactStep(ctx, t, v)
	default:
		return
	}
	if err == nil {
		return
	}
	t.dropView(v) // the manifest may have been replaced all the same
	if fault.Of(err) != fault.Conflict && ctx.Err() == nil {
		s.opts.Log.WarnContext(ctx, "housekeeping put off", "what", what, "tenant", t.name, "version", v.manifest.Version, "error", err.Error())
	}
}

// needsFlush is true every Fold commits; a flush that failed is tried again after a few more. A log that is never long is folded
// before its nodes expire.
func (s *Store) needsFlush(v *view) bool {
	const patience = 8
	n := len(v.log)
	return n >= s.opts.Fold && (n-s.opts.Fold)%patience == 0 || n > 0 && s.isDueForRenewal(v.manifest.LogSince)
}

func (s *Store) isDueForRenewal(at int64) bool {
	return s.opts.Now().Sub(time.Unix(at, 0)) > renewAfter
}

// flushLog puts the log into the tables: updated rows where they are at home, incidents into their pages, nodes into a run.
// Each batch replaces the manifest it read, so that two who flush cannot mix (of volumes see volume.go), and only the last moves
// Flushed: until then the log covers whatever the tables say.
func (s *Store) flushLog(ctx context.Context, t *tenant, v *view) error {
	f := &flusher{store: s, tenant: t, view: v, manifest: v.manifest}
	f.openVolume()
	f.changes = make([][]itemChange, len(f.manifest.Volumes))
	for _, step := range []func(context.Context) error{f.flushRows, f.flushIncidents, f.flushNodes, f.deleteUnreferenced} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	next := &view{manifest: v.manifest, etag: v.etag, tables: v.tables.afterFlush(v, f.pages), rows: map[string]*alertRow{}, incidents: map[string]*incidentRow{}}
	if err := f.writeVolumes(ctx, next); err != nil {
		return err
	}
	if err := f.commitManifest(ctx, next); err != nil {
		return err
	}
	t.replaceView(v, next)
	return nil
}

// commitManifest deletes the commits that the flush before this one copied to a volume: whoever is slow may still look for the
// last ones in the log. With the last of them the manifest says that the log is flushed.
func (f *flusher) commitManifest(ctx context.Context, next *view) error {
	was := f.view.manifest
	f.manifest.Flushed, f.manifest.LogSince = was.Version, 0
	for {
		from := f.manifest.Trimmed + 1
		f.manifest.Trimmed = min(was.Flushed, f.manifest.Trimmed+uint64(f.store.opts.perBatch))
		r := f.manifest
		done := r.Trimmed == was.Flushed
		if !done {
			r.Flushed, r.LogSince, r.nodeLevels, r.Volumes = was.Flushed, was.LogSince, was.nodeLevels, was.Volumes
		}
		var trimmed []string
		for v := from; v <= r.Trimmed; v++ {
			trimmed = append(trimmed, commitID(v))
		}
		if err := f.store.replaceManifest(ctx, f.tenant, next, r, trimmed); err != nil || done {
			return err
		}
	}
}

// replaceManifest writes a new manifest in the place of v's, deletes items of the log in the same batch, and brings v up to it.
func (s *Store) replaceManifest(ctx context.Context, t *tenant, v *view, r manifest, trimmed []string) error {
	r.Nonce = rand.Text()
	top, err := json.Marshal(r)
	if err != nil {
		return err
	}
	b := s.client.containers().state.NewTransactionalBatch(t.pk)
	b.ReplaceItem(manifestID, top, ifMatch(v.etag))
	for _, id := range trimmed {
		b.DeleteItem(id, nil)
	}
	etags, err := s.client.runBatch(ctx, b, &t.session)
	if err != nil {
		return err
	}
	v.manifest, v.etag = r, etags[0]
	return nil
}

// flusher is one flush in the making.
type flusher struct {
	store    *Store
	tenant   *tenant
	view     *view
	manifest manifest
	changes  [][]itemChange      // to be carried out in each; the first is the tenant's own partition
	pages    map[string]*payload // of incidents, as they will be
}

// addChange outbox entries an item to be written into a volume. What is new in one of those beside makes it larger; the size of the tenant's own is
// counted when commits are made.
func (f *flusher) addChange(n int, id string, item any, etag azcore.ETag) error {
	data, err := json.Marshal(item)
	if err == nil {
		f.changes[n] = append(f.changes[n], itemChange{id, data, etag})
	}
	if etag == "" {
		f.manifest.Volumes[n].Bytes += int64(len(data))
	}
	return err
}

// flushRows writes the commits anew whose alerts have been updated since, and those of the log into the newest volume, once there is one.
func (f *flusher) flushRows(ctx context.Context) error {
	homes := map[uint64]*logEntry{}
	for _, r := range f.view.rows {
		if r.V != r.Origin {
			homes[r.Origin] = nil
		}
	}
	for _, l := range f.view.log {
		homes[l.item.V] = l
	}
	versions := sortedKeys(homes)
	items, etags, more := make([]commitItem, len(versions)), make([]azcore.ETag, len(versions)), make([]int, len(versions))
	err := each(ctx, len(versions), func(ctx context.Context, i int) (err error) {
		if items[i], etags[i], more[i], err = f.flushedCommit(ctx, versions[i], homes[versions[i]]); err != nil {
			return fmt.Errorf("commit %d: %w", versions[i], err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i := range items {
		n := f.manifest.volumeOfCommit(versions[i])
		if err := f.addChange(n, items[i].ID, items[i], etags[i]); err != nil {
			return err
		}
		f.manifest.Volumes[n].Rows += int64(more[i])
	}
	return nil
}

// flushedCommit gives a commit's item as it will be in its table, the ETag of the one that is there, and how many more rows the table has then. A
// commit of the log is not in a volume yet, unless a flush did not end.
func (f *flusher) flushedCommit(ctx context.Context, version uint64, tail *logEntry) (it commitItem, etag azcore.ETag, rows int, err error) {
	in := f.store.volumePartition(f.tenant, f.manifest.volumeOfCommit(version))
	var c content
	if tail == nil {
		it, c, etag, err = f.store.readCommit(ctx, f.tenant, in, version)
	} else {
		it, c = tail.item, content{slices.Clone(tail.Rows), slices.Clone(tail.Incidents)}
		etag, err = f.store.readETag(ctx, in, it.ID)
	}
	if err != nil {
		return it, etag, 0, err
	}
	if tail == nil {
		rows = -len(it.IDs)
	}
	it.Tenant = in.name
	it, err = f.currentItem(ctx, it, c)
	return it, etag, rows + len(it.IDs), err
}

// currentItem gives a commit's item with its own rows as they are now. What else there is in one of the log stays: it will be the
// log until the last batch of the flush.
func (f *flusher) currentItem(ctx context.Context, it commitItem, c content) (commitItem, error) {
	it.zoneMap, it.IDs = zoneMap{}, nil
	for i := range c.Rows {
		r := &c.Rows[i]
		if r.Origin != it.V {
			continue
		}
		if now := f.view.rows[r.Alert.ID]; now != nil {
			*r = *now
		}
		if r.Purged {
			continue
		}
		it.addRow(kindOf(r.AlertRecord), *r)
		it.IDs = append(it.IDs, alertTerm(r.Alert.ID))
	}
	it.Nodes = nil
	for i, told := range c.Incidents {
		c.Incidents[i] = incidentRow{Incident: incident.Incident{ID: told.ID, Updated: told.Updated}, V: told.V}
	}
	var err error
	it.Content, err = f.store.storePayload(ctx, f.tenant.name, c, f.store.opts.Inline)
	return it, err
}

// flushIncidents writes the pages anew that incidents of the log are on.
func (f *flusher) flushIncidents(ctx context.Context) error {
	changed := map[string][]*incidentRow{}
	for _, i := range f.view.incidents {
		changed[pageOf(i.ID)] = append(changed[pageOf(i.ID)], i)
	}
	pages := sortedKeys(changed)
	items := make([]incidentsItem, len(pages))
	etags, more := make([]azcore.ETag, len(pages)), make([]int, len(pages))
	err := each(ctx, len(pages), func(ctx context.Context, n int) error {
		old, etag, err := f.storedPage(ctx, pages[n])
		if err != nil {
			return err
		}
		etags[n] = etag
		now := maps.Clone(old)
		if now == nil {
			now = map[string]*incidentRow{}
		}
		for _, i := range changed[pages[n]] {
			if now[i.ID] = i; i.Purged {
				delete(now, i.ID)
			}
		}
		more[n] = len(now)
		for _, i := range old {
			if i.V <= f.view.manifest.Flushed { // those that a flush brought which did not end are not counted yet
				more[n]--
			}
		}
		items[n], err = f.encodePage(ctx, pages[n], now)
		return err
	})
	if err != nil {
		return err
	}
	f.pages = map[string]*payload{}
	for i := range items {
		f.pages[pages[i]] = &payload{items[i].Rows.Data, items[i].Rows.Blob}
		n := f.manifest.volumeOfPage(pages[i])
		if err := f.addChange(n, items[i].ID, items[i], etags[i]); err != nil {
			return err
		}
		f.manifest.Volumes[n].Incidents += int64(more[i])
	}
	return nil
}

// storedPage reads a page as it is in its volume: it must still be there when the new one is written.
func (f *flusher) storedPage(ctx context.Context, page string) (map[string]*incidentRow, azcore.ETag, error) {
	p, etag, err := f.store.readPage(ctx, f.store.volumePartition(f.tenant, f.manifest.volumeOfPage(page)), page)
	if err != nil {
		return nil, "", err
	}
	old, err := f.store.openPage(ctx, f.tenant, p)
	return old, etag, err
}

func (f *flusher) encodePage(ctx context.Context, page string, incidents map[string]*incidentRow) (incidentsItem, error) {
	in := f.store.volumePartition(f.tenant, f.manifest.volumeOfPage(page))
	it := incidentsItem{ID: incidentsID(page), Tenant: in.name, Type: incidentsType}
	if len(incidents) == 0 {
		it.Type = emptyType // no listing meets it
	}
	var rows []incidentRow
	for _, id := range sortedKeys(incidents) {
		rows = append(rows, *incidents[id])
		it.addRow(incidentKind, incidents[id])
	}
	var err error
	it.Rows, err = f.store.storePayload(ctx, f.tenant.name, rows, f.store.opts.Inline)
	return it, err
}

// flushNodes makes a run of the log's nodes, each as it is now.
func (f *flusher) flushNodes(ctx context.Context) error {
	if err := f.store.openLog(ctx, f.tenant, f.view); err != nil {
		return err
	}
	now := map[string]*node{}
	for _, l := range f.view.log {
		for key, n := range l.nodes {
			if n.SameAs != "" || f.store.isYoung(n) {
				now[key] = n
			}
		}
	}
	if len(now) == 0 {
		return nil
	}
	r, err := f.store.writeRun(ctx, f.tenant, 0, slices.SortedFunc(maps.Values(now), byHash))
	if err == nil {
		f.manifest.Runs = append(slices.Clone(f.manifest.Runs), r)
	}
	return err
}

func sortedKeys[K cmp.Ordered, T any](m map[K]T) []K { return slices.Sorted(maps.Keys(m)) }
