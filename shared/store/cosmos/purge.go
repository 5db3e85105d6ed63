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

// Purging is a commit like any other: its rows say of alerts and incidents that they are gone. So it is whole or not there,
// readers see it at once, correlators lose to it as to any commit, and the next flush makes it true of the tables. A commit's item
// stays, since cursors count its rows; what they said does not. Bodies lie together in blobs, which go with the last of theirs.

// purgeRows is about how many alerts are purged in one commit.
const purgeRows = 100

// Purge is store.Retention.
func (s *Store) Purge(ctx context.Context, name string, before time.Time, limit int) (int, error) {
	due, err := s.Incidents(ctx, name, query.Query{Top: max(limit, 1), Order: []query.Order{{Field: query.Updated}}, Where: query.And{
		Left:  query.Compare{Field: query.Status, Op: query.Eq, Text: string(incident.Resolved)},
		Right: query.Compare{Field: query.Updated, Op: query.Lt, Time: before},
	}})
	if err != nil {
		return 0, fmt.Errorf("forget: %w", err)
	}
	t := s.tenantByName(name)
	t.deciding.Lock()
	defer t.deciding.Unlock()
	n := 0
	for _, i := range due.Items[:min(limit, len(due.Items))] {
		for done := false; !done; {
			if done, err = s.purgeStep(ctx, t, i.ID, before); err != nil {
				return n, fmt.Errorf("forget incident %s of %q: %w", i.ID, name, err)
			}
		}
		n++
	}
	return n, nil
}

// purgeStep purges some of an incident's alerts, and with the last of them the incident.
func (s *Store) purgeStep(ctx context.Context, t *tenant, id string, before time.Time) (done bool, err error) {
	v, err := s.currentView(ctx, t)
	if err != nil {
		return false, err
	}
	i, err := s.findIncident(ctx, t, v, id)
	if err != nil || i == nil || i.Status != incident.Resolved || !i.Updated.Before(before) {
		return true, err // somebody was at it since it was listed
	}
	w := &purger{committer: committer{store: s, tenant: t, view: v, now: s.opts.Now()}, incidents: append([]string{id}, i.Merged...)}
	w.beginCommit(incident.Changes{})
	w.nodes = map[string]*node{}
	more, err := w.findRows(ctx)
	if err != nil {
		return false, err
	}
	if err := w.uncountSources(ctx); err != nil {
		return false, err
	}
	for _, r := range w.rows {
		w.Rows = append(w.Rows, alertRow{AlertRecord: incident.AlertRecord{Alert: alert.Alert{ID: r.Alert.ID}}, V: w.manifest.Version, Origin: r.Origin, Purged: true})
		countRow(&w.manifest.Rows, kindOf(r.AlertRecord), -1)
	}
	if !more {
		if err := w.purgeIncidents(ctx); err != nil {
			return false, err
		}
	}
	if w.item.Unreferenced, err = w.unreferencedBlobs(ctx); err != nil {
		return false, err
	}
	if err := w.finishItem(ctx, incident.Changes{}); err != nil {
		return false, err
	}
	next, err := w.publish(ctx)
	if err == nil && next != nil {
		s.runHousekeeping(ctx, t, next)
	}
	return !more, err
}

// purger is a commit that purges.
type purger struct {
	committer
	incidents []string // an incident and all that was merged into it
	rows      map[string]*alertRow
}

// findRows looks for alerts of the incidents, and what was folded into them; more says that there are others.
func (w *purger) findRows(ctx context.Context) (more bool, err error) {
	w.rows = map[string]*alertRow{}
	q := sqlQuery{page: 10}
	if more, err = w.gatherRows(ctx, purgeRows, q, q.whereIncidents(w.incidents), func(r *alertRow) bool { return slices.Contains(w.incidents, r.Incident) }); err != nil {
		return more, err
	}
	for part := range slices.Chunk(sortedKeys(w.rows), maxTerms) {
		q := sqlQuery{page: 10}
		any := ""
		for _, id := range part {
			any = joinConditions(any, "OR", q.whereTerm(foldedTerm(id)))
		}
		if _, err := w.gatherRows(ctx, math.MaxInt, q, any, func(r *alertRow) bool { return slices.Contains(part, r.FoldedInto) }); err != nil {
			return more, err
		}
	}
	return more, nil
}

