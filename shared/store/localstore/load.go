package localstore

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
)

// reader answers what was committed, each call as of one moment.
type reader struct {
	dir    *datadir.Dir
	log    *datadir.Log
	looked atomic.Int64 // rows that listings looked at
}

func (r *reader) openView(tenant string) *view {
	return &view{Snapshot: r.dir.DB.NewSnapshot(), reader: r, tenant: tenant}
}

// Load is store.Correlation.
func (r *reader) Load(ctx context.Context, tenant string, refs incident.Refs) (incident.Loaded, error) {
	var out incident.Loaded
	if err := ctx.Err(); err != nil {
		return out, err
	}
	if err := datadir.CheckName("tenant", tenant); err != nil {
		return out, fmt.Errorf("load: %w", err)
	}
	v := r.openView(tenant)
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
