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

// Subscribe is bus.Subscriber.
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

// handleBatch offers one batch of a session and settles it. It says how long to leave the session alone.
func (b *Bus) handleBatch(ctx context.Context, s *session, h bus.Handler) (pause time.Duration) {
	evs, aside, last, err := b.readBatch(s)
	if err == nil && len(evs) > 0 {
		var refused []refusedEvent
		if refused, err = refusedEvents(evs, h.Offer(ctx, evs)); err == nil {
			aside = append(aside, refused...)
		}
	}
	if err == nil {
		err = b.completeBatch(s, last, aside)
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

// readBatch reads what to offer next. Entries that are no events go aside; last is the position that it reaches.
func (b *Bus) readBatch(s *session) (evs []cloudevent.Event, aside []refusedEvent, last uint64, err error) {
	b.mu.Lock()
	done, newest := s.done, s.last
	b.mu.Unlock()
	entries, err := b.log.Read(s.name, done, s.redelivery.Limit())
	if err != nil {
		return nil, nil, done, err
	}
	last = newest // the rest of the log was dropped, if nothing is found
	for _, e := range entries {
		last = e.Position
		if e.Err != nil {
			aside = append(aside, refusedEvent{corruptEvent(s.name, e), fault.Errorf(fault.Invalid, "read position %d: %w", e.Position, e.Err)})
			continue
		}
		evs = append(evs, e.Event)
	}
	return evs, aside, last, nil
}

// completeBatch moves a session on. What goes aside is on the shelf in the same moment, so that a crash loses neither
// an event nor the fact that it is done with.
func (b *Bus) completeBatch(s *session, last uint64, aside []refusedEvent) error {
	w := b.dir.DB.NewBatch()
	if err := b.log.SetProgress(w, s.name, last); err != nil {
		return errors.Join(err, w.Close())
	}
	var rejected []cloudevent.Event
	for _, a := range aside {
		if err := b.log.Drop(w, s.name, a.event.Position); err != nil { // the shelf has it
			return errors.Join(err, w.Close())
		}
		b.opts.Log.Warn("event set aside", "session", s.name, "event", a.event.ID, "reason", a.reason)
		e, err := b.opts.Reject(a.event, a.reason)
		if err != nil {
			b.opts.Log.Error("event is kept as it is", "event", a.event.ID, "error", err)
			e = a.event
		}
		rejected = append(rejected, e)
	}
	if err := b.quarantine.addEvents(w, rejected, false); err != nil {
		return fmt.Errorf("complete up to %d: %w", last, err)
	}
	b.advanceProgress(s, last)
	return nil
}

// failBatch notes a failed batch and returns how long to leave the session alone. An event that failed alone too often goes
// to quarantine.
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