// gatherRows adds rows to the victims: those of the log, and of the items that q finds until there are most of them.
func (w *purger) gatherRows(ctx context.Context, most int, q sqlQuery, where string, wanted func(*alertRow) bool) (more bool, err error) {
	take := func(r *alertRow) {
		if !r.Purged && wanted(r) {
			w.rows[r.Alert.ID] = r
		}
	}
	for _, r := range w.view.rows {
		take(r)
	}
	q.text = "SELECT * FROM c WHERE " + joinConditions("c.type = 'commit' AND c.v <= @last", "AND", where)
	err = w.store.queryVolumes(ctx, w.tenant, w.view.manifest, q, "", false, func(item []byte) (bool, error) {
		if more = len(w.rows) >= most; more {
			return false, nil
		}
		it, c, err := w.store.decodeCommit(ctx, w.tenant, item)
		for n := range c.Rows {
			if r := &c.Rows[n]; r.Origin == it.V && w.view.rows[r.Alert.ID] == nil {
				take(r)
			}
		}
		return true, err
	})
	return more, err
}

// uncountSources counts the victims no longer with their providers, which only bodies name.
func (w *purger) uncountSources(ctx context.Context) error {
	rows := slices.Collect(maps.Values(w.rows))
	whole, err := w.store.readAlerts(ctx, w.tenant, rows)
	for _, m := range whole {
		var was store.Stats
		countRow(&was, kindOf(m), 1)
		s := w.manifest.Sources[m.Alert.Origin.Provider]
		s.Alerts -= was.Alerts
		s.Exposures -= was.Exposures
		w.manifest.Sources[m.Alert.Origin.Provider] = s
	}
	return err
}

// purgeIncidents says that the incidents are gone.
func (w *purger) purgeIncidents(ctx context.Context) error {
	there, err := w.store.findIncidents(ctx, w.tenant, w.view, w.incidents)
	for _, i := range there {
		w.Incidents = append(w.Incidents, incidentRow{Incident: incident.Incident{ID: i.ID, Updated: w.now}, V: w.manifest.Version, Purged: true})
		w.manifest.Rows.Incidents--
	}
	return err
}

// unreferencedBlobs are the blobs of the victims' bodies that hold nobody else's.
func (w *purger) unreferencedBlobs(ctx context.Context) (out []blobRef, err error) {
	blobs := map[string]bodyRef{}
	for _, r := range w.rows {
		if r.Body.Commit > 0 {
			blobs[r.Body.Blob.ID] = r.Body
		}
	}
	for _, id := range sortedKeys(blobs) {
		c, err := w.contentOfCommit(ctx, blobs[id].Commit)
		if err != nil {
			return nil, fmt.Errorf("read commit %d: %w", blobs[id].Commit, err)
		}
		var others []string
		for _, r := range c.Rows {
			if w.rows[r.Alert.ID] == nil && !r.Purged {
				others = append(others, r.Alert.ID)
			}
		}
		rows, err := w.store.findRows(ctx, w.tenant, w.view, others)
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

// contentOfCommit is what a commit of the log or the tables wrote.
func (w *purger) contentOfCommit(ctx context.Context, version uint64) (content, error) {
	for _, l := range w.view.log {
		if l.item.V == version {
			return l.content, nil
		}
	}
	_, c, _, err := w.store.readCommit(ctx, w.tenant, w.store.volumePartition(w.tenant, w.view.manifest.volumeOfCommit(version)), version)
	return c, err
}

// deleteUnreferenced deletes the blobs that commits of the log left without a reader, unless a later one has written the same again.
func (f *flusher) deleteUnreferenced(ctx context.Context) error {
	used := map[string]bool{}
	for _, r := range f.view.rows {
		if !r.Purged {
			used[r.Body.Blob.ID] = true
		}
	}
	for _, l := range f.view.log {
		for _, ref := range l.item.Unreferenced {
			if used[ref.ID] {
				continue
			}
			if err := f.store.deleteBlob(ctx, f.tenant.name, ref); err != nil {
				return fmt.Errorf("delete blob: %w", err)
			}
		}
	}
	return nil
}

// deleteBlob deletes a blob. One that is not there is no error.
func (s *Store) deleteBlob(ctx context.Context, tenant string, ref blobRef) error {
	for i := range ref.Parts {
		id := ref.partID(i)
		err := s.client.retry(ctx, func(c containers) error {
			_, err := c.blobs.DeleteItem(ctx, blobPartition(tenant, id), id, nil)
			return err
		})
		if err != nil && fault.Of(err) != fault.NotFound {
			return err
		}
	}
	return nil
}
