package localstore

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
)

// view is one tenant as of one moment.
type view struct {
	*pebble.Snapshot
	reader    *reader
	tenant    string
	survivors map[string]string
}

func (v *view) close() {
	_ = v.Snapshot.Close() // fails only when closed twice
}

func (v *view) rowTable(table byte) rowTable { return rowTable{v, table} }

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
	return v.reader.readWhole(v, v.tenant, row)
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
	rows, created := at[0], datadir.TrailingUint(at)
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

// incidentHead reads what lies in the table of incident rows.
func incidentHead(r pebble.Reader, tenant, id string, created uint64) (*incident.Incident, error) {
	head, err := readValue(r, timeKey(incidentRows, tenant, created, id))
	if err != nil {
		return nil, fault.Errorf(fault.Again, "incident %s: read head: %w", id, err)
	}
	return decodeIncident(id, created, head)
}

// readValue reads the value of a key; fault.NotFound when there is none.
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

// ignoreNotFound returns nil for fault.NotFound, any other error as it is.
func ignoreNotFound(err error) error {
	if fault.Of(err) == fault.NotFound {
		return nil
	}
	return err
}
