package api

import (
	"net/http"
	"slices"
)

// route is one method on one path. Open ones are answered without asking who sends the request.
type route struct {
	method string
	path   string
	open   bool
	serve  func(*call) error
}

// routes is everything the API serves. Writes to alerts and incidents (PATCH, comments) will be rows of their own here.
func (s *Server) routes() []route {
	graph := []route{
		{path: "/alerts_v2", serve: (*call).listAlerts},
		{path: "/alerts_v2/$count", serve: (*call).countAlerts},
		{path: "/alerts_v2/{id}", serve: (*call).getAlert},
		{path: "/incidents", serve: (*call).listIncidents},
		{path: "/incidents/$count", serve: (*call).countIncidents},
		{path: "/incidents/{id}", serve: (*call).getIncident},
		{path: "/incidents/{id}/alerts", serve: (*call).listIncidentAlerts},
		{path: "/incidents/{id}/alerts/$count", serve: (*call).countIncidentAlerts},
		{path: "/incidents/{id}/alerts/{aid}", serve: (*call).getIncidentAlert},
	}
	own := []route{
		{method: http.MethodGet, path: "/api/v1/status", serve: (*call).status},
		{method: http.MethodGet, path: "/api/v1/exposures", serve: (*call).listExposures},
		{method: http.MethodGet, path: "/api/v1/exposures/{id}", serve: (*call).getExposure},
		{method: http.MethodGet, path: "/api/v1/incidents/{id}/reasons", serve: (*call).listReasons},
		{method: http.MethodGet, path: "/api/v1/incidents/{id}/assets", serve: (*call).listAssets},
		{method: http.MethodGet, path: "/api/v1/alerts/{id}/raw", serve: (*call).getRaw},
		{method: http.MethodGet, path: "/api/v1/quarantine", serve: (*call).listQuarantine},
		{method: http.MethodGet, path: "/api/v1/quarantine/{id}", serve: (*call).getQuarantined},
		{method: http.MethodPost, path: "/api/v1/quarantine/replay", serve: (*call).replayQuarantine},
		{method: http.MethodGet, path: "/openapi.json", open: true, serve: (*call).openapi},
		{method: http.MethodGet, path: "/healthz", open: true, serve: (*call).healthz},
		{method: http.MethodGet, path: "/readyz", open: true, serve: (*call).readyz},
	}
	out := slices.Clone(own)
	for _, version := range []string{"/v1.0", "/beta"} {
		for _, r := range graph {
			out = append(out, route{method: http.MethodGet, path: version + "/security" + r.path, serve: r.serve})
		}
	}
	return out
}
