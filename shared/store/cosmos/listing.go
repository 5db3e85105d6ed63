package cosmos

import (
	"context"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/query"
	"github.com/onepane/onepane/shared/store"
	"github.com/onepane/onepane/shared/store/cosmos/cosmosdb"
)

// listing answers a query over rows R, each shown as a T. Rows come from two places: those of the log are at hand;
// those of the tables lie in items, which the index finds by what zone maps tell of them and gives in the order of
// one of their spans.
//
//	index ─▶ item ─▶ rows that match ┐
//	           log's rows that match ┴▶ those that no later item can come before ─▶ page
type listing[R query.Row, T any] struct {
	items   string   // condition on items
	params  sqlQuery // the parameters of that condition
	order   []query.Order
	total   int64 // rows before any condition; -1 when that is not counted
	logRows []R   // the rows at hand

	runQuery   func(ctx context.Context, q cosmosdb.Query, order cosmosdb.Order, do func(item []byte) (more bool, err error)) error
	decodeRows func(ctx context.Context, item []byte) ([]R, error) // of an item, without those that the log tells of
	showRows   func(ctx context.Context, rows []R) ([]T, error)    // as readers see them
	mergedInto func(incident string) []string                      // see question.narrow
}

// newestFirst is the order of listings that have no other.
var newestFirst = []query.Order{{Field: query.Created, Desc: true}}

// readPage gives a page.
func (l listing[R, T]) readPage(ctx context.Context, q query.Query) (store.Page[T], error) {
	page := store.Page[T]{Total: -1}
	if q.Top <= 0 || q.Skip < 0 {
		return page, fault.Errorf(fault.Invalid, "a page of %d after %d rows", q.Top, q.Skip)
	}
	if q.Count && q.Where == nil && l.total >= 0 {
		page.Total = l.total
		q.Count = false
	}
	if len(q.Order) == 0 {
		q.Order = l.order
	}
	g := &pageBuilder[R]{Top: query.NewTop[R](q), query: q}
	for _, r := range l.logRows {
		g.Offer(r, r)
	}
	if err := l.gatherRows(ctx, g); err != nil {
		return page, err
	}
	if q.Count {
		page.Total = g.Matched()
	}
	rows, more := g.Page()
	page.More = more
	var err error
	page.Items, err = l.showRows(ctx, rows)
	return page, err
}

// gatherRows asks for items until the page is sure and, if the query counts, to the end.
func (l listing[R, T]) gatherRows(ctx context.Context, g *pageBuilder[R]) error {
	q := l.params
	q.Params = slices.Clip(q.Params)
	where := joinConditions(l.items, "AND", q.whereItems(g.query.Where, l.mergedInto))
	span, desc := g.orderSpan()
	q.Page = 2 + (g.query.Skip+g.query.Top)/32
	if span == "" || g.query.Count {
		q.Page = 100
	}
	q.Text = "SELECT * FROM c WHERE " + where
	order := cosmosdb.Order{}
	if span != "" {
		order = spanOrder(span, desc)
		q.Text += " ORDER BY " + span + map[bool]string{true: " DESC", false: " ASC"}[desc]
	}
	return l.runQuery(ctx, q.Query, order, func(item []byte) (bool, error) {
		if span != "" && !g.query.Count {
			bound, err := order.Bound(item)
			if err != nil || g.isComplete(bound, desc) {
				return false, err
			}
		}
		rows, err := l.decodeRows(ctx, item)
		for _, r := range rows {
			g.Offer(r, r)
		}
		return true, err
	})
}

// pageBuilder is a page in the making, and what it is asked for.
type pageBuilder[R query.Row] struct {
	*query.Top[R]
	query query.Query
}

// orderSpan is the property of items in whose order the index gives them, when that helps the query's own; "" when
// it does not.
func (g *pageBuilder[R]) orderSpan() (property string, desc bool) {
	first := g.query.Order[0]
	span, ok := spans[first.Field]
	if !ok {
		return "", false
	}
	if first.Desc {
		return span[1], true
	}
	return span[0], false
}

// isComplete says that the page and the row after it are found, when all items to come are at or beyond bound.
func (g *pageBuilder[R]) isComplete(bound int64, desc bool) bool {
	first, before := g.query.Order[0].Field, 0
	for r := range g.Kept() {
		at := unixMicro(r.Time(first))
		if desc && at > bound || !desc && at < bound {
			before++
		}
	}
	return before > g.query.Skip+g.query.Top
}

// spanOrder is the order of items by one of their spans.
func spanOrder(span string, desc bool) cosmosdb.Order {
	return cosmosdb.Order{Bound: func(item []byte) (int64, error) { return spanBound(item, span) }, Desc: desc}
}

// spanBound reads one span of an item, without the rest.
func spanBound(item []byte, span string) (int64, error) {
	var z zoneMap
	if err := json.Unmarshal(item, &z); err != nil {
		return 0, fmt.Errorf("damaged item: %w", err)
	}
	at := map[string]*int64{"c.cmin": z.CMin, "c.cmax": z.CMax, "c.umin": z.UMin, "c.umax": z.UMax, "c.fmin": z.FMin, "c.fmax": z.FMax}[span]
	if at == nil {
		return 0, fmt.Errorf("damaged item: no %s", span)
	}
	return *at, nil
}
