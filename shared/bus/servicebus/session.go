package servicebus

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/bus"
	"github.com/onepane/onepane/shared/bus/servicebus/pack"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
)

const (
	// firstMessageWait is how long a message may take that is known to be there: the first of an accepted session, one that was peeked
	// a moment ago. After that somebody else has it.
	firstMessageWait = 5 * time.Second
	// nextMessageWait is how long the next message may take to join a batch.
	nextMessageWait = 20 * time.Millisecond
	// settleTimeout bounds what must still be told to the broker after a handler is done. The SDK would try for half a
	// minute, on a link that cannot come back with the same lock.
	settleTimeout = 10 * time.Second
)

// session is one session while this process holds it.
type session struct {
	bus *Bus
	r   *azservicebus.SessionReceiver
	h   bus.Handler
	// hasReceived is true once a message has come.
	hasReceived bool
	redelivery  bus.Redelivery
}

// serveSession handles a session until it has no messages, its turn is over, its lock is lost or ctx ends.
func (b *Bus) serveSession(ctx context.Context, r *azservicebus.SessionReceiver, h bus.Handler) {
	defer b.releaseSession(ctx, r)
	holding, lost := context.WithCancelCause(ctx)
	defer lost(nil)
	var renewing sync.WaitGroup
	renewing.Go(func() { b.renewLock(holding, lost, r) })
	defer renewing.Wait()
	defer lost(nil)

	s := &session{bus: b, r: r, h: h}
	for until := time.Now().Add(b.opts.MaxHold); holding.Err() == nil && time.Now().Before(until); {
		messages, err := s.receiveMessages(holding)
		if err == nil && len(messages) > 0 {
			err = s.handleMessages(holding, messages)
		}
		if err != nil && ctx.Err() == nil {
			b.opts.Log.Warn("session given up, it will be offered again", "session", r.SessionID(), "error", errors.Join(err, context.Cause(holding)))
		}
		if err != nil || len(messages) == 0 {
			return
		}
	}
}

// renewLock keeps the lock by the clock of this machine, which need not agree with the broker's.
func (b *Bus) renewLock(ctx context.Context, lost context.CancelCauseFunc, r *azservicebus.SessionReceiver) {
	tick := time.NewTicker(b.opts.Lock / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		renewal, cancel := context.WithTimeout(ctx, b.opts.Lock/3)
		err := r.RenewSessionLock(renewal, nil)
		cancel()
		if err != nil && ctx.Err() == nil {
			lost(fmt.Errorf("session lock: %w", withKind(err)))
			return
		}
	}
}

// receiveMessages takes messages for one batch: waits for the first, then takes what follows at once; nothing when the session
// has been idle or its link is gone. Only sessions with messages can be accepted, so the very first is waited for. One message is asked for at a time: with more asked for than came, the SDK
// releases what arrives between two calls, and the broker sends it again behind its successors.
func (s *session) receiveMessages(ctx context.Context) (messages []*azservicebus.ReceivedMessage, err error) {
	wait := s.bus.opts.Idle
	if !s.hasReceived {
		wait = max(wait, firstMessageWait)
	}
	for events := 0; events < bus.MaxBatch; wait = nextMessageWait {
		waiting, cancel := context.WithTimeout(ctx, wait)
		one, err := s.r.ReceiveMessages(waiting, 1, nil)
		ended := waiting.Err() != nil
		cancel()
		if err != nil && !ended {
			return messages, withKind(err)
		}
		if len(one) == 0 {
			break
		}
		s.hasReceived = true
		messages = append(messages, one...)
		events += eventCount(one[0])
	}
	return messages, nil
}

// eventCount is how many events a message says it holds. What was sent over HTTPS has its number in a type of the service's choice.
func eventCount(m *azservicebus.ReceivedMessage) int {
	switch n := m.ApplicationProperties["events"].(type) {
	case int64:
		return int(max(n, 1))
	case int32:
		return int(max(n, 1))
	case float64:
		return int(max(n, 1))
	}
	return 1
}

