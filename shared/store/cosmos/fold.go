package cosmos

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"time"

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
// Each batch replaces the root it read, so that two who fold cannot mix, and only the last moves Folded: until then the tail
// covers whatever the tables say.
func (s *Store) fold(ctx context.Context, t *tenant, v *view) error {
	f := &folding{store: s, tenant: t, view: v, root: v.root}
	for _, step := range []func(context.Context) error{f.rows, f.incidents, f.nodes, f.drop} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	f.root.Folded, f.root.Since = v.root.Version, 0
	next := &view{root: v.root, etag: v.etag, tables: v.tables.after(v, f.pages), rows: map[string]*row{}, incidents: map[string]*incidentRow{}}
	for {
		part := f.next()
		r := f.root
		if len(f.items) > 0 {
			r.Folded, r.Since, r.nodeTable = v.root.Folded, v.root.Since, v.root.nodeTable
		}
		if err := s.replace(ctx, t, next, r, part); err != nil {
			return err
		}
		if len(f.items) == 0 {
			break
		}
	}
	t.remember(v, next)
	return nil
}

// replace writes items and a new root in the place of v's, and brings v up to it.
func (s *Store) replace(ctx context.Context, t *tenant, v *view, r root, items [][]byte) error {
	r.Turn = rand.Text()
	top, err := json.Marshal(r)
	if err != nil {
		return err
	}
	b := s.db.connection().state.NewTransactionalBatch(t.pk)
	b.ReplaceItem(rootID, top, ifStill(v.etag))
	for _, it := range items {
		b.UpsertItem(it, nil)
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
	store  *Store
	tenant *tenant
	view   *view
	root   root
	items  [][]byte                           // to be written
	pages  map[string]map[string]*incidentRow // as they will be
}

// next takes items for a batch off the list: what fits beside the root.
func (f *folding) next() [][]byte {
	const mostBytes = 1_500_000 // of 2 MB
	n, size := 0, 0
	for n < len(f.items) && n < f.store.opts.perBatch && (n == 0 || size+len(f.items[n]) <= mostBytes) {
		size += len(f.items[n])
		n++
	}
	part := f.items[:n]
	f.items = f.items[n:]
	return part
}

func (f *folding) add(item any) error {
	data, err := json.Marshal(item)
	if err == nil {
		f.items = append(f.items, data)
	}
	return err
}

// rows writes the commits anew whose alerts have been updated since.
func (f *folding) rows(ctx context.Context) error {
	homes := map[uint64]bool{}
	for _, r := range f.view.rows {
		if r.V != r.Home {
			homes[r.Home] = true
		}
	}
	versions := slices.Sorted(maps.Keys(homes))
	items := make([]commitItem, len(versions))
	err := each(ctx, len(versions), func(ctx context.Context, i int) error {
		it, c, err := f.store.commitAt(ctx, f.tenant, versions[i])
		if err == nil {
			items[i], err = f.commit(ctx, it, c)
		}
		if err != nil {
			return fmt.Errorf("commit %d: %w", versions[i], err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i := range items {
		if err := f.add(items[i]); err != nil {
			return err
		}
	}
	return nil
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
		it.add(kindOf(r.Member), *r)
		it.IDs = append(it.IDs, alertTerm(r.Alert.ID))
	}
	if it.V <= f.view.root.Folded {
		it.Nodes = nil
		for i, told := range c.Incidents {
			c.Incidents[i] = incidentRow{Incident: incident.Incident{ID: told.ID, Updated: told.Updated}, V: told.V}
		}
	}
	var err error
	it.Content, err = f.store.seal(ctx, f.tenant.name, c, f.store.inline(f.root))
	return it, err
}

// incidents writes the pages anew that incidents of the tail are on.
func (f *folding) incidents(ctx context.Context) error {
	changed := map[string][]*incidentRow{}
	for _, i := range f.view.incidents {
		changed[pageOf(i.ID)] = append(changed[pageOf(i.ID)], i)
	}
	pages := sorted(changed)
	items, written := make([]incidentsItem, len(pages)), make([]map[string]*incidentRow, len(pages))
	err := each(ctx, len(pages), func(ctx context.Context, n int) error {
		old, err := f.store.page(ctx, f.tenant, f.view, pages[n])
		if err != nil {
			return err
		}
		now := maps.Clone(old)
		if now == nil {
			now = map[string]*incidentRow{}
		}
		for _, i := range changed[pages[n]] {
			if now[i.ID] = i; i.Gone {
				delete(now, i.ID)
			}
		}
		written[n] = now
		items[n], err = f.page(ctx, pages[n], now)
		return err
	})
	if err != nil {
		return err
	}
	f.pages = map[string]map[string]*incidentRow{}
	for i := range items {
		f.pages[pages[i]] = written[i]
		if err := f.add(items[i]); err != nil {
			return err
		}
	}
	return nil
}

func (f *folding) page(ctx context.Context, page string, incidents map[string]*incidentRow) (incidentsItem, error) {
	it := incidentsItem{ID: incidentsID(page), Tenant: f.tenant.name, Type: incidentsType}
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

func sorted[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
