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
	serve  func(*call) error
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
	for _, r := range s.routes() {
		out = append(out, Route{r.method, r.path, r.needs, r.open})
	}
	return out
}

// routes is everything the API serves. Of the Graph's, those without a method are GET.
func (s *Server) routes() []route {
	graph := []route{
		{path: "/alerts_v2", needs: ReadAlerts, serve: (*call).listAlerts},
		{path: "/alerts_v2/$count", needs: ReadAlerts, serve: (*call).countAlerts},
		{path: "/alerts_v2/{id}", needs: ReadAlerts, serve: (*call).getAlert},
		{path: "/incidents", needs: ReadIncidents, serve: (*call).listIncidents},
		{path: "/incidents/$count", needs: ReadIncidents, serve: (*call).countIncidents},
		{path: "/incidents/{id}", needs: ReadIncidents, serve: (*call).getIncident},
		{path: "/incidents/{id}/alerts", needs: ReadAlerts | ReadIncidents, serve: (*call).listIncidentAlerts},
		{path: "/incidents/{id}/alerts/$count", needs: ReadAlerts | ReadIncidents, serve: (*call).countIncidentAlerts},
		{path: "/incidents/{id}/alerts/{aid}", needs: ReadAlerts | ReadIncidents, serve: (*call).getIncidentAlert},
	}
	graph = append(graph, []route{
		{method: http.MethodPatch, path: "/alerts_v2/{id}", needs: WriteAlerts, serve: (*call).patchAlert},
		{method: http.MethodPost, path: "/alerts_v2/{id}/comments", needs: WriteAlerts, serve: (*call).commentAlert},
		{method: http.MethodPatch, path: "/incidents/{id}", needs: WriteIncidents, serve: (*call).patchIncident},
		{method: http.MethodPost, path: "/incidents/{id}/comments", needs: WriteIncidents, serve: (*call).commentIncident},
		{method: http.MethodPost, path: "/incidents/{id}/alerts/{aid}/comments", needs: WriteAlerts, serve: (*call).commentAlert},
	}...)
	own := []route{
		{method: http.MethodPost, path: "/api/v1/incidents/bulk", needs: WriteIncidents, serve: (*call).bulkIncidents},
		{method: http.MethodPost, path: "/api/v1/incidents/{id}/merge", needs: WriteIncidents, serve: (*call).mergeIncidents},
		{method: http.MethodPost, path: "/api/v1/incidents/{id}/move", needs: WriteIncidents, serve: (*call).moveAlerts},
		{method: http.MethodPost, path: "/api/v1/incidents/{id}/split", needs: WriteIncidents, serve: (*call).splitIncident},
		{method: http.MethodPost, path: "/api/v1/alerts/bulk", needs: WriteAlerts, serve: (*call).bulkAlerts},
		{method: http.MethodPost, path: "/api/v1/alerts/{id}/unfold", needs: WriteAlerts, serve: (*call).unfoldAlert},
		{method: http.MethodGet, path: "/api/v1/status", needs: Everything, serve: (*call).status},
		{method: http.MethodGet, path: "/api/v1/search", needs: Read, serve: (*call).search},
		{method: http.MethodGet, path: "/api/v1/entities/{id}", needs: ReadAlerts, serve: (*call).getEntity},
		{method: http.MethodGet, path: "/api/v1/entities/{id}/alerts", needs: ReadAlerts, serve: (*call).listEntityAlerts},
		{method: http.MethodGet, path: "/api/v1/sources", needs: Read | Operate, serve: (*call).listSources},
		{method: http.MethodGet, path: "/api/v1/settings", needs: Read | Operate, serve: (*call).getSettings},
		{method: http.MethodPatch, path: "/api/v1/settings", needs: Operate, serve: (*call).patchSettings},
		{method: http.MethodGet, path: "/api/v1/exposures", needs: ReadAlerts, serve: (*call).listExposures},
		{method: http.MethodGet, path: "/api/v1/exposures/{id}", needs: ReadAlerts, serve: (*call).getExposure},
		{method: http.MethodGet, path: "/api/v1/incidents/{id}/reasons", needs: ReadIncidents, serve: (*call).listReasons},
		{method: http.MethodGet, path: "/api/v1/incidents/{id}/assets", needs: ReadIncidents, serve: (*call).listAssets},
		{method: http.MethodGet, path: "/api/v1/incidents/{id}/exposures", needs: ReadIncidents, serve: (*call).listIncidentExposures},
		{method: http.MethodGet, path: "/api/v1/incidents/{id}/graph", needs: ReadIncidents, serve: (*call).drawIncident},
		{method: http.MethodGet, path: "/api/v1/alerts/{id}/raw", needs: ReadAlerts, serve: (*call).getRaw},
		{method: http.MethodGet, path: "/api/v1/quarantine", needs: ReadAlerts, serve: (*call).listQuarantine},
		{method: http.MethodGet, path: "/api/v1/quarantine/{id}", needs: ReadAlerts, serve: (*call).getQuarantined},
		{method: http.MethodPost, path: "/api/v1/quarantine/replay", needs: Operate, serve: (*call).replayQuarantine},
		{method: http.MethodGet, path: "/api/v1/audit", needs: Operate, serve: (*call).listAudit},
		{method: http.MethodGet, path: "/api/v1/keys", needs: Operate, serve: (*call).listKeys},
		{method: http.MethodPost, path: "/api/v1/keys", needs: Operate, serve: (*call).createKey},
		{method: http.MethodDelete, path: "/api/v1/keys/{id}", needs: Operate, serve: (*call).revokeKey},
		{method: http.MethodGet, path: "/api/v1/exports", needs: Read | Operate, serve: (*call).listExports},
		{method: http.MethodGet, path: "/api/v1/exports/{id}", needs: Read | Operate, serve: (*call).getExport},
		{method: http.MethodPost, path: "/api/v1/exports/{id}/run", needs: Operate, serve: (*call).runExport},
		{method: http.MethodGet, path: "/api/v1/exports/{id}/deliveries", needs: Operate, serve: (*call).listDeliveries},
		{method: http.MethodPost, path: "/api/v1/exports/{id}/deliveries/{did}/replay", needs: Operate, serve: (*call).replayDelivery},
		{method: http.MethodGet, path: "/openapi.json", open: true, serve: (*call).openapi},
		{method: http.MethodGet, path: "/healthz", open: true, serve: (*call).healthz},
		{method: http.MethodGet, path: "/readyz", open: true, serve: (*call).readyz},
	}
	out := slices.Clone(own)
	for _, version := range []string{"/v1.0", "/beta"} {
		for _, r := range graph {
			out = append(out, route{method: cmp.Or(r.method, http.MethodGet), path: version + "/security" + r.path, needs: r.needs, serve: r.serve})
		}
	}
	return out
}
