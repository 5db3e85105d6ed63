package servicebus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"github.com/onepane/onepane/shared/bus"
	"github.com/onepane/onepane/shared/bus/servicebus/pack"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
)

// settleTimeout bounds what must still be told to the broker after a handler is done. The SDK would try for half a
// minute, on a link that cannot come back with the same lock.
const settleTimeout = 10 * time.Second

// item is an event on its way through a handler.
type item struct {
	message int // index of the message that brought it
	event   cloudevent.Event
	refused error // why it goes to quarantine; nil when it does not
}

// batch is the messages that are handled together, all of one session.
type batch struct {
	*session
	messages    []*azservicebus.ReceivedMessage
	deadLetters map[int]error // index of a message whose event does not fit into quarantine, to the reason
}

// handleMessages offers what the messages hold, and settles each message when every event in it is done with. An error
// gives the session up; the broker offers again what is not settled.
func (s *session) handleMessages(ctx context.Context, messages []*azservicebus.ReceivedMessage) error {
	b := &batch{session: s, messages: messages, deadLetters: map[int]error{}}
	items, err := b.decodeMessages(ctx)
	if err != nil {
		return err
	}
	s.redelivery.Suspect(int(messages[0].DeliveryCount))
	settled := 0
	for done := 0; done < len(items); {
		part := items[done:min(done+s.redelivery.Limit(), len(items))]
		if err := b.handlePart(ctx, part); err != nil {
			if ctx.Err() != nil {
				return err
			}
			s.bus.opts.Log.Warn("batch failed, will be offered again", "session", s.receiver.SessionID(), "events", len(part), "failures", s.redelivery.Failures(), "error", err)
			if err := s.bus.pauseAfter(ctx, s.redelivery.Failures()); err != nil {
				return err
			}
			continue
		}
		s.redelivery.Succeeded()
		done += len(part)
		upTo := len(messages) // the messages before it are done with
		if done < len(items) {
			upTo = items[done].message
		}
		if err := b.settleMessages(ctx, settled, upTo); err != nil {
			return err
		}
		settled = upTo
	}
	return nil
}

// decodeMessages returns the events of the messages, in order. A message that can never be read is an item of its own,
// refused; while the blob storage is down it waits.
func (b *batch) decodeMessages(ctx context.Context) ([]item, error) {
	var out []item
	for i, m := range b.messages {
		evs, err := pack.Decode(ctx, m.Body, b.bus.opts.Blobs)
		for n := 1; err != nil && !fault.Permanent(err); n++ {
			b.bus.opts.Log.Warn("message cannot be read yet", "session", b.receiver.SessionID(), "message", m.MessageID, "error", err)
			if b.bus.pauseAfter(ctx, n) != nil {
				return nil, err
			}
			evs, err = pack.Decode(ctx, m.Body, b.bus.opts.Blobs)
		}
		if err != nil {
			session := b.receiver.SessionID()
			e := bus.CorruptEvent(fmt.Sprintf("corrupt-%s-%d", session, *m.SequenceNumber), session, m.Body)
			out = append(out, item{message: i, event: e, refused: err})
		}
		for _, e := range evs {
			out = append(out, item{message: i, event: e})
		}
	}
	return out, nil
}

// handlePart offers a part of the items; nil when each is handled or in quarantine.
func (b *batch) handlePart(ctx context.Context, part []item) error {
	refused, err := offerItems(ctx, b.handler, part)
	if err != nil {
		if ctx.Err() != nil || !b.redelivery.Failed(len(part), err) {
			return err
		}
		one := part[0]
		one.refused = fmt.Errorf("failed %d times: %w", bus.MaxDeliveries, err)
		refused = []item{one}
	}
	if err = b.quarantineItems(ctx, refused); err != nil {
		b.redelivery.Failed(0, err)
	}
	return err
}

// offerItems runs the handler on items that are not refused yet, and returns all that are refused by then.
func offerItems(ctx context.Context, h bus.Handler, items []item) (refused []item, err error) {
	var evs []cloudevent.Event
	var offered []item
	for _, it := range items {
		if it.refused != nil {
			refused = append(refused, it)
			continue
		}
		evs, offered = append(evs, it.event), append(offered, it)
	}
	if len(evs) == 0 {
		return refused, nil
	}
	var reasons fault.Refused
	if err := h.Offer(ctx, evs); err != nil && !errors.As(err, &reasons) {
		return refused, err
	}
	for i, it := range offered {
		if it.refused = reasons.Reason(i); it.refused != nil {
			refused = append(refused, it)
		}
	}
	return refused, nil
}

// quarantineItems publishes refused items to quarantine. What is too large even there leaves its message to the queue's
// own dead letters.
func (b *batch) quarantineItems(ctx context.Context, refused []item) error {
	ctx, cancel := b.settleContext(ctx)
	defer cancel()
	for _, it := range refused {
		log := b.bus.opts.Log.With("session", b.receiver.SessionID(), "event", it.event.ID)
		log.Warn("event set aside", "reason", it.refused)
		e, err := b.bus.opts.Reject(it.event, it.refused)
		if err != nil {
			log.Error("event is kept as it is", "error", err)
			e = it.event
		}
		err = b.bus.quarantine.Publish(ctx, e)
		if fault.Permanent(err) {
			log.Error("the message is dead-lettered, the event does not fit into quarantine", "error", err)
			b.deadLetters[it.message] = it.refused
		} else if err != nil {
			return err
		}
	}
	return nil
}

// settleMessages completes the messages from one index up to another, exclusive, or dead-letters them.
func (b *batch) settleMessages(ctx context.Context, from, to int) error {
	ctx, cancel := b.settleContext(ctx)
	defer cancel()
	errs := make([]error, to-from)
	var settling sync.WaitGroup
	for i := from; i < to; i++ {
		settling.Go(func() {
			if reason := b.deadLetters[i]; reason != nil {
				kind, text := "NotProcessable", reason.Error()
				errs[i-from] = b.receiver.DeadLetterMessage(ctx, b.messages[i], &azservicebus.DeadLetterOptions{Reason: &kind, ErrorDescription: &text})
			} else {
				errs[i-from] = b.receiver.CompleteMessage(ctx, b.messages[i], nil)
			}
		})
	}
	settling.Wait()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("complete %d messages: %w", to-from, withKind(err))
	}
	return nil
}

// settleContext goes on after ctx has ended: what was handled is settled, or it would be handled again.
func (b *batch) settleContext(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), min(settleTimeout, b.bus.opts.Lock/3))
}
