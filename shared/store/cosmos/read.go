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

// reader is one question of a reader about one tenant.
type reader struct {
	*Store
	tenant    *tenant
	view      *view
	survivors map[string]string
}

// readTenant runs fn on one view of a tenant.
func readTenant[T any](ctx context.Context, s *Store, name, what string, fn func(*reader) (T, error)) (T, error) {
	var zero T
	t := s.tenantByName(name)
	v, err := s.currentView(ctx, t)
	if err != nil {
		return zero, fmt.Errorf("read %s of %q: %w", what, name, err)
	}
	out, err := fn(&reader{Store: s, tenant: t, view: v, survivors: map[string]string{}})
	if err != nil {
		return zero, fmt.Errorf("read %s of %q: %w", what, name, err)
	}
	return out, nil
}

// Alert is store.Reader.
func (s *Store) Alert(ctx context.Context, tenant, id string) (incident.AlertRecord, error) {
	return readTenant(ctx, s, tenant, "alert", func(r *reader) (incident.AlertRecord, error) {
		for range maxRedirects {
			row, err := r.findAlert(ctx, id)
			if err != nil {
				return incident.AlertRecord{}, err
			}
			if row.FoldedInto != "" {
				id = row.FoldedInto
				continue
			}
			shown, err := r.showAlerts(ctx, []*shownRow{{row, row.Incident}})
			if err != nil {
				return incident.AlertRecord{}, err
			}
			return shown[0], nil
		}
		return incident.AlertRecord{}, fmt.Errorf("alert %s: folds go in a circle", id)
	})
}

func (r *reader) findAlert(ctx context.Context, id string) (*alertRow, error) {
	if !r.view.exists() {
		return nil, fault.Errorf(fault.NotFound, "there is no alert %s", id)
	}
	rows, err := r.findRows(ctx, r.tenant, r.view, []string{id})
	if err == nil && rows[id] == nil {
		err = fault.Errorf(fault.NotFound, "there is no alert %s", id)
	}
	return rows[id], err
}

// Alerts is store.Reader.
func (s *Store) Alerts(ctx context.Context, tenant string, q query.Query) (store.Page[incident.AlertRecord], error) {
	return readTenant(ctx, s, tenant, "alerts", func(r *reader) (store.Page[incident.AlertRecord], error) {
		return r.listAlerts(ctx, alertKind, r.view.manifest.Rows.Alerts, q)
	})
}

// Exposures is store.Reader.
func (s *Store) Exposures(ctx context.Context, tenant string, q query.Query) (store.Page[incident.AlertRecord], error) {
	return readTenant(ctx, s, tenant, "exposures", func(r *reader) (store.Page[incident.AlertRecord], error) {
		return r.listAlerts(ctx, exposureKind, r.view.manifest.Rows.Exposures, q)
	})
}

// shownRow is a row as readers see it: in the survivor of merges.
type shownRow struct {
	*alertRow
	survivor string
}

// Text is query.Row.
func (m *shownRow) Text(f query.Field) string {
	if f == query.IncidentID {
		return m.survivor
	}
	return m.alertRow.Text(f)
}

func (r *reader) listAlerts(ctx context.Context, kind string, total int64, q query.Query) (store.Page[incident.AlertRecord], error) {
	l, err := r.newAlertListing(ctx, kind, func(*alertRow) bool { return true })
	if err != nil {
		return store.Page[incident.AlertRecord]{}, err
	}
	l.total = total
	return l.readPage(ctx, q)
}

