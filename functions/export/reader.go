package export

import (
	"context"
	"fmt"
	"time"

	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
	"github.com/onepane/onepane/shared/store"
)

// reader reads one tenant's records for a target.
type reader struct {
	store  Store
	tenant string
	limits Limits // the target's
}

// readRow reads the present state of what changed.
func (r reader) readRow(ctx context.Context, c store.Change) (Row, error) {
	if c.Kind != store.IncidentChanged {
		m, err := r.store.Alert(ctx, r.tenant, c.ID)
		if err != nil {
			return Row{}, fmt.Errorf("read %s %s: %w", c.Kind, c.ID, err)
		}
		return OfAlert(r.tenant, m)
	}
	const tries = 5 // an incident that never rests is sent as it comes
	for try := 1; ; try++ {
		row, err := r.readIncident(ctx, c.ID)
		if err == nil {
			err = r.readAlertsInto(ctx, &row)
		}
		if err != nil || row.Alerts == nil || try == tries {
			return row, err
		}
		// Another commit may have come between the two reads: one id must not name two contents.
		if now, err := r.readIncident(ctx, c.ID); err != nil || now.ID == row.ID {
			return row, err
		}
	}
}

func (r reader) readIncident(ctx context.Context, id string) (Row, error) {
	i, err := r.store.Incident(ctx, r.tenant, id)
	if err != nil {
		return Row{}, fmt.Errorf("read incident %s: %w", id, err)
	}
	return OfIncident(r.tenant, i)
}

// readAlertsInto gives an incident's row as many of its alerts as the target wants.
func (r reader) readAlertsInto(ctx context.Context, row *Row) error {
	if r.limits.Alerts == 0 || row.Incident.RedirectTo != "" {
		return nil
	}
	q := query.Query{Top: r.limits.Alerts, Order: []query.Order{{Field: query.FirstActivity}}}
	page, err := r.store.IncidentAlerts(ctx, r.tenant, row.Thing, q)
	if err != nil {
		return fmt.Errorf("read alerts of incident %s: %w", row.Thing, err)
	}
	row.Alerts = page.Items
	return nil
}

// listChanges lists records of a kind as if they had just changed.
func (r reader) listChanges(ctx context.Context, kind store.ChangeKind, q query.Query) (query.Page[store.Change], error) {
	switch kind {
	case store.IncidentChanged:
		page, err := r.store.Incidents(ctx, r.tenant, q)
		return changesOf(kind, page, func(i incident.Incident) (string, time.Time) { return i.ID, i.Updated }, err)
	case store.ExposureChanged:
		page, err := r.store.Exposures(ctx, r.tenant, q)
		return changesOf(kind, page, alertChange, err)
	}
	page, err := r.store.Alerts(ctx, r.tenant, q)
	return changesOf(kind, page, alertChange, err)
}

func alertChange(a incident.AlertRecord) (id string, updated time.Time) { return a.Alert.ID, a.Updated }

func changesOf[T any](kind store.ChangeKind, page query.Page[T], change func(T) (string, time.Time), err error) (query.Page[store.Change], error) {
	if err != nil {
		return query.Page[store.Change]{}, fmt.Errorf("list %ss: %w", kind, err)
	}
	out := query.Page[store.Change]{Total: page.Total, More: page.More}
	for _, item := range page.Items {
		id, updated := change(item)
		out.Items = append(out.Items, store.Change{Kind: kind, ID: id, Time: updated})
	}
	return out, nil
}

// countBacklog counts the changes behind a cursor, at most maxBacklog, and gives the time of the first.
func (r reader) countBacklog(ctx context.Context, cursor string) (n int, oldest time.Time, err error) {
	for n < maxBacklog {
		changes, next, err := r.store.Changes(ctx, r.tenant, cursor, pageSize)
		if err != nil {
			return n, oldest, err
		}
		if n == 0 && len(changes) > 0 {
			oldest = changes[0].Time
		}
		n += len(changes)
		if next == cursor {
			break
		}
		cursor = next
	}
	return n, oldest, nil
}
