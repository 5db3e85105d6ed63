package api

import (
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

// routeTable is everything the API serves.
func (s *Server) routeTable() []route {
	table := slices.Concat(incidentRoutes, alertRoutes, entityRoutes, operatorRoutes, healthRoutes)
	for _, version := range []string{"/v1.0", "/beta"} {
		for _, r := range graphRoutes {
			table = append(table, route{method: r.method, path: version + "/security" + r.path, needs: r.needs, serve: r.serve})
		}
	}
	return table
}

// graphRoutes are the Graph's, below /v1.0/security and /beta/security: alerts.go, incidents.go, action_patch.go,
// action_comment.go.
var graphRoutes = []route{
	{method: http.MethodGet, path: "/alerts_v2", needs: ReadAlerts, serve: listAlerts},
	{method: http.MethodGet, path: "/alerts_v2/$count", needs: ReadAlerts, serve: countAlerts},
	{method: http.MethodGet, path: "/alerts_v2/{id}", needs: ReadAlerts, serve: getAlert},
	{method: http.MethodGet, path: "/incidents", needs: ReadIncidents, serve: listIncidents},
	{method: http.MethodGet, path: "/incidents/$count", needs: ReadIncidents, serve: countIncidents},
	{method: http.MethodGet, path: "/incidents/{id}", needs: ReadIncidents, serve: getIncident},
	{method: http.MethodGet, path: "/incidents/{id}/alerts", needs: ReadAlerts | ReadIncidents, serve: listIncidentAlerts},
	{method: http.MethodGet, path: "/incidents/{id}/alerts/$count", needs: ReadAlerts | ReadIncidents, serve: countIncidentAlerts},
	{method: http.MethodGet, path: "/incidents/{id}/alerts/{aid}", needs: ReadAlerts | ReadIncidents, serve: getIncidentAlert},
	{method: http.MethodPatch, path: "/alerts_v2/{id}", needs: WriteAlerts, serve: patchAlert},
	{method: http.MethodPost, path: "/alerts_v2/{id}/comments", needs: WriteAlerts, serve: commentAlert},
	{method: http.MethodPatch, path: "/incidents/{id}", needs: WriteIncidents, serve: patchIncident},
	{method: http.MethodPost, path: "/incidents/{id}/comments", needs: WriteIncidents, serve: commentIncident},
	{method: http.MethodPost, path: "/incidents/{id}/alerts/{aid}/comments", needs: WriteAlerts, serve: commentAlert},
}

// incidentRoutes: action_bulk.go, action_regroup.go, incident_story.go.
var incidentRoutes = []route{
	{method: http.MethodPost, path: "/api/v1/incidents/bulk", needs: WriteIncidents, serve: bulkIncidents},
	{method: http.MethodPost, path: "/api/v1/incidents/{id}/merge", needs: WriteIncidents, serve: mergeIncidents},
	{method: http.MethodPost, path: "/api/v1/incidents/{id}/move", needs: WriteIncidents, serve: moveAlerts},
	{method: http.MethodPost, path: "/api/v1/incidents/{id}/split", needs: WriteIncidents, serve: splitIncident},
	{method: http.MethodGet, path: "/api/v1/incidents/{id}/reasons", needs: ReadIncidents, serve: listReasons},
	{method: http.MethodGet, path: "/api/v1/incidents/{id}/assets", needs: ReadIncidents, serve: listAssets},
	{method: http.MethodGet, path: "/api/v1/incidents/{id}/exposures", needs: ReadIncidents, serve: listIncidentExposures},
	{method: http.MethodGet, path: "/api/v1/incidents/{id}/graph", needs: ReadIncidents, serve: getIncidentGraph},
}

// alertRoutes: action_bulk.go, action_regroup.go, alerts.go, exposures.go.
var alertRoutes = []route{
	{method: http.MethodPost, path: "/api/v1/alerts/bulk", needs: WriteAlerts, serve: bulkAlerts},
	{method: http.MethodPost, path: "/api/v1/alerts/{id}/unfold", needs: WriteAlerts, serve: unfoldAlert},
	{method: http.MethodGet, path: "/api/v1/exposures", needs: ReadAlerts, serve: listExposures},
	{method: http.MethodGet, path: "/api/v1/exposures/{id}", needs: ReadAlerts, serve: getExposure},
	{method: http.MethodGet, path: "/api/v1/alerts/{id}/raw", needs: ReadAlerts, serve: getRawAlert},
}

// entityRoutes: search.go, entities.go.
var entityRoutes = []route{
	{method: http.MethodGet, path: "/api/v1/search", needs: Read, serve: searchTenants},
	{method: http.MethodGet, path: "/api/v1/entities/{id}", needs: ReadAlerts, serve: getEntity},
	{method: http.MethodGet, path: "/api/v1/entities/{id}/alerts", needs: ReadAlerts, serve: listEntityAlerts},
}

// operatorRoutes: sources.go, settings.go, quarantine.go, audit.go, keys.go, exports.go.
var operatorRoutes = []route{
	{method: http.MethodGet, path: "/api/v1/sources", needs: Read | Operate, serve: listSources},
	{method: http.MethodGet, path: "/api/v1/settings", needs: Read | Operate, serve: getSettings},
	{method: http.MethodPatch, path: "/api/v1/settings", needs: Operate, serve: patchSettings},
	{method: http.MethodGet, path: "/api/v1/quarantine", needs: ReadAlerts, serve: listQuarantine},
	{method: http.MethodGet, path: "/api/v1/quarantine/{id}", needs: ReadAlerts, serve: getQuarantined},
	{method: http.MethodPost, path: "/api/v1/quarantine/replay", needs: Operate, serve: replayQuarantine},
	{method: http.MethodGet, path: "/api/v1/audit", needs: Operate, serve: listAudit},
	{method: http.MethodGet, path: "/api/v1/keys", needs: Operate, serve: listKeys},
	{method: http.MethodPost, path: "/api/v1/keys", needs: Operate, serve: createKey},
	{method: http.MethodDelete, path: "/api/v1/keys/{id}", needs: Operate, serve: revokeKey},
	{method: http.MethodGet, path: "/api/v1/exports", needs: Read | Operate, serve: listExports},
	{method: http.MethodGet, path: "/api/v1/exports/{id}", needs: Read | Operate, serve: getExport},
	{method: http.MethodPost, path: "/api/v1/exports/{id}/run", needs: Operate, serve: runExport},
	{method: http.MethodGet, path: "/api/v1/exports/{id}/deliveries", needs: Operate, serve: listDeliveries},
	{method: http.MethodPost, path: "/api/v1/exports/{id}/deliveries/{did}/replay", needs: Operate, serve: replayDelivery},
}

// healthRoutes: status.go.
var healthRoutes = []route{
	{method: http.MethodGet, path: "/api/v1/status", needs: Everything, serve: getStatus},
	{method: http.MethodGet, path: "/openapi.json", open: true, serve: serveOpenAPI},
	{method: http.MethodGet, path: "/healthz", open: true, serve: serveHealthz},
	{method: http.MethodGet, path: "/readyz", open: true, serve: serveReadyz},
}
