package cosmos

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
	"github.com/onepane/onepane/shared/store"
)

// reading is one question of a reader about one tenant.
type reading struct {
	*Store
	tenant    *tenant
	view      *view
	survivors map[string]string
}

// read runs fn on one view of a tenant.
func read[T any](ctx context.Context, s *Store, name, what string, fn func(*reading) (T, error)) (T, error) {
	var zero T
	t := s.tenant(name)
	v, err := s.view(ctx, t)
	if err != nil {
		return zero, fmt.Errorf("read %s of %q: %w", what, name, err)
	}
	out, err := fn(&reading{Store: s, tenant: t, view: v, survivors: map[string]string{}})
	if err != nil {
		return zero, fmt.Errorf("read %s of %q: %w", what, name, err)
	}
	return out, nil
}

// Alert is store.Reader.
func (s *Store) Alert(ctx context.Context, tenant, id string) (incident.AlertRecord, error) {
	return read(ctx, s, tenant, "alert", func(r *reading) (incident.AlertRecord, error) {
		for range maxRedirects {
			row, err := r.row(ctx, id)
			if err != nil {
				return incident.AlertRecord{}, err
			}
			if row.FoldedInto != "" {
				id = row.FoldedInto
				continue
			}
			shown, err := r.shown(ctx, []*memberRow{{row, row.Incident}})
			if err != nil {
				return incident.AlertRecord{}, err
			}
			return shown[0], nil
		}
		return incident.AlertRecord{}, fmt.Errorf("alert %s: folds go in a circle", id)
	})
}

func (r *reading) row(ctx context.Context, id string) (*row, error) {
	if !r.view.exists() {
		return nil, fault.Errorf(fault.NotFound, "there is no alert %s", id)
	}
	rows, _, err := r.rowsOf(ctx, r.tenant, r.view, []string{id}, nil)
	if err == nil && rows[id] == nil {
		err = fault.Errorf(fault.NotFound, "there is no alert %s", id)
	}
	return rows[id], err
}

// Alerts is store.Reader.
func (s *Store) Alerts(ctx context.Context, tenant string, q query.Query) (store.Page[incident.AlertRecord], error) {
	return read(ctx, s, tenant, "alerts", func(r *reading) (store.Page[incident.AlertRecord], error) {
		return r.members(ctx, alertRows, r.view.root.Rows.Alerts, q)
	})
}

// Exposures is store.Reader.
func (s *Store) Exposures(ctx context.Context, tenant string, q query.Query) (store.Page[incident.AlertRecord], error) {
	return read(ctx, s, tenant, "exposures", func(r *reading) (store.Page[incident.AlertRecord], error) {
		return r.members(ctx, exposureRows, r.view.root.Rows.Exposures, q)
	})
}

// memberRow is a row as readers see it: in the survivor of merges.
type memberRow struct {
	*row
	survivor string
}

// Text is query.Row.
func (m *memberRow) Text(f query.Field) string {
	if f == query.IncidentID {
		return m.survivor
	}
	return m.row.Text(f)
}

func (r *reading) members(ctx context.Context, kind string, total int64, q query.Query) (store.Page[incident.AlertRecord], error) {
	l, err := r.listing(ctx, kind, func(*row) bool { return true })
	if err != nil {
		return store.Page[incident.AlertRecord]{}, err
	}
	l.total = total
	return l.answer(ctx, q)
}

