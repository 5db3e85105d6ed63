package api

import (
	"context"
	"net/http"
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

func exposureOf(m incident.Member) exposure {
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

func showExposure(m incident.Member) (jsontext.Value, error) {
	return json.Marshal(exposureOf(m), encoding)
}

func (c *call) listExposures() error {
	o, err := c.options(alertSchema, []string{"$filter", "$orderby", "$top", "$skip", "$count"})
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
	list := func(q query.Query) (query.Page[incident.Member], error) {
		if about := c.URL.Query().Get("resource"); about != "" {
			return c.service().ExposuresOf(c.Context(), tenants, about, q)
		}
		return c.service().Exposures(c.Context(), tenants, q)
	}
	p, err := ask(q, list)
	if err != nil {
		return err
	}
	return answerPage(c, "", q, o, p, showExposure)
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

// ExposuresOf lists the exposures of one resource, named by its id, an alias, or the name at the end of its id. It reads
// through all exposures that q selects: there are few of them beside alerts, and no store keeps an index for it.
func (s Service) ExposuresOf(ctx context.Context, tenants []string, resource string, q query.Query) (query.Page[incident.Member], error) {
	out := query.Page[incident.Member]{Total: -1}
	all := q
	all.Skip, all.Top, all.Count = 0, alertLimits.most, false
	var matched int64
	for {
		p, err := s.Exposures(ctx, tenants, all)
		if err != nil {
			return out, err
		}
		for _, m := range p.Items {
			if !about(m.Alert, resource) {
				continue
			}
			matched++
			switch {
			case matched <= int64(q.Skip):
			case len(out.Items) < q.Top:
				out.Items = append(out.Items, m)
			default:
				out.More = true
			}
		}
		if !p.More || len(p.Items) == 0 || out.More && !q.Count {
			break
		}
		all.Skip += len(p.Items)
	}
	if q.Count {
		out.Total = matched
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
