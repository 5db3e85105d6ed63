package bustest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onepane/onepane/shared/bus"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
)

func arrivesWhole(t *testing.T, d Driver) {
	in := cloudevent.Event{
		ID: "e1", Source: "/bustest", Type: "test", Subject: "subject", Tenant: "contoso ü",
		Time: time.Date(2026, 3, 3, 1, 2, 3, 456_000_000, time.UTC), DataSchema: "https://example.test/schema",
		Trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", Data: []byte(`{"b": 1, "a": "\u00e9"}`),
	}
	publish(t, d.Queue, in)
	var r recorder
	subscribe(t, d.Queue, r.handle)
	wait(t, d.Queue, in.Tenant)
	if len(r.all) != 1 {
		t.Fatalf("%d events arrived, 1 was published", len(r.all))
	}
	out := r.all[0]
	out.Position = 0
	if string(out.Data) != string(in.Data) {
		t.Errorf("data %s arrived as %s", in.Data, out.Data)
	}
	if got, want := fmt.Sprintf("%+v", out), fmt.Sprintf("%+v", in); got != want {
		t.Errorf("%s arrived as %s", want, got)
	}
}

func keepOrder(t *testing.T, d Driver) {
	want := names(0, 350)
	for part := range slices.Chunk(want, 70) {
		var evs []cloudevent.Event
		for _, id := range part {
			evs = append(evs, event("a", id), event("b", id))
		}
		publish(t, d.Queue, evs...)
	}
	var r recorder
	subscribe(t, d.Queue, r.handle)
	wait(t, d.Queue, "a", "b")
	same(t, "session a", r.ids("a"), want)
	same(t, "session b", r.ids("b"), want)
}

func oneHandler(t *testing.T, d Driver) {
	var busy [2]atomic.Int32
	var overlaps atomic.Int32
	h := func(_ context.Context, evs []cloudevent.Event) error {
		n := &busy[evs[0].Tenant[0]-'a']
		if n.Add(1) > 1 {
			overlaps.Add(1)
		}
		defer n.Add(-1)
		for _, e := range evs {
			if e.Tenant != evs[0].Tenant {
				t.Errorf("a batch holds sessions %q and %q", evs[0].Tenant, e.Tenant)
			}
		}
		return nil
	}
	subscribe(t, d.Queue, h)
	subscribe(t, d.Queue, h)
	for _, id := range names(0, 300) {
		publish(t, d.Queue, event("a", id), event("b", id))
	}
	wait(t, d.Queue, "a", "b")
	if n := overlaps.Load(); n > 0 {
		t.Errorf("a session was in two handlers %d times", n)
	}
}

func sessionsApart(t *testing.T, d Driver) {
	stuck, free := make(chan struct{}), make(chan struct{})
	var once sync.Once
	publish(t, d.Queue, event("stuck", "1"), event("failing", "1"), event("fine", "1"))
	subscribe(t, d.Queue, func(_ context.Context, evs []cloudevent.Event) error {
		switch evs[0].Tenant {
		case "stuck":
			once.Do(func() { close(stuck) })
			<-free
		case "failing":
			select {
			case <-free:
			default:
				return fault.Errorf(fault.Exhausted, "no room")
			}
		}
		return nil
	})
	receive(t, stuck, "the stuck session")
	wait(t, d.Queue, "fine")
	publish(t, d.Queue, event("fine", "2"))
	wait(t, d.Queue, "fine")
	close(free)
	wait(t, d.Queue, "stuck", "failing")
}

func survives(t *testing.T, d Driver) {
	if d.Reopen == nil {
		t.Skip("this driver cannot be crashed")
	}
	publish(t, d.Queue, event("a", "1"), event("b", "1"))
	publish(t, d.Queue, event("a", "2"))
	d = d.Reopen(t)
	var r recorder
	subscribe(t, d.Queue, r.handle)
	wait(t, d.Queue, "a", "b")
	same(t, "session a after the crash", r.ids("a"), []string{"1", "2"})
	same(t, "session b after the crash", r.ids("b"), []string{"1"})
}

