package localbus

import (
	"context"
	"errors"
	"time"

	"github.com/onepane/onepane/shared/bus"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
)

// session is how far one session is handled. Bus.mu guards it; while busy, its worker alone writes done and uses
// redelivery.
type session struct {
	name    string
	last    uint64 // position of the newest event known to be on the disk; never before done
	done    uint64 // every event up to this position is completed or in quarantine
	busy    bool   // ready, in a handler, or pausing
	waiters []waiter

	redelivery bus.Redelivery
}

// waiter is a call of Wait.
type waiter struct {
	until uint64        // the position that done must reach
	done  chan struct{} // closed then
}

// openSession returns the session of that name, made when it is new. The caller holds mu, or nobody else has the bus
// yet.
func (b *Bus) openSession(name string) *session {
	s := b.sessions[name]
	if s == nil {
		s = &session{name: name}
		b.sessions[name] = s
	}
	return s
}

// markReady queues a session that has work for the workers, unless one has it already. The caller holds mu.
func (b *Bus) markReady(s *session) {
	if !s.busy && s.done < s.last {
		s.busy = true
		b.ready = append(b.ready, s)
		b.wake.Signal()
	}
}

// nextReady waits for a session with work and returns it; nil when ctx has ended.
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

// advanceProgress notes that the events up to position are done with, and wakes those who wait for that. A worker may
// come here before Publish has noted the last position: the log shows events before Append returns their positions.
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

// releaseSession lets other workers have the session, at once or after a pause.
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

// refusedEvent is an event on its way to quarantine.
type refusedEvent struct {
	event  cloudevent.Event
	reason error
}

// refusedEvents returns which events a handler refused by its error; any other error of it as it is.
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
