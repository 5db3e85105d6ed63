package servicebus_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	standin "github.com/onepane/onepane/infra/local/servicebus"
	"github.com/onepane/onepane/shared/bus"
	"github.com/onepane/onepane/shared/bus/servicebus"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
)

// patience bounds waits for what must happen.
const patience = 30 * time.Second

func startBroker(t *testing.T) (*standin.Broker, *servicebus.Bus) {
	t.Helper()
	b := standin.Start(t, standin.Config{Queues: standin.Queues(lock)})
	return b, connectBus(t, b)
}

func connectBus(t *testing.T, b *standin.Broker) *servicebus.Bus {
	opts := quickOptions()
	opts.ConnectionString = b.ConnectionString()
	return openBus(t, opts)
}

func newEvent(session, id string) cloudevent.Event {
	return cloudevent.Event{ID: id, Source: "/test", Type: "test", Tenant: session, Data: []byte(`{"id":"` + id + `"}`)}
}

// log keeps the order in which ids were offered first, by session.
type log struct {
	mu    sync.Mutex
	first map[string][]string
	all   map[string]int
}

func (l *log) recordEvents(_ context.Context, evs []cloudevent.Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == nil {
		l.first, l.all = map[string][]string{}, map[string]int{}
	}
	for _, e := range evs {
		if l.all[e.ID]++; l.all[e.ID] == 1 {
			l.first[e.Tenant] = append(l.first[e.Tenant], e.ID)
		}
	}
	return nil
}

func (l *log) sessionIDs(session string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.first[session])
}

// publishUntilTaken publishes until it is taken, as every sender does.
func publishUntilTaken(t *testing.T, q bus.Publisher, evs ...cloudevent.Event) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		err := q.Publish(ctx, evs...)
		if err == nil {
			return
		}
		if fault.Of(err) == fault.Invalid || ctx.Err() != nil {
			t.Fatalf("Publish: %v", err)
		}
	}
}

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

func waitForSession(t *testing.T, q bus.Waiter, sessions ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, s := range sessions {
		if err := q.Wait(ctx, s); err != nil {
			t.Fatal(err)
		}
	}
}

func numberedIDs(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("e%04d", i))
	}
	return out
}

func TestDroppedWhilePublishing(t *testing.T) {
	b, q := startBroker(t)
	want := numberedIDs(60)
	for i, id := range want {
		if i%10 == 5 {
			b.DropAfterReceived(1) // stored, and the sender never hears of it
		}
		publishUntilTaken(t, q, newEvent("a", id))
	}
	var l log
	startSubscription(t, q, l.recordEvents)
	waitForSession(t, q, "a")
	if got := l.sessionIDs("a"); !slices.Equal(got, want) {
		t.Errorf("offered %v", got)
	}
	for id, n := range l.all {
		if n != 1 {
			t.Errorf("%s was offered %d times, although it is the same message", id, n)
		}
	}
}

func TestDroppedWhileHandling(t *testing.T) {
	b, q := startBroker(t)
	want := numberedIDs(40)
	for part := range slices.Chunk(want, 10) {
		var evs []cloudevent.Event
		for _, id := range part {
			evs = append(evs, newEvent("a", id))
		}
		publishUntilTaken(t, q, evs...)
	}
	var l log
	var calls atomic.Int32
	startSubscription(t, q, func(ctx context.Context, evs []cloudevent.Event) error {
		if calls.Add(1) <= 2 {
			b.DropConnections() // what is handled cannot be completed
		}
		return l.recordEvents(ctx, evs)
	})
	waitForSession(t, q, "a")
	if got := l.sessionIDs("a"); !slices.Equal(got, want) {
		t.Errorf("offered %v", got)
	}
}

// A session whose lock is lost goes to whoever asks next; who had it is told to stop.
func TestLostSession(t *testing.T) {
	b, q := startBroker(t)
	other := connectBus(t, b)
	publishUntilTaken(t, q, newEvent("a", "1"))
	taken, told, free := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var l log
	var calls atomic.Int32
	h := func(ctx context.Context, evs []cloudevent.Event) error {
		if calls.Add(1) == 1 {
			close(taken)
			<-ctx.Done()
			close(told)
			return ctx.Err()
		}
		defer func() { <-free }()
		return l.recordEvents(ctx, evs)
	}
	startSubscription(t, q, h)
	<-taken
	startSubscription(t, other, h)
	waitUntil(t, "the session is lost", func() bool { return b.TakeSession("alerts", "a") })
	select {
	case <-told:
	case <-time.After(patience):
		t.Error("the first handler was not told")
	}
	close(free)
	waitForSession(t, q, "a")
	if got := l.sessionIDs("a"); !slices.Equal(got, []string{"1"}) {
		t.Errorf("offered %v", got)
	}
}

// A handler that needs longer than the lock lasts keeps it.
func TestLongHandler(t *testing.T) {
	b, q := startBroker(t)
	publishUntilTaken(t, q, newEvent("a", "1"))
	var calls atomic.Int32
	done := make(chan struct{})
	startSubscription(t, q, func(context.Context, []cloudevent.Event) error {
		calls.Add(1)
		before := b.Stats().Operations.Manage
		waitUntil(t, "the lock is renewed well beyond its length", func() bool { return b.Stats().Operations.Manage >= before+5 })
		close(done)
		return nil
	})
	<-done
	waitForSession(t, q, "a")
	if n := calls.Load(); n != 1 {
		t.Errorf("offered %d times", n)
	}
}