func offeredAgain(t *testing.T, d Driver) {
	if d.Reopen == nil {
		t.Skip("this driver cannot be crashed")
	}
	publish(t, d.Queue, event("a", "1"))
	stop := subscribe(t, d.Queue, (&recorder{}).handle)
	wait(t, d.Queue, "a")
	stop()
	d = d.Reopen(t)
	publish(t, d.Queue, event("a", "2"))
	var r recorder
	subscribe(t, d.Queue, r.handle)
	wait(t, d.Queue, "a")
	if got := r.ids("a"); !slices.Equal(got, []string{"2"}) && !slices.Equal(got, []string{"1", "2"}) {
		t.Errorf("after the crash came %v", got)
	}
}

func repeats(t *testing.T, d Driver) {
	publish(t, d.Queue, event("a", "1"), event("a", "1"), event("a", "2"))
	publish(t, d.Queue, event("a", "1"), event("a", "2"))
	publish(t, d.Queue, event("a", "3"))
	publish(t, d.Queue, event("a", "3"))
	var r recorder
	subscribe(t, d.Queue, r.handle)
	wait(t, d.Queue, "a")
	publish(t, d.Queue, event("a", "3")) // completed, and still a repeat
	wait(t, d.Queue, "a")
	same(t, "within the window", r.ids("a"), []string{"1", "2", "3"})
	if d.Advance == nil {
		return
	}
	d.Advance(d.Window + time.Second)
	publish(t, d.Queue, event("a", "3"))
	wait(t, d.Queue, "a")
	same(t, "beyond the window", r.ids("a"), []string{"1", "2", "3", "3"})
}

func regrouped(t *testing.T, d Driver) {
	publish(t, d.Queue, event("a", "1"), event("a", "2"))
	publish(t, d.Queue, event("a", "2"), event("a", "3"))
	var r recorder
	subscribe(t, d.Queue, r.handle)
	wait(t, d.Queue, "a")
	got := r.ids("a")
	if d.WholeCalls && slices.Equal(got, []string{"1", "2", "2", "3"}) {
		return
	}
	same(t, "offered", got, []string{"1", "2", "3"})
}

func repeatElsewhere(t *testing.T, d Driver) {
	publish(t, d.Queue, event("a", "1"), event("b", "1"))
	var r recorder
	subscribe(t, d.Queue, r.handle)
	wait(t, d.Queue, "a", "b")
	same(t, "session a", r.ids("a"), []string{"1"})
	same(t, "session b", r.ids("b"), []string{"1"})
}

func windowSurvives(t *testing.T, d Driver) {
	if d.Reopen == nil {
		t.Skip("this driver cannot be crashed")
	}
	publish(t, d.Queue, event("a", "1"))
	d = d.Reopen(t)
	publish(t, d.Queue, event("a", "1"))
	var r recorder
	subscribe(t, d.Queue, r.handle)
	wait(t, d.Queue, "a")
	same(t, "after the restart", r.ids("a"), []string{"1"})
}

func invalid(t *testing.T, d Driver) {
	for name, e := range map[string]cloudevent.Event{
		"no id":           {Source: "/s", Type: "t", Tenant: "a"},
		"tenant too long": {ID: "1", Source: "/s", Type: "t", Tenant: strings.Repeat("x", 201)},
	} {
		if err := d.Queue.Publish(t.Context(), e); fault.Of(err) != fault.Invalid {
			t.Errorf("%s: Publish = %v, want invalid", name, err)
		}
	}
	publish(t, d.Queue) // nothing is fine
}

func refused(t *testing.T, d Driver) {
	var evs []cloudevent.Event
	for _, id := range names(0, 10) {
		evs = append(evs, event("a", id))
	}
	publish(t, d.Queue, evs...)
	var r recorder
	subscribe(t, d.Queue, func(ctx context.Context, evs []cloudevent.Event) error {
		bad := fault.Refused{}
		for i, e := range evs {
			if e.ID == "e0003" || e.ID == "e0007" {
				bad[i] = fault.Errorf(fault.Invalid, "bad %s", e.ID)
			}
		}
		return errors.Join(r.handle(ctx, evs), fmt.Errorf("correlate: %w", bad))
	})
	wait(t, d.Queue, "a")
	same(t, "offered", r.ids("a"), names(0, 10))
	on := listed(t, d.Shelf)
	same(t, "on the shelf", ids(on), []string{"rejected-e0003", "rejected-e0007"})
	if len(on) > 0 && (on[0].Subject != "bad e0003" || string(on[0].Data) != `{"id":"e0003"}`) {
		t.Errorf("the shelf keeps %+v", on[0])
	}
	counts(t, d, "after refusing 2", bus.Stats{DeadLettered: 2})
}

