package api

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/api/odata"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/query"
)

// collection is a page of a listing.
type collection struct {
	Context string           `json:"@odata.context,omitzero"`
	Count   *int64           `json:"@odata.count,omitzero"`
	Value   []jsontext.Value `json:"value"`
	Next    string           `json:"@odata.nextLink,omitzero"`
}

// pageLimits are how many items a page holds.
type pageLimits struct {
	defaultTop   int
	maxTop       int
	refuseLarger bool // a larger $top is refused, not clamped
}

var (
	alertLimits    = pageLimits{defaultTop: 100, maxTop: 1000}
	graphLimits    = pageLimits{defaultTop: 100, maxTop: 2000} // of alerts_v2: Cortex XSOAR asks for so many, and then skips so many
	incidentLimits = pageLimits{defaultTop: 50, maxTop: 50, refuseLarger: true}
)

// parseOptions reads the request's query options.
func (c *request) parseOptions(s odata.Schema, allowed []string) (odata.Options, error) {
	values, err := url.ParseQuery(c.URL.RawQuery)
	if err != nil {
		return odata.Options{}, fault.Errorf(fault.Invalid, "The query of the address cannot be read: %w.", err)
	}
	return odata.Parse(values, s, allowed)
}

// pageQuery turns options into a query.
func (l pageLimits) pageQuery(o odata.Options) (query.Query, error) {
	q := query.Query{Where: o.Filter, Order: o.Order, Skip: o.Skip, Top: o.Top, Count: o.Count}
	switch {
	case o.Top < 0:
		q.Top = l.defaultTop
	case o.Top > l.maxTop && l.refuseLarger:
		return q, topExceeded(strconv.Itoa(l.maxTop), strconv.Itoa(o.Top))
	case o.Top > l.maxTop:
		q.Top = l.maxTop
	}
	return q, nil
}

// pageLister lists one page of what comes after a mark; all when there is none.
type pageLister[T query.Row] func(q query.Query, after *pageToken) (query.Page[T], error)

// queryPage lists the page that q and the request's token name. What is counted is all that matches, wherever the page begins; a page
// of no items is asked for its count alone.
func queryPage[T query.Row](q query.Query, token string, standard []query.Order, list pageLister[T]) (query.Page[T], error) {
	after, err := parsePageToken(token, effectiveOrder(q, standard))
	if err != nil {
		return query.Page[T]{}, err
	}
	counted := int64(-1)
	if q.Count && (after != nil || q.Top == 0) {
		p, err := list(query.Query{Where: q.Where, Top: 1, Count: true}, nil)
		if err != nil {
			return p, err
		}
		counted, q.Count = p.Total, false
	}
	if q.Top == 0 {
		return query.Page[T]{Total: counted}, nil
	}
	p, err := list(q, after)
	if counted >= 0 {
		p.Total = counted
	}
	return p, err
}

// writePage sends a page of items as show makes them.
func writePage[T query.Row](c *request, context string, order []query.Order, o odata.Options, p query.Page[T], show func(T) (jsontext.Value, error)) error {
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
		out.Next = c.nextLink("$skiptoken", token, "$skip")
	}
	return c.writeJSON(http.StatusOK, out)
}

// writeItem sends one item with its context as the first member.
func (c *request) writeItem(context string, item jsontext.Value) error {
	name, err := json.Marshal(context)
	if err != nil {
		return err
	}
	b := append([]byte(`{"@odata.context":`), name...)
	if string(item) != "{}" {
		b = append(b, ',')
	}
	c.writeResponse(http.StatusOK, jsonType, append(b, item[1:]...))
	return nil
}

// writeCount sends a plain number, as $count does.
func (c *request) writeCount(n int64) error {
	c.writeResponse(http.StatusOK, textType, []byte(strconv.FormatInt(n, 10)))
	return nil
}

// contextURL is the @odata.context of a path under the security namespace.
func (c *request) contextURL(path string, o odata.Options) string {
	version, _, _ := strings.Cut(strings.TrimPrefix(c.URL.Path, "/"), "/")
	if o.Select != nil {
		path += "(" + strings.Join(o.Select, ",") + ")"
	}
	return c.baseURL() + "/" + version + "/$metadata#security/" + path
}

// EncodeSelected encodes an item with only the selected members; all of them when none are named. Annotations and what was
// expanded stay.
func EncodeSelected(item any, names []string) (jsontext.Value, error) {
	b, err := json.Marshal(item, encoding)
	if err != nil || names == nil {
		return b, err
	}
	var members map[string]jsontext.Value
	if err := json.Unmarshal(b, &members, jsontext.AllowInvalidUTF8(true)); err != nil {
		return nil, err
	}
	for name := range members {
		if !slices.Contains(names, name) && !strings.Contains(name, "@odata") && name != "alerts" {
			delete(members, name)
		}
	}
	return json.Marshal(members, encoding)
}
