package localstore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
)

// Load is store.Correlation.
func (s *Store) Load(ctx context.Context, tenant string, refs incident.Refs) (incident.Loaded, error) {
	var out incident.Loaded
	if err := ctx.Err(); err != nil {
		return out, err
	}
	if err := datadir.CheckName("tenant", tenant); err != nil {
		return out, fmt.Errorf("load: %w", err)
	}
	v := s.openView(tenant)
	defer v.close()
	st, err := v.readState()
	if err != nil {
		return out, fmt.Errorf("load from %q: %w", tenant, err)
	}
	out.Version, out.Sequence = st.Version, st.Sequence
	if st.Version == 0 {
		return out, nil
	}
	for _, id := range sortedDistinct(refs.Alerts) {
		out.Alerts, err = appendFound(out.Alerts, err, func() (incident.AlertRecord, error) { return v.storedAlert(id) })
	}
	for _, id := range sortedDistinct(refs.Incidents) {
		out.Incidents, err = appendFound(out.Incidents, err, func() (incident.Incident, error) { return v.storedIncident(id) })
	}
	for _, key := range sortedDistinct(refs.Nodes) {
		out.Nodes, err = appendFound(out.Nodes, err, func() (incident.Node, error) { return v.storedNode(key) })
	}
	if err != nil {
		return incident.Loaded{}, fmt.Errorf("load from %q: %w", tenant, err)
	}
	return out, nil
}

// appendFound appends what get finds; what does not exist is left out, and after an error nothing more is looked for.
func appendFound[T any](to []T, err error, get func() (T, error)) ([]T, error) {
	if err != nil {
		return to, err
	}
	v, err := get()
	switch {
	case err == nil:
		return append(to, v), nil
	case fault.Of(err) == fault.NotFound:
		return to, nil
	}
	return to, err
}

func sortedDistinct(ids []string) []string {
	ids = slices.Clone(ids)
	slices.Sort(ids) // neighbours in the database are read one after the other
	return slices.Compact(ids)
}

// view is one tenant as of one moment.
type view struct {
	*pebble.Snapshot
	store     *Store
	tenant    string
	survivors map[string]string
}

func (s *Store) openView(tenant string) *view {
	return &view{Snapshot: s.dir.DB.NewSnapshot(), store: s, tenant: tenant}
}

func (v *view) close() {
	_ = v.Snapshot.Close() // fails only when closed twice
}

func (v *view) readState() (state, error) {
	var st state
	value, closer, err := v.Get(datadir.Key(tenantTable, v.tenant))
	if errors.Is(err, pebble.ErrNotFound) {
		return st, nil
	}
	if err != nil {
		return st, err
	}
	defer closer.Close()
	return st, json.Unmarshal(value, &st)
}

// storedAlert gives an alert as it was committed: merges and folds not followed.
func (v *view) storedAlert(id string) (incident.AlertRecord, error) {
	row, _, err := findAlert(v, v.tenant, id)
	if err != nil {
		return incident.AlertRecord{}, err
	}
	return v.wholeAlert(row)
}

// wholeAlert reads a row's body.
func (v *view) wholeAlert(row *alertRow) (incident.AlertRecord, error) {
	return v.store.readWhole(v, v.tenant, row)
}

// storedIncident gives an incident as it was committed.
func (v *view) storedIncident(id string) (incident.Incident, error) {
	var i incident.Incident
	f, err := findIncident(v, v.tenant, id)
	if err != nil {
		return i, err
	}
	if err := json.Unmarshal(f.body, &i); err != nil {
		return i, fmt.Errorf("decode incident %s: %w", id, err)
	}
	return i, nil
}

func (v *view) storedNode(key string) (incident.Node, error) {
	value, err := readValue(v, idKey(nodeTable, v.tenant, key))
	if err != nil {
		return incident.Node{}, err
	}
	return decodeNode(key, value)
}

// survivorOf follows merges from an incident to the one that has its content now.
func (v *view) survivorOf(id string) string {
	if id == "" {
		return ""
	}
	if s, known := v.survivors[id]; known {
		return s
	}
	to := id
	for range maxRedirects {
		f, err := findIncident(v, v.tenant, to)
		if err != nil || f.redirect == "" {
			break // an incident that cannot be read is shown as it is
		}
		to = f.redirect
	}
	if v.survivors == nil {
		v.survivors = map[string]string{}
	}
	v.survivors[id] = to
	return to
}

// maxRedirects ends a circle of redirects, which correlation never makes.
const maxRedirects = 1000

// findAlert reads an alert's head by id, and which row table it is in; fault.NotFound when there is none.
func findAlert(r pebble.Reader, tenant, id string) (*alertRow, byte, error) {
	at, err := readValue(r, idKey(alertTable, tenant, id))
	if err != nil {
		return nil, 0, fmt.Errorf("alert %s: %w", id, err)
	}
	if len(at) != 9 {
		return nil, 0, fmt.Errorf("alert %s: %w", id, errHead)
	}
	rows, created := at[0], datadir.Uint(at)
	head, err := readValue(r, timeKey(rows, tenant, created, id))
	if err != nil {
		return nil, 0, fault.Errorf(fault.Again, "alert %s: read head: %w", id, err)
	}
	row, err := decodeAlert(id, created, head)
	return row, rows, err
}

// incidentRecord is an incident as it lies in its table.
type incidentRecord struct {
	created, updated uint64
	redirect         string
	body             []byte
}

func findIncident(r pebble.Reader, tenant, id string) (incidentRecord, error) {
	value, err := readValue(r, idKey(incidentTable, tenant, id))
	if err != nil {
		return incidentRecord{}, fmt.Errorf("incident %s: %w", id, err)
	}
	d := decoder{b: value}
	f := incidentRecord{created: d.takeUint(), updated: d.takeUint(), redirect: d.takeText(), body: d.b}
	if d.bad {
		return f, fmt.Errorf("incident %s: %w", id, errHead)
	}
	return f, nil
}

// readValue reads one value; fault.NotFound when there is none.
func readValue(r pebble.Reader, key []byte) ([]byte, error) {
	v, closer, err := r.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, fault.Errorf(fault.NotFound, "there is none")
	}
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	return slices.Clone(v), nil
}
