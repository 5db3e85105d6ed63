package cosmos

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
	"github.com/onepane/onepane/shared/store"
)

// Forgetting is a commit like any other: its rows say of alerts and incidents that they are gone. So it is whole or not there,
// readers see it at once, correlators lose to it as to any commit, and the next fold makes it true of the tables. A commit's item
// stays, since cursors count its rows; what they said does not. Bodies lie together in blobs, which go with the last of theirs.

// forgetRows is about how many alerts are forgotten in one commit.
const forgetRows = 100

// Forget is store.Retention.
func (s *Store) Forget(ctx context.Context, name string, before time.Time, limit int) (int, error) {
	due, err := s.Incidents(ctx, name, query.Query{Top: max(limit, 1), Order: []query.Order{{Field: query.Updated}}, Where: query.And{
		Left:  query.Compare{Field: query.Status, Op: query.Eq, Text: string(incident.Resolved)},
		Right: query.Compare{Field: query.Updated, Op: query.Lt, Time: before},
	}})
	if err != nil {
		return 0, fmt.Errorf("forget: %w", err)
	}
	t := s.tenant(name)
	t.deciding.Lock()
	defer t.deciding.Unlock()
	n := 0
	for _, i := range due.Items[:min(limit, len(due.Items))] {
		for done := false; !done; {
			if done, err = s.forget1(ctx, t, i.ID, before); err != nil {
				return n, fmt.Errorf("forget incident %s of %q: %w", i.ID, name, err)
			}
		}
		n++
	}
	return n, nil
}

// forget1 forgets some of an incident's alerts, and with the last of them the incident.
func (s *Store) forget1(ctx context.Context, t *tenant, id string, before time.Time) (done bool, err error) {
	v, err := s.view(ctx, t)
	if err != nil {
		return false, err
	}
	i, err := s.incident(ctx, t, v, id)
	if err != nil || i == nil || i.Status != incident.Resolved || !i.Updated.Before(before) {
		return true, err // somebody was at it since it was listed
	}
	w := &forgetting{writing: writing{store: s, tenant: t, view: v, now: s.opts.Now()}, incidents: append([]string{id}, i.Merged...)}
	w.begin(incident.Changes{})
	w.nodes = map[string]*node{}
	more, err := w.find(ctx)
	if err != nil {
		return false, err
	}
	if err := w.sources(ctx); err != nil {
		return false, err
	}
	for _, r := range w.victims {
		w.Rows = append(w.Rows, row{AlertRecord: incident.AlertRecord{Alert: alert.Alert{ID: r.Alert.ID}}, V: w.root.Version, Home: r.Home, Gone: true})
		count(&w.root.Rows, kindOf(r.AlertRecord), -1)
	}
	if !more {
		if err := w.cases(ctx); err != nil {
			return false, err
		}
	}
	if w.item.Drop, err = w.unled(ctx); err != nil {
		return false, err
	}
	if err := w.sealed(ctx, incident.Changes{}); err != nil {
		return false, err
	}
	next, err := w.commit(ctx)
	if err == nil && next != nil {
		s.housekeep(ctx, t, next)
	}
	return !more, err
}

// forgetting is a commit that forgets.
type forgetting struct {
	writing
	incidents []string // an incident and all that was merged into it
	victims   map[string]*row
}

// find looks for alerts of the incidents, and what was folded into them; more says that there are others.
func (w *forgetting) find(ctx context.Context) (more bool, err error) {
	w.victims = map[string]*row{}
	q := question{page: 10}
	if more, err = w.gather(ctx, forgetRows, q, q.any(w.incidents), func(r *row) bool { return slices.Contains(w.incidents, r.Incident) }); err != nil {
		return more, err
	}
	for part := range slices.Chunk(sorted(w.victims), maxTerms) {
		q := question{page: 10}
		any := ""
		for _, id := range part {
			any = both(any, "OR", q.term(foldedTerm(id)))
		}
		if _, err := w.gather(ctx, math.MaxInt, q, any, func(r *row) bool { return slices.Contains(part, r.FoldedInto) }); err != nil {
			return more, err
		}
	}
	return more, nil
}

