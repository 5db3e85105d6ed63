package cosmos

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/query"
	"github.com/onepane/onepane/shared/store"
)

// listing answers a query over rows R, each shown as a T. Rows come from two places: those of the log are at hand; those of the
// tables lie in items, which the index finds by what zone maps tell of them and gives in the order of one of their spans.
//
//	index ─▶ item ─▶ rows that match ┐
//	           log's rows that match ┴▶ those that no later item can come before ─▶ page
type listing[R query.Row, T any] struct {
	items   string   // condition on items
	params  sqlQuery // the parameters of that condition
	order   []query.Order
	total   int64 // rows before any condition; -1 when that is not counted
	logRows []R   // the rows at hand

	runQuery   func(ctx context.Context, q sqlQuery, span string, desc bool, do func(item []byte) (more bool, err error)) error
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
	g := &topRows[R]{query: q}
	for _, r := range l.logRows {
		g.addRow(r)
	}
	if err := l.gatherRows(ctx, g); err != nil {
		return page, err
	}
	if q.Count {
		page.Total = g.matched
	}
	best := g.sortFound()
	page.More = len(best) > q.Skip+q.Top
	rows := make([]R, 0, q.Top)
	for _, c := range best[min(q.Skip, len(best)):min(q.Skip+q.Top, len(best))] {
		rows = append(rows, c.row)
	}
	var err error
	page.Items, err = l.showRows(ctx, rows)
	return page, err
}

// gatherRows asks for items until the page is sure and, if the query counts, to the end.
func (l listing[R, T]) gatherRows(ctx context.Context, g *topRows[R]) error {
	q := l.params
	q.params = slices.Clip(q.params)
	where := joinConditions(l.items, "AND", q.whereItems(g.query.Where, l.mergedInto))
	span, desc := g.orderSpan()
	q.page = 2 + (g.query.Skip+g.query.Top)/32
	if span == "" || g.query.Count {
		q.page = 100
	}
	q.text = "SELECT * FROM c WHERE " + where
	if span != "" && desc {
		q.text += " ORDER BY " + span + " DESC"
	} else if span != "" {
		q.text += " ORDER BY " + span + " ASC"
	}
	return l.runQuery(ctx, q, span, desc, func(item []byte) (bool, error) {
		if span != "" && !g.query.Count {
			bound, err := spanBound(item, span)
			if err != nil || g.isComplete(bound, desc) {
				return false, err
			}
		}
		rows, err := l.decodeRows(ctx, item)
		for _, r := range rows {
			g.addRow(r)
		}
		return true, err
	})
}

// topRows are the rows found so far that may be on the page.
type topRows[R query.Row] struct {
	query   query.Query
	matched int64
	found   []candidate[R]
}

// candidate is a row and what it is ordered by.
type candidate[R query.Row] struct {
	row  R
	keys []sortKey
}

// sortKey is one value to order by: times and ranks as numbers, all else as text.
type sortKey struct {
	number int64
	nanos  int
	text   string
}

// addRow adds a row if it matches, and drops those that can no longer be on the page.
func (g *topRows[R]) addRow(r R) {
	if !query.Match(g.query.Where, r) {
		return
	}
	g.matched++
	g.found = append(g.found, candidate[R]{r, keysOf(r, g.query.Order)})
	if keep := g.query.Skip + g.query.Top + 1; len(g.found) >= 2*keep+1000 {
		g.found = g.sortFound()[:keep]
	}
}

func (g *topRows[R]) sortFound() []candidate[R] {
	slices.SortFunc(g.found, func(a, b candidate[R]) int { return g.compareRows(a, b) })
	return g.found
}

func (g *topRows[R]) compareRows(a, b candidate[R]) int {
	for i, o := range g.query.Order {
		c := cmp.Or(cmp.Compare(a.keys[i].number, b.keys[i].number), cmp.Compare(a.keys[i].nanos, b.keys[i].nanos), strings.Compare(a.keys[i].text, b.keys[i].text))
		if c != 0 && o.Desc {
			return -c
		}
		if c != 0 {
			return c
		}
	}
	return strings.Compare(a.row.Text(query.ID), b.row.Text(query.ID))
}

func keysOf(row query.Row, order []query.Order) []sortKey {
	keys := make([]sortKey, len(order))
	for i, o := range order {
		switch {
		case o.Field.IsTime():
			t := row.Time(o.Field)
			keys[i].number, keys[i].nanos = t.Unix(), t.Nanosecond()
		case o.Field == query.Severity:
			keys[i].number = int64(alert.ParseSeverity(row.Text(o.Field)).Rank())
		default:
			keys[i].text = strings.ToLower(row.Text(o.Field))
		}
	}
	return keys
}

// orderSpan is the property of items in whose order the index gives them, when that helps the query's own; "" when it does not.
func (g *topRows[R]) orderSpan() (property string, desc bool) {
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
func (g *topRows[R]) isComplete(bound int64, desc bool) bool {
	first, before := g.query.Order[0].Field, 0
	for _, c := range g.found {
		at := unixMicro(c.row.Time(first))
		if desc && at > bound || !desc && at < bound {
			before++
		}
	}
	return before > g.query.Skip+g.query.Top
}
