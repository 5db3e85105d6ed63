// Package localbus is the bus inside one process, kept in a data directory: the promises of package bus with no
// server to run. The queue of a session is its log past its progress.
//
//	Publish ─▶ window ─▶ log ──wake──▶ ready sessions ─▶ workers ─▶ handler
//	          (repeats)  (synced)            ▲                        │ nil: progress moves on
//	                                         └───── pause, halved ────┤ error
//	                                                                  └ refused: quarantine and progress, in one write
//
// A publish is on the disk before it returns. Progress is not synced: after a crash events may be offered again, which
// every handler must bear.
//
// # What grows
//
// An event stays on the log when it is handled: its data is the body of the alert that it brought. The store keeps
// alerts by their position there, some 1 to 4 KB each before compression, as large as the provider's record. An event
// leaves the log in one of these ways:
//
//   - It goes to quarantine.
//   - The store drops it (datadir.Log.Drop): a later report replaced it, or its incident was resolved and purged.
//   - The store drops it as soon as it is handled (localstore's Trim): it is a repeat, an update or another product's
//     copy.
//
// The ids of dropped events are remembered for the duplicate window as long as the process lives; after a restart a
// repeat of one may reach the handler. The log is a table of the database and has no files of its own: room comes
// back when pebble compacts.
package localbus

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/onepane/onepane/shared/bus"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/fault"
)

// Bus is one queue with its quarantine. Open it once per directory and queue. Safe for concurrent use.
type Bus struct {
	dir        *datadir.Dir
	log        *datadir.Log
	quarantine *Quarantine
	opts       Options
	window     *window

	mu       sync.Mutex
	wake     *sync.Cond // ready grew, or a subscriber's context ended
	sessions map[string]*session
	ready    []*session // with events to offer and no worker, longest waiting first
}

var (
	_ bus.Publisher  = (*Bus)(nil)
	_ bus.Subscriber = (*Bus)(nil)
	_ bus.Waiter     = (*Bus)(nil)
)

// Options are what a deployment or a test may choose; the zero value is fine.
type Options struct {
	Now             func() time.Time // what the duplicate window goes by; nil is time.Now
	DuplicateWindow time.Duration    // how long a repeat is dropped; 0 is 10 minutes, negative is never
	WindowEvents    int              // ids remembered at most; 0 is 100,000, some 10 MB
	Workers         int              // sessions handled side by side; 0 is two per processor
	Pause           time.Duration    // before a failed batch is offered again, doubling each time; 0 is 10 ms
	MaxPause        time.Duration    // where doubling ends; 0 is 5 s
	Log             *slog.Logger     // nil discards
	// Reject makes what quarantine keeps of an event that cannot be processed, and of the reason; nil keeps the event
	// as it is.
	Reject func(cloudevent.Event, error) (cloudevent.Event, error)
}

func (o Options) withDefaults() Options {
	o.DuplicateWindow = cmp.Or(o.DuplicateWindow, 10*time.Minute)
	o.WindowEvents = cmp.Or(o.WindowEvents, 100_000)
	o.Workers = cmp.Or(o.Workers, 2*runtime.GOMAXPROCS(0))
	o.Pause = cmp.Or(o.Pause, 10*time.Millisecond)
	o.MaxPause = cmp.Or(o.MaxPause, 5*time.Second)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Reject == nil {
		o.Reject = func(e cloudevent.Event, _ error) (cloudevent.Event, error) { return e, nil }
	}
	return o
}

// Open opens a queue of the directory, with the events that still wait on it.
func Open(dir *datadir.Dir, queue string, opts Options) (*Bus, error) {
	opts = opts.withDefaults()
	b := &Bus{dir: dir, log: dir.Log(queue), opts: opts, sessions: map[string]*session{}}
	b.wake = sync.NewCond(&b.mu)
	b.window = newWindow(opts.DuplicateWindow, opts.WindowEvents)
	var err error
	if b.quarantine, err = openQuarantine(dir, bus.QuarantineQueue+"/"+queue); err != nil {
		return nil, fmt.Errorf("open queue %q: %w", queue, err)
	}
	names, err := b.log.Sessions()
	if err != nil {
		return nil, fmt.Errorf("open queue %q: %w", queue, err)
	}
	for _, name := range names {
		if err := b.resumeSession(name, len(names)); err != nil {
			return nil, fmt.Errorf("open queue %q: session %q: %w", queue, name, err)
		}
	}
	b.window.sortByTime()
	return b, nil
}

