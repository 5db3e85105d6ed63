package servicebus

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/bus"
	"github.com/onepane/onepane/shared/bus/servicebus/pack"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
)

// Quarantine is the quarantine queue: one event per message, read by peeking. The first Remove defers what it meets on the
// way, for only a deferred message can be fetched by its number later; so an alarm must look at all messages of this
// queue, not at the active ones.
type Quarantine struct {
	client *azservicebus.Client
	sender lazySender
	opts   Options

	mu        sync.Mutex
	receiver  *azservicebus.Receiver
	firstSeen map[string]int64 // where an id was met first, up to scanned
	scannedTo int64
}

var _ bus.Quarantine = (*Quarantine)(nil)

const (
	// peekSize is how many messages are asked for at once; the service gives fewer when they are large.
	peekSize = 100
	// maxKnown bounds the ids remembered; beyond it the shelf is read anew.
	maxKnown = 100_000
)

// Publish puts events on the shelf, each in a message of its own.
func (s *Quarantine) Publish(ctx context.Context, evs ...cloudevent.Event) error {
	send := func(ctx context.Context, m pack.Message) error {
		return withKind(s.sender.sendMessage(ctx, sdkMessage(m)))
	}
	return pack.Target{Limit: s.opts.MaxMessage, Blobs: s.opts.Blobs, Send: send}.PublishApart(ctx, evs)
}

// List is bus.Shelf; a cursor that List did not give is fault.Invalid. A message that holds no event is shown as what it
// is, with an id to remove it by.
func (s *Quarantine) List(ctx context.Context, cursor string, limit int) (evs []cloudevent.Event, next string, err error) {
	var after int64
	if cursor != "" {
		if after, err = strconv.ParseInt(cursor, 10, 64); err != nil || after < 0 {
			return nil, "", fault.Errorf(fault.Invalid, "cursor: %q is none of the shelf's", cursor)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.firstSeen) > maxKnown {
		s.firstSeen, s.scannedTo = map[string]int64{}, 0
	}
	last := after
	err = s.walkMessages(ctx, min(after, s.scannedTo), func(m *azservicebus.ReceivedMessage) (bool, error) {
		e, again, err := s.readEvent(ctx, m)
		if err != nil || again || *m.SequenceNumber <= after {
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
		return nil, "", fmt.Errorf("list shelf: %w", err)
	}
	return evs, next, nil
}

// readEvent reads a message and notes its id; again when an older one with the same id is still there.
func (s *Quarantine) readEvent(ctx context.Context, m *azservicebus.ReceivedMessage) (e cloudevent.Event, again bool, err error) {
	if e, err = s.decodeEvent(ctx, m); err != nil {
		return e, false, err
	}
	n := *m.SequenceNumber
	s.scannedTo = max(s.scannedTo, n)
	if first, known := s.firstSeen[e.ID]; known && first < n {
		if again, err = s.isStillThere(ctx, first); again || err != nil {
			return e, again, err
		}
	}
	s.firstSeen[e.ID] = n
	return e, false, nil
}

func (s *Quarantine) isStillThere(ctx context.Context, n int64) (bool, error) {
	r, err := s.openReceiver()
	if err != nil {
		return false, withKind(err)
	}
	m, err := r.PeekMessages(ctx, 1, &azservicebus.PeekMessagesOptions{FromSequenceNumber: &n})
	return len(m) > 0 && *m[0].SequenceNumber == n, withKind(err)
}

// walkMessages walks the messages after a number, oldest first, until f has enough.
func (s *Quarantine) walkMessages(ctx context.Context, after int64, f func(*azservicebus.ReceivedMessage) (more bool, err error)) error {
	r, err := s.openReceiver()
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

// decodeEvent reads the one event of a message.
func (s *Quarantine) decodeEvent(ctx context.Context, m *azservicebus.ReceivedMessage) (cloudevent.Event, error) {
	evs, err := pack.Decode(ctx, m.Body, s.opts.Blobs)
	if err != nil && !fault.Permanent(err) {
		return cloudevent.Event{}, err
	}
	if err == nil && len(evs) == 1 {
		return evs[0], nil
	}
	raw, _ := json.Marshal(base64.StdEncoding.EncodeToString(m.Body)) // base64 always encodes
	id := "unreadable-" + strconv.FormatInt(*m.SequenceNumber, 10)
	return cloudevent.Event{ID: id, Source: "/onepane/bus", Type: "io.onepane.bus.corrupt.v1", Data: raw}, nil
}

// Remove is bus.Shelf. It reads the whole shelf to find every copy.
func (s *Quarantine) Remove(ctx context.Context, ids ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	gone := map[string]bool{}
	for _, id := range ids {
		gone[id] = true
	}
	active, deferred := map[int64]bool{}, []int64{}
	err := s.walkMessages(ctx, 0, func(m *azservicebus.ReceivedMessage) (bool, error) {
		e, err := s.decodeEvent(ctx, m)
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
		err = errors.Join(s.removeActive(ctx, active), s.removeDeferred(ctx, deferred))
	}
	if err != nil {
		return fmt.Errorf("remove %d events from shelf: %w", len(ids), err)
	}
	return nil
}

// removeActive receives until all the wanted messages came by, and defers the others.
func (s *Quarantine) removeActive(ctx context.Context, wanted map[int64]bool) error {
	for len(wanted) > 0 {
		messages, err := s.receiveActive(ctx)
		if err != nil {
			return withKind(err)
		}
		if len(messages) == 0 {
			return fmt.Errorf("%d messages are in other hands", len(wanted))
		}
		for _, m := range messages {
			if wanted[*m.SequenceNumber] {
				err = s.receiver.CompleteMessage(ctx, m, nil)
			} else {
				err = s.receiver.DeferMessage(ctx, m, nil)
			}
			if err != nil {
				return withKind(err)
			}
			delete(wanted, *m.SequenceNumber)
		}
	}
	return nil
}

func (s *Quarantine) receiveActive(ctx context.Context) ([]*azservicebus.ReceivedMessage, error) {
	soon, cancel := context.WithTimeout(ctx, firstMessageWait)
	defer cancel()
	messages, err := s.receiver.ReceiveMessages(soon, peekSize, nil)
	if err != nil && soon.Err() != nil && ctx.Err() == nil {
		return nil, nil
	}
	return messages, err
}

func (s *Quarantine) removeDeferred(ctx context.Context, numbers []int64) error {
	for _, n := range numbers {
		messages, err := s.receiver.ReceiveDeferredMessages(ctx, []int64{n}, nil)
		if hasCode(err, azservicebus.CodeNotFound) {
			continue // someone else removed it
		}
		for _, m := range messages {
			err = errors.Join(err, s.receiver.CompleteMessage(ctx, m, nil))
		}
		if err != nil {
			return withKind(err)
		}
	}
	return nil
}

// openReceiver makes the receiver when first needed; the caller holds mu.
func (s *Quarantine) openReceiver() (*azservicebus.Receiver, error) {
	var err error
	if s.receiver == nil {
		s.receiver, err = s.client.NewReceiverForQueue(s.opts.Quarantine, nil)
	}
	return s.receiver, err
}
