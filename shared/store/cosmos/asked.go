package cosmos

import (
	"context"
	"sync"
)

// asked is a question to one partition.
type asked struct {
	of shelf
	question
}

// merged asks partitions, all at once, and hands what they answer to do until it wants no more: in the order of a span, in
// which each of them answers, or one partition's after the other's when span is "".
func (d *db) merged(ctx context.Context, from []asked, span string, desc bool, do func(item []byte) (more bool, err error)) error {
	if len(from) == 1 {
		return d.query(ctx, from[0].of.pk, from[0].question, from[0].of.seen, do)
	}
	ctx, stop := context.WithCancel(ctx)
	var asking sync.WaitGroup
	defer asking.Wait()
	defer stop()
	all := make([]*answering, len(from))
	for i, a := range from {
		all[i] = &answering{items: make(chan []byte)}
		asking.Go(func() { all[i].ask(ctx, d, a) })
	}
	for _, a := range all {
		if err := a.advance(span); err != nil {
			return err
		}
	}
	for a := soonest(all, desc); a != nil; a = soonest(all, desc) {
		if more, err := do(a.item); err != nil || !more {
			return err
		}
		if err := a.advance(span); err != nil {
			return err
		}
	}
	return nil
}

// answering is a partition in the middle of its answer.
type answering struct {
	items chan []byte
	err   error // once items is closed

	item  []byte // the next; nil when there is none
	bound int64  // what it is ordered by
}

func (a *answering) ask(ctx context.Context, d *db, q asked) {
	defer close(a.items)
	a.err = d.query(ctx, q.of.pk, q.question, q.of.seen, func(item []byte) (bool, error) {
		select {
		case a.items <- item:
			return true, nil
		case <-ctx.Done():
			return false, ctx.Err()
		}
	})
}

func (a *answering) advance(span string) (err error) {
	item, ok := <-a.items
	if a.item = item; !ok {
		return a.err
	}
	if span != "" {
		a.bound, err = boundOf(item, span)
	}
	return err
}

// soonest is the one whose next item comes first; nil when there is none. Without an order all bounds are the same.
func soonest(all []*answering, desc bool) *answering {
	var first *answering
	for _, a := range all {
		if a.item != nil && (first == nil || desc && a.bound > first.bound || !desc && a.bound < first.bound) {
			first = a
		}
	}
	return first
}