func TestDuplicateDeliveries(t *testing.T) {
	b, q := startBroker(t)
	want := numberedIDs(20)
	b.RepeatCompleted("alerts", 7)
	for _, id := range want {
		publishUntilTaken(t, q, newEvent("a", id))
	}
	var l log
	startSubscription(t, q, l.recordEvents)
	waitForSession(t, q, "a")
	if got := l.sessionIDs("a"); !slices.Equal(got, want) {
		t.Errorf("offered %v", got)
	}
	if twice := len(slices.DeleteFunc(slices.Collect(maps.Values(l.all)), func(n int) bool { return n == 1 })); twice == 0 {
		t.Error("nothing came twice, so nothing was tested")
	}
}

func TestThrottling(t *testing.T) {
	b, q := startBroker(t)
	b.ThrottleNext(2) // the SDK tries again by itself
	if err := q.Publish(t.Context(), newEvent("a", "1")); err != nil {
		t.Errorf("after two refusals: %v", err)
	}
	b.ThrottleNext(1000)
	if err := q.Publish(t.Context(), newEvent("a", "2")); fault.Of(err) != fault.Exhausted {
		t.Errorf("under lasting throttling: %v", err)
	}
	b.ThrottleNext(0)
	b.LimitMessages("alerts", 1)
	if err := q.Publish(t.Context(), newEvent("a", "2")); fault.Of(err) != fault.Exhausted {
		t.Errorf("on a full queue: %v", err)
	}
	b.LimitMessages("alerts", 10)
	publishUntilTaken(t, q, newEvent("a", "2"))
	var l log
	startSubscription(t, q, l.recordEvents)
	waitForSession(t, q, "a")
	if got := l.sessionIDs("a"); !slices.Equal(got, []string{"1", "2"}) {
		t.Errorf("offered %v", got)
	}
}

func TestOutOfReach(t *testing.T) {
	opts := quickOptions()
	opts.Retry.MaxRetries = -1
	opts.ConnectionString = "Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=n;SharedAccessKey=c2VjcmV0;UseDevelopmentEmulator=true"
	q := openBus(t, opts)
	if err := q.Publish(t.Context(), newEvent("a", "1")); fault.Of(err) != fault.Unavailable {
		t.Errorf("nothing listens: %v", err)
	}
	b := standin.Start(t, standin.Config{Queues: map[string]standin.Queue{"other": {}}})
	opts.ConnectionString = b.ConnectionString()
	if err := openBus(t, opts).Publish(t.Context(), newEvent("a", "1")); fault.Of(err) != fault.Unavailable {
		t.Errorf("no such queue: %v", err)
	}
}

// A message whose readers keep dying is offered in small parts at once.
func TestSuspectsAreCutSmall(t *testing.T) {
	b, q := startBroker(t)
	var evs []cloudevent.Event
	for _, id := range numberedIDs(64) {
		evs = append(evs, newEvent("a", id))
	}
	publishUntilTaken(t, q, evs...)
	var mu sync.Mutex
	var sizes []int
	var l log
	startSubscription(t, q, func(ctx context.Context, evs []cloudevent.Event) error {
		mu.Lock()
		sizes = append(sizes, len(evs))
		died := len(sizes) <= 6
		mu.Unlock()
		if died {
			b.TakeSession("alerts", "a")
			<-ctx.Done()
			return ctx.Err()
		}
		return l.recordEvents(ctx, evs)
	})
	waitForSession(t, q, "a")
	if got := l.sessionIDs("a"); !slices.Equal(got, numberedIDs(64)) {
		t.Errorf("offered %v", got)
	}
	if !slices.ContainsFunc(sizes[:min(8, len(sizes))], func(n int) bool { return n <= 25 }) {
		t.Errorf("parts of %v", sizes)
	}
}

// Everything at once: nothing is lost, and each publisher's events keep their order.
func TestStorm(t *testing.T) {
	b, _ := startBroker(t)
	const publishers, each, sessions = 4, 40, 3
	var l log
	for range 2 { // two processes read
		q := connectBus(t, b)
		var calls atomic.Int32
		startSubscription(t, q, func(ctx context.Context, evs []cloudevent.Event) error {
			if calls.Add(1)%9 == 0 {
				return fault.Errorf(fault.Unavailable, "the store is away")
			}
			return l.recordEvents(ctx, evs)
		})
	}
	b.RepeatCompleted("alerts", 10)
	var publishing sync.WaitGroup
	for p := range publishers {
		q := connectBus(t, b)
		publishing.Go(func() {
			for i := range each {
				publishUntilTaken(t, q, newEvent(fmt.Sprint("s", i%sessions), fmt.Sprintf("p%d-%03d", p, i)))
				if p == 0 && i%10 == 9 {
					b.DropConnections()
					b.TakeSession("alerts", fmt.Sprint("s", i%sessions))
					b.ThrottleNext(3)
				}
			}
		})
	}
	publishing.Wait()
	total := 0
	for s := range sessions {
		session := fmt.Sprint("s", s)
		waitForSession(t, connectBus(t, b), session)
		last := map[string]string{}
		for _, id := range l.sessionIDs(session) {
			if by := id[:2]; id <= last[by] {
				t.Errorf("session %s: %s came after %s", session, id, last[by])
			} else {
				last[by] = id
			}
			total++
		}
	}
	if total != publishers*each {
		t.Errorf("%d of %d events arrived", total, publishers*each)
	}
}

func waitUntil(t *testing.T, what string, f func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(patience); !f(); {
		select {
		case <-tick.C:
		case <-end:
			t.Errorf("waited in vain: %s", what)
			return
		}
	}
}
