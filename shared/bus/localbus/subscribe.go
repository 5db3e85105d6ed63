package localbus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/onepane/onepane/shared/backoff"
	"github.com/onepane/onepane/shared/bus"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
)

// Subscribe is bus.Subscriber. Options.Workers sessions are handled side by side.
func (b *Bus) Subscribe(ctx context.Context, h bus.Handler) error {
	stop := context.AfterFunc(ctx, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.wake.Broadcast()
	})
	defer stop()
	var workers sync.WaitGroup
	for range b.opts.Workers {
		workers.Go(func() {
			for s := b.nextReady(ctx); s != nil; s = b.nextReady(ctx) {
				b.releaseSession(s, b.handleBatch(ctx, s, h))
			}
		})
	}
	workers.Wait()
	return nil
}

// handleBatch offers one batch of a session, and completes it or notes its failure. It returns how long to leave the
// session alone.
func (b *Bus) handleBatch(ctx context.Context, s *session, h bus.Handler) (pause time.Duration) {
	evs, refused, last, err := b.readBatch(s)
	if err == nil && len(evs) > 0 {
		var more []refusedEvent
		more, err = refusedEvents(evs, h.Offer(ctx, evs))
		refused = append(refused, more...)
	}
	if err == nil {
		err = b.completeBatch(s, last, refused)
	}
	switch {
	case err == nil:
		s.redelivery.Succeeded()
		return 0
	case ctx.Err() != nil:
		return 0 // interrupted, which says nothing about the events
	}
	return b.failBatch(s, evs, last, err)
}

// readBatch reads the events to offer next, and the log's entries that no event can be read from as refused. last is
// the position of the last of both.
func (b *Bus) readBatch(s *session) (evs []cloudevent.Event, refused []refusedEvent, last uint64, err error) {
	b.mu.Lock()
	done, newest := s.done, s.last
	b.mu.Unlock()
	entries, err := b.log.Read(s.name, done, s.redelivery.Limit())
	if err != nil {
		return nil, nil, done, err
	}
	last = newest // when the rest of the log was dropped, nothing is found
	for _, e := range entries {
		last = e.Position
		if e.Err != nil {
			damaged := bus.CorruptEvent(fmt.Sprintf("corrupt-%s-%d", s.name, e.Position), s.name, e.Raw)
			damaged.Position = e.Position
			refused = append(refused, refusedEvent{damaged, fault.Errorf(fault.Invalid, "read position %d: %w", e.Position, e.Err)})
			continue
		}
		evs = append(evs, e.Event)
	}
	return evs, refused, last, nil
}

// completeBatch moves a session's progress to last and puts what was refused into quarantine, in one write: a crash
// loses neither an event nor the fact that it is done with.
func (b *Bus) completeBatch(s *session, last uint64, refused []refusedEvent) error {
	w := b.dir.DB.NewBatch()
	if err := b.log.SetProgress(w, s.name, last); err != nil {
		return errors.Join(err, w.Close())
	}
	var rejected []cloudevent.Event
	for _, r := range refused {
		if err := b.log.DropEvent(w, s.name, r.event.Position); err != nil { // quarantine has it
			return errors.Join(err, w.Close())
		}
		b.opts.Log.Warn("event set aside", "session", s.name, "event", r.event.ID, "reason", r.reason)
		e, err := b.opts.Reject(r.event, r.reason)
		if err != nil {
			b.opts.Log.Error("event is kept as it is", "event", r.event.ID, "error", err)
			e = r.event
		}
		rejected = append(rejected, e)
	}
	if err := b.quarantine.addEvents(w, rejected, false); err != nil {
		return fmt.Errorf("complete up to %d: %w", last, err)
	}
	b.advanceProgress(s, last)
	return nil
}

// failBatch notes a failed batch and returns how long to leave the session alone. An event that failed alone too often
// goes to quarantine.
func (b *Bus) failBatch(s *session, evs []cloudevent.Event, last uint64, err error) time.Duration {
	b.opts.Log.Warn("batch failed, will be offered again", "session", s.name, "events", len(evs), "failures", s.redelivery.Failures()+1, "error", err)
	if s.redelivery.Failed(len(evs), err) {
		reason := fmt.Errorf("failed %d times: %w", bus.MaxDeliveries, err)
		if b.completeBatch(s, last, []refusedEvent{{evs[0], reason}}) == nil {
			s.redelivery.Succeeded()
			return 0
		}
	}
	return backoff.Delay(s.redelivery.Failures(), b.opts.Pause, b.opts.MaxPause)
}
