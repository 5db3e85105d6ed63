package api

import (
	"strconv"

	"github.com/onepane/onepane/functions/api/odata"
	"github.com/onepane/onepane/shared/query"
)

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

// pageLister lists one page of what comes after a page token; all when there is none.
type pageLister[T query.Row] func(q query.Query, after *pageToken) (query.Page[T], error)

// queryPage lists the page that q and the request's token name. What is counted is all that matches, wherever the
// page begins; a page of no items is asked for its count alone.
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
