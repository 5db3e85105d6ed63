package api

import (
	"cmp"
	"net/http"
	"slices"
)

// route is one method on one path. Open ones are answered without asking who sends the request; any other is for those
// who have one of the rights it needs, and without such rights it is for nobody.
type route struct {
	method string
	path   string
	needs  Right
	open   bool
	serve  func(*request) error
}

// Route is a route as those outside may know it.
type Route struct {
	Method, Path string
	Needs        Right // one of these
	Open         bool
}

// Routes lists everything the API serves.
func (s *Server) Routes() []Route {
	var out []Route
	for _, r := range s.routeTable() {
		out = append(out, Route{r.method, r.path, r.needs, r.open})
	}
	return out
}

// routeTable is everything the API serves. Of the Graph's, those without a method are GET.
func (s *Server) routeTable() []route {
	graph := []route{
		{path: "/alerts_v2", needs: ReadAlerts, serve: (*request).listAlerts},
		{path: "/alerts_v2/$count", needs: ReadAlerts, serve: (*request).countAlerts},
		{path: "/alerts_v2/{id}", needs: ReadAlerts, serve: (*request).getAlert},
		{path: "/incidents", needs: ReadIncidents, serve: (*request).listIncidents},
		{path: "/incidents/$count", needs: ReadIncidents, serve: (*request).countIncidents},
		{path: "/incidents/{id}", needs: ReadIncidents, serve: (*request).getIncident},
		{path: "/incidents/{id}/alerts", needs: ReadAlerts | ReadIncidents, serve: (*request).listIncidentAlerts},
		{path: "/incidents/{id}/alerts/$count", needs: ReadAlerts | ReadIncidents, serve: (*request).countIncidentAlerts},
		{path: "/incidents/{id}/alerts/{aid}", needs: ReadAlerts | ReadIncidents, serve: (*request).getIncidentAlert},
	}
	graph = append(graph, []route{
		{method: http.MethodPatch, path: "/alerts_v2/{id}", needs: WriteAlerts, serve: (*request).patchAlert},
		{method: http.MethodPost, path: "/alerts_v2/{id}/comments", needs: WriteAlerts, serve: (*request).commentAlert},
		{method: http.MethodPatch, path: "/incidents/{id}", needs: WriteIncidents, serve: (*request).patchIncident},
		{method: http.MethodPost, path: "/incidents/{id}/comments", needs: WriteIncidents, serve: (*request).commentIncident},
		{method: http.MethodPost, path: "/incidents/{id}/alerts/{aid}/comments", needs: WriteAlerts, serve: (*request).commentAlert},
	}...)
	own := []route{
		{method: http.MethodPost, path: "/api/v1/incidents/bulk", needs: WriteIncidents, serve: (*request).bulkIncidents},
		{method: http.MethodPost, path: "/api/v1/incidents/{id}/merge", needs: WriteIncidents, serve: (*request).mergeIncidents},
		{method: http.MethodPost, path: "/api/v1/incidents/{id}/move", needs: WriteIncidents, serve: (*request).moveAlerts},
		{method: http.MethodPost, path: "/api/v1/incidents/{id}/split", needs: WriteIncidents, serve: (*request).splitIncident},
		{method: http.MethodPost, path: "/api/v1/alerts/bulk", needs: WriteAlerts, serve: (*request).bulkAlerts},
		{method: http.MethodPost, path: "/api/v1/alerts/{id}/unfold", needs: WriteAlerts, serve: (*request).unfoldAlert},
		{method: http.MethodGet, path: "/api/v1/status", needs: Everything, serve: (*request).getStatus},
		{method: http.MethodGet, path: "/api/v1/search", needs: Read, serve: (*request).searchTenants},
		{method: http.MethodGet, path: "/api/v1/entities/{id}", needs: ReadAlerts, serve: (*request).getEntity},
		{method: http.MethodGet, path: "/api/v1/entities/{id}/alerts", needs: ReadAlerts, serve: (*request).listEntityAlerts},
		{method: http.MethodGet, path: "/api/v1/sources", needs: Read | Operate, serve: (*request).listSources},
		{method: http.MethodGet, path: "/api/v1/settings", needs: Read | Operate, serve: (*request).getSettings},
		{method: http.MethodPatch, path: "/api/v1/settings", needs: Operate, serve: (*request).patchSettings},
		{method: http.MethodGet, path: "/api/v1/exposures", needs: ReadAlerts, serve: (*request).listExposures},
		{method: http.MethodGet, path: "/api/v1/exposures/{id}", needs: ReadAlerts, serve: (*request).getExposure},
		{method: http.MethodGet, path: "/api/v1/incidents/{id}/reasons", needs: ReadIncidents, serve: (*request).listReasons},
		{method: http.MethodGet, path: "/api/v1/incidents/{id}/assets", needs: ReadIncidents, serve: (*request).listAssets},
		{method: http.MethodGet, path: "/api/v1/incidents/{id}/exposures", needs: ReadIncidents, serve: (*request).listIncidentExposures},
		{method: http.MethodGet, path: "/api/v1/incidents/{id}/graph", needs: ReadIncidents, serve: (*request).getIncidentGraph},
		{method: http.MethodGet, path: "/api/v1/alerts/{id}/raw", needs: ReadAlerts, serve: (*request).getRawAlert},
		{method: http.MethodGet, path: "/api/v1/quarantine", needs: ReadAlerts, serve: (*request).listQuarantine},
		{method: http.MethodGet, path: "/api/v1/quarantine/{id}", needs: ReadAlerts, serve: (*request).getQuarantined},
		{method: http.MethodPost, path: "/api/v1/quarantine/replay", needs: Operate, serve: (*request).replayQuarantine},
		{method: http.MethodGet, path: "/api/v1/audit", needs: Operate, serve: (*request).listAudit},
		{method: http.MethodGet, path: "/api/v1/keys", needs: Operate, serve: (*request).listKeys},
		{method: http.MethodPost, path: "/api/v1/keys", needs: Operate, serve: (*request).createKey},
		{method: http.MethodDelete, path: "/api/v1/keys/{id}", needs: Operate, serve: (*request).revokeKey},
		{method: http.MethodGet, path: "/api/v1/exports", needs: Read | Operate, serve: (*request).listExports},
		{method: http.MethodGet, path: "/api/v1/exports/{id}", needs: Read | Operate, serve: (*request).getExport},
		{method: http.MethodPost, path: "/api/v1/exports/{id}/run", needs: Operate, serve: (*request).runExport},
		{method: http.MethodGet, path: "/api/v1/exports/{id}/deliveries", needs: Operate, serve: (*request).listDeliveries},
		{method: http.MethodPost, path: "/api/v1/exports/{id}/deliveries/{did}/replay", needs: Operate, serve: (*request).replayDelivery},
		{method: http.MethodGet, path: "/openapi.json", open: true, serve: (*request).serveOpenAPI},
		{method: http.MethodGet, path: "/healthz", open: true, serve: (*request).serveHealthz},
		{method: http.MethodGet, path: "/readyz", open: true, serve: (*request).serveReadyz},
	}
	out := slices.Clone(own)
	for _, version := range []string{"/v1.0", "/beta"} {
		for _, r := range graph {
			out = append(out, route{method: cmp.Or(r.method, http.MethodGet), path: version + "/security" + r.path, needs: r.needs, serve: r.serve})
		}
	}
	return out
}
