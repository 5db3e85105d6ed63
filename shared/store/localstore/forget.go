package localstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
	"github.com/onepane/onepane/shared/store"
)

var _ store.Retention = (*Store)(nil)

// Purge is store.Retention. Each incident goes with its alerts in one batch, which moves the tenant to its next version, so
// that a correlator which still has them in mind reads anew.
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
		return 0, fmt.Errorf("forget incidents of %q: %w", name, err)
	}
	for n, i := range due.Items {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		if err := s.purgeIncident(name, i.ID, before, folded); err != nil {
			return n, fmt.Errorf("forget incident %s of %q: %w", i.ID, name, err)
		}
	}
	return len(due.Items), nil
}

// foldedByAlert are the ids of folded alerts by the alert that they were folded into.
func (s *Store) foldedByAlert(name string) (map[string][]string, error) {
	v := s.openView(name)
	defer v.close()
	out := map[string][]string{}
	err := v.walkByCreation(foldedRows, timeRange{}, true, func(at place, head []byte) (bool, error) {
		row, err := decodeAlert(at.id, at.created, head)
		if err == nil {
			out[row.FoldedInto] = append(out[row.FoldedInto], at.id)
		}
		return true, err
	})
	return out, err
}

// purgeIncident forgets an incident unless somebody was at it since it was listed.
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
	w := &commit{store: s, tenant: t, batch: s.dir.DB.NewBatch(), state: t.state.clone()}
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

// deleteAlert takes out an alert with what finds and counts it and its body, wherever that is.
func (w *commit) deleteAlert(v *view, id string) error {
	old, rows, err := findAlert(w.store.dir.DB, w.tenant.name, id)
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
			err = errors.Join(err, w.batch.Delete(at.mentionKey(w.tenant.name, name), nil))
		}
	}
	w.state.countSource(whole, rows, -1)
	nothing := incident.AlertRecord{}
	nothing.Position = ^old.Position // another than it has, so that dropMember lets the body go
	return errors.Join(err, w.moveGroups(at, alertLabels(rows, old.AlertRecord), at, nil), w.dropAlert(old, rows, nothing), w.batch.Delete(idKey(alertTable, w.tenant.name, id), nil))
}

// deleteIncident takes out an incident with its index entries.
func (w *commit) deleteIncident(id string) error {
	db, tenant := w.store.dir.DB, w.tenant.name
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
	w.countRow(incidentRows, -1)
	return errors.Join(
		w.moveGroups(at, incidentLabels(*head), at, nil),
		w.batch.Delete(idKey(incidentTable, tenant, id), nil),
		w.batch.Delete(timeKey(incidentRows, tenant, old.created, id), nil),
		w.batch.Delete(timeKey(incidentsUpdated, tenant, old.updated, id), nil))
}
