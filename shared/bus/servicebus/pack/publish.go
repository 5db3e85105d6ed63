package pack

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/onepane/onepane/shared/cloudevent"
)

// Message is a message as it goes to a queue.
type Message struct {
	ID          string // derived from the events' ids, so that the queue's duplicate detection drops a repeat
	Session     string // empty on a queue without sessions
	ContentType string
	Encoding    string // "zstd", or empty; like Events a property that people see who look at the queue
	Events      int
	Body        []byte
}

// Target is a queue that messages go to.
type Target struct {
	Limit int    // largest body, in bytes; 0 is MaxBody
	Blobs Putter // keeps larger events; nil makes them fault.TooLarge
	// Send puts one message on the queue; when it returns nil, the message is durable. Safe for concurrent use.
	Send func(ctx context.Context, m Message) error
}

// Publish sends events packed. Sessions go side by side, the messages of one session one after another: the next is
// sent when the one before is durable, so that a failure leaves no gap.
func (t Target) Publish(ctx context.Context, evs []cloudevent.Event) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := checkEvents(evs); err != nil {
		return fmt.Errorf("publish %d events: %w", len(evs), err)
	}
	var sending sync.WaitGroup
	sessions := bySession(evs)
	errs := make([]error, len(sessions))
	for i, s := range sessions {
		if i == len(sessions)-1 {
			errs[i] = t.publishSession(ctx, s) // most calls are for one tenant
			break
		}
		sending.Go(func() { errs[i] = t.publishSession(ctx, s) })
	}
	sending.Wait()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("publish %d events: %w", len(evs), err)
	}
	return nil
}

// publishSession sends the events of one session, message by message.
func (t Target) publishSession(ctx context.Context, evs []cloudevent.Event) error {
	messages, err := t.packTenant(ctx, evs)
	if err != nil {
		return err
	}
	for _, m := range messages {
		if err := t.Send(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// PublishSingly sends each event in a message of its own, without a session, as quarantine keeps them.
func (t Target) PublishSingly(ctx context.Context, evs []cloudevent.Event) error {
	if err := checkEvents(evs); err != nil {
		return fmt.Errorf("publish %d events: %w", len(evs), err)
	}
	for i := range evs {
		messages, err := t.packTenant(ctx, evs[i:i+1])
		if err == nil {
			messages[0].Session = ""
			err = t.Send(ctx, messages[0])
		}
		if err != nil {
			return fmt.Errorf("publish event %s: %w", evs[i].ID, err)
		}
	}
	return nil
}

// packTenant returns the messages for events of one tenant.
func (t Target) packTenant(ctx context.Context, evs []cloudevent.Event) ([]Message, error) {
	limit := t.Limit
	if limit == 0 {
		limit = MaxBody
	}
	return packEvents(ctx, SessionID(evs[0].Tenant), evs, limit, t.Blobs)
}