// resumeSession opens a session at its progress, and remembers the ids on its log that the duplicate window covers.
// of is how many sessions share the window.
func (b *Bus) resumeSession(name string, of int) error {
	done, err := b.log.Progress(name)
	if err != nil {
		return err
	}
	last, err := b.log.LastPosition(name)
	if err != nil {
		return err
	}
	s := b.openSession(name)
	s.done, s.last = done, last
	b.markReady(s)
	if b.opts.DuplicateWindow < 0 {
		return nil
	}
	since := b.opts.Now().Add(-b.opts.DuplicateWindow)
	room := b.opts.WindowEvents / of // every session has its share of the window
	return b.log.WalkNewest(name, func(e datadir.Entry) bool {
		if room--; room < 0 || e.Published.Before(since) && e.Err == nil {
			return false
		}
		if e.Err == nil {
			b.window.rememberStored(name, e.Event.ID, e.Published)
		}
		return true
	})
}

// Publish is bus.Publisher.
func (b *Bus) Publish(ctx context.Context, evs ...cloudevent.Event) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := checkEvents(evs); err != nil {
		return fmt.Errorf("publish %d events: %w", len(evs), err)
	}
	now := b.opts.Now()
	fresh, own, others := b.window.admitEvents(evs, now)
	err := b.appendEvents(fresh, now)
	b.window.finishWrite(own, err)
	// Repeats of events that another call is still writing are only as durable as that call makes them.
	for _, w := range others {
		<-w.done
		if err == nil {
			err = w.err
		}
	}
	if err != nil {
		return fmt.Errorf("publish %d events: %w", len(evs), err)
	}
	return nil
}

// checkEvents returns fault.Invalid for the first event that the bus does not take.
func checkEvents(evs []cloudevent.Event) error {
	for i, e := range evs {
		if err := e.Validate(); err != nil {
			return fmt.Errorf("event %d: %w", i, err)
		}
		if err := datadir.CheckName("tenant", e.Tenant); err != nil {
			return fmt.Errorf("event %d: %w", i, err)
		}
		if !utf8.ValidString(e.Tenant) {
			return fault.Errorf(fault.Invalid, "event %d: tenant is not UTF-8", i)
		}
	}
	return nil
}

// appendEvents writes events to the log, synced, and wakes workers for their sessions.
func (b *Bus) appendEvents(evs []cloudevent.Event, now time.Time) error {
	if len(evs) == 0 {
		return nil
	}
	positions, err := b.log.Append(evs, now)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, e := range evs {
		s := b.openSession(e.Tenant)
		s.last = max(s.last, positions[i])
		b.markReady(s)
	}
	return nil
}

// Wait is bus.Waiter.
func (b *Bus) Wait(ctx context.Context, name string) error {
	b.mu.Lock()
	s := b.sessions[name]
	if s == nil || s.done >= s.last {
		b.mu.Unlock()
		return nil
	}
	w := waiter{until: s.last, done: make(chan struct{})}
	s.waiters = append(s.waiters, w)
	b.mu.Unlock()
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for session %q: %w", name, ctx.Err())
	}
}

// Stats counts what waits on the queue and in its quarantine.
func (b *Bus) Stats() bus.Stats {
	st := bus.Stats{DeadLettered: b.quarantine.countEvents()}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.sessions {
		st.Pending += int64(s.last - s.done)
	}
	return st
}

// Quarantine returns the queue's quarantine.
func (b *Bus) Quarantine() *Quarantine { return b.quarantine }
