package cosmos

import (
	"context"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/sync/errgroup"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/store/cosmos/cosmosdb"
	"github.com/onepane/onepane/shared/store/cosmos/frame"
)

// loadRefs reads what refs name. A tenant never seen has nothing.
func (v *view) loadRefs(ctx context.Context, refs incident.Refs) (incident.Loaded, error) {
	if !v.exists() {
		return incident.Loaded{}, nil
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
	rows, err := v.findRows(ctx, ids)
	if err != nil {
		return out, err
	}
	if out.Alerts, err = v.readAlerts(ctx, rowsInOrder(ids, rows)); err != nil {
		return out, err
	}
	incidents, err := v.findIncidents(ctx, sortedUnique(refs.Incidents))
	if err != nil {
		return out, err
	}
	for _, i := range incidents {
		out.Incidents = append(out.Incidents, clone(i.Incident))
	}
	short, err := v.findShortLived(ctx, names)
	if err != nil {
		return out, err
	}
	long, err := v.findNodes(ctx, keys)
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
func (t *tenant) readAlerts(ctx context.Context, rows []*alertRow) ([]incident.AlertRecord, error) {
	out := make([]incident.AlertRecord, len(rows))
	byBlob := map[cosmosdb.BlobRef][]int{}
	for i, r := range rows {
		byBlob[r.Body.Blob] = append(byBlob[r.Body.Blob], i)
	}
	reads, readCtx := errgroup.WithContext(ctx)
	reads.SetLimit(parallel)
	for ref, places := range byBlob {
		reads.Go(func() error {
			data, err := t.blobs.GetBlob(readCtx, t.Name, ref)
			if err != nil {
				return err
			}
			var bodies []jsontext.Value
			if err := frame.Decode(data, &bodies); err != nil {
				return fmt.Errorf("bodies %s: %w", ref.ID, err)
			}
			for _, i := range places {
				if out[i], err = rows[i].withBody(bodies); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return out, reads.Wait()
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
