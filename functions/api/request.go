package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/onepane/onepane/functions/api/graph"
	"github.com/onepane/onepane/functions/api/odata"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
)

// request is one request on its way to an answer.
type request struct {
	*http.Request
	server    *Server
	route     route
	w         http.ResponseWriter
	principal Principal
	requestID string
	clientID  string
	view      graph.View
	answered  bool
	audited   bool
}

func (s *Server) newRequest(w http.ResponseWriter, r *http.Request) *request {
	req := &request{Request: r, server: s, w: w, requestID: newRequestID()}
	req.clientID = req.requestID
	if own := r.Header.Get("client-request-id"); own != "" {
		req.clientID = clipText(own)
	}
	req.view.PortalURL = strings.TrimSuffix(s.PortalURL, "/")
	if req.view.PortalURL == "" {
		req.view.PortalURL = req.baseURL()
	}
	h := w.Header()
	h.Set("request-id", req.requestID)
	h.Set("client-request-id", req.clientID)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if hasPreference(r.Header, "include-unknown-enum-members") {
		req.view.AllEnumMembers = true
		h.Set("Preference-Applied", "include-unknown-enum-members")
	}
	return req
}

func (req *request) authorizeRoute(rt route) error {
	if rt.open {
		return nil
	}
	if req.server.Authenticate == nil {
		return newFailure(http.StatusUnauthorized, "unauthenticated", "No authentication is configured.")
	}
	p, err := req.server.Authenticate(req.Request)
	switch {
	case err != nil && (fault.Of(err) == fault.Denied || fault.Of(err) == fault.Unavailable):
		return err
	case err != nil:
		req.w.Header().Set("WWW-Authenticate", "Bearer")
		return newFailure(http.StatusUnauthorized, "unauthenticated", "The request says not, or not validly, who sends it: "+err.Error())
	}
	if !p.Can(rt.needs) {
		return fault.Errorf(fault.Denied, "You may not do this: it takes one of the roles %s.", rolesGranting(rt.needs))
	}
	if req.server.Limit != nil {
		if wait := req.server.Limit(p); wait > 0 {
			return tooManyRequests(wait)
		}
	}
	req.principal = p
	req.Request = req.WithContext(context.WithValue(req.Context(), principalKey{}, p))
	return nil
}

// requestedTenants are those that this request shows.
func (req *request) requestedTenants() ([]string, error) {
	only, err := requestedTenant(req.Request)
	if err != nil {
		return nil, err
	}
	return req.tenantScope().visibleTenants(req.Context(), only)
}

func (req *request) scopedQueries() Queries { return Queries{Reader: req.scopedReader()} }

// baseURL is the address that links in the answer start with.
func (req *request) baseURL() string {
	if req.server.BaseURL != "" {
		return strings.TrimSuffix(req.server.BaseURL, "/")
	}
	if req.TLS != nil {
		return "https://" + req.Host
	}
	return "http://" + req.Host
}

// readBody reads a request body of at most limit bytes.
func (req *request) readBody(limit int64) ([]byte, error) {
	b, err := io.ReadAll(http.MaxBytesReader(req.w, req.Body, limit))
	var over *http.MaxBytesError
	switch {
	case err == nil:
		return b, nil
	case errors.As(err, &over):
		return nil, fault.Errorf(fault.TooLarge, "The body is larger than %d bytes.", limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		req.w.Header().Set("Connection", "close")
		return nil, newFailure(http.StatusRequestTimeout, "requestTimeout", "The body did not arrive in time.")
	}
	return nil, fault.Errorf(fault.Invalid, "The body cannot be read to its end.") // err would tell addresses
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

// readDocument reads a request's JSON body of at most maxRequest bytes, unpacked if it is packed. Whether it is, its
// first bytes say: after a 429 the Graph's SDKs send the header of a packed body with a plain one.
func (req *request) readDocument() ([]byte, error) {
	if e := req.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "gzip") && !strings.EqualFold(e, "identity") {
		return nil, newFailure(http.StatusUnsupportedMediaType, "invalidRequest", "Content-Encoding '"+clipText(e)+"' is not supported; send gzip or none.")
	}
	b, err := req.readBody(maxRequest)
	if err != nil || !bytes.HasPrefix(b, []byte{0x1f, 0x8b}) {
		return b, err
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err == nil {
		b, err = io.ReadAll(io.LimitReader(z, maxRequest+1))
	}
	switch {
	case err != nil:
		return nil, fault.Errorf(fault.Invalid, "The packed body cannot be read: %w.", err)
	case len(b) > maxRequest:
		return nil, fault.Errorf(fault.TooLarge, "The body is larger than %d bytes.", maxRequest)
	}
	return b, nil
}

// nextLink is the absolute address of the page that follows: the request's own options with the one that moves on,
// without those that it stands for. A tenant that a header named goes along, since clients replay the address without
// headers.
func (req *request) nextLink(option, value string, without ...string) string {
	params := req.URL.Query()
	for name := range params {
		if strings.EqualFold(name, option) || slices.ContainsFunc(without, func(w string) bool { return strings.EqualFold(name, w) }) {
			delete(params, name)
		}
	}
	params.Set(option, value)
	if t := req.Header.Get(TenantHeader); t != "" {
		params.Set("tid", t)
	}
	return req.baseURL() + req.URL.EscapedPath() + "?" + encodeParams(params)
}

// encodeParams encodes parameters with the "$" of option names and %20 for spaces.
func encodeParams(params url.Values) string {
	return strings.NewReplacer("%24", "$", "+", "%20").Replace(params.Encode())
}

// contextURL is the @odata.context of a path under the security namespace.
func (req *request) contextURL(path string, o odata.Options) string {
	version, _, _ := strings.Cut(strings.TrimPrefix(req.URL.Path, "/"), "/")
	if o.Select != nil {
		path += "(" + strings.Join(o.Select, ",") + ")"
	}
	return req.baseURL() + "/" + version + "/$metadata#security/" + path
}

// parseOptions reads the request's query options.
func (req *request) parseOptions(s odata.Schema, allowed []string) (odata.Options, error) {
	values, err := url.ParseQuery(req.URL.RawQuery)
	if err != nil {
		return odata.Options{}, fault.Errorf(fault.Invalid, "The query of the address cannot be read: %w.", err)
	}
	return odata.Parse(values, s, allowed)
}

// ifMatchTag is the tag that If-Match asks for, "" when anything will do.
func (req *request) ifMatchTag() string {
	m := strings.TrimPrefix(strings.TrimSpace(req.Header.Get("If-Match")), "W/")
	if m == "*" {
		return ""
	}
	return strings.Trim(m, `"`)
}

// findIncident finds the incident that the path names.
func (req *request) findIncident() (incident.Incident, error) {
	tenants, err := req.requestedTenants()
	if err != nil {
		return incident.Incident{}, err
	}
	return req.scopedQueries().Incident(req.Context(), tenants, req.PathValue("id"))
}

// findAlert finds the alert that the path names.
func (req *request) findAlert() (incident.AlertRecord, error) {
	tenants, err := req.requestedTenants()
	if err != nil {
		return incident.AlertRecord{}, err
	}
	if req.PathValue("aid") != "" {
		return req.scopedQueries().IncidentAlert(req.Context(), tenants, req.PathValue("id"), req.PathValue("aid"))
	}
	return req.scopedQueries().Alert(req.Context(), tenants, req.PathValue("id"))
}
