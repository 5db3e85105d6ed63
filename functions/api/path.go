package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// pathSegments are the segments that paths are made of besides ids, as routes spell them.
var pathSegments = func() map[string]string {
	m := map[string]string{}
	for _, s := range []string{
		"v1.0", "beta", "security", "alerts_v2", "incidents", "alerts", "$count", "api", "v1", "status", "exposures",
		"reasons", "assets", "graph", "raw", "quarantine", "replay", "audit", "keys", "comments", "bulk", "merge", "move", "split", "unfold", "search", "entities", "sources", "settings", "openapi.json", "healthz", "readyz",
	} {
		m[s] = s
	}
	return m
}()

// canonicalPath spells r's path as routes do: segments compare without case, and a slash at the end means nothing.
func canonicalPath(r *http.Request) *http.Request {
	segments := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	for i, s := range segments {
		if f, ok := pathSegments[strings.ToLower(s)]; ok {
			segments[i] = f
		}
	}
	path := "/" + strings.Join(segments, "/")
	if path == r.URL.Path {
		return r
	}
	out := *r
	u := *r.URL
	u.Path, u.RawPath = path, ""
	out.URL = &u
	return &out
}

// nextLink is the absolute address of the page that follows: the request's own options with the one that moves on, without those
// that it stands for. A tenant that a header named goes along, since clients replay the address without headers.
func (c *request) nextLink(option, value string, without ...string) string {
	params := c.URL.Query()
	for name := range params {
		if strings.EqualFold(name, option) || slices.ContainsFunc(without, func(w string) bool { return strings.EqualFold(name, w) }) {
			delete(params, name)
		}
	}
	params.Set(option, value)
	if t := c.Header.Get(TenantHeader); t != "" {
		params.Set("tid", t)
	}
	return c.baseURL() + c.URL.EscapedPath() + "?" + encodeParams(params)
}

// encodeParams encodes parameters with the "$" of option names and %20 for spaces.
func encodeParams(params url.Values) string {
	return strings.NewReplacer("%24", "$", "+", "%20").Replace(params.Encode())
}
