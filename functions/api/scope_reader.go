package api

import (
	"context"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
)

// scopedReader is the store as one principal may read it: a Reader, so that a method which is added there will not
// compile until it is bound here.
type scopedReader struct {
	reader    Reader
	principal Principal
}

var _ Reader = scopedReader{}

// visibleTenants are those whose data a request shows: all that the principal may meet, or only one of them.
func (r scopedReader) visibleTenants(ctx context.Context, only string) ([]string, error) {
	if only == "" {
		return r.Tenants(ctx)
	}
	return []string{only}, r.checkTenant(only)
}

// checkTenant is fault.Denied for a tenant that the principal may not meet, whether it exists or not.
func (r scopedReader) checkTenant(tenant string) error {
	if !r.principal.CanReach(tenant) {
		return fault.Errorf(fault.Denied, "You may not read tenant '%s'.", clipText(tenant))
	}
	return nil
}

func (r scopedReader) Tenants(ctx context.Context) ([]string, error) {
	if !r.principal.AllTenants {
		return sortedUnique(r.principal.Tenants), nil
	}
	all, err := r.reader.Tenants(ctx)
	return sortedUnique(all), err
}

func (r scopedReader) Alert(ctx context.Context, tenant, id string) (m incident.AlertRecord, err error) {
	if err := r.checkTenant(tenant); err != nil {
		return m, err
	}
	return r.reader.Alert(ctx, tenant, id)
}

func (r scopedReader) Alerts(ctx context.Context, tenant string, q query.Query) (p query.Page[incident.AlertRecord], err error) {
	if err := r.checkTenant(tenant); err != nil {
		return p, err
	}
	return r.reader.Alerts(ctx, tenant, q)
}

func (r scopedReader) Exposures(ctx context.Context, tenant string, q query.Query) (p query.Page[incident.AlertRecord], err error) {
	if err := r.checkTenant(tenant); err != nil {
		return p, err
	}
	return r.reader.Exposures(ctx, tenant, q)
}

func (r scopedReader) Incident(ctx context.Context, tenant, id string) (i incident.Incident, err error) {
	if err := r.checkTenant(tenant); err != nil {
		return i, err
	}
	return r.reader.Incident(ctx, tenant, id)
}

func (r scopedReader) Incidents(ctx context.Context, tenant string, q query.Query) (p query.Page[incident.Incident], err error) {
	if err := r.checkTenant(tenant); err != nil {
		return p, err
	}
	return r.reader.Incidents(ctx, tenant, q)
}

func (r scopedReader) IncidentAlerts(ctx context.Context, tenant, id string, q query.Query) (p query.Page[incident.AlertRecord], err error) {
	if err := r.checkTenant(tenant); err != nil {
		return p, err
	}
	return r.reader.IncidentAlerts(ctx, tenant, id, q)
}

func (r scopedReader) Mentions(ctx context.Context, tenant string, m incident.MentionQuery) ([]incident.Mention, error) {
	if err := r.checkTenant(tenant); err != nil {
		return nil, err
	}
	return r.reader.Mentions(ctx, tenant, m)
}

func (r scopedReader) Identity(ctx context.Context, tenant, name string) (i incident.Identity, err error) {
	if err := r.checkTenant(tenant); err != nil {
		return i, err
	}
	return r.reader.Identity(ctx, tenant, name)
}

func (r scopedReader) Sources(ctx context.Context, tenant string) ([]incident.Source, error) {
	if err := r.checkTenant(tenant); err != nil {
		return nil, err
	}
	return r.reader.Sources(ctx, tenant)
}

// Stats counts what the principal may see. Whoever does not see all tenants is counted for tenant by tenant.
func (r scopedReader) Stats(ctx context.Context) (sum query.Stats, err error) {
	if r.principal.AllTenants {
		return r.reader.Stats(ctx)
	}
	one := query.Query{Top: 1, Count: true}
	for _, tenant := range r.principal.Tenants {
		alerts, err := r.reader.Alerts(ctx, tenant, one)
		if err != nil {
			return sum, err
		}
		exposures, err := r.reader.Exposures(ctx, tenant, one)
		if err != nil {
			return sum, err
		}
		incidents, err := r.reader.Incidents(ctx, tenant, one)
		if err != nil {
			return sum, err
		}
		sum.Alerts, sum.Exposures, sum.Incidents = sum.Alerts+alerts.Total, sum.Exposures+exposures.Total, sum.Incidents+incidents.Total
	}
	return sum, nil
}
