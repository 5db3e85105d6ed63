package localstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
)

// Purge is store.Retention. An incident is deleted with its alerts in one batch, which moves the tenant to its next
// version: a correlator that has cached them loses its next commit and reads anew.
func (s *Store) Purge(ctx context.Context, name string, before time.Time, limit int) (int, error) {
	due, err := s.Incidents(ctx, name, query.Query{Top: max(limit, 1), Order: []query.Order{{Field: query.Updated}}, Where: query.And{
		Left:  query.Compare{Field: query.Status, Op: query.Eq, Text: string(incident.Resolved)},
		Right: query.Compare{Field: query.Updated, Op: query.Lt, Time: before},
	}})
	if err != nil || len(due.Items) == 0 || limit <= 0 {
		return 0, err
	}
	folded, err := s.foldedByAlert(name)
	if err != nil {
		return 0, fmt.Errorf("purge incidents of %q: %w", name, err)
	}
	for n, i := range due.Items {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		if err := s.purgeIncident(name, i.ID, before, folded); err != nil {
			return n, fmt.Errorf("purge incident %s of %q: %w", i.ID, name, err)
		}
	}
	return len(due.Items), nil
}

// foldedByAlert are the ids of folded alerts by the alert that they were folded into.
func (s *Store) foldedByAlert(name string) (map[string][]string, error) {
	v := s.openView(name)
	defer v.close()
	out := map[string][]string{}
	err := v.rowTable(foldedRows).walkByCreation(timeRange{}, true, func(at place, head []byte) (bool, error) {
		row, err := decodeAlert(at.id, at.created, head)
		if err == nil {
			out[row.FoldedInto] = append(out[row.FoldedInto], at.id)
		}
		return true, err
	})
	return out, err
}

// purgeIncident deletes an incident, unless it was changed since it was listed.
func (s *Store) purgeIncident(name, id string, before time.Time, folded map[string][]string) error {
	t := s.tenantOf(name)
	t.mu.Lock()
	defer t.mu.Unlock()
	v := s.openView(name)
	defer v.close()
	i, err := v.storedIncident(id)
	if fault.Of(err) == fault.NotFound {
		return nil
	}
	if err != nil || i.Status != incident.Resolved || !i.Updated.Before(before) {
		return err
	}
	all := append([]string{id}, i.Merged...)
	alerts, err := v.alertsOf(append([]string{}, all...))
	if err != nil {
		return err
	}
	w := s.newCommit(t)
	for _, at := range alerts {
		err = errors.Join(err, w.deleteAlert(v, at.id))
		for _, copied := range folded[at.id] {
			err = errors.Join(err, w.deleteAlert(v, copied))
		}
	}
	for _, each := range all {
		err = errors.Join(err, w.deleteIncident(each))
	}
	w.state.Version++
	w.state.Indexed = w.state.Version
	if err = errors.Join(err, w.stageState()); err != nil {
		return errors.Join(err, w.batch.Close())
	}
	if err := s.dir.Apply(w.batch, true); err != nil {
		return err
	}
	s.publishState(t, w.state)
	return nil
}

// deleteAlert deletes an alert, its index entries, its counts and its body, which lies in the log or beside it.
func (w *commit) deleteAlert(v *view, id string) error {
	old, rows, err := findAlert(w.dir.DB, w.tenant, id)
	if err != nil {
		if fault.Of(err) == fault.NotFound {
			return nil
		}
		return err
	}
	whole, err := v.wholeAlert(old)
	if err != nil {
		return err
	}
	at := place{id, old.created}
	if rows != foldedRows {
		for _, name := range incident.MentionedNames(whole.Alert) {
			err = errors.Join(err, w.batch.Delete(at.mentionKey(w.tenant, name), nil))
		}
	}
	w.state.countSource(whole, rows, -1)
	nothing := incident.AlertRecord{}
	nothing.Position = ^old.Position // any other position makes dropAlert delete the body
	return errors.Join(err, w.moveGroups(at, alertLabels(rows, old.AlertRecord), at, nil), w.dropAlert(old, rows, nothing), w.batch.Delete(idKey(alertTable, w.tenant, id), nil))
}

// deleteIncident takes out an incident with its index entries.
func (w *commit) deleteIncident(id string) error {
	db, tenant := w.dir.DB, w.tenant
	old, err := findIncident(db, tenant, id)
	if err != nil {
		if fault.Of(err) == fault.NotFound {
			return nil
		}
		return err
	}
	head, err := incidentHead(db, tenant, id, old.created)
	if err != nil {
		return err
	}
	at := place{id, old.created}
	w.state.countRow(incidentRows, -1)
	return errors.Join(
		w.moveGroups(at, incidentLabels(*head), at, nil),
		w.batch.Delete(idKey(incidentTable, tenant, id), nil),
		w.batch.Delete(timeKey(incidentRows, tenant, old.created, id), nil),
		w.batch.Delete(timeKey(incidentsUpdated, tenant, old.updated, id), nil))
}

// Trim deletes events from the log whose data is no alert's body: repeats, updates that an alert has taken in, and
// other products' copies of it. Call it with events that correlation has completed, without those that it refused. It
// is not synced: a crash that loses it keeps the events, and completed events are not offered again either way.
func (s *Store) Trim(evs []cloudevent.Event) error {
	b := s.dir.DB.NewBatch()
	for _, e := range evs {
		kept, err := s.isEventKept(e)
		if err == nil && !kept {
			err = s.log.DropEvent(b, e.Tenant, e.Position)
		}
		if err != nil {
			return errors.Join(fmt.Errorf("trim event %s of %q: %w", e.ID, e.Tenant, err), b.Close())
		}
	}
	if b.Empty() {
		return b.Close()
	}
	return s.dir.Apply(b, false)
}

// isEventKept reports whether an alert's body is the event's data. Only the alert that the event is about can have it
// there; an event that does not name its alert is kept.
func (s *Store) isEventKept(e cloudevent.Event) (bool, error) {
	row, _, err := findAlert(s.dir.DB, e.Tenant, e.Subject)
	if fault.Of(err) == fault.NotFound {
		return true, nil
	}
	if err != nil || row.Position == e.Position {
		return true, err
	}
	var about struct {
		ID string `json:"id"`
	}
	return json.Unmarshal(e.Data, &about) != nil || about.ID != e.Subject, nil
}
