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

// housekeep brings the tables up to the tail when it is long or old, or takes a merge of nodes one step on. The commit before
// it stands whatever becomes of this: what fails is done by a later commit, from the beginning, to the same effect.
func (s *Store) housekeep(ctx context.Context, t *tenant, v *view) {
	var err error
	what := "merge"
	switch {
	case s.foldDue(v):
		what, err = "fold", s.fold(ctx, t, v)
	case s.mergeDue(v):
		err = s.merge(ctx, t, v)
	default:
		return
	}
	if err == nil {
		return
	}
	t.forgetView(v) // the root may have been replaced all the same
	if fault.Of(err) != fault.Conflict && ctx.Err() == nil {
		s.opts.Log.WarnContext(ctx, "housekeeping put off", "what", what, "tenant", t.name, "version", v.root.Version, "error", err.Error())
	}
}

// foldDue is true every Fold commits; a fold that failed is tried again after a few more. A tail that is never long is folded
// before its nodes expire.
func (s *Store) foldDue(v *view) bool {
	const patience = 8
	n := len(v.tail)
	return n >= s.opts.Fold && (n-s.opts.Fold)%patience == 0 || n > 0 && s.old(v.root.Since)
}

func (s *Store) old(at int64) bool { return s.opts.Now().Sub(time.Unix(at, 0)) > renewAfter }

// fold puts the tail into the tables: updated rows where they are at home, incidents into their pages, nodes into a run.
// Each batch replaces the root it read, so that two who fold cannot mix (of volumes see volume.go), and only the last moves
// Folded: until then the tail covers whatever the tables say.
func (s *Store) fold(ctx context.Context, t *tenant, v *view) error {
	f := &folding{store: s, tenant: t, view: v, root: v.root}
	f.turn()
	f.volumes = make([][]change, 1+len(f.root.Volumes))
	for _, step := range []func(context.Context) error{f.rows, f.incidents, f.nodes, f.drop} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	next := &view{root: v.root, etag: v.etag, tables: v.tables.after(v, f.pages), rows: map[string]*row{}, incidents: map[string]*incidentRow{}}
	if err := f.beside(ctx, next); err != nil {
		return err
	}
	f.sweep()
	if err := f.own(ctx, next); err != nil {
		return err
	}
	t.remember(v, next)
	return nil
}

// own carries out what is to be done in the tenant's own partition; with the last of it the root says that the tail is folded.
func (f *folding) own(ctx context.Context, next *view) error {
	was := f.view.root
	f.root.Folded, f.root.Since = was.Version, 0
	for done := false; !done; {
		part, rest := fit(f.volumes[0], f.store.opts.perBatch)
		for _, c := range part {
			if c.data == nil {
				f.root.Swept++
			}
		}
		r := f.root
		if done = len(rest) == 0; !done {
			r.Folded, r.Since, r.nodeTable, r.Volumes = was.Folded, was.Since, was.nodeTable, was.Volumes
		}
		if err := f.store.replace(ctx, f.tenant, next, r, part); err != nil {
			return err
		}
		f.volumes[0] = rest
	}
	return nil
}

// replace carries out changes in the tenant's own partition, with a new root in the place of v's, and brings v up to it.
func (s *Store) replace(ctx context.Context, t *tenant, v *view, r root, changes []change) error {
	r.Turn = rand.Text()
	top, err := json.Marshal(r)
	if err != nil {
		return err
	}
	b := s.db.connection().state.NewTransactionalBatch(t.pk)
	b.ReplaceItem(rootID, top, ifStill(v.etag))
	for _, c := range changes {
		if c.data == nil {
			b.DeleteItem(c.id, nil)
		} else {
			b.UpsertItem(c.data, nil)
		}
	}
	etags, err := s.db.batch(ctx, b, &t.seen)
	if err != nil {
		return err
	}
	v.root, v.etag = r, etags[0]
	return nil
}

