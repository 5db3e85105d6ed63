package azurefunc

import (
	"context"
	"errors"
	"log/slog"

	"github.com/onepane/onepane/events"
	"github.com/onepane/onepane/shared/bus"
	"github.com/onepane/onepane/shared/fault"
)

// halving offers the items of one invocation so that a poisonous one among them holds up no others.
type halving[T any] struct {
	offer      func([]T) error
	isTheirs   func(error) bool     // whether a failure may be the items' doing
	deadLetter func(T, error) error // puts an item into quarantine with the reason
}

// offerAll offers items together, and after a failure of theirs in halves, down to single ones. One that fails alone as
// often as redelivery allows is dead-lettered. The error is of the items that the Functions host must offer again; nil
// when every item is done.
func (h halving[T]) offerAll(items []T, redelivery bus.Redelivery) error {
	if len(items) == 0 {
		return nil
	}
	err := h.offer(items)
	switch {
	case err == nil:
		return nil
	case !h.isTheirs(err):
		return err
	case redelivery.Failed(len(items), err):
		return h.deadLetter(items[0], err)
	case len(items) == 1:
		return err
	}
	half := redelivery.Limit()
	return errors.Join(h.offerAll(items[:half], redelivery), h.offerAll(items[half:], redelivery))
}

// publishRejection publishes a rejection to the quarantine queue. An error means that it is not kept, so that the
// message must be offered again.
func publishRejection(ctx context.Context, to Publisher, log *slog.Logger, r events.Rejection) error {
	e, err := events.NewRejection(r, r.Headers["traceparent"])
	if err != nil {
		return err
	}
	if err := to.Publish(ctx, e); err != nil {
		// Unavailable whatever kind the publisher's error has: a permanent one would settle the message.
		return fault.Errorf(fault.Unavailable, "set aside: %w", err)
	}
	log.WarnContext(ctx, "rejected", "route", r.Route, "event", e.ID, "reason", r.Reason)
	return nil
}
