// Package client speaks to a Onepane API: typed answers, pages as iterators, errors in the server's own words. It keeps
// nothing and decides nothing.
//
//	Client.Incidents(ctx, Query) ──GET …?$skip=─▶ page ─▶ Item, Item, … ──nextLink─▶ page …
package client

import (
	"context"
	"fmt"
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
	*transport
	Keys    Keys
	Exports Exports
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
	limits := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 60 * time.Second,
		IdleConnTimeout:       90 * time.Second,
		ForceAttemptHTTP2:     true,
	}
	t := &transport{base: u, token: token, http: &http.Client{Transport: limits, Timeout: 5 * time.Minute}}
	return &Client{t, Keys{t}, Exports{t}}, nil
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
func listPages[T any](ctx context.Context, t *transport, path string, q Query, perPage int) iter.Seq2[Item[T], error] {
	return func(yield func(Item[T], error) bool) {
		n := 0
		at, params := path, q.pageParams(perPage)
		for {
			var p page
			if err := t.getJSON(ctx, at, params, &p); err != nil {
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
			at, params = strings.TrimPrefix(next.EscapedPath(), t.base.EscapedPath()), next.Query()
		}
	}
}

// getItem gets a single thing.
func getItem[T any](ctx context.Context, t *transport, path string, q Query) (Item[T], error) {
	v := q.Params
	if q.Tenant != "" {
		v = url.Values{"tid": {q.Tenant}}
	}
	var raw jsontext.Value
	if err := t.getJSON(ctx, path, v, &raw); err != nil {
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
