package localstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2"

	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
	"github.com/onepane/onepane/shared/store"
)

// readAt runs fn on one moment of a tenant.
func readAt[T any](ctx context.Context, r *reader, tenant, what string, fn func(*view) (T, error)) (T, error) {
	var zero T
	if err := errors.Join(ctx.Err(), datadir.CheckName("tenant", tenant)); err != nil {
		return zero, err
	}
	v := r.openView(tenant)
	defer v.close()
	out, err := fn(v)
	if err != nil {
		return zero, fmt.Errorf("read %s of %q: %w", what, tenant, err)
	}
	return out, nil
}

// Alert is store.Reader.
func (r *reader) Alert(ctx context.Context, tenant, id string) (incident.AlertRecord, error) {
	return readAt(ctx, r, tenant, "alert", func(v *view) (incident.AlertRecord, error) {
		for range maxRedirects {
			row, _, err := findAlert(v, tenant, id)
			if err != nil {
				return incident.AlertRecord{}, err
			}
			if row.FoldedInto == "" {
				return v.shownAlert(row)
			}
			id = row.FoldedInto
		}
		return incident.AlertRecord{}, fmt.Errorf("alert %s: folds go in a circle", id)
	})
}

// shownAlert is a row as readers see it: whole, in the surviving incident.
func (v *view) shownAlert(row *alertRow) (incident.AlertRecord, error) {
	m, err := v.wholeAlert(row)
	m.Incident = v.survivorOf(m.Incident)
	return m, err
}

// readWhole reads a row's body, from the log or from beside it.
func (r *reader) readWhole(from pebble.Reader, tenant string, row *alertRow) (incident.AlertRecord, error) {
	var body []byte
	var err error
	if row.Position != 0 {
		body, err = r.log.DataAt(from, tenant, row.Position)
	} else {
		body, err = readValue(from, idKey(bodyTable, tenant, row.Alert.ID))
	}
	if err != nil { // not found would read as "no such alert", and there is one
		return incident.AlertRecord{}, fault.Errorf(fault.Again, "alert %s: read body: %w", row.Alert.ID, err)
	}
	return row.decodeWhole(body)
}

// Alerts is store.Reader.
func (r *reader) Alerts(ctx context.Context, tenant string, q query.Query) (store.Page[incident.AlertRecord], error) {
	return readAt(ctx, r, tenant, "alerts", func(v *view) (store.Page[incident.AlertRecord], error) {
		return r.listAlerts(ctx, v, alertRows, q)
	})
}

// Exposures is store.Reader.
func (r *reader) Exposures(ctx context.Context, tenant string, q query.Query) (store.Page[incident.AlertRecord], error) {
	return readAt(ctx, r, tenant, "exposures", func(v *view) (store.Page[incident.AlertRecord], error) {
		return r.listAlerts(ctx, v, exposureRows, q)
	})
}

func (r *reader) listAlerts(ctx context.Context, v *view, table byte, q query.Query) (store.Page[incident.AlertRecord], error) {
	st, err := v.readState()
	if err != nil {
		return store.Page[incident.AlertRecord]{}, err
	}
	l := v.alertListing(table)
	l.groups, l.total = &st, st.Rows.Alerts
	if table == exposureRows {
		l.total = st.Rows.Exposures
	}
	return l.answerPage(ctx, q)
}

func (v *view) alertListing(table byte) listing[*alertRow, incident.AlertRecord] {
	return listing[*alertRow, incident.AlertRecord]{
		rows: v.rowTable(table), show: v.shownAlert, total: -1, order: query.NewestFirst,
		decode: func(at place, head []byte) (*alertRow, error) {
			row, err := decodeAlert(at.id, at.created, head)
			if row != nil {
				row.view = v
			}
			return row, err
		},
	}
}

// Incident is store.Reader.
func (r *reader) Incident(ctx context.Context, tenant, id string) (incident.Incident, error) {
	return readAt(ctx, r, tenant, "incident", func(v *view) (incident.Incident, error) { return v.shownIncident(id) })
}

// shownIncident is an incident as readers see it: a redirect leads to the survivor at once.
func (v *view) shownIncident(id string) (incident.Incident, error) {
	i, err := v.storedIncident(id)
	if i.RedirectTo != "" {
		i.RedirectTo = v.survivorOf(i.RedirectTo)
	}
	return i, err
}

// Incidents is store.Reader.
func (r *reader) Incidents(ctx context.Context, tenant string, q query.Query) (store.Page[incident.Incident], error) {
	return readAt(ctx, r, tenant, "incidents", func(v *view) (store.Page[incident.Incident], error) {
		st, err := v.readState()
		if err != nil {
			return store.Page[incident.Incident]{}, err
		}
		l := listing[*incident.Incident, incident.Incident]{
			rows: v.rowTable(incidentRows), groups: &st, total: st.Rows.Incidents, order: query.NewestFirst,
			decode: func(at place, head []byte) (*incident.Incident, error) {
				return decodeIncident(at.id, at.created, head)
			},
			show: func(i *incident.Incident) (incident.Incident, error) { return v.shownIncident(i.ID) },
		}
		return l.answerPage(ctx, q)
	})
}

// IncidentAlerts is store.Reader; an incident that does not exist is fault.NotFound.
func (r *reader) IncidentAlerts(ctx context.Context, tenant, id string, q query.Query) (store.Page[incident.AlertRecord], error) {
	return readAt(ctx, r, tenant, "alerts of incident "+id, func(v *view) (store.Page[incident.AlertRecord], error) {
		i, err := v.storedIncident(v.survivorOf(id))
		if err != nil {
			return store.Page[incident.AlertRecord]{}, err
		}
		places, err := v.alertsOf(append([]string{i.ID}, i.Merged...))
		if err != nil {
			return store.Page[incident.AlertRecord]{}, err
		}
		l := v.alertListing(alertRows)
		l.total = int64(len(places))
		l.order = []query.Order{{Field: query.FirstActivity}}
		l.walk = func(do visitFunc) error { return v.rowTable(alertRows).walkPlaces(places, do) }
		return l.answerPage(ctx, q)
	})
}

// alertsOf names the alerts of incidents, by first activity. It remembers places only: a large incident costs some 50
// bytes an alert here.
func (v *view) alertsOf(incidents []string) ([]place, error) {
	type entry struct {
		first uint64
		place
	}
	var all []entry
	slices.Sort(incidents)
	for _, id := range slices.Compact(incidents) {
		if datadir.CheckName("incident", id) != nil {
			return nil, fault.Errorf(fault.NotFound, "incident %q", id)
		}
		prefix := datadir.Key(incidentAlerts, v.tenant, id)
		it, err := v.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: datadir.PrefixEnd(prefix)})
		if err != nil {
			return nil, err
		}
		for ok := it.First(); ok; ok = it.Next() {
			k := it.Key()[len(prefix):]
			all = append(all, entry{datadir.TrailingUint(k[:8]), place{string(k[8:]), datadir.TrailingUint(it.Value())}})
		}
		if err := it.Close(); err != nil {
			return nil, err
		}
	}
	if len(incidents) > 1 {
		slices.SortFunc(all, func(a, b entry) int {
			return cmp.Or(cmp.Compare(a.first, b.first), strings.Compare(a.id, b.id))
		})
	}
	out := make([]place, len(all))
	for i, m := range all {
		out[i] = m.place
	}
	return out, nil
}