// newAlertListing is of the rows of a kind that are wanted.
func (r *reader) newAlertListing(ctx context.Context, kind string, wanted func(*alertRow) bool) (listing[*shownRow, incident.AlertRecord], error) {
	l := listing[*shownRow, incident.AlertRecord]{total: -1, order: newestFirst, showRows: r.showAlerts, runQuery: r.queryTables, mergedInto: r.mergedInto(ctx)}
	l.items = "c.type = 'commit' AND c.v <= @last AND " + l.params.whereTerm(kindTerm(kind))
	take := func(to []*shownRow, row *alertRow) ([]*shownRow, error) {
		if row.Purged || kindOf(row.AlertRecord) != kind || !wanted(row) {
			return to, nil
		}
		survivor, err := r.survivorOf(ctx, row.Incident)
		return append(to, &shownRow{row, survivor}), err
	}
	for _, row := range r.view.rows {
		var err error
		if l.logRows, err = take(l.logRows, row); err != nil {
			return l, err
		}
	}
	l.decodeRows = func(ctx context.Context, item []byte) ([]*shownRow, error) {
		it, c, err := r.decodeCommit(ctx, r.tenant, item)
		if err != nil {
			return nil, err
		}
		var out []*shownRow
		for i := range c.Rows {
			if c.Rows[i].Origin != it.V || r.view.rows[c.Rows[i].Alert.ID] != nil {
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

// queryTables asks the tenant's tables.
func (r *reader) queryTables(ctx context.Context, q sqlQuery, span string, desc bool, do func([]byte) (bool, error)) error {
	return r.queryVolumes(ctx, r.tenant, r.view.manifest, q, span, desc, do)
}

// survivorOf is the incident that has an incident's content now.
func (r *reader) survivorOf(ctx context.Context, id string) (string, error) {
	if to, known := r.survivors[id]; known || id == "" {
		return to, nil
	}
	to, err := r.Store.survivorOf(ctx, r.tenant, r.view, id)
	r.survivors[id] = to
	return to, err
}

// mergedInto gives the incidents whose rows are shown as that one's: itself and all that were merged into it.
func (r *reader) mergedInto(ctx context.Context) func(id string) []string {
	return func(id string) []string {
		i, err := r.findIncident(ctx, r.tenant, r.view, id)
		if err != nil || i == nil {
			return []string{id}
		}
		return append([]string{id}, i.Merged...)
	}
}

// showAlerts gives rows their bodies and survivors.
func (r *reader) showAlerts(ctx context.Context, rows []*shownRow) ([]incident.AlertRecord, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	plain := make([]*alertRow, len(rows))
	for i := range rows {
		plain[i] = rows[i].alertRow
	}
	out, err := r.readAlerts(ctx, r.tenant, plain)
	for i := range out {
		if err != nil {
			return nil, err
		}
		out[i].Incident, err = r.survivorOf(ctx, rows[i].Incident)
	}
	return out, err
}

// Incident is store.Reader.
func (s *Store) Incident(ctx context.Context, tenant, id string) (incident.Incident, error) {
	return readTenant(ctx, s, tenant, "incident", func(r *reader) (incident.Incident, error) {
		i, err := r.Store.findIncident(ctx, r.tenant, r.view, id)
		if err != nil {
			return incident.Incident{}, err
		}
		if i == nil {
			return incident.Incident{}, fault.Errorf(fault.NotFound, "there is no incident %s", id)
		}
		return r.showIncident(ctx, i)
	})
}

// showIncident leads a redirect to the survivor at once.
func (r *reader) showIncident(ctx context.Context, i *incidentRow) (incident.Incident, error) {
	out := clone(i.Incident)
	if out.RedirectTo == "" {
		return out, nil
	}
	var err error
	out.RedirectTo, err = r.survivorOf(ctx, out.RedirectTo)
	return out, err
}

// Incidents is store.Reader.
func (s *Store) Incidents(ctx context.Context, tenant string, q query.Query) (store.Page[incident.Incident], error) {
	return readTenant(ctx, s, tenant, "incidents", func(r *reader) (store.Page[incident.Incident], error) {
		l := listing[*incidentRow, incident.Incident]{
			items: "c.type = 'incidents'", total: r.view.manifest.Rows.Incidents, order: newestFirst, runQuery: r.queryTables,
			showRows: func(ctx context.Context, rows []*incidentRow) ([]incident.Incident, error) {
				var out []incident.Incident
				for _, i := range rows {
					shown, err := r.showIncident(ctx, i)
					if err != nil {
						return nil, err
					}
					out = append(out, shown)
				}
				return out, nil
			},
			decodeRows: func(ctx context.Context, item []byte) ([]*incidentRow, error) {
				all, err := r.decodePage(ctx, r.tenant, item)
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
			if !i.Purged {
				l.logRows = append(l.logRows, i)
			}
		}
		return l.readPage(ctx, q)
	})
}

// IncidentAlerts is store.Reader; an incident that does not exist is fault.NotFound.
func (s *Store) IncidentAlerts(ctx context.Context, tenant, id string, q query.Query) (store.Page[incident.AlertRecord], error) {
	return readTenant(ctx, s, tenant, "alerts of incident "+id, func(r *reader) (store.Page[incident.AlertRecord], error) {
		to, err := r.survivorOf(ctx, id)
		if err != nil {
			return store.Page[incident.AlertRecord]{}, err
		}
		i, err := r.Store.findIncident(ctx, r.tenant, r.view, to)
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
		l, err := r.newAlertListing(ctx, alertKind, func(row *alertRow) bool { return holders[row.Incident] })
		if err != nil {
			return store.Page[incident.AlertRecord]{}, err
		}
		l.items = joinConditions(l.items, "AND", l.params.whereIncidents(sortedKeys(holders)))
		l.order = []query.Order{{Field: query.FirstActivity}}
		return l.readPage(ctx, q)
	})
}

// spanBound reads one span of an item, without the rest.
func spanBound(item []byte, span string) (int64, error) {
	var z zoneMap
	if err := json.Unmarshal(item, &z); err != nil {
		return 0, fmt.Errorf("damaged item: %w", err)
	}
	at := map[string]*int64{"c.cmin": z.CMin, "c.cmax": z.CMax, "c.umin": z.UMin, "c.umax": z.UMax, "c.fmin": z.FMin, "c.fmax": z.FMax}[span]
	if at == nil {
		return 0, fmt.Errorf("damaged item: no %s", span)
	}
	return *at, nil
}