// folding is one fold in the making.
type folding struct {
	store   *Store
	tenant  *tenant
	view    *view
	root    root
	volumes [][]change          // to be carried out in each; the first is the tenant's own partition
	pages   map[string]*payload // of incidents, as they will be
}

// add notes an item to be written into a volume. What is new in one of those beside makes it larger; the size of the tenant's own is
// counted when commits are made.
func (f *folding) add(n int, id string, item any, etag azcore.ETag) error {
	data, err := json.Marshal(item)
	if err == nil {
		f.volumes[n] = append(f.volumes[n], change{id, data, etag})
	}
	if n > 0 && etag == "" {
		f.root.Volumes[n-1].Bytes += int64(len(data))
	}
	return err
}

// rows writes the commits anew whose alerts have been updated since, and those of the tail into the newest volume, once there is one.
func (f *folding) rows(ctx context.Context) error {
	homes := map[uint64]*layer{}
	for _, r := range f.view.rows {
		if r.V != r.Home {
			homes[r.Home] = nil
		}
	}
	for _, l := range f.view.tail {
		if _, changed := homes[l.item.V]; changed || len(f.root.Volumes) > 0 {
			homes[l.item.V] = l
		}
	}
	versions := sorted(homes)
	items, etags, more := make([]commitItem, len(versions)), make([]azcore.ETag, len(versions)), make([]int, len(versions))
	err := each(ctx, len(versions), func(ctx context.Context, i int) (err error) {
		if items[i], etags[i], more[i], err = f.home(ctx, versions[i], homes[versions[i]]); err != nil {
			return fmt.Errorf("commit %d: %w", versions[i], err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i := range items {
		n := f.root.holder(versions[i])
		if err := f.add(n, items[i].ID, items[i], etags[i]); err != nil {
			return err
		}
		if n > 0 {
			f.root.Volumes[n-1].Rows += int64(more[i])
		}
	}
	return nil
}

// home gives a commit's item as it will be in its table, the ETag of the one that is there, and how many more rows the table has then. A
// commit of the tail is not in a volume yet, unless a fold did not end.
func (f *folding) home(ctx context.Context, version uint64, tail *layer) (it commitItem, etag azcore.ETag, rows int, err error) {
	in := f.store.volume(f.tenant, f.root.holder(version))
	var c content
	if tail == nil {
		it, c, etag, err = f.store.commitAt(ctx, f.tenant, in, version)
	} else {
		it, c = tail.item, content{slices.Clone(tail.Rows), slices.Clone(tail.Incidents)}
		if in.name != f.tenant.name {
			etag, err = f.store.etag(ctx, in, it.ID)
		}
	}
	if err != nil {
		return it, etag, 0, err
	}
	if tail == nil {
		rows = -len(it.IDs)
	}
	it.Tenant = in.name
	it, err = f.commit(ctx, it, c)
	return it, etag, rows + len(it.IDs), err
}

// commit gives a commit's item with its own rows as they are now. What else there is in one of the tail stays: it will be the
// tail until the last batch of the fold.
func (f *folding) commit(ctx context.Context, it commitItem, c content) (commitItem, error) {
	it.zones, it.IDs = zones{}, nil
	for i := range c.Rows {
		r := &c.Rows[i]
		if r.Home != it.V {
			continue
		}
		if now := f.view.rows[r.Alert.ID]; now != nil {
			*r = *now
		}
		if r.Gone {
			continue
		}
		it.add(kindOf(r.AlertRecord), *r)
		it.IDs = append(it.IDs, alertTerm(r.Alert.ID))
	}
	if it.V <= f.view.root.Folded || it.Tenant != f.tenant.name {
		it.Nodes = nil
		for i, told := range c.Incidents {
			c.Incidents[i] = incidentRow{Incident: incident.Incident{ID: told.ID, Updated: told.Updated}, V: told.V}
		}
	}
	var err error
	it.Content, err = f.store.seal(ctx, f.tenant.name, c, f.store.opts.Inline)
	return it, err
}

// incidents writes the pages anew that incidents of the tail are on.
func (f *folding) incidents(ctx context.Context) error {
	changed := map[string][]*incidentRow{}
	for _, i := range f.view.incidents {
		changed[pageOf(i.ID)] = append(changed[pageOf(i.ID)], i)
	}
	pages := sorted(changed)
	items := make([]incidentsItem, len(pages))
	etags, more := make([]azcore.ETag, len(pages)), make([]int, len(pages))
	err := each(ctx, len(pages), func(ctx context.Context, n int) error {
		old, etag, err := f.oldPage(ctx, pages[n])
		if err != nil {
			return err
		}
		etags[n] = etag
		now := maps.Clone(old)
		if now == nil {
			now = map[string]*incidentRow{}
		}
		for _, i := range changed[pages[n]] {
			if now[i.ID] = i; i.Gone {
				delete(now, i.ID)
			}
		}
		more[n] = len(now)
		for _, i := range old {
			if i.V <= f.view.root.Folded { // those that a fold brought which did not end are not counted yet
				more[n]--
			}
		}
		items[n], err = f.page(ctx, pages[n], now)
		return err
	})
	if err != nil {
		return err
	}
	f.pages = map[string]*payload{}
	for i := range items {
		f.pages[pages[i]] = &payload{items[i].Rows.Data, items[i].Rows.Blob}
		n := f.root.pageHolder(pages[i])
		if err := f.add(n, items[i].ID, items[i], etags[i]); err != nil {
			return err
		}
		if n > 0 {
			f.root.Volumes[n-1].Incidents += int64(more[i])
		}
	}
	return nil
}

// oldPage is a page as it is in the table. Of one in a volume what is remembered will not do: it must still be there when the new one is written.
func (f *folding) oldPage(ctx context.Context, page string) (map[string]*incidentRow, azcore.ETag, error) {
	if n := f.root.pageHolder(page); n > 0 {
		p, etag, err := f.store.pageAt(ctx, f.store.volume(f.tenant, n), page)
		if err != nil {
			return nil, "", err
		}
		old, err := f.store.incidentRows(ctx, f.tenant, p)
		return old, etag, err
	}
	old, err := f.store.page(ctx, f.tenant, f.view, page)
	return old, "", err
}

func (f *folding) page(ctx context.Context, page string, incidents map[string]*incidentRow) (incidentsItem, error) {
	in := f.store.volume(f.tenant, f.root.pageHolder(page))
	it := incidentsItem{ID: incidentsID(page), Tenant: in.name, Type: incidentsType}
	if len(incidents) == 0 {
		it.Type = emptyType // no listing meets it
	}
	var rows []incidentRow
	for _, id := range sorted(incidents) {
		rows = append(rows, *incidents[id])
		it.add(incidentRows, incidents[id])
	}
	var err error
	it.Rows, err = f.store.seal(ctx, f.tenant.name, rows, f.store.opts.Inline)
	return it, err
}

// nodes makes a run of the tail's nodes, each as it is now.
func (f *folding) nodes(ctx context.Context) error {
	if err := f.store.openLayers(ctx, f.tenant, f.view); err != nil {
		return err
	}
	now := map[string]*node{}
	for _, l := range f.view.tail {
		for key, n := range l.nodes {
			if n.Same != "" || f.store.young(n) {
				now[key] = n
			}
		}
	}
	if len(now) == 0 {
		return nil
	}
	r, err := f.store.writeRun(ctx, f.tenant, 0, slices.SortedFunc(maps.Values(now), byHash))
	if err == nil {
		f.root.Runs = append(slices.Clone(f.root.Runs), r)
	}
	return err
}

func sorted[K cmp.Ordered, T any](m map[K]T) []K { return slices.Sorted(maps.Keys(m)) }
