package localstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/store"
)

// Commit is store.Correlation. What came from the bus is not synced, since losing it makes the bus offer its events
// again; anything else, such as what a person decided, is on the disk when Commit returns.
func (s *Store) Commit(ctx context.Context, name string, version uint64, c incident.Changes) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(c.Alerts) > store.MaxCommit {
		return fault.Errorf(fault.TooLarge, "commit for %q: %d alerts are more than %d", name, len(c.Alerts), store.MaxCommit)
	}
	if err := datadir.CheckName("tenant", name); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	t := s.tenantOf(name)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state.Version != version {
		return fault.Errorf(fault.Conflict, "commit for %q: it is at version %d, not %d", name, t.state.Version, version)
	}
	w := s.newCommit(t)
	if err := w.stageChanges(c); err != nil {
		return fmt.Errorf("commit for %q: %w", name, errors.Join(err, w.batch.Close()))
	}
	if err := s.dir.Apply(w.batch, s.opts.Sync || !w.fromBus); err != nil {
		return fmt.Errorf("commit for %q: %w", name, err)
	}
	s.publishState(t, w.state)
	return nil
}

// commit is one batch in the making.
type commit struct {
	indexer
	audit *auditLog
	sweep *sweep
	now   func() time.Time
	feed  []byte // the batch's changes, encoded
	// fromBus says that an alert is stored under a position it did not have: only the bus gives those.
	fromBus bool
}

// newCommit begins a batch for a tenant; the caller holds t.mu.
func (s *Store) newCommit(t *tenant) *commit {
	return &commit{indexer: indexer{s.reader, t.name, s.dir.DB.NewBatch(), t.state.clone()}, audit: s.auditLog, sweep: &t.sweep, now: s.opts.Now}
}

// stageChanges writes all of c, and the state that the tenant has then.
func (w *commit) stageChanges(c incident.Changes) error {
	w.state.Version++
	w.state.Indexed = w.state.Version
	w.state.Sequence = max(w.state.Sequence, c.Sequence)
	if err := w.expireNodes(len(c.Nodes)); err != nil { // first: what is written after it stays
		return err
	}
	for _, m := range lastOf(c.Alerts, func(m incident.AlertRecord) string { return m.Alert.ID }) {
		if err := w.stageAlert(m); err != nil {
			return err
		}
	}
	for _, i := range lastOf(c.Incidents, func(i incident.Incident) string { return i.ID }) {
		if err := w.stageIncident(i); err != nil {
			return err
		}
	}
	for _, n := range c.Nodes {
		if err := w.stageNode(n); err != nil {
			return err
		}
	}
	if err := w.audit.stageEntries(w.batch, w.tenant, c.AuditEntries...); err != nil {
		return err
	}
	if len(w.feed) > 0 {
		if err := w.batch.Set(datadir.AppendUint(datadir.Key(feedTable, w.tenant), w.state.Version), w.feed, nil); err != nil {
			return err
		}
	}
	return w.stageState()
}

// lastOf keeps the last of those with one id: stored rows are looked up in the database, which does not see the batch.
func lastOf[T any](all []T, id func(T) string) []T {
	at := make(map[string]int, len(all))
	for i, v := range all {
		at[id(v)] = i
	}
	if len(at) == len(all) {
		return all
	}
	all = slices.Clone(all)
	n := 0
	for i, v := range all {
		if at[id(v)] == i {
			all[n] = v
			n++
		}
	}
	return all[:n]
}

