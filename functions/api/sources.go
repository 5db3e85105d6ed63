package api

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/onepane/onepane/functions/api/graph"
	"github.com/onepane/onepane/shared/incident"
)

// maxCountedQuarantine is how many records in quarantine are counted for sources, the oldest.
const maxCountedQuarantine = 10_000

// sourceStatus is what one provider does for a tenant.
type sourceStatus struct {
	ID         string          `json:"id"` // the provider's name, or the route of what named none
	TenantID   string          `json:"tenantId"`
	Alerts     int64           `json:"alerts"`
	Exposures  int64           `json:"exposures"`
	LastSeen   graph.Timestamp `json:"lastDelivery"`
	Quarantine int             `json:"quarantined"`       // records of it that wait in quarantine
	Counted    bool            `json:"quarantineCounted"` // false when quarantine holds more than are counted, or there is none
	LastError  *lastRejection  `json:"lastError"`         // why the latest of them was refused; null when none waits
}

// lastRejection is the latest refusal.
type lastRejection struct {
	Reason string    `json:"reason"`
	Kind   string    `json:"kind"`
	Time   time.Time `json:"time"`
	ID     string    `json:"quarantineId"`
}

// listSources shows, for each tenant and provider, what came of it last and what waits.
func listSources(req *request) error {
	tenants, err := req.requestedTenants()
	if err != nil {
		return err
	}
	var all []sourceStatus
	for _, tenant := range tenants {
		of, err := req.scopedReader().Sources(req.Context(), tenant)
		if err != nil {
			return err
		}
		for _, s := range of {
			all = append(all, sourceOf(tenant, s))
		}
	}
	only, err := requestedTenant(req.Request)
	if err != nil {
		return err
	}
	if all, err = req.tenantScope().countQuarantined(req.Context(), only, all); err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b sourceStatus) int {
		return cmp.Or(cmp.Compare(a.TenantID, b.TenantID), cmp.Compare(a.ID, b.ID))
	})
	return writeAll(req, all)
}

func sourceOf(tenant string, s incident.Source) sourceStatus {
	return sourceStatus{ID: s.Provider, TenantID: tenant, Alerts: s.Alerts, Exposures: s.Exposures, LastSeen: graph.Timestamp(s.Last)}
}

// countQuarantined adds to each source what of it is in quarantine. What names no provider goes by its route.
func (b tenantScope) countQuarantined(ctx context.Context, only string, all []sourceStatus) ([]sourceStatus, error) {
	if !b.canReadQuarantine() {
		return all, nil
	}
	cursor, counted := "", false
	for seen := 0; seen < maxCountedQuarantine; seen += quarantineChunk {
		page, next, err := b.quarantinePage(ctx, only, cursor, quarantineChunk)
		if err != nil {
			return nil, err
		}
		for _, s := range page {
			all = countRejection(all, s)
		}
		if counted = next == "" || next == cursor; counted {
			break
		}
		cursor = next
	}
	for i := range all {
		all[i].Counted = counted
	}
	return all, nil
}

func countRejection(all []sourceStatus, s quarantinedEvent) []sourceStatus {
	r := s.rejection
	name := cmp.Or(r.Provider, r.Route)
	i := slices.IndexFunc(all, func(one sourceStatus) bool { return one.ID == name && one.TenantID == r.Tenant })
	if i < 0 {
		i, all = len(all), append(all, sourceStatus{ID: name, TenantID: r.Tenant})
	}
	one := &all[i]
	one.Quarantine++
	if one.LastError == nil || r.Received.After(one.LastError.Time) {
		one.LastError = &lastRejection{Reason: r.Reason, Kind: r.Kind, Time: r.Received.UTC(), ID: s.id}
	}
	return all
}
