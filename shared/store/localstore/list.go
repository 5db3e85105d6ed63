package localstore

import (
	"context"
	"slices"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/query"
	"github.com/onepane/onepane/shared/store"
)

// listing answers a query over rows R, each shown as a T.
type listing[R query.Row, T any] struct {
	table  byte
	decode func(at place, head []byte) (R, error)
	show   func(R) (T, error) // reads the body
	total  int64              // how many rows there are before any condition; -1 when that is not counted
	groups *state             // counts groups of the row table; nil when a walk is given
	// walk goes through all rows in the order that the listing has unless the query asks for another, which is order. Nil is
	// the row table by creation, newest first, with indexes for the other order and for update times.
	walk  func(do visitFunc) error
	order []query.Order
}

// answerPage gives a page. Rows that are in order already are read no further than the page goes, unless they are to be
// counted; otherwise all are looked at, and no more are remembered than the page needs.
func (l listing[R, T]) answerPage(ctx context.Context, v *view, q query.Query) (store.Page[T], error) {
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
		if c := l.groups.chooseGroups(l.table, q.Where); c.exact {
			page.Total, q.Count = c.size, false
		}
	}
	walk, ordered, err := l.planWalk(v, q)
	if err != nil {
		return page, err
	}
	var matched int64
	if ordered {
		matched, err = l.fillInOrder(ctx, v, walk, q, &page)
	} else {
		matched, err = l.fillSorted(ctx, v, walk, q, &page)
	}
	if err == nil && q.Count {
		page.Total = matched
	}
	return page, err
}

// planWalk says how to walk, and whether that gives the order the query asks for.
func (l listing[R, T]) planWalk(v *view, q query.Query) (walk func(visitFunc) error, ordered bool, err error) {
	if l.walk != nil {
		return l.walk, slices.Equal(q.Order, l.order), nil
	}
	if places, named, err := v.placesNamedIn(l.table, q.Where); named || err != nil {
		return func(do visitFunc) error { return v.walkPlaces(l.table, places, do) }, false, err
	}
	created, updated := rangeOf(q, query.Created), rangeOf(q, query.Updated)
	groups := groupChoice{allRows: true}
	if l.groups != nil {
		groups = l.groups.chooseGroups(l.table, q.Where)
	}
	byGroup := func(do visitFunc) error { return v.walkGroups(l.table, groups.labels, created, do) }
	byCreated := func(asc bool) func(visitFunc) error {
		return func(do visitFunc) error { return v.walkByCreation(l.table, created, asc, do) }
	}
	byUpdated := func(asc bool) func(visitFunc) error {
		return func(do visitFunc) error { return v.walkByUpdate(l.table, updated, asc, do) }
	}
	by, desc := q.Order[0].Field, q.Order[0].Desc
	switch {
	case len(q.Order) > 1: // more than times can tell
	case by == query.Created && desc && !groups.allRows:
		return byGroup, true, nil
	case by == query.Created && (desc || !groups.isCheaper(q, l.total)):
		return byCreated(!desc), true, nil
	case by == query.Updated && (updated != timeRange{} || !groups.isCheaper(q, l.total)):
		return byUpdated(!desc), true, nil
	}
	if created == (timeRange{}) && updated != (timeRange{}) {
		return byUpdated(false), false, nil
	}
	if !groups.allRows {
		return byGroup, false, nil
	}
	return byCreated(false), false, nil
}

func rangeOf(q query.Query, f query.Field) timeRange {
	from, to := query.Span(q.Where, f)
	return timeRange{from, to}
}

// fillInOrder fills the page from rows that come in order, and counts those that match as far as it goes.
func (l listing[R, T]) fillInOrder(ctx context.Context, v *view, walk func(visitFunc) error, q query.Query, page *store.Page[T]) (matched int64, err error) {
	first, end := int64(q.Skip), int64(q.Skip)+int64(q.Top)
	err = walk(func(at place, head []byte) (bool, error) {
		v.store.looked.Add(1)
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
func (l listing[R, T]) fillSorted(ctx context.Context, v *view, walk func(visitFunc) error, q query.Query, page *store.Page[T]) (matched int64, err error) {
	top := query.NewTop[place](q)
	err = walk(func(at place, head []byte) (bool, error) {
		v.store.looked.Add(1)
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
		_, err := v.visitRow(l.table, at, func(at place, head []byte) (bool, error) {
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
