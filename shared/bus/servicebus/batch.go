package servicebus

import (
	"context"
	"errors"

	"github.com/onepane/onepane/shared/bus"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
)

// item is an event on its way through a handler.
type item struct {
	message int // that brought it, by place
	event   cloudevent.Event
	refused error // why it goes aside
}

// offerItems runs the handler on a part and gives what goes aside of it.
func offerItems(ctx context.Context, h bus.Handler, part []item) (aside []item, err error) {
	var evs []cloudevent.Event
	var of []item
	for _, it := range part {
		if it.refused != nil {
			aside = append(aside, it)
			continue
		}
		evs, of = append(evs, it.event), append(of, it)
	}
	if len(evs) == 0 {
		return aside, nil
	}
	var refused fault.Refused
	if err := h.Offer(ctx, evs); err != nil && !errors.As(err, &refused) {
		return aside, err
	}
	for i, it := range of {
		if it.refused = refused.Reason(i); it.refused != nil {
			aside = append(aside, it)
		}
	}
	return aside, nil
}
