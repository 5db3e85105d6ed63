package servicebus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"github.com/onepane/onepane/shared/bus"
)

const (
	// firstMessageWait is how long a message may take that is known to be there: the first of an accepted session, one
	// that was peeked a moment ago. After that somebody else has it.
	firstMessageWait = 5 * time.Second
	// nextMessageWait is how long the next message may take to join a batch.
	nextMessageWait = 20 * time.Millisecond
)

// session is one session while this process holds its lock.
type session struct {
	bus         *Bus
	receiver    *azservicebus.SessionReceiver
	handler     bus.Handler
	hasReceived bool // a message has come
	redelivery  bus.Redelivery
}

// serveSession handles a session until it has no messages, was held for Options.MaxHold, loses its lock or ctx ends.
func (b *Bus) serveSession(ctx context.Context, r *azservicebus.SessionReceiver, h bus.Handler) {
	defer b.releaseSession(ctx, r)
	holding, lost := context.WithCancelCause(ctx)
	defer lost(nil)
	var renewing sync.WaitGroup
	renewing.Go(func() { b.renewLock(holding, lost, r) })
	defer renewing.Wait()
	defer lost(nil)

	s := &session{bus: b, receiver: r, handler: h}
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

// renewLock renews a session's lock three times per Options.Lock, by the clock of this machine: the broker's need not
// agree with it. A lock that cannot be renewed is reported to lost.
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

// receiveMessages waits for the first message of a batch, then takes what follows at once. It returns none when the
// session has been idle for Options.Idle or its link is gone. The very first message of a session is waited for longer,
// since only sessions with messages can be accepted. One message is asked for at a time: with more asked for than came,
// the SDK releases what arrives between two calls, and the broker sends it again behind its successors.
func (s *session) receiveMessages(ctx context.Context) (messages []*azservicebus.ReceivedMessage, err error) {
	wait := s.bus.opts.Idle
	if !s.hasReceived {
		wait = max(wait, firstMessageWait)
	}
	for events := 0; events < bus.MaxBatch; wait = nextMessageWait {
		waiting, cancel := context.WithTimeout(ctx, wait)
		one, err := s.receiver.ReceiveMessages(waiting, 1, nil)
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

// eventCount returns how many events a message says it holds, at least 1. A message sent over HTTPS has the number in a
// type of the service's choice.
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
