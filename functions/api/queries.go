package api

import (
	"context"
	"slices"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
)

// Reader is what the API asks of the store. All of it follows merges and folds: an alert of a merged incident is
// listed with the survivor and names it, a folded alert's id finds the alert it was folded into.
type Reader interface {
	// Tenants lists the tenants with anything stored.
	Tenants(ctx context.Context) ([]string, error)
	// Alert finds one alert or exposure; fault.NotFound when there is none.
	Alert(ctx context.Context, tenant, id string) (incident.AlertRecord, error)
	Alerts(ctx context.Context, tenant string, q query.Query) (query.Page[incident.AlertRecord], error)
	Exposures(ctx context.Context, tenant string, q query.Query) (query.Page[incident.AlertRecord], error)
	// Incident finds one incident, also a redirected one; fault.NotFound when there is none.
	Incident(ctx context.Context, tenant, id string) (incident.Incident, error)
	Incidents(ctx context.Context, tenant string, q query.Query) (query.Page[incident.Incident], error)
	// IncidentAlerts lists by first activity unless q orders otherwise.
	IncidentAlerts(ctx context.Context, tenant, id string, q query.Query) (query.Page[incident.AlertRecord], error)
	Stats(ctx context.Context) (query.Stats, error)

	// Mentions lists the alerts and exposures that name a thing by one of its names; folded ones are left out.
	Mentions(ctx context.Context, tenant string, m incident.MentionQuery) ([]incident.Mention, error)
	// Identity is what correlation remembers of a name.
	Identity(ctx context.Context, tenant, name string) (incident.Identity, error)
	// Sources counts what the tenant has from each provider, by name.
	Sources(ctx context.Context, tenant string) ([]incident.Source, error)
}

// Queries answers questions over one or several tenants as if they were one.
type Queries struct {
	Reader Reader
	after  *pageToken // where listings begin; nil is at their beginning
}

// Alerts lists the alerts of tenants in one order.
func (s Queries) Alerts(ctx context.Context, tenants []string, q query.Query) (query.Page[incident.AlertRecord], error) {
	return mergeTenants(ctx, tenants, q, listAfter(s.after, effectiveOrder(q, newestFirst), s.Reader.Alerts))
}

// Incidents lists the incidents of tenants in one order.
func (s Queries) Incidents(ctx context.Context, tenants []string, q query.Query) (query.Page[incident.Incident], error) {
	return mergeTenants(ctx, tenants, q, listAfter(s.after, effectiveOrder(q, newestFirst), s.Reader.Incidents))
}

// Exposures lists the exposures of tenants in one order.
func (s Queries) Exposures(ctx context.Context, tenants []string, q query.Query) (query.Page[incident.AlertRecord], error) {
	return mergeTenants(ctx, tenants, q, listAfter(s.after, effectiveOrder(q, newestFirst), s.Reader.Exposures))
}

// Alert finds an alert of one of the tenants. No alert, or an exposure, is fault.NotFound.
func (s Queries) Alert(ctx context.Context, tenants []string, id string) (incident.AlertRecord, error) {
	m, err := findInTenants(ctx, tenants, "alert", id, s.Reader.Alert)
	if err == nil && m.Alert.Class == alert.Exposure {
		err = notFound("alert", id)
	}
	return m, err
}

// Exposure finds an exposure of one of the tenants. None, or an alert, is fault.NotFound.
func (s Queries) Exposure(ctx context.Context, tenants []string, id string) (incident.AlertRecord, error) {
	m, err := findInTenants(ctx, tenants, "exposure", id, s.Reader.Alert)
	if err == nil && m.Alert.Class != alert.Exposure {
		err = notFound("exposure", id)
	}
	return m, err
}

// Incident finds an incident of one of the tenants.
func (s Queries) Incident(ctx context.Context, tenants []string, id string) (incident.Incident, error) {
	return findInTenants(ctx, tenants, "incident", id, s.Reader.Incident)
}

// IncidentAlert finds an alert of an incident, or of one that was merged into it.
func (s Queries) IncidentAlert(ctx context.Context, tenants []string, incidentID, id string) (incident.AlertRecord, error) {
	i, err := s.Incident(ctx, tenants, incidentID)
	if err != nil {
		return incident.AlertRecord{}, err
	}
	m, err := s.Alert(ctx, []string{i.Tenant}, id)
	if err == nil && m.Incident != i.ID && m.Incident != i.RedirectTo && !slices.Contains(i.Merged, m.Incident) {
		err = notFound("alert", id)
	}
	return m, err
}

// findInTenants looks for an id in every tenant. An id that several of them have is fault.Invalid: the caller must
// say which.
func findInTenants[T any](ctx context.Context, tenants []string, what, id string, get func(context.Context, string, string) (T, error)) (T, error) {
	var found T
	in := ""
	for _, tenant := range tenants {
		v, err := get(ctx, tenant, id)
		switch {
		case err != nil && fault.Of(err) == fault.NotFound:
		case err != nil:
			return found, err
		case in != "":
			return found, fault.Errorf(fault.Invalid, "More than one tenant has %s '%s' ('%s' and '%s'): name one with 'tid'.", what, id, in, tenant)
		default:
			found, in = v, tenant
		}
	}
	if in == "" {
		return found, notFound(what, id)
	}
	return found, nil
}

func notFound(what, id string) error {
	return fault.Errorf(fault.NotFound, "No %s with id '%s' was found.", what, clipText(id))
}

// clipText keeps a quoted piece of a request readable in a message.
func clipText(s string) string {
	const most = 100
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}

// survivorOf finds an incident and follows it to the one it was merged into.
func (s Queries) survivorOf(ctx context.Context, tenants []string, id string) (incident.Incident, error) {
	i, err := s.Incident(ctx, tenants, id)
	for err == nil && i.RedirectTo != "" {
		i, err = s.Incident(ctx, []string{i.Tenant}, i.RedirectTo)
	}
	return i, err
}
