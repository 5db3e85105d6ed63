package api

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
)

// Exposure is a posture finding on the wire (design contract, section 5).
type Exposure struct {
	ID                string         `json:"id"`
	TenantID          string         `json:"tenantId"`
	ProviderFindingID string         `json:"providerFindingId"`
	Title             string         `json:"title"`
	Description       Nullable       `json:"description"`
	Recommendation    Nullable       `json:"recommendedActions"`
	Type              Nullable       `json:"type"`
	Severity          alert.Severity `json:"severity"`
	NativeSeverity    Nullable       `json:"nativeSeverity"`
	Status            alert.Status   `json:"status"`
	NativeStatus      Nullable       `json:"nativeStatus"`
	Resources         []string       `json:"resources"`
	Account           Nullable       `json:"account"`
	Cloud             Nullable       `json:"cloud"`
	Region            Nullable       `json:"region"`
	FirstSeen         Timestamp      `json:"firstSeen"`
	LastSeen          Timestamp      `json:"lastSeen"`
	LastUpdate        Timestamp      `json:"lastUpdateDateTime"`
	Resolved          Timestamp      `json:"resolvedDateTime"`
	Source            string         `json:"source"`
	URL               Nullable       `json:"url"`
}

func ExposureOf(m incident.AlertRecord) Exposure {
	a := m.Alert
	return Exposure{
		ID: a.ID, TenantID: a.Tenant, ProviderFindingID: a.ReportID, Title: a.Title, Description: Nullable(a.Description),
		Recommendation: Nullable(a.Recommendation), Type: Nullable(a.Type), Severity: a.Severity,
		NativeSeverity: Nullable(a.NativeSeverity), Status: StatusOf(m), NativeStatus: Nullable(a.NativeStatus),
		Resources: exposedResources(a), Account: Nullable(a.Account.ID), Cloud: Nullable(a.Account.Cloud), Region: Nullable(a.Account.Region),
		FirstSeen: Timestamp(a.First), LastSeen: Timestamp(a.Last), LastUpdate: Timestamp(m.Updated), Resolved: Timestamp(m.Resolved),
		Source: a.Origin.Provider, URL: Nullable(a.URL),
	}
}

// exposedResources are the things that the finding is about.
func exposedResources(a alert.Alert) []string {
	out := []string{}
	for _, e := range a.Evidence {
		switch e.Kind {
		case entity.Resource, entity.Host, entity.Image, entity.Container, entity.Pod, entity.Cluster, entity.Other:
			out = append(out, e.Value)
		}
	}
	return out
}

func showExposure(m incident.AlertRecord) (jsontext.Value, error) {
	return json.Marshal(ExposureOf(m), encoding)
}

func (c *request) listExposures() error {
	o, err := c.parseOptions(AlertSchema, []string{"$filter", "$orderby", "$top", "$skip", "$skiptoken", "$count"})
	if err != nil {
		return err
	}
	q, err := alertLimits.pageQuery(o)
	if err != nil {
		return err
	}
	tenants, err := c.requestedTenants()
	if err != nil {
		return err
	}
	p, err := queryPage(q, o.Token, newestFirst, func(q query.Query, after *pageToken) (query.Page[incident.AlertRecord], error) {
		s := Queries{c.scopedReader(), after}
		if about := c.URL.Query().Get("resource"); about != "" {
			return s.ExposuresOf(c.Context(), tenants, about, q)
		}
		return s.Exposures(c.Context(), tenants, q)
	})
	if err != nil {
		return err
	}
	return writePage(c, "", effectiveOrder(q, newestFirst), o, p, showExposure)
}

func (c *request) getExposure() error {
	tenants, err := c.requestedTenants()
	if err != nil {
		return err
	}
	m, err := c.scopedQueries().Exposure(c.Context(), tenants, c.PathValue("id"))
	if err != nil {
		return err
	}
	return c.writeJSON(http.StatusOK, ExposureOf(m))
}

// maxResourceExposures is how many exposures of one resource are looked at.
const maxResourceExposures = 2000

// ExposuresOf lists the exposures of one resource, named by its id, an alias, or the name at the end of its id.
func (s Queries) ExposuresOf(ctx context.Context, tenants []string, resource string, q query.Query) (query.Page[incident.AlertRecord], error) {
	out := query.Page[incident.AlertRecord]{Total: -1}
	var all []incident.AlertRecord
	for _, tenant := range tenants {
		where := q.Where
		if s.after != nil {
			where = query.And{Left: s.after.rowsAfter(tenant, effectiveOrder(q, newestFirst)), Right: q.Where}
		}
		ms, err := s.Reader.Mentions(ctx, tenant, incident.MentionQuery{Names: spelledNames(resource), Limit: maxResourceExposures})
		if err != nil {
			return out, err
		}
		for _, found := range ms {
			if found.Class != alert.Exposure {
				continue
			}
			m, err := s.Reader.Alert(ctx, tenant, found.ID)
			if err != nil {
				return out, err
			}
			if namesResource(m.Alert, resource) && query.Match(where, m) {
				all = append(all, m)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b incident.AlertRecord) int { return compareRows(a, b, q.Order) })
	from, to := min(q.Skip, len(all)), min(q.Skip+q.Top, len(all))
	out.Items, out.More = all[from:to], to < len(all)
	if q.Count {
		out.Total = int64(len(all))
	}
	return out, nil
}

// namesResource reports whether the evidence names the resource.
func namesResource(a alert.Alert, resource string) bool {
	for _, e := range a.Evidence {
		if strings.EqualFold(e.Value, resource) || strings.EqualFold(e.Name, resource) || strings.EqualFold(lastPart(e.Value), resource) {
			return true
		}
		for _, alias := range e.Aliases {
			if strings.EqualFold(alias.Value, resource) {
				return true
			}
		}
	}
	return false
}
