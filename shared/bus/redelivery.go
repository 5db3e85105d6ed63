package bus

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
)

// MaxBatch is how many events a handler is offered at once at most: as many as a store takes in one commit.
const MaxBatch = 100

// MaxDeliveries is how often an event may fail alone before it goes to quarantine.
const MaxDeliveries = 10

// Redelivery decides how the events of one session are offered again after a failure: half as many at once, until one
// event is alone, and that one until it has failed too often. The zero value is a session without failures. Its driver
// keeps one a session and calls it from one goroutine at a time.
//
//	100 fail ─▶ 50 ─▶ 25 … ─▶ 1 fails MaxDeliveries times ─▶ quarantine ─▶ 2 succeed ─▶ 4 … ─▶ 100
type Redelivery struct {
	Deliveries int // how often an event may fail alone; 0 is MaxDeliveries

	limit    int // events to offer at once; 0 is MaxBatch
	failures int // in a row
	alone    int // how often the next event has failed alone
}

// Limit returns how many events to offer next, from 1 to MaxBatch.
func (r *Redelivery) Limit() int {
	if r.limit == 0 {
		return MaxBatch
	}
	return r.limit
}

// Failures returns how often the session failed in a row, 0 after a success: what the pause before the next try goes
// by.
func (r *Redelivery) Failures() int { return r.failures }

// Succeeded notes that what was offered last is done, handled or in quarantine: twice as many are offered next.
func (r *Redelivery) Succeeded() {
	r.failures, r.alone = 0, 0
	r.limit = min(2*r.Limit(), MaxBatch)
}

// Failed notes that n events, offered together, failed with err. n is 0 when no event had a part in it: the queue could
// not be read, or quarantine takes nothing. deadLetter reports that the event, alone by now, goes to quarantine instead
// of being offered again. A failure that is fault.Outside halves n too, but never counts against an event.
func (r *Redelivery) Failed(n int, err error) (deadLetter bool) {
	r.failures++
	if n > 0 {
		r.limit = max(1, n/2)
	}
	if n != 1 || fault.Outside(err) {
		return false
	}
	r.alone++
	return r.alone >= r.allowedDeliveries()
}

func (r *Redelivery) allowedDeliveries() int {
	if r.Deliveries == 0 {
		return MaxDeliveries
	}
	return r.Deliveries
}

// Suspect begins a session whose next event a broker has delivered so many times, this time included, although no
// failure of it is known here: the processes that had it may have died of it. From the fourth delivery on the first
// events are offered in parts, smaller with every delivery: 50 events, 25, 12, … 1.
func (r *Redelivery) Suspect(deliveries int) {
	if deliveries > 3 {
		r.limit = max(1, MaxBatch>>min(deliveries-3, 7))
	}
}

// Offer calls h. A panic of h is an error, with its stack, as any other: the batch is halved until what causes it is
// alone.
func (h Handler) Offer(ctx context.Context, evs []cloudevent.Event) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("handler panicked: %v\n%s", p, debug.Stack())
		}
	}()
	return h(ctx, evs)
}
