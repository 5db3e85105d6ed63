// Package bus moves events: the promises, in words. Drivers keep them (localbus, servicebus), bustest checks every
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

// Queue names, as the infrastructure creates them.
const (
	AlertsQueue     = "alerts"
	QuarantineQueue = "quarantine"
)

// Publisher puts events on a queue.
//
// When Publish returns nil, every event is durable and will be offered to a handler at least once. Events of one call
// keep their order within a session (Event.Tenant), and an id that repeats among them counts once. A call repeated
// within the duplicate window, with the same ids per session, is dropped silently; a driver that keeps the ids of
// single events drops them in any company, another may offer such an event again, after the first. An error means that
// none, some or all were taken: publish again. A queue out of room is fault.Exhausted. Safe for concurrent use.
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
// until it is completed or set aside, across restarts too. A batch that keeps failing is offered in ever
// smaller parts with growing pauses, so that one poisonous event holds up no others for ever: after MaxDeliveries it is
// set aside alone. Failures that are fault.Exhausted or fault.Unavailable are not the event's doing and do not count.
// h may see an event twice and must not mind.
type Subscriber interface {
	Subscribe(ctx context.Context, h Handler) error
}

// Quarantine is the quarantine queue: rejections wait there until someone releases them.
type Quarantine interface {
	Publisher
	// List returns up to limit events after the cursor ("" for the first), oldest first, and the cursor of the next
	// page; "" when there are no more.
	List(ctx context.Context, cursor string, limit int) (evs []cloudevent.Event, next string, err error)
	// Remove takes events off the shelf for good. An id that is not there is no error.
	Remove(ctx context.Context, ids ...string) error
}

// Stats counts what waits.
type Stats struct {
	Pending      int64 `json:"pending"`      // published, not yet completed
	DeadLettered int64 `json:"deadLettered"` // on the shelf
}

// Waiter is a driver that can tell when a session has caught up.
type Waiter interface {
	// Wait returns when everything published to the session before the call has been completed or set aside,
	// or with ctx's error.
	Wait(ctx context.Context, session string) error
}
