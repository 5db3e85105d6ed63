package cosmos

import (
	"context"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/incident"
)

// Load is store.Correlation.
func (s *Store) Load(ctx context.Context, name string, refs incident.Refs) (incident.Loaded, error) {
	out, err := s.loadRefs(ctx, s.tenantByName(name), refs)
	if err != nil {
		return incident.Loaded{}, fmt.Errorf("load from %q: %w", name, err)
	}
	return out, nil
}

func (s *Store) loadRefs(ctx context.Context, t *tenant, refs incident.Refs) (incident.Loaded, error) {
	v, err := s.currentView(ctx, t)
	if err != nil || !v.exists() {
		return incident.Loaded{}, err
	}
	out := incident.Loaded{Version: v.manifest.Version, Sequence: v.manifest.Sequence}
	var names, keys []string
	for _, key := range sortedUnique(refs.Nodes) {
		if isShortLived(key) {
			names = append(names, key)
		} else {
			keys = append(keys, key)
		}
	}
	ids := sortedUnique(refs.Alerts)
	rows, err := s.findRows(ctx, t, v, ids)
	if err != nil {
		return out, err
	}
	if out.Alerts, err = s.readAlerts(ctx, t, rowsInOrder(ids, rows)); err != nil {
		return out, err
	}
	incidents, err := s.findIncidents(ctx, t, v, sortedUnique(refs.Incidents))
	if err != nil {
		return out, err
	}
	for _, i := range incidents {
		out.Incidents = append(out.Incidents, clone(i.Incident))
	}
	short, err := s.findShortLived(ctx, t, v, names)
	if err != nil {
		return out, err
	}
	long, err := s.findNodes(ctx, t, v, keys)
	out.Nodes = append(short, long...)
	return out, err
}

func sortedUnique(ids []string) []string {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return slices.Compact(ids)
}

func rowsInOrder(ids []string, rows map[string]*alertRow) []*alertRow {
	var out []*alertRow
	for _, id := range ids {
		if r := rows[id]; r != nil {
			out = append(out, r)
		}
	}
	return out
}

// readAlerts gives rows their bodies; each blob is read once.
func (s *Store) readAlerts(ctx context.Context, t *tenant, rows []*alertRow) ([]incident.AlertRecord, error) {
	out := make([]incident.AlertRecord, len(rows))
	byBlob := map[blobRef][]int{}
	for i, r := range rows {
		byBlob[r.Body.Blob] = append(byBlob[r.Body.Blob], i)
	}
	refs := make([]blobRef, 0, len(byBlob))
	for ref := range byBlob {
		refs = append(refs, ref)
	}
	err := each(ctx, len(refs), func(ctx context.Context, n int) error {
		data, err := s.getBlob(ctx, s.blobs, t.name, refs[n])
		if err != nil {
			return err
		}
		var bodies []jsontext.Value
		if err := decodeFrame(data, &bodies); err != nil {
			return fmt.Errorf("%s: %w", describeItem("bodies", t.name, refs[n].ID), err)
		}
		for _, i := range byBlob[refs[n]] {
			if out[i], err = rows[i].withBody(bodies); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// withBody puts the body in the place of the head.
func (r *alertRow) withBody(bodies []jsontext.Value) (incident.AlertRecord, error) {
	m := r.AlertRecord
	m.Alert = alert.Alert{}
	m = clone(m)
	if r.Body.N < 0 || r.Body.N >= len(bodies) {
		return m, fmt.Errorf("alert %s: damaged item: no body %d of %d", r.Alert.ID, r.Body.N, len(bodies))
	}
	if err := json.Unmarshal(bodies[r.Body.N], &m.Alert); err != nil {
		return m, fmt.Errorf("alert %s: damaged item: %w", r.Alert.ID, err)
	}
	return m, nil
}
