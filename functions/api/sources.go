package api

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/onepane/onepane/shared/incident"
)

// maxShelved is how many records in quarantine are counted for sources, the oldest.
const maxShelved = 10_000

// source is what one provider does for a tenant.
type source struct {
	ID         string    `json:"id"` // the provider's name, or the route of what named none
	TenantID   string    `json:"tenantId"`
	Alerts     int64     `json:"alerts"`
	Exposures  int64     `json:"exposures"`
	LastSeen   stamp     `json:"lastDelivery"`
	Quarantine int       `json:"quarantined"`       // records of it that wait in quarantine
	Counted    bool      `json:"quarantineCounted"` // false when quarantine holds more than are counted, or there is none
	LastError  *rejected `json:"lastError"`         // why the latest of them was refused; null when none waits
}

// rejected is the latest refusal.
type rejected struct {
	Reason string    `json:"reason"`
	Kind   string    `json:"kind"`
	Time   time.Time `json:"time"`
	ID     string    `json:"quarantineId"`
}

// listSources shows, for each tenant and provider, what came of it last and what waits.
func (c *call) listSources() error {
	tenants, err := c.tenants()
	if err != nil {
		return err
	}
	var all []source
	for _, tenant := range tenants {
		of, err := c.reader().Sources(c.Context(), tenant)
		if err != nil {
			return err
		}
		for _, s := range of {
			all = append(all, sourceOf(tenant, s))
		}
	}
	only, err := tenantOf(c.Request)
	if err != nil {
		return err
	}
	if all, err = c.door().waiting(c.Context(), only, all); err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b source) int { return cmp.Or(cmp.Compare(a.TenantID, b.TenantID), cmp.Compare(a.ID, b.ID)) })
	return answerAll(c, all)
}

func sourceOf(tenant string, s incident.Source) source {
	return source{ID: s.Provider, TenantID: tenant, Alerts: s.Alerts, Exposures: s.Exposures, LastSeen: stamp(s.Last)}
}

// waiting adds to each source what of it is in quarantine. What names no provider goes by its route.
func (b bound) waiting(ctx context.Context, only string, all []source) ([]source, error) {
	if !b.quarantines() {
		return all, nil
	}
	cursor, counted := "", false
	for seen := 0; seen < maxShelved; seen += shelfChunk {
		page, next, err := b.shelved(ctx, only, cursor, shelfChunk)
		if err != nil {
			return nil, err
		}
		for _, s := range page {
			all = note(all, s)
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

func note(all []source, s shelved) []source {
	r := s.rejection
	name := cmp.Or(r.Provider, r.Route)
	i := slices.IndexFunc(all, func(one source) bool { return one.ID == name && one.TenantID == r.Tenant })
	if i < 0 {
		i, all = len(all), append(all, source{ID: name, TenantID: r.Tenant})
	}
	one := &all[i]
	one.Quarantine++
	if one.LastError == nil || r.Received.After(one.LastError.Time) {
		one.LastError = &rejected{Reason: r.Reason, Kind: r.Kind, Time: r.Received.UTC(), ID: s.id}
	}
	return all
}
