package localstore

import (
	"errors"

	"github.com/cockroachdb/pebble/v2"
	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/incident"
)

// indexer brings what finds and counts rows in line with the rows that a batch writes.
type indexer struct {
	*reader
	tenant string
	batch  *pebble.Batch
	state  state // what the tenant's state is once the batch is applied
}

// indexAlert moves an alert's groups, counts and mentions from the row it was, nil for a new one, to what it is.
func (w *indexer) indexAlert(old *alertRow, oldRows byte, m incident.AlertRecord, rows byte) error {
	now := place{m.Alert.ID, datadir.TimeKey(m.Created)}
	was, before := now, []label(nil)
	if old != nil {
		was, before = place{m.Alert.ID, old.created}, alertLabels(oldRows, old.AlertRecord)
		w.state.countSource(m, oldRows, -1)
	}
	w.state.countSource(m, rows, 1)
	return errors.Join(w.moveGroups(was, before, now, alertLabels(rows, m)), w.indexMentions(old, oldRows, m, rows))
}

// indexIncident moves an incident's groups and counts; nothing mentions incidents.
func (w *indexer) indexIncident(old *incident.Incident, created uint64, i incident.Incident) error {
	now := place{i.ID, datadir.TimeKey(i.Created)}
	if old == nil {
		return w.moveGroups(now, nil, now, incidentLabels(i))
	}
	return w.moveGroups(place{i.ID, created}, incidentLabels(*old), now, incidentLabels(i))
}

// stageState writes the tenant's state.
func (w *indexer) stageState() error {
	record, err := json.Marshal(w.state)
	if err != nil {
		return err
	}
	return w.batch.Set(datadir.Key(tenantTable, w.tenant), record, nil)
}

// rebuildIndexes makes the indexes and counts of a tenant whose last commits, by an older version, did not keep them. A
// crash in the middle makes the next Open begin again: only the last batch sets state.Indexed.
func (s *Store) rebuildIndexes(t *tenant) error {
	if t.state.Indexed == t.state.Version {
		return nil
	}
	w := &indexer{s.reader, t.name, s.dir.DB.NewBatch(), t.state}
	w.state.Groups, w.state.Sources = nil, nil
	for _, table := range []byte{groupTable, mentionTable} {
		prefix := datadir.Key(table, t.name)
		if err := w.batch.DeleteRange(prefix, datadir.PrefixEnd(prefix), nil); err != nil {
			return err
		}
	}
	v := s.openView(t.name)
	defer v.close()
	for _, table := range []byte{alertRows, exposureRows, incidentRows, foldedRows} {
		if err := v.rowTable(table).walkByCreation(timeRange{}, false, func(at place, head []byte) (bool, error) { return true, w.indexRow(table, at, head) }); err != nil {
			return err
		}
	}
	w.state.Indexed = w.state.Version
	if err := w.stageState(); err != nil {
		return err
	}
	if err := s.dir.Apply(w.batch, true); err != nil {
		return err
	}
	t.state = w.state
	return nil
}

// indexRow indexes one row of a table; a batch of more than 8 MiB is written first.
func (w *indexer) indexRow(table byte, at place, head []byte) error {
	if w.batch.Len() > 8<<20 {
		if err := w.dir.Apply(w.batch, false); err != nil {
			return err
		}
		w.batch = w.dir.DB.NewBatch()
	}
	if table == incidentRows {
		i, err := decodeIncident(at.id, at.created, head)
		if err != nil {
			return err
		}
		return w.indexIncident(nil, 0, *i)
	}
	row, err := decodeAlert(at.id, at.created, head)
	if err != nil {
		return err
	}
	m, err := w.readWhole(w.dir.DB, w.tenant, row)
	if err != nil { // damaged: it is listed as before, and found by no name
		m = row.AlertRecord
	}
	return w.indexAlert(nil, 0, m, table)
}
