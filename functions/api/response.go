package api

import (
	"compress/gzip"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/api/graph"
	"github.com/onepane/onepane/functions/api/odata"
	"github.com/onepane/onepane/shared/query"
)

const (
	jsonType = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
	textType = "text/plain; charset=utf-8"
)

// writeJSON answers with v.
func (req *request) writeJSON(status int, v any) error {
	b, err := json.Marshal(v, graph.Encoding)
	if err != nil {
		return newFailure(http.StatusInternalServerError, "generalException", "General exception while processing.").withCause(err)
	}
	req.writeResponse(status, jsonType, b)
	return nil
}

func (f *failure) withCause(err error) *failure {
	f.cause = err
	return f
}

// writeFailure answers with an error body, unless an answer is already under way.
func (req *request) writeFailure(f *failure) {
	if f.cause != nil {
		req.server.loggerOrDiscard().ErrorContext(req.Context(), "request failed", "method", req.Method, "path", req.URL.Path, "requestId", req.requestID, "error", f.cause)
	}
	if req.answered {
		return
	}
	switch {
	case f.wait > 0:
		req.w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(f.wait.Seconds()))))
	case f.status == http.StatusServiceUnavailable:
		req.w.Header().Set("Retry-After", "2")
	}
	b, err := json.Marshal(errorBody{f.graphError.withRequest(req.server.timeNow(), req.requestID, req.clientID)}, graph.Encoding)
	if err != nil { // texts only: cannot happen
		b = []byte("{}")
	}
	req.writeResponse(f.status, jsonType, b)
}

// worthZipping is the size in bytes below which compression gains nothing.
const worthZipping = 1 << 10

// writeResponse sends an answer, compressed when the client takes it. Its error is of no use: whoever asked is gone.
func (req *request) writeResponse(status int, contentType string, b []byte) {
	req.answered = true
	h := req.w.Header()
	h.Set("Content-Type", contentType)
	h.Add("Vary", "Accept-Encoding")
	if len(b) < worthZipping || !acceptsGzip(req.Header) {
		h.Set("Content-Length", strconv.Itoa(len(b)))
		req.w.WriteHeader(status)
		_, _ = req.w.Write(b)
		return
	}
	h.Set("Content-Encoding", "gzip")
	req.w.WriteHeader(status)
	if req.Method == http.MethodHead {
		return
	}
	z := gzip.NewWriter(req.w)
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

// writeItem sends one item with its context as the first member.
func (req *request) writeItem(context string, item jsontext.Value) error {
	name, err := json.Marshal(context)
	if err != nil {
		return err
	}
	b := append([]byte(`{"@odata.context":`), name...)
	if string(item) != "{}" {
		b = append(b, ',')
	}
	req.writeResponse(http.StatusOK, jsonType, append(b, item[1:]...))
	return nil
}

// writeCount sends a plain number, as $count does.
func (req *request) writeCount(n int64) error {
	req.writeResponse(http.StatusOK, textType, []byte(strconv.FormatInt(n, 10)))
	return nil
}

// writePage sends a page of items as show makes them.
func writePage[T query.Row](req *request, context string, order []query.Order, o odata.Options, p query.Page[T], show func(T) (jsontext.Value, error)) error {
	out := collection{Context: context, Value: make([]jsontext.Value, 0, len(p.Items))}
	for _, item := range p.Items {
		v, err := show(item)
		if err != nil {
			return err
		}
		out.Value = append(out.Value, v)
	}
	if o.Count {
		out.Count = &p.Total
	}
	if p.More && len(p.Items) > 0 {
		last := p.Items[len(p.Items)-1]
		token, err := encodePageToken(last, tenantOfRow(last), order)
		if err != nil {
			return err
		}
		out.Next = req.nextLink("$skiptoken", token, "$skip")
	}
	return req.writeJSON(http.StatusOK, out)
}

// collection is a page of a listing.
type collection struct {
	Context string           `json:"@odata.context,omitzero"`
	Count   *int64           `json:"@odata.count,omitzero"`
	Value   []jsontext.Value `json:"value"`
	Next    string           `json:"@odata.nextLink,omitzero"`
}

// writeAll answers with a whole collection.
func writeAll[T any](req *request, all []T) error {
	out := collection{Value: []jsontext.Value{}}
	for _, e := range all {
		v, err := json.Marshal(e, graph.Encoding)
		if err != nil {
			return err
		}
		out.Value = append(out.Value, v)
	}
	return req.writeJSON(http.StatusOK, out)
}

// setETag names the version of what is shown, for If-Match.
func (req *request) setETag(tag string) { req.w.Header().Set("ETag", `W/"`+tag+`"`) }

// wroteMinimal answers without a body when the request prefers that.
func (req *request) wroteMinimal() bool {
	if !hasPreference(req.Header, "return=minimal") {
		return false
	}
	req.w.Header().Set("Preference-Applied", "return=minimal")
	req.answered = true
	req.w.WriteHeader(http.StatusNoContent)
	return true
}
