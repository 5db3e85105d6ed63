package localstore

import (
	"errors"
	"maps"
	"strings"

	"github.com/cockroachdb/pebble/v2"

	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
)

// clone is a copy that shares no map with st: it changes with the commit, and only if that succeeds.
func (st state) clone() state {
	st.Groups, st.Sources = maps.Clone(st.Groups), maps.Clone(st.Sources)
	return st
}

// indexAlert brings what finds and counts an alert from what it was, nil for new, to what it is.
func (w *commit) indexAlert(old *alertRow, oldRows byte, m incident.AlertRecord, rows byte) error {
	now := place{m.Alert.ID, datadir.TimeKey(m.Created)}
	was, before := now, []label(nil)
	if old != nil {
		was, before = place{m.Alert.ID, old.created}, alertLabels(oldRows, old.AlertRecord)
		w.state.countSource(m, oldRows, -1)
	}
	w.state.countSource(m, rows, 1)
	return errors.Join(w.moveGroups(was, before, now, alertLabels(rows, m)), w.indexMentions(old, oldRows, m, rows))
}

// indexIncident does it for an incident, of which there are no names.
func (w *commit) indexIncident(old *incident.Incident, created uint64, i incident.Incident) error {
	now := place{i.ID, datadir.TimeKey(i.Created)}
	if old == nil {
		return w.moveGroups(now, nil, now, incidentLabels(i))
	}
	return w.moveGroups(place{i.ID, created}, incidentLabels(*old), now, incidentLabels(i))
}

// incidentHead reads what lies in the table of incident rows.
func incidentHead(r pebble.Reader, tenant, id string, created uint64) (*incident.Incident, error) {
	head, err := readValue(r, timeKey(incidentRows, tenant, created, id))
	if err != nil {
		return nil, fault.Errorf(fault.Again, "incident %s: read head: %w", id, err)
	}
	return decodeIncident(id, created, head)
}

// placesNamedIn are the rows that e can hold for when it names them by id, or by the incident that they are in. named is false when
// it does neither.
func (v *view) placesNamedIn(table byte, e query.Expr) (places []place, named bool, err error) {
	if id, ok := textEqualTo(e, query.ID); ok {
		at, found, err := v.placeOf(table, strings.ToLower(id))
		if err == nil && found {
			places = []place{at}
		}
		return places, true, err
	}
	id, ok := textEqualTo(e, query.IncidentID)
	if !ok || table != alertRows {
		return nil, false, nil
	}
	i, err := v.storedIncident(id)
	switch {
	case fault.Of(err) == fault.NotFound: // alerts may say so all the same
		places, err = v.alertsOf([]string{id})
	case err == nil:
		places, err = v.alertsOf(append([]string{id}, i.Merged...))
	}
	return places, true, err
}

// textEqualTo finds the text that e wants a field to have, where it wants one.
func textEqualTo(e query.Expr, f query.Field) (text string, ok bool) {
	switch e := e.(type) {
	case query.And:
		if text, ok = textEqualTo(e.Left, f); ok {
			return text, ok
		}
		return textEqualTo(e.Right, f)
	case query.Compare:
		return e.Text, e.Field == f && e.Op == query.Eq && !e.Null
	}
	return "", false
}

func (v *view) placeOf(table byte, id string) (at place, found bool, err error) {
	if table == incidentRows {
		f, err := findIncident(v, v.tenant, id)
		return place{id, f.created}, err == nil, ignoreNotFound(err)
	}
	row, rows, err := findAlert(v, v.tenant, id)
	if err != nil || rows != table {
		return at, false, ignoreNotFound(err)
	}
	return place{id, row.created}, true, nil
}

// ignoreNotFound is nil where there is none.
func ignoreNotFound(err error) error {
	if fault.Of(err) == fault.NotFound {
		return nil
	}
	return err
}

// rebuildIndexes makes the indexes and counts of a tenant whose last commits did not keep them. It is whole or not there: only the
// last batch says that it is done.
func (s *Store) rebuildIndexes(t *tenant) error {
	if t.state.Indexed == t.state.Version {
		return nil
	}
	w := &commit{store: s, tenant: t, batch: s.dir.DB.NewBatch(), state: t.state}
	w.state.Groups, w.state.Sources = nil, nil
	for _, table := range []byte{groupTable, mentionTable} {
		prefix := datadir.Key(table, t.name)
		if err := w.batch.DeleteRange(prefix, datadir.After(prefix), nil); err != nil {
			return err
		}
	}
	v := s.openView(t.name)
	defer v.close()
	for _, table := range []byte{alertRows, exposureRows, incidentRows, foldedRows} {
		if err := v.walkByCreation(table, timeRange{}, false, func(at place, head []byte) (bool, error) { return true, w.indexRow(table, at, head) }); err != nil {
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

// indexRow indexes one row of a table, and writes what has gathered when that is much.
func (w *commit) indexRow(table byte, at place, head []byte) error {
	const much = 8 << 20
	if w.batch.Len() > much {
		if err := w.store.dir.Apply(w.batch, false); err != nil {
			return err
		}
		w.batch = w.store.dir.DB.NewBatch()
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
	m, err := w.store.readWhole(w.store.dir.DB, w.tenant.name, row)
	if err != nil { // damaged: it is listed as before, and found by no name
		m = row.AlertRecord
	}
	return w.indexAlert(nil, 0, m, table)
}
