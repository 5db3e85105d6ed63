package azurefunc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/onepane/onepane/events"
	"github.com/onepane/onepane/functions/host/attempt"
	"github.com/onepane/onepane/shared/bus"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/telemetry/logs"
)

// ServiceBus feeds a function the events of a queue with sessions. In function.json its binding wants
// "isSessionsEnabled": true, "cardinality": "many" and "dataType": "binary": taken as text, a compressed message would
// be damaged on the way.
type ServiceBus struct {
	Binding string // name of the trigger's binding
	// Decode reads the events of a message body. A body that is fault.Invalid or fault.TooLarge goes to quarantine.
	Decode func(ctx context.Context, body []byte) ([]cloudevent.Event, error)
	// Handle processes events of one session. fault.Refused names those that go to quarantine.
	Handle     func(ctx context.Context, evs []cloudevent.Event) error
	Quarantine Publisher
	Log        *slog.Logger
	Now        func() time.Time
}

// A message that keeps failing holds up its whole session. The queue counts its deliveries, for this process keeps
// nothing between two invocations, and moves it to its own dead letters after ten, without the reason.
const (
	// halveFrom is the delivery from which on a failed batch is offered in halves, so that its good events get through.
	halveFrom = 4
	// deadLetterFrom is the delivery from which on an event that fails alone goes to quarantine.
	deadLetterFrom = 8
)

// Invoke implements Function: it offers the events of an invocation's messages, all of one session, together.
func (s ServiceBus) Invoke(ctx context.Context, in Invocation) error {
	messages, err := in.Messages(s.Binding)
	if err != nil {
		return err
	}
	var evs []cloudevent.Event
	deliveries := 0 // of the message delivered most often
	for _, m := range messages {
		deliveries = max(deliveries, m.Deliveries)
		decoded, err := s.decodeMessage(ctx, m)
		if err != nil {
			return fmt.Errorf("decode message %s: %w", m.ID, err)
		}
		evs = append(evs, decoded...)
	}
	if len(evs) > 0 {
		ctx = logs.With(ctx, slog.String("tenant", evs[0].Tenant))
	}
	return halving[cloudevent.Event]{
		offer: func(evs []cloudevent.Event) error { return s.handleEvents(ctx, evs) },
		isTheirs: func(err error) bool {
			return deliveries >= halveFrom && !isOutside(err) && ctx.Err() == nil
		},
		deadLetter: func(e cloudevent.Event, err error) error {
			return s.quarantineRejection(ctx, rejectionOfEvent(e), fmt.Errorf("failed %d times: %w", deliveries, err))
		},
	}.offerAll(evs, bus.Redelivery{Deliveries: max(1, deadLetterFrom-deliveries+1)})
}

// decodeMessage returns the events of a message, none for one that cannot be read and went to quarantine instead.
func (s ServiceBus) decodeMessage(ctx context.Context, m Message) ([]cloudevent.Event, error) {
	evs, err := s.Decode(ctx, m.Body)
	if fault.Permanent(err) {
		return nil, s.quarantineRejection(ctx, rejectionOfMessage(m), err)
	}
	return evs, err
}

// handleEvents runs the function once. Events that it refuses go to quarantine.
func (s ServiceBus) handleEvents(ctx context.Context, evs []cloudevent.Event) error {
	err := attempt.Run(ctx, s.Log, func(ctx context.Context) error { return s.Handle(ctx, evs) })
	var refused fault.Refused
	if !errors.As(err, &refused) {
		return err
	}
	for i, e := range evs {
		if reason := refused.Reason(i); reason != nil {
			if err := s.quarantineRejection(ctx, rejectionOfEvent(e), reason); err != nil {
				return err
			}
		}
	}
	return nil
}

// isOutside reports whether an error says nothing about the events: a store that is down, a role that is missing, a
// tenant that others change.
func isOutside(err error) bool {
	return fault.Outside(err) || fault.Of(err) == fault.Denied || fault.Of(err) == fault.Conflict
}

// quarantineRejection completes a rejection with its reason and puts it into quarantine.
func (s ServiceBus) quarantineRejection(ctx context.Context, r events.Rejection, reason error) error {
	r.Kind, r.Reason, r.Received = fault.Of(reason).String(), reason.Error(), s.Now()
	return publishRejection(ctx, s.Quarantine, s.Log, r)
}

// rejectionOfEvent holds an event whole, so that it can be replayed.
func rejectionOfEvent(e cloudevent.Event) events.Rejection {
	r := events.Rejection{Route: "bus", Tenant: e.Tenant, Headers: e.Attributes()}
	r.SetBody(e.Data)
	return r
}

// rejectionOfMessage holds a message from which no events could be read.
func rejectionOfMessage(m Message) events.Rejection {
	r := events.Rejection{Route: "bus", Tenant: m.Session, Headers: map[string]string{"content-type": m.ContentType, "message-id": m.ID}}
	r.SetBody(m.Body)
	return r
}