// handleMessages offers what the messages hold and settles each message when all that is in it is done with. An error gives the
// session up; what is not settled is offered again.
func (s *session) handleMessages(ctx context.Context, messages []*azservicebus.ReceivedMessage) error {
	items, err := s.decodeMessages(ctx, messages)
	if err != nil {
		return err
	}
	s.redelivery.Suspect(int(messages[0].DeliveryCount))
	burials := map[int]error{}
	settled := 0
	for done := 0; done < len(items); {
		part := items[done:min(done+s.redelivery.Limit(), len(items))]
		if err := s.handlePart(ctx, part, burials); err != nil {
			if ctx.Err() != nil {
				return err
			}
			s.bus.opts.Log.Warn("batch failed, will be offered again", "session", s.r.SessionID(), "events", len(part), "failures", s.redelivery.Failures(), "error", err)
			if err := s.bus.pauseAfter(ctx, s.redelivery.Failures()); err != nil {
				return err
			}
			continue
		}
		s.redelivery.Succeeded()
		done += len(part)
		upTo := len(messages) // messages of which everything is done
		if done < len(items) {
			upTo = items[done].message
		}
		if err := s.settleMessages(ctx, messages, settled, upTo, burials); err != nil {
			return err
		}
		settled = upTo
	}
	return nil
}

// handlePart offers a part; nil when all of it is handled or set aside.
func (s *session) handlePart(ctx context.Context, part []item, burials map[int]error) error {
	aside, err := offerItems(ctx, s.h, part)
	if err != nil {
		if ctx.Err() != nil || !s.redelivery.Failed(len(part), err) {
			return err
		}
		one := part[0]
		one.refused = fmt.Errorf("failed %d times: %w", bus.MaxDeliveries, err)
		aside = []item{one}
	}
	if err = s.quarantineItems(ctx, aside, burials); err != nil {
		s.redelivery.Failed(0, err)
	}
	return err
}

// decodeMessages reads messages. One that cannot be read becomes an item of its own that goes aside.
func (s *session) decodeMessages(ctx context.Context, messages []*azservicebus.ReceivedMessage) ([]item, error) {
	var out []item
	for i, m := range messages {
		evs, err := pack.Decode(ctx, m.Body, s.bus.opts.Blobs)
		for n := 1; err != nil && !fault.Permanent(err); n++ { // the blob storage is away
			s.bus.opts.Log.Warn("message cannot be read yet", "session", s.r.SessionID(), "message", m.MessageID, "error", err)
			if s.bus.pauseAfter(ctx, n) != nil {
				return nil, err
			}
			evs, err = pack.Decode(ctx, m.Body, s.bus.opts.Blobs)
		}
		if err != nil {
			out = append(out, item{message: i, event: corruptEvent(s.r.SessionID(), m), refused: err})
		}
		for _, e := range evs {
			out = append(out, item{message: i, event: e})
		}
	}
	return out, nil
}

// corruptEvent makes an event of a message that holds none.
func corruptEvent(session string, m *azservicebus.ReceivedMessage) cloudevent.Event {
	raw, _ := json.Marshal(base64.StdEncoding.EncodeToString(m.Body)) // base64 always encodes
	return cloudevent.Event{
		ID: fmt.Sprintf("corrupt-%s-%d", session, *m.SequenceNumber), Source: "/onepane/bus", Type: "io.onepane.bus.corrupt.v1", Tenant: session, Data: raw,
	}
}

// quarantineItems puts events on the shelf. What is too large even there leaves its message to the queue's own dead letters.
func (s *session) quarantineItems(ctx context.Context, aside []item, burials map[int]error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), min(settleTimeout, s.bus.opts.Lock/3))
	defer cancel()
	for _, a := range aside {
		log := s.bus.opts.Log.With("session", s.r.SessionID(), "event", a.event.ID)
		log.Warn("event set aside", "reason", a.refused)
		e, err := s.bus.opts.Reject(a.event, a.refused)
		if err != nil {
			log.Error("event is kept as it is", "error", err)
			e = a.event
		}
		err = s.bus.quarantine.Publish(ctx, e)
		if fault.Permanent(err) {
			log.Error("the message is dead-lettered, the event does not fit on the shelf", "error", err)
			burials[a.message] = a.refused
		} else if err != nil {
			return err
		}
	}
	return nil
}

// settleMessages completes messages from, up to but not including to; those with a burial are dead-lettered.
func (s *session) settleMessages(ctx context.Context, messages []*azservicebus.ReceivedMessage, from, to int, burials map[int]error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), min(settleTimeout, s.bus.opts.Lock/3))
	defer cancel()
	errs := make([]error, to-from)
	var settling sync.WaitGroup
	for i := from; i < to; i++ {
		settling.Go(func() {
			if reason := burials[i]; reason != nil {
				kind, text := "NotProcessable", reason.Error()
				errs[i-from] = s.r.DeadLetterMessage(ctx, messages[i], &azservicebus.DeadLetterOptions{Reason: &kind, ErrorDescription: &text})
			} else {
				errs[i-from] = s.r.CompleteMessage(ctx, messages[i], nil)
			}
		})
	}
	settling.Wait()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("complete %d messages: %w", to-from, withKind(err))
	}
	return nil
}
