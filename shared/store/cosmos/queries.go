package cosmos

import (
	"context"
	"sync"
)

// partitionQuery is a question to one partition.
type partitionQuery struct {
	partition partition
	sqlQuery
}

// runQueries asks partitions, all at once, and hands what they answer to do until it wants no more: in the order of a span, in
// which each of them answers, or one partition's after the other's when span is "".
func (d *client) runQueries(ctx context.Context, from []partitionQuery, span string, desc bool, do func(item []byte) (more bool, err error)) error {
	if len(from) == 1 {
		return d.runQuery(ctx, from[0].partition.pk, from[0].sqlQuery, from[0].partition.session, do)
	}
	ctx, stop := context.WithCancel(ctx)
	var asking sync.WaitGroup
	defer asking.Wait()
	defer stop()
	all := make([]*queryStream, len(from))
	for i, a := range from {
		all[i] = &queryStream{items: make(chan []byte)}
		asking.Go(func() { all[i].runQuery(ctx, d, a) })
	}
	for _, a := range all {
		if err := a.readNext(span); err != nil {
			return err
		}
	}
	for a := firstStream(all, desc); a != nil; a = firstStream(all, desc) {
		if more, err := do(a.item); err != nil || !more {
			return err
		}
		if err := a.readNext(span); err != nil {
			return err
		}
	}
	return nil
}

// queryStream is a partition in the middle of its answer.
type queryStream struct {
	items chan []byte
	err   error // once items is closed

	item  []byte // the next; nil when there is none
	bound int64  // what it is ordered by
}

func (a *queryStream) runQuery(ctx context.Context, d *client, q partitionQuery) {
	defer close(a.items)
	a.err = d.runQuery(ctx, q.partition.pk, q.sqlQuery, q.partition.session, func(item []byte) (bool, error) {
		select {
		case a.items <- item:
			return true, nil
		case <-ctx.Done():
			return false, ctx.Err()
		}
	})
}

func (a *queryStream) readNext(span string) (err error) {
	item, ok := <-a.items
	if a.item = item; !ok {
		return a.err
	}
	if span != "" {
		a.bound, err = spanBound(item, span)
	}
	return err
}

// firstStream is the one whose next item comes first; nil when there is none. Without an order all bounds are the same.
func firstStream(all []*queryStream, desc bool) *queryStream {
	var first *queryStream
	for _, a := range all {
		if a.item != nil && (first == nil || desc && a.bound > first.bound || !desc && a.bound < first.bound) {
			first = a
		}
	}
	return first
}