// stageAlert writes an alert with its index entries in place of the stored one.
func (w *commit) stageAlert(m incident.AlertRecord) error {
	id, rows := m.Alert.ID, rowTableOf(m)
	if err := datadir.CheckName("incident of alert "+id, m.Incident); err != nil {
		return err
	}
	old, oldRows, err := findAlert(w.dir.DB, w.tenant, id)
	if err != nil && fault.Of(err) != fault.NotFound {
		return err
	}
	if old != nil {
		if err := w.dropAlert(old, oldRows, m); err != nil {
			return err
		}
	}
	if err := w.indexAlert(old, oldRows, m, rows); err != nil {
		return err
	}
	head, err := encodeAlert(m)
	if err != nil {
		return fmt.Errorf("encode alert %s: %w", id, err)
	}
	created := datadir.AppendUint(nil, datadir.TimeKey(m.Created))
	err = errors.Join(
		w.batch.Set(timeKey(rows, w.tenant, datadir.TimeKey(m.Created), id), head, nil),
		w.batch.Set(idKey(alertTable, w.tenant, id), append([]byte{rows}, created...), nil))
	if index := updateIndexOf(rows); index != 0 {
		err = errors.Join(err, w.batch.Set(timeKey(index, w.tenant, datadir.TimeKey(m.Updated), id), created, nil))
	}
	if rows == alertRows && m.Incident != "" {
		err = errors.Join(err, w.batch.Set(incidentAlertKey(w.tenant, m.Incident, datadir.TimeKey(m.Alert.First), id), created, nil))
	}
	if m.Position == 0 {
		body, encodeErr := json.Marshal(m.Alert)
		err = errors.Join(err, encodeErr, w.batch.Set(idKey(bodyTable, w.tenant, id), body, nil))
	} else if old == nil || old.Position != m.Position {
		w.fromBus = true
	}
	w.state.countRow(rows, 1)
	kind := store.AlertChanged
	if m.Alert.Class == alert.Exposure {
		kind = store.ExposureChanged
	}
	w.stageChange(kind, id, m.Updated)
	return err
}

// dropAlert deletes what the new record will not overwrite, the old body included.
func (w *commit) dropAlert(old *alertRow, rows byte, now incident.AlertRecord) error {
	id := old.Alert.ID
	err := w.batch.Delete(timeKey(rows, w.tenant, old.created, id), nil)
	if index := updateIndexOf(rows); index != 0 {
		err = errors.Join(err, w.batch.Delete(timeKey(index, w.tenant, datadir.TimeKey(old.Updated), id), nil))
	}
	if rows == alertRows && old.Incident != "" {
		err = errors.Join(err, w.batch.Delete(incidentAlertKey(w.tenant, old.Incident, datadir.TimeKey(old.Alert.First), id), nil))
	}
	switch {
	case old.Position == 0 && now.Position != 0:
		err = errors.Join(err, w.batch.Delete(idKey(bodyTable, w.tenant, id), nil))
	case old.Position != 0 && old.Position != now.Position:
		// Its event was committed before and is never offered in place of the one that replaces it.
		err = errors.Join(err, w.log.DropEvent(w.batch, w.tenant, old.Position))
	}
	w.state.countRow(rows, -1)
	return err
}

// stageIncident writes an incident with its index entries in place of the stored one.
func (w *commit) stageIncident(i incident.Incident) error {
	db, tenant := w.dir.DB, w.tenant
	var was *incident.Incident
	old, err := findIncident(db, tenant, i.ID)
	switch {
	case err == nil:
		was, err = incidentHead(db, tenant, i.ID, old.created)
		err = errors.Join(err,
			w.batch.Delete(timeKey(incidentRows, tenant, old.created, i.ID), nil),
			w.batch.Delete(timeKey(incidentsUpdated, tenant, old.updated, i.ID), nil))
		w.state.countRow(incidentRows, -1)
	case fault.Of(err) == fault.NotFound:
		err = nil
	}
	if err != nil {
		return err
	}
	body, err := json.Marshal(i)
	if err != nil {
		return fmt.Errorf("encode incident %s: %w", i.ID, err)
	}
	created, updated := datadir.TimeKey(i.Created), datadir.TimeKey(i.Updated)
	if err := w.indexIncident(was, old.created, i); err != nil {
		return err
	}
	value := appendText(datadir.AppendUint(datadir.AppendUint(nil, created), updated), i.RedirectTo)
	w.state.countRow(incidentRows, 1)
	w.stageChange(store.IncidentChanged, i.ID, i.Updated)
	return errors.Join(
		w.batch.Set(idKey(incidentTable, tenant, i.ID), append(value, body...), nil),
		w.batch.Set(timeKey(incidentRows, tenant, created, i.ID), encodeIncident(i), nil),
		w.batch.Set(timeKey(incidentsUpdated, tenant, updated, i.ID), datadir.AppendUint(nil, created), nil))
}