func again(t *testing.T, d Driver) {
	publish(t, d.Queue, event("a", "1"), event("a", "2"))
	publish(t, d.Queue, event("a", "3"))
	var r recorder
	var calls atomic.Int32
	subscribe(t, d.Queue, func(ctx context.Context, evs []cloudevent.Event) error {
		if calls.Add(1) <= 3 {
			return errPassing
		}
		return r.handle(ctx, evs)
	})
	wait(t, d.Queue, "a")
	same(t, "completed", r.ids("a"), []string{"1", "2", "3"})
	if on := listed(t, d.Shelf); len(on) != 0 {
		t.Errorf("%v went to the shelf for passing trouble", ids(on))
	}
}

func poison(t *testing.T, d Driver) {
	var evs []cloudevent.Event
	for _, id := range names(0, 8) {
		evs = append(evs, event("a", id))
	}
	publish(t, d.Queue, evs...)
	var r recorder
	var alone atomic.Int32
	subscribe(t, d.Queue, func(ctx context.Context, evs []cloudevent.Event) error {
		if slices.Contains(ids(evs), "e0005") {
			if len(evs) == 1 {
				alone.Add(1)
			}
			return errPassing
		}
		return r.handle(ctx, evs)
	})
	wait(t, d.Queue, "a")
	same(t, "completed", r.ids("a"), slices.DeleteFunc(names(0, 8), func(id string) bool { return id == "e0005" }))
	same(t, "on the shelf", ids(listed(t, d.Shelf)), []string{"rejected-e0005"})
	if n := alone.Load(); n != bus.MaxDeliveries {
		t.Errorf("it was offered alone %d times, want %d", n, bus.MaxDeliveries)
	}
}

func outage(t *testing.T, d Driver) {
	publish(t, d.Queue, event("a", "1"))
	var r recorder
	var calls atomic.Int32
	subscribe(t, d.Queue, func(ctx context.Context, evs []cloudevent.Event) error {
		if calls.Add(1) <= bus.MaxDeliveries+3 {
			return fault.Errorf(fault.Unavailable, "the store is down")
		}
		return r.handle(ctx, evs)
	})
	wait(t, d.Queue, "a")
	same(t, "completed", r.ids("a"), []string{"1"})
	if on := listed(t, d.Shelf); len(on) != 0 {
		t.Errorf("%v went to the shelf for an outage", ids(on))
	}
}

func panics(t *testing.T, d Driver) {
	publish(t, d.Queue, event("a", "1"), event("a", "bad"), event("a", "2"), event("b", "1"))
	var r recorder
	subscribe(t, d.Queue, func(ctx context.Context, evs []cloudevent.Event) error {
		if slices.Contains(ids(evs), "bad") {
			panic("bad event")
		}
		return r.handle(ctx, evs)
	})
	wait(t, d.Queue, "a", "b")
	same(t, "completed", r.ids("a"), []string{"1", "2"})
	same(t, "on the shelf", ids(listed(t, d.Shelf)), []string{"rejected-bad"})
}

func drains(t *testing.T, d Driver) {
	started, finish := make(chan struct{}, 1), make(chan struct{})
	var finished atomic.Bool
	publish(t, d.Queue, event("a", "1"))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- d.Queue.Subscribe(ctx, func(context.Context, []cloudevent.Event) error {
			started <- struct{}{}
			<-finish
			finished.Store(true)
			return nil
		})
	}()
	receive(t, started, "the handler")
	cancel()
	select {
	case <-done:
		t.Error("Subscribe returned while its handler was running")
	default:
	}
	close(finish)
	if err := receive(t, done, "Subscribe"); err != nil || !finished.Load() {
		t.Errorf("Subscribe = %v, handler finished: %v", err, finished.Load())
	}
	wait(t, d.Queue, "a") // what it finished is completed
}

