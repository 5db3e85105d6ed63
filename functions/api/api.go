// Package api is the unified API: incidents and alerts of all clouds in the wire shapes of Microsoft Graph security, and
// Onepane's own routes beside them. It decides nothing about alerts; it asks a Reader and shows what it says.
//
//	GET /v1.0/security/alerts_v2?$filter=…
//	  │ authenticate ─▶ Principal ─▶ tenants
//	  │ odata.Parse ──▶ query.Query ─▶ Service ─▶ Reader (store)
//	  ▼
//	Member ─▶ graphAlert, evidence ─▶ $select, $expand ─▶ JSON, gzip
//
//	PATCH, POST ─▶ correlation.Action ─▶ Hand (correlate) ─▶ Records ─▶ Audit
package api

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/onepane/onepane/shared/fault"
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
		c := s.newRequest(w, r)
		c.route = rt
		defer func() {
			if p := recover(); p == http.ErrAbortHandler {
				panic(p)
			} else if p != nil {
				s.loggerOrDiscard().ErrorContext(r.Context(), "request panicked", "path", r.URL.Path, "requestId", c.requestID, "panic", p, "stack", string(debug.Stack()))
				c.writeFailure(newFailure(http.StatusInternalServerError, "generalException", "General exception while processing."))
			}
		}()
		err := c.authorizeRoute(rt)
		if err == nil {
			if err = rt.serve(c); err == nil {
				c.auditUnaudited()
			}
		}
		if err != nil {
			f := failureOf(err)
			if r.Context().Err() != nil { // the client is gone, or sends no further: not worth a line in the log
				f.cause = nil
			}
			c.writeFailure(f) // without it, net/http would say 200
		}
	})
}

// request is one request on its way to an answer.
type request struct {
	*http.Request
	server    *Server
	route     route
	w         http.ResponseWriter
	principal Principal
	requestID string
	clientID  string
	view      View
	answered  bool
	audited   bool
}

func (s *Server) newRequest(w http.ResponseWriter, r *http.Request) *request {
	c := &request{Request: r, server: s, w: w, requestID: newRequestID()}
	c.clientID = c.requestID
	if own := r.Header.Get("client-request-id"); own != "" {
		c.clientID = clipText(own)
	}
	c.view.PortalURL = strings.TrimSuffix(s.PortalURL, "/")
	if c.view.PortalURL == "" {
		c.view.PortalURL = c.baseURL()
	}
	h := w.Header()
	h.Set("request-id", c.requestID)
	h.Set("client-request-id", c.clientID)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if hasPreference(r.Header, "include-unknown-enum-members") {
		c.view.AllEnumMembers = true
		h.Set("Preference-Applied", "include-unknown-enum-members")
	}
	return c
}

func (c *request) authorizeRoute(rt route) error {
	if rt.open {
		return nil
	}
	if c.server.Authenticate == nil {
		return newFailure(http.StatusUnauthorized, "unauthenticated", "No authentication is configured.")
	}
	p, err := c.server.Authenticate(c.Request)
	switch {
	case err != nil && (fault.Of(err) == fault.Denied || fault.Of(err) == fault.Unavailable):
		return err
	case err != nil:
		c.w.Header().Set("WWW-Authenticate", "Bearer")
		return newFailure(http.StatusUnauthorized, "unauthenticated", "The request says not, or not validly, who sends it: "+err.Error())
	}
	if !p.Can(rt.needs) {
		return fault.Errorf(fault.Denied, "You may not do this: it takes one of the roles %s.", rolesGranting(rt.needs))
	}
	if c.server.Limit != nil {
		if wait := c.server.Limit(p); wait > 0 {
			return tooManyRequests(wait)
		}
	}
	c.principal = p
	c.Request = c.WithContext(context.WithValue(c.Context(), principalKey{}, p))
	return nil
}

// requestedTenants are those that this request shows.
func (c *request) requestedTenants() ([]string, error) {
	only, err := requestedTenant(c.Request)
	if err != nil {
		return nil, err
	}
	return c.tenantScope().visibleTenants(c.Context(), only)
}

func (c *request) scopedQueries() Queries { return Queries{Reader: c.scopedReader()} }

// baseURL is the address that links in the answer start with.
func (c *request) baseURL() string {
	if c.server.BaseURL != "" {
		return strings.TrimSuffix(c.server.BaseURL, "/")
	}
	if c.TLS != nil {
		return "https://" + c.Host
	}
	return "http://" + c.Host
}

// readBody reads a request body of at most limit bytes.
func (c *request) readBody(limit int64) ([]byte, error) {
	b, err := io.ReadAll(http.MaxBytesReader(c.w, c.Body, limit))
	var over *http.MaxBytesError
	switch {
	case err == nil:
		return b, nil
	case errors.As(err, &over):
		return nil, fault.Errorf(fault.TooLarge, "The body is larger than %d bytes.", limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.w.Header().Set("Connection", "close")
		return nil, newFailure(http.StatusRequestTimeout, "requestTimeout", "The body did not arrive in time.")
	}
	return nil, fault.Errorf(fault.Invalid, "The body cannot be read to its end.") // err would tell addresses
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

// newRequestID is a random UUID.
func newRequestID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// hasPreference reports whether a Prefer header asks for a preference, among others or alone.
func hasPreference(h http.Header, preference string) bool {
	for _, line := range h.Values("Prefer") {
		for p := range strings.SplitSeq(line, ",") {
			name, _, _ := strings.Cut(p, ";")
			if strings.EqualFold(strings.TrimSpace(name), preference) {
				return true
			}
		}
	}
	return false
}
