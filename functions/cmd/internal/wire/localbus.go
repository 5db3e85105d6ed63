package wire

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/onepane/onepane/events"
	"github.com/onepane/onepane/shared/bus"
	"github.com/onepane/onepane/shared/bus/localbus"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/store/localstore"
)

// trimmingBus is the embedded bus as the host sees it, over a store that keeps what alerts need of its log.
type trimmingBus struct {
	*localbus.Bus
	dir   *datadir.Dir
	store *localstore.Store
	log   *slog.Logger
}

// Subscribe lets the log drop the events that correlate is done with and that the store does not keep.
func (b trimmingBus) Subscribe(ctx context.Context, h func(context.Context, []cloudevent.Event) error) error {
	return b.Bus.Subscribe(ctx, func(ctx context.Context, evs []cloudevent.Event) error {
		err := h(ctx, evs)
		var refused fault.Refused
		if err != nil && !errors.As(err, &refused) {
			return err
		}
		var done []cloudevent.Event
		for i, e := range evs {
			if refused.Reason(i) == nil {
				done = append(done, e)
			}
		}
		if err := b.store.Trim(done); err != nil {
			b.log.WarnContext(ctx, "events stay on the log that nobody needs", "events", len(done), "error", err)
		}
		return err
	})
}

// Drained waits for every session.
func (b trimmingBus) Drained(ctx context.Context) error {
	sessions, err := b.dir.Log(bus.AlertsQueue).Sessions()
	if err != nil {
		return err
	}
	for _, s := range sessions {
		if err := b.Wait(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// rejectionEvent makes an event that correlate can never process a rejection for the quarantine.
func rejectionEvent(e cloudevent.Event, reason error) (cloudevent.Event, error) {
	r := events.Rejection{
		Route: "bus", Tenant: e.Tenant, Kind: fault.Of(reason).String(), Reason: reason.Error(), Received: time.Now(), Headers: e.Attributes(),
	}
	r.SetBody(e.Data)
	return events.NewRejection(r, e.Trace)
}
