package servicebus

import (
	"context"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"github.com/onepane/onepane/shared/bus/servicebus/pack"
	"github.com/onepane/onepane/shared/cloudevent"
)

// Publish is bus.Publisher. Sessions go side by side, the messages of one session one after another. It waits while
// Options.InFlight messages are on their way. A namespace that throttles or a full queue is fault.Exhausted, one out of
// reach fault.Unavailable.
func (b *Bus) Publish(ctx context.Context, evs ...cloudevent.Event) error {
	return pack.Target{Limit: b.opts.MaxMessage, Blobs: b.opts.Blobs, Send: b.sendPacked}.Publish(ctx, evs)
}

func (b *Bus) sendPacked(ctx context.Context, m pack.Message) error {
	select {
	case b.inFlight <- struct{}{}:
		defer func() { <-b.inFlight }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := b.alerts.sendMessage(ctx, sdkMessage(m)); err != nil {
		return fmt.Errorf("send to %q: %w", b.opts.Queue, withKind(err))
	}
	return nil
}

// sdkMessage is m as the SDK takes it.
func sdkMessage(m pack.Message) *azservicebus.Message {
	props := map[string]any{"events": int64(m.Events)} // for whoever looks at the queue
	if m.Encoding != "" {
		props["encoding"] = m.Encoding
	}
	out := &azservicebus.Message{Body: m.Body, MessageID: &m.ID, ContentType: &m.ContentType, ApplicationProperties: props}
	if m.Session != "" {
		out.SessionID = &m.Session
	}
	return out
}
