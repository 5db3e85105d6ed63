// Package client speaks to a Onepane API: typed answers, pages as iterators, errors in the server's own words. It keeps
// nothing and decides nothing.
//
//	Client.Incidents(ctx, Query) ──GET …?$skip=─▶ page ─▶ Item, Item, … ──nextLink─▶ page …
package client

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// DefaultURL is where a standalone Onepane listens.
const DefaultURL = "http://127.0.0.1:7071"

// Client speaks to one server. Safe for concurrent use.
type Client struct {
	base  *url.URL
	token string
	http  *http.Client
}

// New makes a client for the server at base (DefaultURL when empty). The token is sent as a bearer token unless empty.
func New(base, token string) (*Client, error) {
	if base == "" {
		base = DefaultURL
	}
	u, err := url.Parse(strings.TrimSuffix(base, "/"))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("server address %q: expected something like %s", base, DefaultURL)
	}
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 60 * time.Second,
		IdleConnTimeout:       90 * time.Second,
		ForceAttemptHTTP2:     true,
	}
	return &Client{base: u, token: token, http: &http.Client{Transport: transport, Timeout: 5 * time.Minute}}, nil
}

// Query narrows a listing.
type Query struct {
	Filter string // OData $filter; empty for all
	Order  string // OData $orderby
	Tenant string // empty for all that the token may read
	Top    int    // at most this many items over all pages; 0 for all
	Params url.Values
}

// pageParams are the query's parameters. A page holds no more than is wanted.
func (q Query) pageParams(page int) url.Values {
	v := url.Values{}
	for name, vs := range q.Params {
		v[name] = vs
	}
	for name, value := range map[string]string{"$filter": q.Filter, "$orderby": q.Order, "tid": q.Tenant} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if q.Top > 0 {
		page = min(page, q.Top)
	}
	v.Set("$top", strconv.Itoa(page))
	return v
}

// Item is one thing as the server told it: read, and whole.
type Item[T any] struct {
	Value T
	JSON  jsontext.Value
}

// page is one page of a listing.
type page struct {
	Value []jsontext.Value `json:"value"`
	Next  string           `json:"@odata.nextLink"`
}

// listPages runs through the pages of a listing until the end, the first error, or q.Top items.
func listPages[T any](ctx context.Context, c *Client, path string, q Query, perPage int) iter.Seq2[Item[T], error] {
	return func(yield func(Item[T], error) bool) {
		n := 0
		at, params := path, q.pageParams(perPage)
		for {
			var p page
			if err := c.getJSON(ctx, at, params, &p); err != nil {
				yield(Item[T]{}, err)
				return
			}
			for _, raw := range p.Value {
				item, err := decodeItem[T](raw)
				if !yield(item, err) || err != nil {
					return
				}
				if n++; n == q.Top {
					return
				}
			}
			if p.Next == "" {
				return
			}
			next, err := url.Parse(p.Next)
			if err != nil {
				yield(Item[T]{}, fmt.Errorf("next page: %w", err))
				return
			}
			// The server may know itself by another name than we do, and the token is for the server we were told of.
			at, params = strings.TrimPrefix(next.EscapedPath(), c.base.EscapedPath()), next.Query()
		}
	}
}

// getItem gets a single thing.
func getItem[T any](ctx context.Context, c *Client, path string, q Query) (Item[T], error) {
	v := q.Params
	if q.Tenant != "" {
		v = url.Values{"tid": {q.Tenant}}
	}
	var raw jsontext.Value
	if err := c.getJSON(ctx, path, v, &raw); err != nil {
		return Item[T]{}, err
	}
	return decodeItem[T](raw)
}

func decodeItem[T any](raw jsontext.Value) (Item[T], error) {
	item := Item[T]{JSON: raw}
	if err := json.Unmarshal(raw, &item.Value); err != nil {
		return item, fmt.Errorf("read the server's answer: %w", err)
	}
	return item, nil
}

func (c *Client) getJSON(ctx context.Context, path string, params url.Values, into any) error {
	return c.sendRequest(ctx, http.MethodGet, path, params, nil, into)
}

// maxAnswer bounds what is read of one answer, in bytes.
const maxAnswer = 256 << 20

// sendRequest sends a request to a path, escaped as it goes on the wire, and reads its JSON answer. What the server refuses is *Error, one that cannot be reached *Unreachable.
func (c *Client) sendRequest(ctx context.Context, method, path string, params url.Values, body []byte, into any) error {
	u := *c.base
	u.RawPath, u.RawQuery = c.base.EscapedPath()+path, params.Encode()
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
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return &Unreachable{URL: c.base.String(), Err: err}
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
		return fmt.Errorf("%s does not answer like a Onepane server: %w", c.base, err)
	}
	return nil
}
