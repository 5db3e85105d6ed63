package awslambda

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/functions/host/attempt"
	"github.com/onepane/onepane/shared/fault"
)

// urlRequest is an HTTP request as function URLs and API Gateway pass it on (payload format version 2.0).
type urlRequest struct {
	Path    string            `json:"rawPath"`
	Query   string            `json:"rawQueryString"`
	Headers map[string]string `json:"headers"` // names in lower case, repeated ones joined by commas
	Cookies []string          `json:"cookies"`
	Body    string            `json:"body"`
	Base64  bool              `json:"isBase64Encoded"`
	Context struct {
		Domain string `json:"domainName"`
		HTTP   struct {
			Method   string `json:"method"`
			SourceIP string `json:"sourceIp"`
		} `json:"http"`
	} `json:"requestContext"`
}

// urlReply is the response in the same format.
type urlReply struct {
	Status  int               `json:"statusCode"`
	Headers map[string]string `json:"headers"`
	Cookies []string          `json:"cookies,omitempty"`
	Body    string            `json:"body"`
	Base64  bool              `json:"isBase64Encoded"`
}

// serveRequest serves one HTTP request. Every failure is an answer to its sender, none an error to Lambda.
func (h *Host) serveRequest(ctx context.Context, payload []byte) ([]byte, error) {
	if h.HTTP == nil {
		return json.Marshal(errorReply(http.StatusNotFound, "itemNotFound", "This function takes no requests."))
	}
	var c urlRequest
	if err := json.Unmarshal(payload, &c); err != nil {
		return json.Marshal(errorReply(http.StatusBadRequest, "invalidRequest", "The request is not readable."))
	}
	answer := make(chan urlReply, 1) // buffered: a handler that ends late must not block
	err := attempt.Run(ctx, h.Log, func(ctx context.Context) error {
		r, err := c.httpRequest(ctx)
		if err != nil {
			answer <- errorReply(http.StatusBadRequest, "invalidRequest", "The request is not readable.")
			return nil
		}
		w := &replyWriter{header: http.Header{}}
		h.HTTP.ServeHTTP(w, r)
		answer <- w.urlReply()
		return nil
	})
	var p *attempt.Panic
	switch {
	case err == nil:
		return json.Marshal(<-answer)
	case errors.As(err, &p):
		return json.Marshal(errorReply(http.StatusInternalServerError, "generalException", "The request failed unexpectedly; it may be sent again."))
	}
	h.Log.ErrorContext(ctx, "request not finished", "kind", fault.Of(err).String(), "reason", err)
	return json.Marshal(errorReply(http.StatusServiceUnavailable, "serviceNotAvailable", "The request took too long, send it again."))
}

// httpRequest returns the request as net/http has it; fault.Invalid when it cannot be read.
func (c urlRequest) httpRequest(ctx context.Context) (*http.Request, error) {
	body := []byte(c.Body)
	if c.Base64 {
		var err error
		if body, err = base64.StdEncoding.DecodeString(c.Body); err != nil {
			return nil, fault.Errorf(fault.Invalid, "body: %w", err)
		}
	}
	host := c.Context.Domain
	if host == "" {
		host = "lambda"
	}
	target := "https://" + host + "/" + strings.TrimPrefix(c.Path, "/")
	if c.Query != "" {
		target += "?" + c.Query
	}
	r, err := http.NewRequestWithContext(ctx, c.Context.HTTP.Method, target, bytes.NewReader(body))
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "request: %w", err)
	}
	for name, v := range c.Headers {
		r.Header.Set(name, v)
	}
	if len(c.Cookies) > 0 {
		r.Header.Set("Cookie", strings.Join(c.Cookies, "; "))
	}
	r.RemoteAddr = c.Context.HTTP.SourceIP
	return r, nil
}

// errorReply returns an error answer in the shape of the API's.
func errorReply(status int, code, message string) urlReply {
	return urlReply{Status: status, Headers: map[string]string{"Content-Type": "application/json"},
		Body: `{"error":{"code":"` + code + `","message":"` + message + `"}}`}
}

// replyWriter is an http.ResponseWriter that keeps the response in memory.
type replyWriter struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *replyWriter) Header() http.Header { return w.header }

func (w *replyWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *replyWriter) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

// urlReply returns what was written; a body that is not UTF-8 in base64.
func (w *replyWriter) urlReply() urlReply {
	w.WriteHeader(http.StatusOK)
	out := urlReply{Status: w.status, Headers: map[string]string{}, Cookies: w.header.Values("Set-Cookie")}
	for name, values := range w.header {
		if name != "Set-Cookie" {
			out.Headers[name] = strings.Join(values, ", ")
		}
	}
	if b := w.body.Bytes(); utf8.Valid(b) {
		out.Body = string(b)
	} else {
		out.Body, out.Base64 = base64.StdEncoding.EncodeToString(b), true
	}
	return out
}
