package api

import (
	"net/http"
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
