package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/api/graph"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
)

func showExposure(m incident.AlertRecord) (jsontext.Value, error) {
	return json.Marshal(graph.ExposureOf(m), graph.Encoding)
}

func listExposures(req *request) error {
	o, err := req.parseOptions(graph.AlertSchema, []string{"$filter", "$orderby", "$top", "$skip", "$skiptoken", "$count"})
	if err != nil {
		return err
	}
	q, err := alertLimits.pageQuery(o)
	if err != nil {
		return err
	}
	tenants, err := req.requestedTenants()
	if err != nil {
		return err
	}
	p, err := queryPage(q, o.Token, newestFirst, func(q query.Query, after *pageToken) (query.Page[incident.AlertRecord], error) {
		s := Queries{req.scopedReader(), after}
		if about := req.URL.Query().Get("resource"); about != "" {
			return s.ExposuresOf(req.Context(), tenants, about, q)
		}
		return s.Exposures(req.Context(), tenants, q)
	})
	if err != nil {
		return err
	}
	return writePage(req, "", effectiveOrder(q, newestFirst), o, p, showExposure)
}

func getExposure(req *request) error {
	tenants, err := req.requestedTenants()
	if err != nil {
		return err
	}
	m, err := req.scopedQueries().Exposure(req.Context(), tenants, req.PathValue("id"))
	if err != nil {
		return err
	}
	return req.writeJSON(http.StatusOK, graph.ExposureOf(m))
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
			if graph.NamesResource(m.Alert, resource) && query.Match(where, m) {
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
