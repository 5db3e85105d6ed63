package servicebus

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/onepane/onepane/shared/bus"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
)

// maxBatch is how many events a handler is offered at once at most: as many as a store takes in one commit.
const maxBatch = 100

// item is an event on its way through a handler.
type item struct {
	message int // that brought it, by place
	event   cloudevent.Event
	refused error // why it goes aside
}

// offering is how a session's events are offered: in smaller parts while they fail.
type offering struct {
	limit    int // events at once
	failures int // in a row
	alone    int // how often the next event failed alone
}

// offer runs the handler on a part and gives what goes aside of it.
func (o *offering) offer(ctx context.Context, h bus.Handler, part []item) (aside []item, err error) {
	var evs []cloudevent.Event
	var of []int
	for i, it := range part {
		if it.refused != nil {
			aside = append(aside, it)
			continue
		}
		evs, of = append(evs, it.event), append(of, i)
	}
	if len(evs) == 0 {
		return aside, nil
	}
	err = call(ctx, h, evs)
	var refused fault.Refused
	if !errors.As(err, &refused) {
		return aside, err
	}
	for i := range evs {
		reason := refused.Reason(i)
		if reason == nil {
			continue
		}
		it := part[of[i]]
		it.refused = reason
		aside = append(aside, it)
	}
	return aside, nil
}

// call runs the handler. A panic is an error like any other: the batch is cut until what causes it is alone.
func call(ctx context.Context, h bus.Handler, evs []cloudevent.Event) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("handler panicked: %v\n%s", p, debug.Stack())
		}
	}()
	return h(ctx, evs)
}

// suspect cuts small at once what the broker has delivered many times: whoever had it died of it.
func (o *offering) suspect(deliveries uint32) {
	if deliveries > 3 {
		o.limit = max(1, maxBatch>>min(deliveries-3, 7))
	}
}

func (o *offering) succeeded() {
	o.failures, o.alone = 0, 0
	o.limit = min(2*o.limit, maxBatch)
}

// failed notes that a part failed: the next is half of it, until the event is alone and after bus.MaxDeliveries goes
// aside, unless for want of room or of a store that answers: that is not its doing.
func (o *offering) failed(part []item, err error) (aside []item) {
	o.failures++
	if len(part) > 1 {
		o.limit, o.alone = len(part)/2, 0
		return nil
	}
	o.limit = 1
	if fault.Outside(err) {
		return nil
	}
	if o.alone++; o.alone < bus.MaxDeliveries {
		return nil
	}
	it := part[0]
	it.refused = fmt.Errorf("failed %d times: %w", o.alone, err)
	return []item{it}
}
