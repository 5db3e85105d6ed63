package api

import (
	"context"
	"net/http"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
)

// exposedAsset is an open exposure of things that an incident touches.
type exposedAsset struct {
	Exposure
	Assets []string `json:"assets"` // the things, as the incident names them
}

// exposureList is what is open on an incident's assets, the gravest first.
type exposureList struct {
	Value []exposedAsset `json:"value"`
}

// listIncidentExposures shows posture findings as context: no part of the attack, but what it may have used.
func (c *request) listIncidentExposures() error {
	tenants, err := c.requestedTenants()
	if err != nil {
		return err
	}
	i, err := c.scopedQueries().survivorOf(c.Context(), tenants, c.PathValue("id"))
	if err != nil {
		return err
	}
	out := exposureList{Value: []exposedAsset{}}
	at := map[string]int{}
	for _, x := range i.Exposures {
		if n, shown := at[x.ID]; shown {
			out.Value[n].Assets = append(out.Value[n].Assets, assetName(i, x.Asset))
			continue
		}
		m, err := c.scopedQueries().Exposure(c.Context(), []string{i.Tenant}, x.ID)
		if err != nil && fault.Of(err) != fault.NotFound {
			return err
		}
		if err != nil || StatusOf(m) == alert.StatusResolved { // forgotten by the store, or closed by a person
			continue
		}
		at[x.ID] = len(out.Value)
		out.Value = append(out.Value, exposedAsset{ExposureOf(m), []string{assetName(i, x.Asset)}})
	}
	return c.writeJSON(http.StatusOK, out)
}

// assetName is what people call one of an incident's assets.
func assetName(i incident.Incident, key string) string {
	for _, a := range i.Assets {
		if a.Key == key {
			return a.Name
		}
	}
	return key
}

// survivorOf finds an incident and follows it to the one it was merged into.
func (s Queries) survivorOf(ctx context.Context, tenants []string, id string) (incident.Incident, error) {
	i, err := s.Incident(ctx, tenants, id)
	for err == nil && i.RedirectTo != "" {
		i, err = s.Incident(ctx, []string{i.Tenant}, i.RedirectTo)
	}
	return i, err
}
