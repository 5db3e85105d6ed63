// Package bus moves events: the promises, in words. The drivers localbus and servicebus keep them, bustest checks every
// one of them.
//
//	Publish ──▶ [ session a │ session b │ … ] ──Subscribe──▶ handler ──nil──▶ done
//	              one tenant each, in order        │
//	                                               ├─ fault.Refused ─▶ quarantine, with the reason
//	                                               └─ any other error ─▶ offered again
package bus

import (
	"context"

	"github.com/onepane/onepane/shared/cloudevent"
)

// Names of the queues, as the infrastructure creates them.
const (
	AlertsQueue     = "alerts"
	QuarantineQueue = "quarantine"
)

// Publisher puts events on a queue.
//
// When Publish returns nil, every event is durable and will be offered to a handler at least once. Events of one call
// keep their order within a session (Event.Tenant), and an id that repeats among them counts once. A call repeated
// within the duplicate window, with the same ids per session, is dropped silently. An id that comes again in another
// call, beside other events, is dropped by a driver that remembers single ids; another driver may offer it again,
// after the first. An error means that none, some or all were taken: publish again. A queue out of room is
// fault.Exhausted. Safe for concurrent use.
type Publisher interface {
	Publish(ctx context.Context, evs ...cloudevent.Event) error
}

// Handler processes events of one session, in order. nil completes them all. fault.Refused completes all but those it
// names, which go to quarantine with their reasons. Any other error offers the whole batch again, later.
type Handler func(ctx context.Context, evs []cloudevent.Event) error

// Subscriber hands out events.
//
// Subscribe offers events to h until ctx ends, then returns nil once running handlers have returned. Events of one
// session are never in two handlers at once and keep their order; sessions run side by side. An event is offered
// until it is completed or in quarantine, across restarts too. A batch that keeps failing is offered in ever smaller
// parts with growing pauses, so that one poisonous event holds up no others for ever: after it has failed alone
// MaxDeliveries times it goes to quarantine (Redelivery). Failures that are fault.Exhausted or fault.Unavailable do not
// count. h must bear an event that comes twice.
type Subscriber interface {
	Subscribe(ctx context.Context, h Handler) error
}

// Quarantine is the quarantine queue: events that nobody can process wait there, with the reason, until someone replays
// or removes them.
type Quarantine interface {
	Publisher
	// List returns up to limit events after the cursor ("" for the first), oldest first, and the cursor of the next
	// page; "" when there are no more. A cursor that List did not return is fault.Invalid.
	List(ctx context.Context, cursor string, limit int) (evs []cloudevent.Event, next string, err error)
	// Remove takes events out of quarantine for good. An id that is not there is no error.
	Remove(ctx context.Context, ids ...string) error
}

// Stats counts events that wait.
type Stats struct {
	Pending      int64 `json:"pending"`      // published, not yet completed
	DeadLettered int64 `json:"deadLettered"` // in quarantine
}

// Waiter is a driver that knows when a session has no events waiting.
type Waiter interface {
	// Wait returns nil when every event published to the session before the call is completed or in quarantine, or
	// ctx's error.
	Wait(ctx context.Context, session string) error
}
