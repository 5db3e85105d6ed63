package api

import (
	"compress/gzip"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	jsonType = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
	textType = "text/plain; charset=utf-8"
)

// encoding writes maps in one order and passes on what providers wrote wrongly as replacement characters.
var encoding = json.JoinOptions(json.Deterministic(true), jsontext.AllowInvalidUTF8(true))

// writeJSON answers with v.
func (c *request) writeJSON(status int, v any) error {
	b, err := json.Marshal(v, encoding)
	if err != nil {
		return newFailure(http.StatusInternalServerError, "generalException", "General exception while processing.").withCause(err)
	}
	c.writeResponse(status, jsonType, b)
	return nil
}

func (f *failure) withCause(err error) *failure {
	f.cause = err
	return f
}

// writeFailure answers with an error body, unless an answer is already under way.
func (c *request) writeFailure(f *failure) {
	if f.cause != nil {
		c.server.loggerOrDiscard().ErrorContext(c.Context(), "request failed", "method", c.Method, "path", c.URL.Path, "requestId", c.requestID, "error", f.cause)
	}
	if c.answered {
		return
	}
	switch {
	case f.wait > 0:
		c.w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(f.wait.Seconds()))))
	case f.status == http.StatusServiceUnavailable:
		c.w.Header().Set("Retry-After", "2")
	}
	b, err := json.Marshal(errorBody{f.graphError.withRequest(c.server.timeNow(), c.requestID, c.clientID)}, encoding)
	if err != nil { // texts only: cannot happen
		b = []byte("{}")
	}
	c.writeResponse(f.status, jsonType, b)
}

// worthZipping is the size in bytes below which compression gains nothing.
const worthZipping = 1 << 10

// writeResponse sends an answer, compressed when the client takes it. Its error is of no use: whoever asked is gone.
func (c *request) writeResponse(status int, contentType string, b []byte) {
	c.answered = true
	h := c.w.Header()
	h.Set("Content-Type", contentType)
	h.Add("Vary", "Accept-Encoding")
	if len(b) < worthZipping || !acceptsGzip(c.Header) {
		h.Set("Content-Length", strconv.Itoa(len(b)))
		c.w.WriteHeader(status)
		_, _ = c.w.Write(b)
		return
	}
	h.Set("Content-Encoding", "gzip")
	c.w.WriteHeader(status)
	if c.Method == http.MethodHead {
		return
	}
	z := gzip.NewWriter(c.w)
	_, _ = z.Write(b)
	_ = z.Close()
}

func acceptsGzip(h http.Header) bool {
	for _, line := range h.Values("Accept-Encoding") {
		for e := range strings.SplitSeq(line, ",") {
			name, params, _ := strings.Cut(strings.ToLower(e), ";")
			q := strings.TrimPrefix(strings.ReplaceAll(params, " ", ""), "q=")
			if n := strings.TrimSpace(name); n == "gzip" || n == "*" {
				f, err := strconv.ParseFloat(q, 64)
				return params == "" || err == nil && f > 0
			}
		}
	}
	return false
}
