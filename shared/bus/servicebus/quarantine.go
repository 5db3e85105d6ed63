package servicebus

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"github.com/onepane/onepane/shared/bus"
	"github.com/onepane/onepane/shared/bus/servicebus/pack"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
)

// Quarantine is the quarantine queue: one event per message, read by peeking. The first Remove defers the messages that
// it receives on the way to its own, for only a deferred message can be received by its number later. So an alarm must
// look at all messages of this queue, not at the active ones. Safe for concurrent use.
type Quarantine struct {
	client *azservicebus.Client
	sender lazySender
	opts   Options

	mu        sync.Mutex
	receiver  *azservicebus.Receiver
	firstSeen map[string]int64 // event id to the lowest sequence number of a message that holds it
	scannedTo int64            // highest sequence number that firstSeen covers
}

var _ bus.Quarantine = (*Quarantine)(nil)

const (
	// peekSize is how many messages are asked for at once; the service gives fewer when they are large.
	peekSize = 100
	// maxKnown bounds the ids in firstSeen; beyond it the queue is read anew.
	maxKnown = 100_000
)

// Publish is bus.Publisher: it puts each event into a message of its own.
func (q *Quarantine) Publish(ctx context.Context, evs ...cloudevent.Event) error {
	send := func(ctx context.Context, m pack.Message) error {
		return withKind(q.sender.sendMessage(ctx, sdkMessage(m)))
	}
	return pack.Target{Limit: q.opts.MaxMessage, Blobs: q.opts.Blobs, Send: send}.PublishSingly(ctx, evs)
}

