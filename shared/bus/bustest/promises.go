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

func eventArrivesWhole(t *testing.T, d Driver) {
	in := cloudevent.Event{
		ID: "e1", Source: "/bustest", Type: "test", Subject: "subject", Tenant: "contoso ü",
		Time: time.Date(2026, 3, 3, 1, 2, 3, 456_000_000, time.UTC), DataSchema: "https://example.test/schema",
		Trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", Data: []byte(`{"b": 1, "a": "\u00e9"}`),
	}
	publishEvents(t, d.Queue, in)
	var r recorder
	startSubscription(t, d.Queue, r.recordEvents)
	waitForSessions(t, d.Queue, in.Tenant)
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

func sessionsKeepOrder(t *testing.T, d Driver) {
	want := numberedIDs(0, 350)
	for part := range slices.Chunk(want, 70) {
		var evs []cloudevent.Event
		for _, id := range part {
			evs = append(evs, newEvent("a", id), newEvent("b", id))
		}
		publishEvents(t, d.Queue, evs...)
	}
	var r recorder
	startSubscription(t, d.Queue, r.recordEvents)
	waitForSessions(t, d.Queue, "a", "b")
	compareIDs(t, "session a", r.sessionIDs("a"), want)
	compareIDs(t, "session b", r.sessionIDs("b"), want)
}

func oneHandlerPerSession(t *testing.T, d Driver) {
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
	startSubscription(t, d.Queue, h)
	startSubscription(t, d.Queue, h)
	for _, id := range numberedIDs(0, 300) {
		publishEvents(t, d.Queue, newEvent("a", id), newEvent("b", id))
	}
	waitForSessions(t, d.Queue, "a", "b")
	if n := overlaps.Load(); n > 0 {
		t.Errorf("a session was in two handlers %d times", n)
	}
}

func sessionsAreIndependent(t *testing.T, d Driver) {
	stuck, free := make(chan struct{}), make(chan struct{})
	var once sync.Once
	publishEvents(t, d.Queue, newEvent("stuck", "1"), newEvent("failing", "1"), newEvent("fine", "1"))
	startSubscription(t, d.Queue, func(_ context.Context, evs []cloudevent.Event) error {
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
	receiveFrom(t, stuck, "the stuck session")
	waitForSessions(t, d.Queue, "fine")
	publishEvents(t, d.Queue, newEvent("fine", "2"))
	waitForSessions(t, d.Queue, "fine")
	close(free)
	waitForSessions(t, d.Queue, "stuck", "failing")
}

func publishedSurvivesCrash(t *testing.T, d Driver) {
	if d.Reopen == nil {
		t.Skip("this driver cannot be crashed")
	}
	publishEvents(t, d.Queue, newEvent("a", "1"), newEvent("b", "1"))
	publishEvents(t, d.Queue, newEvent("a", "2"))
	d = d.Reopen(t)
	var r recorder
	startSubscription(t, d.Queue, r.recordEvents)
	waitForSessions(t, d.Queue, "a", "b")
	compareIDs(t, "session a after the crash", r.sessionIDs("a"), []string{"1", "2"})
	compareIDs(t, "session b after the crash", r.sessionIDs("b"), []string{"1"})
}

func completedSurvivesCrash(t *testing.T, d Driver) {
	if d.Reopen == nil {
		t.Skip("this driver cannot be crashed")
	}
	publishEvents(t, d.Queue, newEvent("a", "1"))
	stop := startSubscription(t, d.Queue, (&recorder{}).recordEvents)
	waitForSessions(t, d.Queue, "a")
	stop()
	d = d.Reopen(t)
	publishEvents(t, d.Queue, newEvent("a", "2"))
	var r recorder
	startSubscription(t, d.Queue, r.recordEvents)
	waitForSessions(t, d.Queue, "a")
	if got := r.sessionIDs("a"); !slices.Equal(got, []string{"2"}) && !slices.Equal(got, []string{"1", "2"}) {
		t.Errorf("after the crash came %v", got)
	}
}

func repeatIsDropped(t *testing.T, d Driver) {
	publishEvents(t, d.Queue, newEvent("a", "1"), newEvent("a", "1"), newEvent("a", "2"))
	publishEvents(t, d.Queue, newEvent("a", "1"), newEvent("a", "2"))
	publishEvents(t, d.Queue, newEvent("a", "3"))
	publishEvents(t, d.Queue, newEvent("a", "3"))
	var r recorder
	startSubscription(t, d.Queue, r.recordEvents)
	waitForSessions(t, d.Queue, "a")
	publishEvents(t, d.Queue, newEvent("a", "3")) // completed, and still a repeat
	waitForSessions(t, d.Queue, "a")
	compareIDs(t, "within the window", r.sessionIDs("a"), []string{"1", "2", "3"})
	if d.Advance == nil {
		return
	}
	d.Advance(d.Window + time.Second)
	publishEvents(t, d.Queue, newEvent("a", "3"))
	waitForSessions(t, d.Queue, "a")
	compareIDs(t, "beyond the window", r.sessionIDs("a"), []string{"1", "2", "3", "3"})
}

func regroupedRepeatComesAfter(t *testing.T, d Driver) {
	publishEvents(t, d.Queue, newEvent("a", "1"), newEvent("a", "2"))
	publishEvents(t, d.Queue, newEvent("a", "2"), newEvent("a", "3"))
	var r recorder
	startSubscription(t, d.Queue, r.recordEvents)
	waitForSessions(t, d.Queue, "a")
	got := r.sessionIDs("a")
	if d.DedupesCalls && slices.Equal(got, []string{"1", "2", "2", "3"}) {
		return
	}
	compareIDs(t, "offered", got, []string{"1", "2", "3"})
}

func otherSessionIsNoRepeat(t *testing.T, d Driver) {
	publishEvents(t, d.Queue, newEvent("a", "1"), newEvent("b", "1"))
	var r recorder
	startSubscription(t, d.Queue, r.recordEvents)
	waitForSessions(t, d.Queue, "a", "b")
	compareIDs(t, "session a", r.sessionIDs("a"), []string{"1"})
	compareIDs(t, "session b", r.sessionIDs("b"), []string{"1"})
}

func windowSurvivesRestart(t *testing.T, d Driver) {
	if d.Reopen == nil {
		t.Skip("this driver cannot be crashed")
	}
	publishEvents(t, d.Queue, newEvent("a", "1"))
	d = d.Reopen(t)
	publishEvents(t, d.Queue, newEvent("a", "1"))
	var r recorder
	startSubscription(t, d.Queue, r.recordEvents)
	waitForSessions(t, d.Queue, "a")
	compareIDs(t, "after the restart", r.sessionIDs("a"), []string{"1"})
}

func invalidIsRefused(t *testing.T, d Driver) {
	for name, e := range map[string]cloudevent.Event{
		"no id":           {Source: "/s", Type: "t", Tenant: "a"},
		"tenant too long": {ID: "1", Source: "/s", Type: "t", Tenant: strings.Repeat("x", 201)},
	} {
		if err := d.Queue.Publish(t.Context(), e); fault.Of(err) != fault.Invalid {
			t.Errorf("%s: Publish = %v, want invalid", name, err)
		}
	}
	publishEvents(t, d.Queue) // nothing is fine
}

func refusedIsQuarantined(t *testing.T, d Driver) {
	var evs []cloudevent.Event
	for _, id := range numberedIDs(0, 10) {
		evs = append(evs, newEvent("a", id))
	}
	publishEvents(t, d.Queue, evs...)
	var r recorder
	startSubscription(t, d.Queue, func(ctx context.Context, evs []cloudevent.Event) error {
		bad := fault.Refused{}
		for i, e := range evs {
			if e.ID == "e0003" || e.ID == "e0007" {
				bad[i] = fault.Errorf(fault.Invalid, "bad %s", e.ID)
			}
		}
		return errors.Join(r.recordEvents(ctx, evs), fmt.Errorf("correlate: %w", bad))
	})
	waitForSessions(t, d.Queue, "a")
	compareIDs(t, "offered", r.sessionIDs("a"), numberedIDs(0, 10))
	on := listQuarantine(t, d.Quarantine)
	compareIDs(t, "in quarantine", eventIDs(on), []string{"rejected-e0003", "rejected-e0007"})
	if len(on) > 0 && (on[0].Subject != "bad e0003" || string(on[0].Data) != `{"id":"e0003"}`) {
		t.Errorf("quarantine keeps %+v", on[0])
	}
	checkStats(t, d, "after refusing 2", bus.Stats{DeadLettered: 2})
}

func failedIsOfferedAgain(t *testing.T, d Driver) {
	publishEvents(t, d.Queue, newEvent("a", "1"), newEvent("a", "2"))
	publishEvents(t, d.Queue, newEvent("a", "3"))
	var r recorder
	var calls atomic.Int32
	startSubscription(t, d.Queue, func(ctx context.Context, evs []cloudevent.Event) error {
		if calls.Add(1) <= 3 {
			return errPassing
		}
		return r.recordEvents(ctx, evs)
	})
	waitForSessions(t, d.Queue, "a")
	compareIDs(t, "completed", r.sessionIDs("a"), []string{"1", "2", "3"})
	if on := listQuarantine(t, d.Quarantine); len(on) != 0 {
		t.Errorf("%v went to quarantine for passing trouble", eventIDs(on))
	}
}

func poisonIsQuarantined(t *testing.T, d Driver) {
	var evs []cloudevent.Event
	for _, id := range numberedIDs(0, 8) {
		evs = append(evs, newEvent("a", id))
	}
	publishEvents(t, d.Queue, evs...)
	var r recorder
	var alone atomic.Int32
	startSubscription(t, d.Queue, func(ctx context.Context, evs []cloudevent.Event) error {
		if slices.Contains(eventIDs(evs), "e0005") {
			if len(evs) == 1 {
				alone.Add(1)
			}
			return errPassing
		}
		return r.recordEvents(ctx, evs)
	})
	waitForSessions(t, d.Queue, "a")
	compareIDs(t, "completed", r.sessionIDs("a"), slices.DeleteFunc(numberedIDs(0, 8), func(id string) bool { return id == "e0005" }))
	compareIDs(t, "in quarantine", eventIDs(listQuarantine(t, d.Quarantine)), []string{"rejected-e0005"})
	if n := alone.Load(); n != bus.MaxDeliveries {
		t.Errorf("it was offered alone %d times, want %d", n, bus.MaxDeliveries)
	}
}

func outageQuarantinesNothing(t *testing.T, d Driver) {
	publishEvents(t, d.Queue, newEvent("a", "1"))
	var r recorder
	var calls atomic.Int32
	startSubscription(t, d.Queue, func(ctx context.Context, evs []cloudevent.Event) error {
		if calls.Add(1) <= bus.MaxDeliveries+3 {
			return fault.Errorf(fault.Unavailable, "the store is down")
		}
		return r.recordEvents(ctx, evs)
	})
	waitForSessions(t, d.Queue, "a")
	compareIDs(t, "completed", r.sessionIDs("a"), []string{"1"})
	if on := listQuarantine(t, d.Quarantine); len(on) != 0 {
		t.Errorf("%v went to quarantine for an outage", eventIDs(on))
	}
}

func panicFailsItsBatch(t *testing.T, d Driver) {
	publishEvents(t, d.Queue, newEvent("a", "1"), newEvent("a", "bad"), newEvent("a", "2"), newEvent("b", "1"))
	var r recorder
	startSubscription(t, d.Queue, func(ctx context.Context, evs []cloudevent.Event) error {
		if slices.Contains(eventIDs(evs), "bad") {
			panic("bad event")
		}
		return r.recordEvents(ctx, evs)
	})
	waitForSessions(t, d.Queue, "a", "b")
	compareIDs(t, "completed", r.sessionIDs("a"), []string{"1", "2"})
	compareIDs(t, "in quarantine", eventIDs(listQuarantine(t, d.Quarantine)), []string{"rejected-bad"})
}

func subscribeFinishesHandlers(t *testing.T, d Driver) {
	started, finish := make(chan struct{}, 1), make(chan struct{})
	var finished atomic.Bool
	publishEvents(t, d.Queue, newEvent("a", "1"))
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
	receiveFrom(t, started, "the handler")
	cancel()
	select {
	case <-done:
		t.Error("Subscribe returned while its handler was running")
	default:
	}
	close(finish)
	if err := receiveFrom(t, done, "Subscribe"); err != nil || !finished.Load() {
		t.Errorf("Subscribe = %v, handler finished: %v", err, finished.Load())
	}
	waitForSessions(t, d.Queue, "a") // what it finished is completed
}

func waitReturnsWhenDone(t *testing.T, d Driver) {
	waitForSessions(t, d.Queue, "never heard of")
	publishEvents(t, d.Queue, newEvent("a", "1"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.Queue.Wait(ctx, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait with nobody subscribed = %v", err)
	}
	var handled atomic.Bool
	startSubscription(t, d.Queue, func(context.Context, []cloudevent.Event) error {
		handled.Store(true)
		return nil
	})
	waitForSessions(t, d.Queue, "a")
	if !handled.Load() {
		t.Error("Wait returned before the event was handled")
	}
}

func statsCountWaiting(t *testing.T, d Driver) {
	publishEvents(t, d.Queue, newEvent("a", "1"), newEvent("a", "2"), newEvent("b", "1"), newEvent("a", "1"))
	if d.Stats == nil {
		t.Log("this driver counts nothing")
	}
	checkStats(t, d, "after publishing 3", bus.Stats{Pending: 3})
	startSubscription(t, d.Queue, (&recorder{}).recordEvents)
	waitForSessions(t, d.Queue, "a", "b")
	checkStats(t, d, "after completing all", bus.Stats{})
}

func checkStats(t *testing.T, d Driver, when string, want bus.Stats) {
	t.Helper()
	if d.Stats == nil {
		return
	}
	if got := d.Stats(); got != want {
		t.Errorf("%s: Stats = %+v, want %+v", when, got, want)
	}
}

func quarantinePages(t *testing.T, d Driver) {
	want := numberedIDs(0, 25)
	for _, id := range want {
		publishEvents(t, d.Quarantine, newEvent("", id), newEvent("", id))
	}
	publishEvents(t, d.Quarantine, newEvent("a", want[3])) // an id is kept once, whoever's it is
	var got []string
	pages := 0
	for cursor := ""; ; pages++ {
		evs, next, err := d.Quarantine.List(t.Context(), cursor, 10)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, eventIDs(evs)...)
		if cursor = next; cursor == "" {
			break
		}
	}
	compareIDs(t, "pages", got, want)
	if pages != 2 {
		t.Errorf("25 events came on %d pages of 10", pages+1)
	}
	if err := d.Quarantine.Remove(t.Context(), want[0], want[24], want[0], "never heard of"); err != nil {
		t.Errorf("Remove: %v", err)
	}
	compareIDs(t, "after Remove", eventIDs(listQuarantine(t, d.Quarantine)), want[1:24])
	checkStats(t, d, "after Remove", bus.Stats{DeadLettered: 23})
	publishEvents(t, d.Quarantine, newEvent("", want[0])) // removed, so it may come again, last
	compareIDs(t, "after coming again", eventIDs(listQuarantine(t, d.Quarantine)), append(slices.Clone(want[1:24]), want[0]))
	if _, _, err := d.Quarantine.List(t.Context(), "no cursor", 1); fault.Of(err) != fault.Invalid {
		t.Errorf("a foreign cursor: %v", err)
	}
}

func quarantineSurvivesCrash(t *testing.T, d Driver) {
	if d.Reopen == nil {
		t.Skip("this driver cannot be crashed")
	}
	publishEvents(t, d.Quarantine, newEvent("a", "1"), newEvent("a", "2"))
	if err := d.Quarantine.Remove(t.Context(), "1"); err != nil {
		t.Fatal(err)
	}
	d = d.Reopen(t)
	compareIDs(t, "after the crash", eventIDs(listQuarantine(t, d.Quarantine)), []string{"2"})
	checkStats(t, d, "after the crash", bus.Stats{DeadLettered: 1})
}

func manyPublishers(t *testing.T, d Driver) {
	const publishers, each, sessions = 8, 60, 5
	var r recorder
	var calls atomic.Int32
	startSubscription(t, d.Queue, func(ctx context.Context, evs []cloudevent.Event) error {
		if calls.Add(1)%7 == 0 {
			return errPassing
		}
		return r.recordEvents(ctx, evs)
	})
	var wg sync.WaitGroup
	for p := range publishers {
		wg.Go(func() {
			for i := range each {
				if err := d.Queue.Publish(context.WithoutCancel(t.Context()),
					newEvent(fmt.Sprint("s", i%sessions), fmt.Sprintf("p%d-%03d", p, i)),
					newEvent("shared", fmt.Sprint(i))); err != nil { // the same ids from every publisher: repeats
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for s := range sessions {
		session := fmt.Sprint("s", s)
		waitForSessions(t, d.Queue, session)
		last := map[string]string{}
		got := r.sessionIDs(session)
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
	waitForSessions(t, d.Queue, "shared")
	if got := r.sessionIDs("shared"); len(got) != each {
		t.Errorf("session shared: %d events, %d distinct ids were published", len(got), each)
	}
}
