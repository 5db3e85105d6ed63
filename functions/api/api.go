// Package api is the unified API: incidents and alerts of all clouds in the wire shapes of Microsoft Graph security,
// and Onepane's own routes beside them. It decides nothing about alerts; it asks a Reader and shows what it says.
//
//	GET /v1.0/security/alerts_v2?$filter=…
//	  │ authenticate ─▶ Principal ─▶ tenantScope                        access/, request.go, scope.go
//	  │ odata.Parse ──▶ query.Query ─▶ Queries ─▶ Reader (store)        odata/, queries.go
//	  ▼
//	AlertRecord, Incident ─▶ graph/ ─▶ $select, $expand ─▶ JSON, gzip   response.go
//
//	PATCH, POST ─▶ correlation.Action ─▶ Actions (correlate) ─▶ AuditRecords ─▶ AuditLog   action_*.go, actions.go
//
// routes.go says which file answers a route.
package api

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"
)

// Server answers the API's routes. Reader and Authenticate must be set; a route whose contract is not set answers 501.
type Server struct {
	Reader       Reader
	Authenticate Authenticate
	Quarantine   Quarantine                         // quarantine
	Replayer     Replayer                           // takes records from quarantine back in
	Bus          func(context.Context) (Bus, error) // what waits on the bus
	Ready        func(context.Context) error        // nil when requests can be served; unset means always
	Actions      Actions                            // what people decide; without it nothing can be edited
	AuditLog     AuditLog                           // who wrote what; unset keeps none
	Keys         Keys                               // API keys
	Exports      Exports                            // ways out; unset has none
	Settings     Settings                           // what tenants set at run time
	Limit        func(Principal) time.Duration      // how long a principal must wait, 0 to go on; unset limits nobody

	BaseURL   string // "https://onepane.example", for links; empty takes the request's own scheme and host
	PortalURL string // where alertWebUrl and incidentWebUrl lead; empty takes the base URL
	Version   string
	Now       func() time.Time
	Log       *slog.Logger
}

// Bus counts what waits on the bus.
type Bus struct {
	Pending      int64 `json:"pending"`
	DeadLettered int64 `json:"deadLettered"`
}

// PathPrefixes are the prefixes under which the API's routes lie, for a host that serves others beside them.
var PathPrefixes = []string{"/v1.0/", "/beta/", "/api/v1/", "/openapi.json", "/healthz", "/readyz"}

// Handler serves all routes. A path that is none, and a method that a path does not have, are answered in the API's
// error shape too.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, r := range s.routeTable() {
		mux.Handle(r.method+" "+r.path, s.routeHandler(r))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = canonicalPath(r)
		if _, pattern := mux.Handler(r); pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		s.routeHandler(route{open: true, serve: func(*request) error { return unmatchedRoute(mux, r, w) }}).ServeHTTP(w, r)
	})
}

// unmatchedRoute tells a wrong method from a wrong path, as the mux sees it.
func unmatchedRoute(mux *http.ServeMux, r *http.Request, w http.ResponseWriter) error {
	probe := &statusProbe{header: http.Header{}}
	mux.ServeHTTP(probe, r)
	if probe.status != http.StatusMethodNotAllowed {
		return newFailure(http.StatusNotFound, "itemNotFound", fmt.Sprintf("Resource not found for the path '%s'.", clipText(r.URL.Path)))
	}
	w.Header().Set("Allow", probe.header.Get("Allow"))
	return newFailure(http.StatusMethodNotAllowed, "notAllowed", fmt.Sprintf("Method %s is not allowed here; use %s.", clipText(r.Method), probe.header.Get("Allow")))
}

// statusProbe hears which status a handler answers with, and nothing more.
type statusProbe struct {
	header http.Header
	status int
}

func (p *statusProbe) Header() http.Header         { return p.header }
func (p *statusProbe) Write(b []byte) (int, error) { return len(b), nil }
func (p *statusProbe) WriteHeader(status int)      { p.status = status }

// routeHandler runs one route: who asks, the work, and the answer whatever becomes of it.
func (s *Server) routeHandler(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		req := s.newRequest(w, r)
		req.route = rt
		defer func() {
			if p := recover(); p == http.ErrAbortHandler {
				panic(p)
			} else if p != nil {
				s.loggerOrDiscard().ErrorContext(r.Context(), "request panicked", "path", r.URL.Path, "requestId", req.requestID, "panic", p, "stack", string(debug.Stack()))
				req.writeFailure(newFailure(http.StatusInternalServerError, "generalException", "General exception while processing."))
			}
		}()
		err := req.authorizeRoute(rt)
		if err == nil {
			if err = rt.serve(req); err == nil {
				req.auditUnaudited()
			}
		}
		if err != nil {
			f := failureOf(err)
			if r.Context().Err() != nil { // the client is gone, or sends no further: not worth a line in the log
				f.cause = nil
			}
			req.writeFailure(f) // without it, net/http would say 200
		}
	})
}

func (s *Server) timeNow() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

func (s *Server) loggerOrDiscard() *slog.Logger {
	if s.Log != nil {
		return s.Log
	}
	return slog.New(slog.DiscardHandler)
}
