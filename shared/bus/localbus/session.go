package localbus

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/bus"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/fault"
)

// session is where one session's handling stands. Bus.mu guards it; while busy, its worker alone moves done and the
// fields about failures.
type session struct {
	name    string
	last    uint64 // newest event known to be on the disk; never before done
	done    uint64 // everything up to here is completed or set aside
	busy    bool   // ready, in a handler, or pausing
	waiters []waiter

	redelivery bus.Redelivery
}

type waiter struct {
	until uint64
	done  chan struct{}
}

// openSession finds or makes one; the caller holds mu, or nobody else has the bus yet.
func (b *Bus) openSession(name string) *session {
	s := b.sessions[name]
	if s == nil {
		s = &session{name: name}
		b.sessions[name] = s
	}
	return s
}

// markReady puts a session in the line of those that have work, unless it is there already; the caller holds mu.
func (b *Bus) markReady(s *session) {
	if !s.busy && s.done < s.last {
		s.busy = true
		b.ready = append(b.ready, s)
		b.wake.Signal()
	}
}

// nextReady waits for a session with work; nil when ctx has ended.
func (b *Bus) nextReady(ctx context.Context) *session {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.ready) == 0 && ctx.Err() == nil {
		b.wake.Wait()
	}
	if ctx.Err() != nil {
		b.wake.Signal() // the signal may have been meant for another subscriber
		return nil
	}
	s := b.ready[0]
	b.ready = b.ready[1:]
	return s
}

// advanceProgress notes that events up to position are done with, and tells those who wait for it. A worker may be there before the
// Publish that it read from: the log shows events before it has told their positions.
func (b *Bus) advanceProgress(s *session, position uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s.done, s.last = position, max(s.last, position)
	rest := s.waiters[:0]
	for _, w := range s.waiters {
		if w.until <= position {
			close(w.done)
		} else {
			rest = append(rest, w)
		}
	}
	s.waiters = rest
}

// releaseSession gives a session back, at once or after a pause.
func (b *Bus) releaseSession(s *session, pause time.Duration) {
	free := func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		s.busy = false
		b.markReady(s)
	}
	if pause == 0 {
		free()
	} else {
		time.AfterFunc(pause, free)
	}
}

// corruptEvent makes an event of a log entry that is none.
func corruptEvent(session string, e datadir.Entry) cloudevent.Event {
	raw, _ := json.Marshal(base64.StdEncoding.EncodeToString(e.Raw)) // base64 always encodes
	return cloudevent.Event{
		ID: fmt.Sprintf("corrupt-%s-%d", session, e.Position), Source: "/onepane/bus", Type: "io.onepane.bus.corrupt.v1",
		Tenant: session, Data: raw, Position: e.Position,
	}
}

// refusedEvent is an event on its way to the shelf.
type refusedEvent struct {
	event  cloudevent.Event
	reason error
}

// refusedEvents reads a handler's answer: which events it refused, or that the batch as a whole failed.
func refusedEvents(evs []cloudevent.Event, err error) ([]refusedEvent, error) {
	var refused fault.Refused
	if err == nil || !errors.As(err, &refused) {
		return nil, err
	}
	var out []refusedEvent
	for i, e := range evs {
		if reason := refused.Reason(i); reason != nil {
			out = append(out, refusedEvent{e, reason})
		}
	}
	return out, nil
}