// List is bus.Quarantine; a cursor that List did not give is fault.Invalid. A message that holds no event is listed
// as an event around its body, with an id to remove it by.
func (q *Quarantine) List(ctx context.Context, cursor string, limit int) (evs []cloudevent.Event, next string, err error) {
	var after int64
	if cursor != "" {
		if after, err = strconv.ParseInt(cursor, 10, 64); err != nil || after < 0 {
			return nil, "", fault.Errorf(fault.Invalid, "cursor: %q is none of quarantine's", cursor)
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.firstSeen) > maxKnown {
		q.firstSeen, q.scannedTo = map[string]int64{}, 0
	}
	last := after
	err = q.walkMessages(ctx, min(after, q.scannedTo), func(m *azservicebus.ReceivedMessage) (bool, error) {
		e, repeat, err := q.readEvent(ctx, m)
		if err != nil || repeat || *m.SequenceNumber <= after {
			return true, err
		}
		if len(evs) == limit {
			next = strconv.FormatInt(last, 10)
			return false, nil
		}
		evs, last = append(evs, e), *m.SequenceNumber
		return true, nil
	})
	if err != nil {
		return nil, "", fmt.Errorf("list quarantine: %w", err)
	}
	return evs, next, nil
}

// readEvent reads a message and notes its id. repeat reports that an older message with the same id is still there.
func (q *Quarantine) readEvent(ctx context.Context, m *azservicebus.ReceivedMessage) (e cloudevent.Event, repeat bool, err error) {
	if e, err = q.decodeEvent(ctx, m); err != nil {
		return e, false, err
	}
	n := *m.SequenceNumber
	q.scannedTo = max(q.scannedTo, n)
	if first, known := q.firstSeen[e.ID]; known && first < n {
		if repeat, err = q.isStillThere(ctx, first); repeat || err != nil {
			return e, repeat, err
		}
	}
	q.firstSeen[e.ID] = n
	return e, false, nil
}

// isStillThere reports whether the queue still holds the message with a sequence number.
func (q *Quarantine) isStillThere(ctx context.Context, n int64) (bool, error) {
	r, err := q.openReceiver()
	if err != nil {
		return false, withKind(err)
	}
	m, err := r.PeekMessages(ctx, 1, &azservicebus.PeekMessagesOptions{FromSequenceNumber: &n})
	return len(m) > 0 && *m[0].SequenceNumber == n, withKind(err)
}

// walkMessages calls f with the messages after a sequence number, oldest first, until f wants no more.
func (q *Quarantine) walkMessages(ctx context.Context, after int64, f func(*azservicebus.ReceivedMessage) (more bool, err error)) error {
	r, err := q.openReceiver()
	if err != nil {
		return withKind(err)
	}
	for {
		from := after + 1
		page, err := r.PeekMessages(ctx, peekSize, &azservicebus.PeekMessagesOptions{FromSequenceNumber: &from})
		if err != nil {
			return withKind(err)
		}
		for _, m := range page {
			if more, err := f(m); err != nil || !more {
				return err
			}
			after = *m.SequenceNumber
		}
		if len(page) == 0 {
			return nil
		}
	}
}

// decodeEvent returns the event of a message, or one around the body of a message that holds none.
func (q *Quarantine) decodeEvent(ctx context.Context, m *azservicebus.ReceivedMessage) (cloudevent.Event, error) {
	evs, err := pack.Decode(ctx, m.Body, q.opts.Blobs)
	if err != nil && !fault.Permanent(err) {
		return cloudevent.Event{}, err
	}
	if err == nil && len(evs) == 1 {
		return evs[0], nil
	}
	return bus.CorruptEvent("unreadable-"+strconv.FormatInt(*m.SequenceNumber, 10), "", m.Body), nil
}

// Remove is bus.Quarantine. It reads the whole queue to find every copy.
func (q *Quarantine) Remove(ctx context.Context, ids ...string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	gone := map[string]bool{}
	for _, id := range ids {
		gone[id] = true
	}
	active, deferred := map[int64]bool{}, []int64{}
	err := q.walkMessages(ctx, 0, func(m *azservicebus.ReceivedMessage) (bool, error) {
		e, err := q.decodeEvent(ctx, m)
		switch {
		case err != nil || !gone[e.ID]:
		case m.State == azservicebus.MessageStateDeferred:
			deferred = append(deferred, *m.SequenceNumber)
		default:
			active[*m.SequenceNumber] = true
		}
		return true, err
	})
	if err == nil {
		err = errors.Join(q.removeActive(ctx, active), q.removeDeferred(ctx, deferred))
	}
	if err != nil {
		return fmt.Errorf("remove %d events from quarantine: %w", len(ids), err)
	}
	return nil
}

// removeActive receives messages until all those wanted, by sequence number, are completed. It defers the others.
func (q *Quarantine) removeActive(ctx context.Context, wanted map[int64]bool) error {
	for len(wanted) > 0 {
		messages, err := q.receiveActive(ctx)
		if err != nil {
			return withKind(err)
		}
		if len(messages) == 0 {
			return fmt.Errorf("%d messages are locked by other receivers", len(wanted))
		}
		for _, m := range messages {
			if wanted[*m.SequenceNumber] {
				err = q.receiver.CompleteMessage(ctx, m, nil)
			} else {
				err = q.receiver.DeferMessage(ctx, m, nil)
			}
			if err != nil {
				return withKind(err)
			}
			delete(wanted, *m.SequenceNumber)
		}
	}
	return nil
}

// receiveActive receives up to peekSize messages; none when none comes in time.
func (q *Quarantine) receiveActive(ctx context.Context) ([]*azservicebus.ReceivedMessage, error) {
	soon, cancel := context.WithTimeout(ctx, firstMessageWait)
	defer cancel()
	messages, err := q.receiver.ReceiveMessages(soon, peekSize, nil)
	if err != nil && soon.Err() != nil && ctx.Err() == nil {
		return nil, nil
	}
	return messages, err
}

// removeDeferred completes deferred messages, by sequence number.
func (q *Quarantine) removeDeferred(ctx context.Context, numbers []int64) error {
	for _, n := range numbers {
		messages, err := q.receiver.ReceiveDeferredMessages(ctx, []int64{n}, nil)
		if hasCode(err, azservicebus.CodeNotFound) {
			continue // someone else removed it
		}
		for _, m := range messages {
			err = errors.Join(err, q.receiver.CompleteMessage(ctx, m, nil))
		}
		if err != nil {
			return withKind(err)
		}
	}
	return nil
}

// openReceiver returns the receiver, made when first needed; the caller holds mu.
func (q *Quarantine) openReceiver() (*azservicebus.Receiver, error) {
	var err error
	if q.receiver == nil {
		q.receiver, err = q.client.NewReceiverForQueue(q.opts.Quarantine, nil)
	}
	return q.receiver, err
}
