package cosmos

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
	"github.com/onepane/onepane/shared/store"
)

// reader is one question of a reader about one tenant.
type reader struct {
	*view
	survivors map[string]string
}

// readTenant runs fn on one view of a tenant.
func readTenant[T any](ctx context.Context, s *Store, name, what string, fn func(*reader) (T, error)) (T, error) {
	var zero T
	v, err := s.tenantByName(name).currentView(ctx)
	if err != nil {
		return zero, fmt.Errorf("read %s of %q: %w", what, name, err)
	}
	out, err := fn(&reader{view: v, survivors: map[string]string{}})
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
	if !r.exists() {
		return nil, fault.Errorf(fault.NotFound, "there is no alert %s", id)
	}
	rows, err := r.findRows(ctx, []string{id})
	if err == nil && rows[id] == nil {
		err = fault.Errorf(fault.NotFound, "there is no alert %s", id)
	}
	return rows[id], err
}

// Alerts is store.Reader.
func (s *Store) Alerts(ctx context.Context, tenant string, q query.Query) (store.Page[incident.AlertRecord], error) {
	return readTenant(ctx, s, tenant, "alerts", func(r *reader) (store.Page[incident.AlertRecord], error) {
		return r.listAlerts(ctx, alertKind, r.manifest.Rows.Alerts, q)
	})
}

// Exposures is store.Reader.
func (s *Store) Exposures(ctx context.Context, tenant string, q query.Query) (store.Page[incident.AlertRecord], error) {
	return readTenant(ctx, s, tenant, "exposures", func(r *reader) (store.Page[incident.AlertRecord], error) {
		return r.listAlerts(ctx, exposureKind, r.manifest.Rows.Exposures, q)
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
	l := listing[*shownRow, incident.AlertRecord]{total: -1, order: newestFirst, showRows: r.showAlerts, runQuery: r.queryVolumes, mergedInto: r.mergedInto(ctx)}
	l.items = "c.type = 'commit' AND c.v <= @last AND " + l.params.whereTerm(kindTerm(kind))
	take := func(to []*shownRow, row *alertRow) ([]*shownRow, error) {
		if row.Purged || kindOf(row.AlertRecord) != kind || !wanted(row) {
			return to, nil
		}
		survivor, err := r.survivorOf(ctx, row.Incident)
		return append(to, &shownRow{row, survivor}), err
	}
	for _, row := range r.rows {
		var err error
		if l.logRows, err = take(l.logRows, row); err != nil {
			return l, err
		}
	}
	l.decodeRows = func(ctx context.Context, item []byte) ([]*shownRow, error) {
		it, c, err := r.decodeCommit(ctx, item)
		if err != nil {
			return nil, err
		}
		var out []*shownRow
		for i := range c.Rows {
			if c.Rows[i].Origin != it.V || r.rows[c.Rows[i].Alert.ID] != nil {
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

// survivorOf is the incident that has an incident's content now.
func (r *reader) survivorOf(ctx context.Context, id string) (string, error) {
	if to, known := r.survivors[id]; known || id == "" {
		return to, nil
	}
	to, err := r.view.survivorOf(ctx, id)
	r.survivors[id] = to
	return to, err
}

// mergedInto gives the incidents whose rows are shown as that one's: itself and all that were merged into it.
func (r *reader) mergedInto(ctx context.Context) func(id string) []string {
	return func(id string) []string {
		i, err := r.findIncident(ctx, id)
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
	out, err := r.readAlerts(ctx, plain)
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
		i, err := r.findIncident(ctx, id)
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
			items: "c.type = 'incidents'", total: r.manifest.Rows.Incidents, order: newestFirst, runQuery: r.queryVolumes,
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
				it, err := decodeIncidents(item)
				if err != nil {
					return nil, err
				}
				all, err := r.openPage(ctx, &it.Rows)
				var out []*incidentRow
				for id, i := range all {
					if r.incidents[id] == nil {
						out = append(out, i)
					}
				}
				return out, err
			},
		}
		for _, i := range r.incidents {
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
		i, err := r.findIncident(ctx, to)
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

// Mentions is store.Index.
func (s *Store) Mentions(ctx context.Context, tenant string, q incident.MentionQuery) ([]incident.Mention, error) {
	return readTenant(ctx, s, tenant, "mentions", func(r *reader) ([]incident.Mention, error) {
		if q.Limit <= 0 {
			return nil, fault.Errorf(fault.Invalid, "a page of %d mentions", q.Limit)
		}
		if !r.exists() || len(q.Names) == 0 {
			return nil, nil
		}
		g := &mentionSearch{MentionQuery: q, reader: r, seen: map[string]bool{}}
		if err := g.searchItems(ctx); err != nil {
			return nil, err
		}
		g.sortFound()
		var out []incident.Mention
		for _, row := range g.found[:min(q.Limit, len(g.found))] {
			m, err := g.showMention(ctx, row)
			if err != nil {
				return nil, err
			}
			out = append(out, m)
		}
		return out, nil
	})
}

// Identity is store.Index.
func (s *Store) Identity(ctx context.Context, tenant, name string) (incident.Identity, error) {
	return store.IdentityOf(ctx, s, tenant, name)
}

// Sources is store.Index.
func (s *Store) Sources(ctx context.Context, tenant string) ([]incident.Source, error) {
	return readTenant(ctx, s, tenant, "sources", func(r *reader) ([]incident.Source, error) {
		var out []incident.Source
		for _, name := range slices.Sorted(maps.Keys(r.manifest.Sources)) {
			out = append(out, r.manifest.Sources[name])
		}
		return out, nil
	})
}
