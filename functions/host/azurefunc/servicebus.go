package azurefunc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/onepane/onepane/events"
	"github.com/onepane/onepane/functions/host/attempt"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/telemetry/logs"
)

// ServiceBus feeds a function the events of a queue with sessions. In function.json its binding wants
// "isSessionsEnabled": true, "cardinality": "many" and "dataType": "binary": taken as text, a compressed message would
// be spoilt on the way.
type ServiceBus struct {
	Binding string // name of the trigger's binding
	// Decode opens a message, which may hold many events. What it calls permanent goes to quarantine.
	Decode func(ctx context.Context, body []byte) ([]cloudevent.Event, error)
	// Handle processes events of one session. fault.Refused names those that can never be.
	Handle     func(ctx context.Context, evs []cloudevent.Event) error
	Quarantine Publisher
	Log        *slog.Logger
	Now        func() time.Time
}

// A message that keeps failing holds up its whole session. From its fourth delivery on its events are tried in ever
// smaller parts, so that the good ones get through; from the eighth, what still fails alone is set aside, before the
// queue's limit of ten moves the message where nobody knows why.
const (
	partFrom     = 4
	setAsideFrom = 8
)

// Invoke implements Function.
func (s ServiceBus) Invoke(ctx context.Context, in Invocation) error {
	ms, err := in.Messages(s.Binding)
	if err != nil {
		return err
	}
	b := work{s: s}
	for _, m := range ms {
		b.deliveries = max(b.deliveries, m.Deliveries)
		evs, err := s.Decode(ctx, m.Body)
		switch {
		case err == nil:
			b.evs = append(b.evs, evs...)
		case fault.Permanent(err):
			err = b.setAside(ctx, unreadable(m), err)
		}
		if err != nil {
			return fmt.Errorf("decode message %s: %w", m.ID, err)
		}
	}
	if len(b.evs) > 0 {
		ctx = logs.With(ctx, slog.String("tenant", b.evs[0].Tenant))
	}
	return b.handle(ctx, b.evs)
}

// work is one batch on its way through the function.
type work struct {
	s          ServiceBus
	evs        []cloudevent.Event
	deliveries int // of the message offered most often
}

// handle processes evs, in parts where they have failed too often.
func (b *work) handle(ctx context.Context, evs []cloudevent.Event) error {
	if len(evs) == 0 {
		return nil
	}
	err := attempt.Run(ctx, b.s.Log, func(ctx context.Context) error { return b.s.Handle(ctx, evs) })
	var refused fault.Refused
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused):
		for i, e := range evs {
			if reason := refused.Reason(i); reason != nil {
				if err := b.setAside(ctx, rejection(e), reason); err != nil {
					return err
				}
			}
		}
		return nil
	case b.deliveries < partFrom || outside(err) || ctx.Err() != nil:
		return err
	case len(evs) > 1:
		return errors.Join(b.handle(ctx, evs[:len(evs)/2]), b.handle(ctx, evs[len(evs)/2:]))
	case b.deliveries < setAsideFrom:
		return err
	}
	return b.setAside(ctx, rejection(evs[0]), fmt.Errorf("failed %d times: %w", b.deliveries, err))
}

// outside reports whether an error says nothing about the events.
func outside(err error) bool {
	return fault.Outside(err) || fault.Of(err) == fault.Denied || fault.Of(err) == fault.Conflict
}

// setAside puts a rejection into quarantine.
func (b *work) setAside(ctx context.Context, r events.Rejection, reason error) error {
	r.Kind, r.Reason, r.Received = fault.Of(reason).String(), reason.Error(), b.s.Now()
	return setAside(ctx, b.s.Quarantine, b.s.Log, r)
}

func setAside(ctx context.Context, to Publisher, log *slog.Logger, r events.Rejection) error {
	e, err := events.NewRejection(r, r.Headers["traceparent"])
	if err != nil {
		return err
	}
	if err := to.Publish(ctx, e); err != nil {
		// whatever kind the publisher's error has, the message is not settled
		return fault.Errorf(fault.Unavailable, "set aside: %w", err)
	}
	log.WarnContext(ctx, "rejected", "route", r.Route, "event", e.ID, "reason", r.Reason)
	return nil
}

// rejection keeps an event whole, for replay.
func rejection(e cloudevent.Event) events.Rejection {
	r := events.Rejection{Route: "bus", Tenant: e.Tenant, Headers: e.Attributes()}
	r.SetBody(e.Data)
	return r
}

// unreadable keeps a message that holds no events.
func unreadable(m Message) events.Rejection {
	r := events.Rejection{Route: "bus", Tenant: m.Session, Headers: map[string]string{"content-type": m.ContentType, "message-id": m.ID}}
	r.SetBody(m.Body)
	return r
}
