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

// exposure is a posture finding on the wire (design contract, section 5).
type exposure struct {
	ID                string         `json:"id"`
	TenantID          string         `json:"tenantId"`
	ProviderFindingID string         `json:"providerFindingId"`
	Title             string         `json:"title"`
	Description       nullable       `json:"description"`
	Recommendation    nullable       `json:"recommendedActions"`
	Type              nullable       `json:"type"`
	Severity          alert.Severity `json:"severity"`
	NativeSeverity    nullable       `json:"nativeSeverity"`
	Status            alert.Status   `json:"status"`
	NativeStatus      nullable       `json:"nativeStatus"`
	Resources         []string       `json:"resources"`
	Account           nullable       `json:"account"`
	Cloud             nullable       `json:"cloud"`
	Region            nullable       `json:"region"`
	FirstSeen         stamp          `json:"firstSeen"`
	LastSeen          stamp          `json:"lastSeen"`
	LastUpdate        stamp          `json:"lastUpdateDateTime"`
	Resolved          stamp          `json:"resolvedDateTime"`
	Source            string         `json:"source"`
	URL               nullable       `json:"url"`
}

func exposureOf(m incident.AlertRecord) exposure {
	a := m.Alert
	return exposure{
		ID: a.ID, TenantID: a.Tenant, ProviderFindingID: a.ReportID, Title: a.Title, Description: nullable(a.Description),
		Recommendation: nullable(a.Recommendation), Type: nullable(a.Type), Severity: a.Severity,
		NativeSeverity: nullable(a.NativeSeverity), Status: statusOf(m), NativeStatus: nullable(a.NativeStatus),
		Resources: resources(a), Account: nullable(a.Account.ID), Cloud: nullable(a.Account.Cloud), Region: nullable(a.Account.Region),
		FirstSeen: stamp(a.First), LastSeen: stamp(a.Last), LastUpdate: stamp(m.Updated), Resolved: stamp(m.Resolved),
		Source: a.Origin.Provider, URL: nullable(a.URL),
	}
}

// resources are the things that the finding is about.
func resources(a alert.Alert) []string {
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
	return json.Marshal(exposureOf(m), encoding)
}

func (c *call) listExposures() error {
	o, err := c.options(alertSchema, []string{"$filter", "$orderby", "$top", "$skip", "$skiptoken", "$count"})
	if err != nil {
		return err
	}
	q, err := alertLimits.page(o)
	if err != nil {
		return err
	}
	tenants, err := c.tenants()
	if err != nil {
		return err
	}
	p, err := ask(q, o.Token, newestFirst, func(q query.Query, after *mark) (query.Page[incident.AlertRecord], error) {
		s := Service{c.reader(), after}
		if about := c.URL.Query().Get("resource"); about != "" {
			return s.ExposuresOf(c.Context(), tenants, about, q)
		}
		return s.Exposures(c.Context(), tenants, q)
	})
	if err != nil {
		return err
	}
	return answerPage(c, "", orderOf(q, newestFirst), o, p, showExposure)
}

func (c *call) getExposure() error {
	tenants, err := c.tenants()
	if err != nil {
		return err
	}
	m, err := c.service().Exposure(c.Context(), tenants, c.PathValue("id"))
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, exposureOf(m))
}

// maxResourceExposures is how many exposures of one resource are looked at.
const maxResourceExposures = 2000

// ExposuresOf lists the exposures of one resource, named by its id, an alias, or the name at the end of its id.
func (s Service) ExposuresOf(ctx context.Context, tenants []string, resource string, q query.Query) (query.Page[incident.AlertRecord], error) {
	out := query.Page[incident.AlertRecord]{Total: -1}
	var all []incident.AlertRecord
	for _, tenant := range tenants {
		where := q.Where
		if s.after != nil {
			where = query.And{Left: s.after.beyond(tenant, orderOf(q, newestFirst)), Right: q.Where}
		}
		ms, err := s.Reader.Mentions(ctx, tenant, incident.MentionQuery{Names: spelled(resource), Limit: maxResourceExposures})
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
			if about(m.Alert, resource) && query.Match(where, m) {
				all = append(all, m)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b incident.AlertRecord) int { return compare(a, b, q.Order) })
	from, to := min(q.Skip, len(all)), min(q.Skip+q.Top, len(all))
	out.Items, out.More = all[from:to], to < len(all)
	if q.Count {
		out.Total = int64(len(all))
	}
	return out, nil
}

// about reports whether the evidence names the resource.
func about(a alert.Alert, resource string) bool {
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
