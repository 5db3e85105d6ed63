package client

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/go-json-experiment/json"
)

// transport sends requests to one server.
type transport struct {
	base  *url.URL
	token string
	http  *http.Client
}

func (t *transport) getJSON(ctx context.Context, path string, params url.Values, into any) error {
	return t.sendRequest(ctx, http.MethodGet, path, params, nil, into)
}

// maxAnswer bounds what is read of one answer, in bytes.
const maxAnswer = 256 << 20

// sendRequest sends a request to a path, escaped as it goes on the wire, and reads its JSON answer. What the server
// refuses is *Error, one that cannot be reached *Unreachable.
func (t *transport) sendRequest(ctx context.Context, method, path string, params url.Values, body []byte, into any) error {
	u := *t.base
	u.RawPath, u.RawQuery = t.base.EscapedPath()+path, params.Encode()
	var err error
	if u.Path, err = url.PathUnescape(u.RawPath); err != nil {
		return fmt.Errorf("path %s: %w", path, err)
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Prefer", "include-unknown-enum-members")
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if t.token != "" {
		req.Header.Set("Authorization", "Bearer "+t.token)
	}
	resp, err := t.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return &Unreachable{URL: t.base.String(), Err: err}
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	if resp.StatusCode/100 != 2 {
		return parseError(resp, b)
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("%s does not answer like a Onepane server: %w", t.base, err)
	}
	return nil
}
