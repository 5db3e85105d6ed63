package servicebus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"unicode/utf8"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
)

// maxTenant is the longest tenant the bus takes, in bytes: the same on every driver.
const maxTenant = 200

// Publish is bus.Publisher. Sessions go side by side, the messages of one session one after another: the next is sent
// when the one before is durable, so that a failure leaves no gap. It waits while Options.InFlight messages are on
// their way. A namespace that throttles or a full queue is fault.Exhausted, one out of reach fault.Unavailable.
func (b *Bus) Publish(ctx context.Context, evs ...cloudevent.Event) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := check(evs); err != nil {
		return fmt.Errorf("publish %d events: %w", len(evs), err)
	}
	var sending sync.WaitGroup
	sessions := bySession(evs)
	errs := make([]error, len(sessions))
	for i, s := range sessions {
		if i == len(sessions)-1 {
			errs[i] = b.publish(ctx, s) // most calls are for one tenant
			break
		}
		sending.Go(func() { errs[i] = b.publish(ctx, s) })
	}
	sending.Wait()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("publish %d events: %w", len(evs), err)
	}
	return nil
}

// publish sends the events of one session.
func (b *Bus) publish(ctx context.Context, evs []cloudevent.Event) error {
	messages, err := pack(ctx, sessionID(evs[0].Tenant), evs, b.opts.MaxMessage, b.opts.Blobs)
	if err != nil {
		return err
	}
	for _, m := range messages {
		if err := b.send(ctx, m); err != nil {
			return fmt.Errorf("send to %q: %w", b.opts.Queue, trouble(err))
		}
	}
	return nil
}

func (b *Bus) send(ctx context.Context, m *azservicebus.Message) error {
	select {
	case b.room <- struct{}{}:
		defer func() { <-b.room }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return b.out.send(ctx, m)
}

// bySession sorts events by tenant, each tenant's in order and each id once.
func bySession(evs []cloudevent.Event) [][]cloudevent.Event {
	var out [][]cloudevent.Event
	at := map[string]int{}
	type key struct{ tenant, id string }
	seen := map[key]bool{}
	for _, e := range evs {
		if k := (key{e.Tenant, e.ID}); seen[k] {
			continue
		} else {
			seen[k] = true
		}
		i, ok := at[e.Tenant]
		if !ok {
			i = len(out)
			at[e.Tenant] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], e)
	}
	return out
}

func check(evs []cloudevent.Event) error {
	for i, e := range evs {
		if err := e.Validate(); err != nil {
			return fmt.Errorf("event %d: %w", i, err)
		}
		if len(e.Tenant) > maxTenant {
			return fault.Errorf(fault.Invalid, "event %d: tenant is longer than %d bytes", i, maxTenant)
		}
		if !utf8.ValidString(e.Tenant) {
			return fault.Errorf(fault.Invalid, "event %d: tenant is not UTF-8", i)
		}
	}
	return nil
}
