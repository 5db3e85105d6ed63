package query

import (
	"container/heap"
	"iter"
	"slices"
)

// Top finds a query's page among rows that come in any order. It keeps as many as the page and what it skips, and one
// more that says whether there is a next page; R is what is kept of a row.
type Top[R any] struct {
	query   Query
	matched int64
	kept    lastFirst[R]
	key     SortKey // of the row that is offered, made in place
}

// NewTop begins a page of q. Q has an order, and Skip and Top as Query wants them.
func NewTop[R any](q Query) *Top[R] {
	return &Top[R]{query: q, kept: lastFirst[R]{order: q.Order}}
}

// Offer counts a row that matches the query, and keeps value for it as long as it may be on the page.
func (t *Top[R]) Offer(row Row, value R) {
	if !Match(t.query.Where, row) {
		return
	}
	t.matched++
	t.key.values, t.key.id = appendSortValues(t.key.values[:0], row, t.query.Order), row.Text(ID)
	switch {
	case len(t.kept.rows) <= t.query.Skip+t.query.Top:
		heap.Push(&t.kept, keptRow[R]{SortKey{slices.Clone(t.key.values), t.key.id}, value})
	case t.key.Compare(t.kept.rows[0].key, t.query.Order) < 0:
		t.kept.rows[0] = keptRow[R]{SortKey{slices.Clone(t.key.values), t.key.id}, value}
		heap.Fix(&t.kept, 0)
	}
}

// Matched counts the rows that were offered and match.
func (t *Top[R]) Matched() int64 { return t.matched }

// Kept gives what is kept, in no order.
func (t *Top[R]) Kept() iter.Seq[R] {
	return func(yield func(R) bool) {
		for _, row := range t.kept.rows {
			if !yield(row.value) {
				return
			}
		}
	}
}

// Page gives the page in order; more says that a row follows it.
func (t *Top[R]) Page() (page []R, more bool) {
	rows := slices.SortedFunc(slices.Values(t.kept.rows), func(a, b keptRow[R]) int { return a.key.Compare(b.key, t.query.Order) })
	end := min(t.query.Skip+t.query.Top, len(rows))
	for _, row := range rows[min(t.query.Skip, end):end] {
		page = append(page, row.value)
	}
	return page, end < len(rows)
}

// lastFirst is a heap of rows: at its root is the one that comes last in the order.
type lastFirst[R any] struct {
	order []Order
	rows  []keptRow[R]
}

type keptRow[R any] struct {
	key   SortKey
	value R
}

func (h *lastFirst[R]) Len() int           { return len(h.rows) }
func (h *lastFirst[R]) Less(i, j int) bool { return h.rows[i].key.Compare(h.rows[j].key, h.order) > 0 }
func (h *lastFirst[R]) Swap(i, j int)      { h.rows[i], h.rows[j] = h.rows[j], h.rows[i] }
func (h *lastFirst[R]) Push(x any)         { h.rows = append(h.rows, x.(keptRow[R])) }
func (h *lastFirst[R]) Pop() any           { panic("query: rows are replaced, not taken out") }
