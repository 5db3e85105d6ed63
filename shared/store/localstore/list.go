package localstore

import (
	"context"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/query"
	"github.com/onepane/onepane/shared/store"
)

// listing answers a query over rows R, each shown as a T.
type listing[R query.Row, T any] struct {
	rows   rowTable
	decode func(at place, head []byte) (R, error)
	show   func(R) (T, error) // reads the body
	total  int64              // how many rows there are before any condition; -1 when that is not counted
	groups *state             // counts groups of the row table; nil when a walk is given
	// order is the order of a query that has none. walk, when it is not nil, goes through all rows in that order; nil
	// is the row table by creation, with indexes for the other direction and for update times.
	walk  func(do visitFunc) error
	order []query.Order
}

// answerPage gives a page. Rows that are in order already are read no further than the page goes, unless they are to be
// counted; otherwise all are looked at, and no more are remembered than the page needs.
func (l listing[R, T]) answerPage(ctx context.Context, q query.Query) (store.Page[T], error) {
	page := store.Page[T]{Total: -1}
	if q.Top <= 0 || q.Skip < 0 {
		return page, fault.Errorf(fault.Invalid, "a page of %d after %d rows", q.Top, q.Skip)
	}
	if len(q.Order) == 0 {
		q.Order = l.order
	}
	if q.Count && q.Where == nil && l.total >= 0 {
		page.Total = l.total
		q.Count = false
	}
	if q.Count && l.groups != nil {
		if c := l.groups.chooseGroups(l.rows.table, q.Where); c.exact {
			page.Total, q.Count = c.size, false
		}
	}
	walk, ordered, err := l.planWalk(q)
	if err != nil {
		return page, err
	}
	var matched int64
	if ordered {
		matched, err = l.fillInOrder(ctx, walk, q, &page)
	} else {
		matched, err = l.fillSorted(ctx, walk, q, &page)
	}
	if err == nil && q.Count {
		page.Total = matched
	}
	return page, err
}

// fillInOrder fills the page from rows that come in order, and counts those that match as far as it goes.
func (l listing[R, T]) fillInOrder(ctx context.Context, walk func(visitFunc) error, q query.Query, page *store.Page[T]) (matched int64, err error) {
	first, end := int64(q.Skip), int64(q.Skip)+int64(q.Top)
	err = walk(func(at place, head []byte) (bool, error) {
		l.rows.reader.looked.Add(1)
		if err := ctx.Err(); err != nil {
			return false, err
		}
		var row R
		if q.Where != nil || matched >= first && matched < end { // rows that are skipped unseen need no decoding
			var err error
			if row, err = l.decode(at, head); err != nil {
				return false, err
			}
		}
		if !query.Match(q.Where, row) {
			return true, nil
		}
		matched++
		switch {
		case matched <= first:
			return true, nil
		case matched > end:
			page.More = true
			return q.Count, nil
		}
		item, err := l.show(row)
		page.Items = append(page.Items, item)
		return true, err
	})
	return matched, err
}

// fillSorted finds the page's rows among all that match, in whatever order they come. Only the page's own are shown.
func (l listing[R, T]) fillSorted(ctx context.Context, walk func(visitFunc) error, q query.Query, page *store.Page[T]) (matched int64, err error) {
	top := query.NewTop[place](q)
	err = walk(func(at place, head []byte) (bool, error) {
		l.rows.reader.looked.Add(1)
		if err := ctx.Err(); err != nil {
			return false, err
		}
		row, err := l.decode(at, head)
		if err == nil {
			top.Offer(row, at)
		}
		return err == nil, err
	})
	if err != nil {
		return top.Matched(), err
	}
	var places []place
	places, page.More = top.Page()
	for _, at := range places {
		_, err := l.rows.visitRow(at, func(at place, head []byte) (bool, error) {
			row, err := l.decode(at, head)
			if err != nil {
				return false, err
			}
			item, err := l.show(row)
			page.Items = append(page.Items, item)
			return true, err
		})
		if err != nil {
			return top.Matched(), err
		}
	}
	return top.Matched(), nil
}
