// Package bustest checks every promise of package bus by name. A driver that passes may stand in for any other.
//
//	func TestPromises(t *testing.T) { bustest.Run(t, func(t *testing.T) bustest.Driver { … }) }
package bustest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onepane/onepane/shared/bus"
	"github.com/onepane/onepane/shared/cloudevent"
)

// Driver is one fresh, empty queue under test. It pauses for milliseconds after a failure, so that the suite ends soon.
type Driver struct {
	Queue      Queue
	Quarantine bus.Quarantine
	// Reopen crashes the driver and opens it again with what survived; nil when it cannot be crashed.
	Reopen func(t *testing.T) Driver
	// Advance moves the clock that the duplicate window goes by.
	Advance func(time.Duration)
	// Window is the length of the duplicate window.
	Window time.Duration
	// Stats counts what waits; nil when the driver cannot, as a broker that counts messages and not events.
	Stats func() bus.Stats
	// DedupesCalls says that repeats are recognised by call, not by event: an event that comes again beside other
	// events is no repeat.
	DedupesCalls bool
}

// Queue is what a driver offers beside its quarantine.
type Queue interface {
	bus.Publisher
	bus.Subscriber
	bus.Waiter
}

// Reject is the hook to open drivers under test with: it marks an event and keeps the reason for the suite to find.
func Reject(e cloudevent.Event, reason error) (cloudevent.Event, error) {
	e.ID, e.Type, e.Subject = "rejected-"+e.ID, "rejected", reason.Error()
	return e, nil
}

// Run checks the promises, each on a fresh driver.
func Run(t *testing.T, open func(t *testing.T) Driver) {
	for _, p := range []struct {
		name  string
		check func(*testing.T, Driver)
	}{
		{"an event arrives as it was published", eventArrivesWhole},
		{"events of a session keep their order", sessionsKeepOrder},
		{"a session is never in two handlers", oneHandlerPerSession},
		{"a session does not hold up another", sessionsAreIndependent},
		{"a published event survives a crash", publishedSurvivesCrash},
		{"a completed event stays completed after an orderly restart or is offered again", completedSurvivesCrash},
		{"an exact repeat within the window is dropped", repeatIsDropped},
		{"a repeat beside other events is dropped, or offered after the first", regroupedRepeatComesAfter},
		{"a repeat of another session is no repeat", otherSessionIsNoRepeat},
		{"the window survives a restart", windowSurvivesRestart},
		{"an invalid event is refused by Publish", invalidIsRefused},
		{"a refused event goes to quarantine once with its reason and the others complete", refusedIsQuarantined},
		{"a failing batch is offered again", failedIsOfferedAgain},
		{"a poisonous event goes to quarantine alone", poisonIsQuarantined},
		{"an outage sends nothing to quarantine, however long", outageQuarantinesNothing},
		{"a panicking handler fails its batch only", panicFailsItsBatch},
		{"Subscribe returns when its context ends and its handlers are done", subscribeFinishesHandlers},
		{"Wait returns when caught up", waitReturnsWhenDone},
		{"Stats count what waits", statsCountWaiting},
		{"quarantine pages, keeps each id once, removes", quarantinePages},
		{"quarantine survives a crash", quarantineSurvivesCrash},
		{"many publishers and sessions at once", manyPublishers},
	} {
		t.Run(p.name, func(t *testing.T) { p.check(t, open(t)) })
	}
}

// patience is how long the suite waits for something that must happen; it usually takes milliseconds.
const patience = 30 * time.Second

func newEvent(session, id string) cloudevent.Event {
	return cloudevent.Event{ID: id, Source: "/bustest", Type: "test", Tenant: session, Data: []byte(`{"id":"` + id + `"}`)}
}

func publishEvents(t *testing.T, q bus.Publisher, evs ...cloudevent.Event) {
	t.Helper()
	if err := q.Publish(t.Context(), evs...); err != nil {
		t.Fatalf("Publish: %v", err)
	}
}

// startSubscription runs a subscription until the returned function, which waits for its end, or the end of the test.
func startSubscription(t *testing.T, q bus.Subscriber, h bus.Handler) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- q.Subscribe(ctx, h) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Subscribe: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func waitForSessions(t *testing.T, q bus.Waiter, sessions ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, s := range sessions {
		if err := q.Wait(ctx, s); err != nil {
			t.Fatalf("Wait(%q): %v", s, err)
		}
	}
}

func receiveFrom[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("%s: nothing happened", what)
		panic("unreachable")
	}
}

// recorder is a handler that keeps the events it was offered.
type recorder struct {
	mu   sync.Mutex
	seen map[string][]string // ids by session
	all  []cloudevent.Event
}

func (r *recorder) recordEvents(_ context.Context, evs []cloudevent.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen == nil {
		r.seen = map[string][]string{}
	}
	for _, e := range evs {
		r.seen[e.Tenant] = append(r.seen[e.Tenant], e.ID)
		r.all = append(r.all, e)
	}
	return nil
}

func (r *recorder) sessionIDs(session string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.seen[session])
}

func eventIDs(evs []cloudevent.Event) []string {
	var out []string
	for _, e := range evs {
		out = append(out, e.ID)
	}
	return out
}

func numberedIDs(from, to int) []string {
	var out []string
	for i := from; i < to; i++ {
		out = append(out, fmt.Sprintf("e%04d", i))
	}
	return out
}

func listQuarantine(t *testing.T, s bus.Quarantine) []cloudevent.Event {
	t.Helper()
	evs, next, err := s.List(t.Context(), "", 1000)
	if err != nil || next != "" {
		t.Fatalf("List: next %q, %v", next, err)
	}
	return evs
}

var errPassing = errors.New("passing trouble")

func compareIDs(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %s, want %s", what, strings.Join(got, " "), strings.Join(want, " "))
	}
}