func waits(t *testing.T, d Driver) {
	wait(t, d.Queue, "never heard of")
	publish(t, d.Queue, event("a", "1"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.Queue.Wait(ctx, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait with nobody subscribed = %v", err)
	}
	var handled atomic.Bool
	subscribe(t, d.Queue, func(context.Context, []cloudevent.Event) error {
		handled.Store(true)
		return nil
	})
	wait(t, d.Queue, "a")
	if !handled.Load() {
		t.Error("Wait returned before the event was handled")
	}
}

func stats(t *testing.T, d Driver) {
	publish(t, d.Queue, event("a", "1"), event("a", "2"), event("b", "1"), event("a", "1"))
	if d.Stats == nil {
		t.Log("this driver counts nothing")
	}
	counts(t, d, "after publishing 3", bus.Stats{Pending: 3})
	subscribe(t, d.Queue, (&recorder{}).handle)
	wait(t, d.Queue, "a", "b")
	counts(t, d, "after completing all", bus.Stats{})
}

func counts(t *testing.T, d Driver, when string, want bus.Stats) {
	t.Helper()
	if d.Stats == nil {
		return
	}
	if got := d.Stats(); got != want {
		t.Errorf("%s: Stats = %+v, want %+v", when, got, want)
	}
}

func shelf(t *testing.T, d Driver) {
	want := names(0, 25)
	for _, id := range want {
		publish(t, d.Shelf, event("", id), event("", id))
	}
	publish(t, d.Shelf, event("a", want[3])) // an id is kept once, whoever's it is
	var got []string
	pages := 0
	for cursor := ""; ; pages++ {
		evs, next, err := d.Shelf.List(t.Context(), cursor, 10)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, ids(evs)...)
		if cursor = next; cursor == "" {
			break
		}
	}
	same(t, "pages", got, want)
	if pages != 2 {
		t.Errorf("25 events came on %d pages of 10", pages+1)
	}
	if err := d.Shelf.Remove(t.Context(), want[0], want[24], want[0], "never heard of"); err != nil {
		t.Errorf("Remove: %v", err)
	}
	same(t, "after Remove", ids(listed(t, d.Shelf)), want[1:24])
	counts(t, d, "after Remove", bus.Stats{DeadLettered: 23})
	publish(t, d.Shelf, event("", want[0])) // removed, so it may come again, last
	same(t, "after coming again", ids(listed(t, d.Shelf)), append(slices.Clone(want[1:24]), want[0]))
	if _, _, err := d.Shelf.List(t.Context(), "no cursor", 1); fault.Of(err) != fault.Invalid {
		t.Errorf("a foreign cursor: %v", err)
	}
}

func shelfSurvives(t *testing.T, d Driver) {
	if d.Reopen == nil {
		t.Skip("this driver cannot be crashed")
	}
	publish(t, d.Shelf, event("a", "1"), event("a", "2"))
	if err := d.Shelf.Remove(t.Context(), "1"); err != nil {
		t.Fatal(err)
	}
	d = d.Reopen(t)
	same(t, "after the crash", ids(listed(t, d.Shelf)), []string{"2"})
	counts(t, d, "after the crash", bus.Stats{DeadLettered: 1})
}

func concurrency(t *testing.T, d Driver) {
	const publishers, each, sessions = 8, 60, 5
	var r recorder
	var turn atomic.Int32
	subscribe(t, d.Queue, func(ctx context.Context, evs []cloudevent.Event) error {
		if turn.Add(1)%7 == 0 {
			return errPassing
		}
		return r.handle(ctx, evs)
	})
	var wg sync.WaitGroup
	for p := range publishers {
		wg.Go(func() {
			for i := range each {
				if err := d.Queue.Publish(context.WithoutCancel(t.Context()),
					event(fmt.Sprint("s", i%sessions), fmt.Sprintf("p%d-%03d", p, i)),
					event("shared", fmt.Sprint(i))); err != nil { // the same ids from every publisher: repeats
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for s := range sessions {
		session := fmt.Sprint("s", s)
		wait(t, d.Queue, session)
		last := map[string]string{}
		got := r.ids(session)
		for _, id := range got {
			if by := id[:2]; id <= last[by] {
				t.Errorf("session %s: %s came after %s", session, id, last[by])
			} else {
				last[by] = id
			}
		}
		if len(got) != publishers*each/sessions {
			t.Errorf("session %s: %d events, want %d", session, len(got), publishers*each/sessions)
		}
	}
	wait(t, d.Queue, "shared")
	if got := r.ids("shared"); len(got) != each {
		t.Errorf("session shared: %d events, %d distinct ids were published", len(got), each)
	}
}
