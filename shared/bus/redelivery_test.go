package bus

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
)

// TestRedelivery plays what happens to a session and looks at what is offered next.
func TestRedelivery(t *testing.T) {
	passing, outage := errors.New("passing trouble"), fault.Errorf(fault.Unavailable, "the store is down")
	fail := func(n int, err error) func(*Redelivery) bool {
		return func(r *Redelivery) bool { return r.Failed(n, err) }
	}
	succeed := func(r *Redelivery) bool { r.Succeeded(); return false }
	suspect := func(n int) func(*Redelivery) bool {
		return func(r *Redelivery) bool { r.Suspect(n); return false }
	}
	repeat := func(n int, step func(*Redelivery) bool) (steps []func(*Redelivery) bool) {
		for range n {
			steps = append(steps, step)
		}
		return steps
	}
	type steps = []func(*Redelivery) bool
	for _, tt := range []struct {
		name       string
		start      Redelivery
		steps      steps
		limit      int
		failures   int
		deadLetter bool // after the last step
	}{
		{"a fresh session", Redelivery{}, nil, 100, 0, false},
		{"a success is no reason for more than a batch", Redelivery{}, steps{succeed}, 100, 0, false},
		{"a full batch is halved", Redelivery{}, steps{fail(100, passing)}, 50, 1, false},
		{"a smaller batch is halved too", Redelivery{}, steps{fail(7, passing)}, 3, 1, false},
		{"two are halved to one", Redelivery{}, steps{fail(100, passing), fail(2, passing)}, 1, 2, false},
		{"one cannot be halved", Redelivery{}, steps{fail(1, passing)}, 1, 1, false},
		{"a failure without events halves nothing", Redelivery{}, steps{fail(0, passing)}, 100, 1, false},
		{"after a success twice as many are offered", Redelivery{}, steps{fail(20, passing), succeed}, 20, 0, false},
		{"one event may fail alone nine times", Redelivery{}, repeat(9, fail(1, passing)), 1, 9, false},
		{"the tenth time is its last", Redelivery{}, repeat(10, fail(1, passing)), 1, 10, true},
		{"and quarantine that fails is tried again", Redelivery{}, repeat(11, fail(1, passing)), 1, 11, true},
		{"failures together do not count", Redelivery{}, append(steps{fail(8, passing), fail(4, passing), fail(2, passing)}, repeat(9, fail(1, passing))...), 1, 12, false},
		{"nor do those of the event before", Redelivery{}, append(append(repeat(9, fail(1, passing)), succeed), repeat(9, fail(1, passing))...), 1, 9, false},
		{"nor does an outage", Redelivery{}, append(repeat(20, fail(1, outage)), repeat(9, fail(1, passing))...), 1, 29, false},
		{"an outage is the last failure of nobody", Redelivery{}, append(repeat(9, fail(1, passing)), fail(1, outage)), 1, 10, false},
		{"though it halves, for an outage may be one event's doing", Redelivery{}, steps{fail(100, outage)}, 50, 1, false},
		{"a host may give fewer deliveries", Redelivery{Deliveries: 1}, steps{fail(5, passing), fail(2, passing), fail(1, passing)}, 1, 3, true},
		{"three deliveries are no reason for suspicion", Redelivery{}, steps{suspect(3)}, 100, 0, false},
		{"four are", Redelivery{}, steps{suspect(4)}, 50, 0, false},
		{"after nine each is alone", Redelivery{}, steps{suspect(9)}, 1, 0, false},
		{"and after any more", Redelivery{}, steps{suspect(1000)}, 1, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, deadLetter := tt.start, false
			for _, step := range tt.steps {
				deadLetter = step(&r)
			}
			if r.Limit() != tt.limit || r.Failures() != tt.failures || deadLetter != tt.deadLetter {
				t.Errorf("limit %d, %d failures, dead letter %v; want %d, %d, %v", r.Limit(), r.Failures(), deadLetter, tt.limit, tt.failures, tt.deadLetter)
			}
		})
	}
}

// TestOneOfAHundred offers a hundred events, one of them poisonous, as a driver does: the others are done, and it is
// offered alone MaxDeliveries times.
func TestOneOfAHundred(t *testing.T) {
	for poison := range MaxBatch {
		var r Redelivery
		done, alone := 0, 0
		for next := 0; next < MaxBatch; {
			n := min(r.Limit(), MaxBatch-next)
			if poison < next || poison >= next+n {
				done, next = done+n, next+n
				r.Succeeded()
				continue
			}
			if n == 1 {
				alone++
			}
			if r.Failed(n, errors.New("poison")) {
				next++
				r.Succeeded()
			}
		}
		if done != MaxBatch-1 || alone != MaxDeliveries {
			t.Errorf("event %d: %d others done, offered alone %d times", poison, done, alone)
		}
	}
}

func TestOffer(t *testing.T) {
	h := Handler(func(_ context.Context, evs []cloudevent.Event) error {
		if len(evs) == 0 {
			panic("no event")
		}
		return fault.Errorf(fault.Invalid, "event %s", evs[0].ID)
	})
	if err := h.Offer(t.Context(), nil); err == nil || !strings.HasPrefix(err.Error(), "handler panicked: no event\n") || fault.Of(err) != fault.Again {
		t.Errorf("a panic became %v", err)
	}
	if err := h.Offer(t.Context(), []cloudevent.Event{{ID: "1"}}); fault.Of(err) != fault.Invalid || fmt.Sprint(err) != "event 1" {
		t.Errorf("an error became %v", err)
	}
}