// gather adds rows to the victims: those of the tail, and of the items that q finds until there are most of them.
func (w *forgetting) gather(ctx context.Context, most int, q question, where string, wanted func(*row) bool) (more bool, err error) {
	take := func(r *row) {
		if !r.Gone && wanted(r) {
			w.victims[r.Alert.ID] = r
		}
	}
	for _, r := range w.view.rows {
		take(r)
	}
	q.text = "SELECT * FROM c WHERE " + both("c.type = 'commit' AND c.v <= @last", "AND", where)
	err = w.store.inVolumes(ctx, w.tenant, w.view.root, q, "", false, func(item []byte) (bool, error) {
		if more = len(w.victims) >= most; more {
			return false, nil
		}
		it, c, err := w.store.commitItem(ctx, w.tenant, item)
		for n := range c.Rows {
			if r := &c.Rows[n]; r.Home == it.V && w.view.rows[r.Alert.ID] == nil {
				take(r)
			}
		}
		return true, err
	})
	return more, err
}

// sources counts the victims no longer with their providers, which only bodies name.
func (w *forgetting) sources(ctx context.Context) error {
	rows := slices.Collect(maps.Values(w.victims))
	whole, err := w.store.whole(ctx, w.tenant, rows)
	for _, m := range whole {
		var was store.Stats
		count(&was, kindOf(m), 1)
		s := w.root.Sources[m.Alert.Origin.Provider]
		s.Alerts -= was.Alerts
		s.Exposures -= was.Exposures
		w.root.Sources[m.Alert.Origin.Provider] = s
	}
	return err
}

// cases says that the incidents are gone.
func (w *forgetting) cases(ctx context.Context) error {
	there, err := w.store.incidentsOf(ctx, w.tenant, w.view, w.incidents)
	for _, i := range there {
		w.Incidents = append(w.Incidents, incidentRow{Incident: incident.Incident{ID: i.ID, Updated: w.now}, V: w.root.Version, Gone: true})
		w.root.Rows.Incidents--
	}
	return err
}

// unled are the blobs of the victims' bodies that hold nobody else's.
func (w *forgetting) unled(ctx context.Context) (out []blobRef, err error) {
	blobs := map[string]body{}
	for _, r := range w.victims {
		if r.Body.V > 0 {
			blobs[r.Body.Blob.ID] = r.Body
		}
	}
	for _, id := range sorted(blobs) {
		c, err := w.wrote(ctx, blobs[id].V)
		if err != nil {
			return nil, fmt.Errorf("read commit %d: %w", blobs[id].V, err)
		}
		var others []string
		for _, r := range c.Rows {
			if w.victims[r.Alert.ID] == nil && !r.Gone {
				others = append(others, r.Alert.ID)
			}
		}
		rows, _, err := w.store.rowsOf(ctx, w.tenant, w.view, others, nil)
		if err != nil {
			return nil, err
		}
		led := false
		for _, r := range rows {
			led = led || r.Body.Blob.ID == id
		}
		if !led {
			out = append(out, blobs[id].Blob)
		}
	}
	return out, nil
}

// wrote is what a commit of the tail or the tables wrote.
func (w *forgetting) wrote(ctx context.Context, version uint64) (content, error) {
	for _, l := range w.view.tail {
		if l.item.V == version {
			return l.content, nil
		}
	}
	_, c, _, err := w.store.commitAt(ctx, w.tenant, w.store.volume(w.tenant, w.view.root.holder(version)), version)
	return c, err
}

// drop deletes the blobs that commits of the tail left without a reader, unless a later one has written the same again.
func (f *folding) drop(ctx context.Context) error {
	used := map[string]bool{}
	for _, r := range f.view.rows {
		if !r.Gone {
			used[r.Body.Blob.ID] = true
		}
	}
	for _, l := range f.view.tail {
		for _, ref := range l.item.Drop {
			if used[ref.ID] {
				continue
			}
			if err := f.store.delete(ctx, f.tenant.name, ref); err != nil {
				return fmt.Errorf("delete blob: %w", err)
			}
		}
	}
	return nil
}

// delete deletes a blob. One that is not there is no error.
func (s *Store) delete(ctx context.Context, tenant string, ref blobRef) error {
	for i := range ref.Parts {
		id := ref.part(i)
		err := s.db.again(ctx, func(c connection) error {
			_, err := c.blobs.DeleteItem(ctx, blobKey(tenant, id), id, nil)
			return err
		})
		if err != nil && fault.Of(err) != fault.NotFound {
			return err
		}
	}
	return nil
}