// listing is of the rows of a kind that are wanted.
func (r *reading) listing(ctx context.Context, kind string, wanted func(*row) bool) (listing[*memberRow, incident.AlertRecord], error) {
	l := listing[*memberRow, incident.AlertRecord]{total: -1, order: newestFirst, show: r.shown, ask: r.ask, merged: r.merged(ctx)}
	l.items = "c.type = 'commit' AND c.v <= @last AND " + l.params.term(rowsTerm(kind))
	take := func(to []*memberRow, row *row) ([]*memberRow, error) {
		if row.Gone || kindOf(row.AlertRecord) != kind || !wanted(row) {
			return to, nil
		}
		survivor, err := r.survives(ctx, row.Incident)
		return append(to, &memberRow{row, survivor}), err
	}
	for _, row := range r.view.rows {
		var err error
		if l.tail, err = take(l.tail, row); err != nil {
			return l, err
		}
	}
	l.rows = func(ctx context.Context, item []byte) ([]*memberRow, error) {
		it, c, err := r.commitItem(ctx, r.tenant, item)
		if err != nil {
			return nil, err
		}
		var out []*memberRow
		for i := range c.Rows {
			if c.Rows[i].Home != it.V || r.view.rows[c.Rows[i].Alert.ID] != nil {
				continue
			}
			if out, err = take(out, &c.Rows[i]); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return l, nil
}

// ask asks the tenant's tables.
func (r *reading) ask(ctx context.Context, q question, span string, desc bool, do func([]byte) (bool, error)) error {
	return r.inVolumes(ctx, r.tenant, r.view.root, q, span, desc, do)
}

// survives is the incident that has an incident's content now.
func (r *reading) survives(ctx context.Context, id string) (string, error) {
	if to, known := r.survivors[id]; known || id == "" {
		return to, nil
	}
	to, err := r.survivor(ctx, r.tenant, r.view, id)
	r.survivors[id] = to
	return to, err
}

// merged gives the incidents whose rows are shown as that one's: itself and all that were merged into it.
func (r *reading) merged(ctx context.Context) func(id string) []string {
	return func(id string) []string {
		i, err := r.incident(ctx, r.tenant, r.view, id)
		if err != nil || i == nil {
			return []string{id}
		}
		return append([]string{id}, i.Merged...)
	}
}

// shown gives rows their bodies and survivors.
func (r *reading) shown(ctx context.Context, rows []*memberRow) ([]incident.AlertRecord, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	plain := make([]*row, len(rows))
	for i := range rows {
		plain[i] = rows[i].row
	}
	out, err := r.whole(ctx, r.tenant, plain)
	for i := range out {
		if err != nil {
			return nil, err
		}
		out[i].Incident, err = r.survives(ctx, rows[i].Incident)
	}
	return out, err
}

// Incident is store.Reader.
func (s *Store) Incident(ctx context.Context, tenant, id string) (incident.Incident, error) {
	return read(ctx, s, tenant, "incident", func(r *reading) (incident.Incident, error) {
		i, err := r.Store.incident(ctx, r.tenant, r.view, id)
		if err != nil {
			return incident.Incident{}, err
		}
		if i == nil {
			return incident.Incident{}, fault.Errorf(fault.NotFound, "there is no incident %s", id)
		}
		return r.shownIncident(ctx, i)
	})
}

// shownIncident leads a redirect to the survivor at once.
func (r *reading) shownIncident(ctx context.Context, i *incidentRow) (incident.Incident, error) {
	out := own(i.Incident)
	if out.RedirectTo == "" {
		return out, nil
	}
	var err error
	out.RedirectTo, err = r.survives(ctx, out.RedirectTo)
	return out, err
}

// Incidents is store.Reader.
func (s *Store) Incidents(ctx context.Context, tenant string, q query.Query) (store.Page[incident.Incident], error) {
	return read(ctx, s, tenant, "incidents", func(r *reading) (store.Page[incident.Incident], error) {
		l := listing[*incidentRow, incident.Incident]{
			items: "c.type = 'incidents'", total: r.view.root.Rows.Incidents, order: newestFirst, ask: r.ask,
			show: func(ctx context.Context, rows []*incidentRow) ([]incident.Incident, error) {
				var out []incident.Incident
				for _, i := range rows {
					shown, err := r.shownIncident(ctx, i)
					if err != nil {
						return nil, err
					}
					out = append(out, shown)
				}
				return out, nil
			},
			rows: func(ctx context.Context, item []byte) ([]*incidentRow, error) {
				all, err := r.incidentsItem(ctx, r.tenant, item)
				var out []*incidentRow
				for id, i := range all {
					if r.view.incidents[id] == nil {
						out = append(out, i)
					}
				}
				return out, err
			},
		}
		for _, i := range r.view.incidents {
			if !i.Gone {
				l.tail = append(l.tail, i)
			}
		}
		return l.answer(ctx, q)
	})
}

// IncidentAlerts is store.Reader; an incident that does not exist is fault.NotFound.
func (s *Store) IncidentAlerts(ctx context.Context, tenant, id string, q query.Query) (store.Page[incident.AlertRecord], error) {
	return read(ctx, s, tenant, "alerts of incident "+id, func(r *reading) (store.Page[incident.AlertRecord], error) {
		to, err := r.survives(ctx, id)
		if err != nil {
			return store.Page[incident.AlertRecord]{}, err
		}
		i, err := r.Store.incident(ctx, r.tenant, r.view, to)
		if err != nil {
			return store.Page[incident.AlertRecord]{}, err
		}
		if i == nil {
			return store.Page[incident.AlertRecord]{}, fault.Errorf(fault.NotFound, "there is no incident %s", id)
		}
		holders := map[string]bool{to: true}
		for _, m := range i.Merged {
			holders[m] = true
		}
		l, err := r.listing(ctx, alertRows, func(row *row) bool { return holders[row.Incident] })
		if err != nil {
			return store.Page[incident.AlertRecord]{}, err
		}
		l.items = both(l.items, "AND", l.params.any(sorted(holders)))
		l.order = []query.Order{{Field: query.FirstActivity}}
		return l.answer(ctx, q)
	})
}

// boundOf reads one span of an item, without the rest.
func boundOf(item []byte, span string) (int64, error) {
	var z zones
	if err := json.Unmarshal(item, &z); err != nil {
		return 0, fmt.Errorf("damaged item: %w", err)
	}
	at := map[string]*int64{"c.cmin": z.CMin, "c.cmax": z.CMax, "c.umin": z.UMin, "c.umax": z.UMax, "c.fmin": z.FMin, "c.fmax": z.FMax}[span]
	if at == nil {
		return 0, fmt.Errorf("damaged item: no %s", span)
	}
	return *at, nil
}
