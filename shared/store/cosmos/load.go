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
	out, err := s.load(ctx, s.tenant(name), refs)
	if err != nil {
		return incident.Loaded{}, fmt.Errorf("load from %q: %w", name, err)
	}
	return out, nil
}

func (s *Store) load(ctx context.Context, t *tenant, refs incident.Refs) (incident.Loaded, error) {
	v, err := s.view(ctx, t)
	if err != nil || !v.exists() {
		return incident.Loaded{}, err
	}
	out := incident.Loaded{Version: v.root.Version, Sequence: v.root.Sequence}
	var names, keys []string
	for _, key := range distinct(refs.Nodes) {
		if isName(key) {
			names = append(names, key)
		} else {
			keys = append(keys, key)
		}
	}
	ids := distinct(refs.Alerts)
	rows, nodes, err := s.rowsOf(ctx, t, v, ids, names)
	if err != nil {
		return out, err
	}
	if out.Alerts, err = s.whole(ctx, t, inOrder(ids, rows)); err != nil {
		return out, err
	}
	incidents, err := s.incidentsOf(ctx, t, v, distinct(refs.Incidents))
	if err != nil {
		return out, err
	}
	for _, i := range incidents {
		out.Incidents = append(out.Incidents, own(i.Incident))
	}
	more, err := s.nodesOf(ctx, t, v, keys)
	out.Nodes = append(nodes, more...)
	return out, err
}

func distinct(ids []string) []string {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return slices.Compact(ids)
}

func inOrder(ids []string, rows map[string]*row) []*row {
	var out []*row
	for _, id := range ids {
		if r := rows[id]; r != nil {
			out = append(out, r)
		}
	}
	return out
}

// whole gives rows their bodies; each blob is read once.
func (s *Store) whole(ctx context.Context, t *tenant, rows []*row) ([]incident.AlertRecord, error) {
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
		data, err := s.get(ctx, s.blobs, t.name, refs[n])
		if err != nil {
			return err
		}
		var bodies []jsontext.Value
		if err := unpack(data, &bodies); err != nil {
			return fmt.Errorf("%s: %w", describe("bodies", t.name, refs[n].ID), err)
		}
		for _, i := range byBlob[refs[n]] {
			if out[i], err = rows[i].whole(bodies); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// whole puts the body in the place of the head.
func (r *row) whole(bodies []jsontext.Value) (incident.AlertRecord, error) {
	m := r.AlertRecord
	m.Alert = alert.Alert{}
	m = own(m)
	if r.Body.N < 0 || r.Body.N >= len(bodies) {
		return m, fmt.Errorf("alert %s: damaged item: no body %d of %d", r.Alert.ID, r.Body.N, len(bodies))
	}
	if err := json.Unmarshal(bodies[r.Body.N], &m.Alert); err != nil {
		return m, fmt.Errorf("alert %s: damaged item: %w", r.Alert.ID, err)
	}
	return m, nil
}
