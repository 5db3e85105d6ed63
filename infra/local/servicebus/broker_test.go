package servicebus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/Azure/go-amqp"
)

// What the broker holds against Service Bus, each a fact of its documentation, seen through Microsoft's own client. One
// broker serves all; every fact has queues of its own.
func TestFacts(t *testing.T) {
	const lock = 600 * time.Millisecond
	queues := map[string]Queue{}
	facts := []struct {
		name  string
		queue Queue
		check func(*testing.T, *client)
	}{
		{"a wrong key is refused", Queue{}, wrongKey},
		{"an unknown queue is not found", Queue{}, unknownQueue},
		{"a queue with sessions wants a session id and a session receiver", Queue{RequiresSession: true}, sessionsRequired},
		{"256 KB is the limit", Queue{}, sizeLimit},
		{"a batch is one transfer and several messages", Queue{}, batchSizes},
		{"a repeated message id is dropped within the window", Queue{DuplicateWindow: 60_000}, duplicatesDropped},
		{"an expired lock counts a delivery, and its message cannot be completed", Queue{}, lockExpires},
		{"a renewed lock lasts", Queue{}, lockRenewed},
		{"abandoning counts deliveries until the message is dead", Queue{MaxDeliveryCount: 3}, abandonedAgain},
		{"a dead letter keeps its reason and its body", Queue{}, deadLetter},
		{"a deferred message comes by number only, and can still be peeked", Queue{}, deferredReceived},
		{"receive and delete leaves nothing", Queue{}, receiveAndDelete},
		{"a message that outlives its time is dead", Queue{TimeToLive: 60_000}, messagesExpire},
		{"a session is exclusive, ordered, and free when closed, without counting", Queue{RequiresSession: true}, sessionExclusive},
		{"a lost session lock counts a delivery", Queue{RequiresSession: true}, sessionLost},
		{"session state outlives its receiver", Queue{RequiresSession: true}, sessionState},
		{"no free session is a timeout", Queue{RequiresSession: true}, noSession},
		{"properties keep their types", Queue{}, systemProperties},
	}
	for i, f := range facts {
		f.queue.LockDuration = lock.Milliseconds()
		queues[fmt.Sprint("q", i)] = f.queue
	}
	b := Start(t, Config{Queues: queues})
	for i, f := range facts {
		t.Run(f.name, func(t *testing.T) {
			c := dialClient(t, b.ConnectionString())
			f.check(t, &client{Client: c, t: t, broker: b, queue: fmt.Sprint("q", i)})
		})
	}
}

// client is azservicebus with one queue in mind.
type client struct {
	*azservicebus.Client
	t      *testing.T
	broker *Broker
	queue  string
}

func dialClient(t *testing.T, connection string) *azservicebus.Client {
	t.Helper()
	c, err := azservicebus.NewClientFromConnectionString(connection, &azservicebus.ClientOptions{RetryOptions: azservicebus.RetryOptions{MaxRetries: -1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_ = c.Close(ctx) // some facts break it
	})
	return c
}

// deadlineContext bounds what must happen.
func (c *client) deadlineContext() context.Context {
	ctx, cancel := context.WithTimeout(c.t.Context(), 10*time.Second)
	c.t.Cleanup(cancel)
	return ctx
}

func (c *client) sendMessages(session string, bodies ...string) error {
	s, err := c.NewSender(c.queue, nil)
	for _, body := range bodies {
		m := &azservicebus.Message{Body: []byte(body), MessageID: to.Ptr("id-" + body)}
		if session != "" {
			m.SessionID = &session
		}
		err = errors.Join(err, s.SendMessage(c.deadlineContext(), m, nil))
	}
	return err
}

func (c *client) mustSucceed(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) newReceiver(o *azservicebus.ReceiverOptions) *azservicebus.Receiver {
	c.t.Helper()
	r, err := c.NewReceiverForQueue(c.queue, o)
	c.mustSucceed(err)
	return r
}

type receiver interface {
	ReceiveMessages(context.Context, int, *azservicebus.ReceiveMessagesOptions) ([]*azservicebus.ReceivedMessage, error)
}

func (c *client) receiveOne(r receiver) *azservicebus.ReceivedMessage {
	c.t.Helper()
	ms, err := r.ReceiveMessages(c.deadlineContext(), 1, nil)
	if err != nil || len(ms) != 1 {
		c.t.Fatalf("received %d messages, %v", len(ms), err)
	}
	return ms[0]
}

func (c *client) receiveNone(r receiver) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 100*time.Millisecond)
	defer cancel()
	if ms, _ := r.ReceiveMessages(ctx, 1, nil); len(ms) > 0 {
		c.t.Errorf("received %q, want nothing", ms[0].Body)
	}
}

func (c *client) receiveDeadLetter() *azservicebus.ReceivedMessage {
	c.t.Helper()
	return c.receiveOne(c.newReceiver(&azservicebus.ReceiverOptions{SubQueue: azservicebus.SubQueueDeadLetter}))
}

func codeOf(err error) azservicebus.Code {
	var e *azservicebus.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func conditionOf(err error) amqp.ErrCond {
	var e *amqp.Error
	if errors.As(err, &e) {
		return e.Condition
	}
	return ""
}

func wrongKey(t *testing.T, c *client) {
	connection := strings.Replace(c.broker.ConnectionString(), "SharedAccessKey=", "SharedAccessKey=x", 1)
	other := &client{Client: dialClient(t, connection), t: t, queue: c.queue}
	if err := other.sendMessages("", "1"); codeOf(err) != azservicebus.CodeUnauthorizedAccess {
		t.Errorf("send with a wrong key: %v", err)
	}
}

func unknownQueue(t *testing.T, c *client) {
	c.queue = "nowhere"
	if err := c.sendMessages("", "1"); conditionOf(err) != amqp.ErrCondNotFound {
		t.Errorf("send: %v", err)
	}
}

func sessionsRequired(t *testing.T, c *client) {
	if err := c.sendMessages("", "1"); conditionOf(err) != amqp.ErrCondNotAllowed {
		t.Errorf("send without a session id: %v", err)
	}
	if _, err := c.newReceiver(nil).ReceiveMessages(c.deadlineContext(), 1, nil); conditionOf(err) != amqp.ErrCondNotAllowed {
		t.Errorf("receive without a session: %v", err)
	}
}

func sizeLimit(t *testing.T, c *client) {
	c.mustSucceed(c.sendMessages("", strings.Repeat("x", 100)))
	s, err := c.NewSender(c.queue, nil)
	c.mustSucceed(err)
	c.mustSucceed(s.SendMessage(c.deadlineContext(), &azservicebus.Message{Body: make([]byte, 250<<10)}, nil))
	if err := s.SendMessage(c.deadlineContext(), &azservicebus.Message{Body: make([]byte, 257<<10)}, nil); !errors.Is(err, azservicebus.ErrMessageTooLarge) {
		t.Errorf("257 KB: %v", err)
	}
}

func batchSizes(t *testing.T, c *client) {
	s, err := c.NewSender(c.queue, nil)
	c.mustSucceed(err)
	batch, err := s.NewMessageBatch(c.deadlineContext(), nil)
	c.mustSucceed(err)
	for i := range 3 {
		c.mustSucceed(batch.AddMessage(&azservicebus.Message{Body: []byte(fmt.Sprint(i))}, nil))
	}
	before := c.broker.Stats().Operations.Send
	c.mustSucceed(s.SendMessageBatch(c.deadlineContext(), batch, nil))
	if n := c.broker.Stats().Operations.Send - before; n != 1 {
		t.Errorf("it took %d operations", n)
	}
	r := c.newReceiver(nil)
	for i := range 3 {
		if m := c.receiveOne(r); string(m.Body) != fmt.Sprint(i) {
			t.Errorf("message %d is %q", i, m.Body)
		}
	}
}

func duplicatesDropped(t *testing.T, c *client) {
	c.mustSucceed(c.sendMessages("", "1", "1"))
	c.broker.AgeMessages(50 * time.Second)
	c.mustSucceed(c.sendMessages("", "1"))
	c.broker.AgeMessages(11 * time.Second)
	c.mustSucceed(c.sendMessages("", "1"))
	if n := c.broker.Stats().Queues[c.queue].Active; n != 2 {
		t.Errorf("the queue holds %d messages, want the first and the one beyond the window", n)
	}
}

func lockExpires(t *testing.T, c *client) {
	c.mustSucceed(c.sendMessages("", "1"))
	r := c.newReceiver(nil)
	first := c.receiveOne(r)
	if first.DeliveryCount != 1 || first.LockedUntil == nil || *first.SequenceNumber != 1 || first.EnqueuedTime == nil {
		t.Errorf("it came as %+v", first)
	}
	second := c.receiveOne(r) // when the lock has expired
	if second.DeliveryCount != 2 {
		t.Errorf("it came again as delivery %d", second.DeliveryCount)
	}
	if err := r.CompleteMessage(c.deadlineContext(), first, nil); codeOf(err) != azservicebus.CodeLockLost {
		t.Errorf("completing with the lost lock: %v", err)
	}
	c.mustSucceed(r.CompleteMessage(c.deadlineContext(), second, nil))
}

func lockRenewed(t *testing.T, c *client) {
	c.mustSucceed(c.sendMessages("", "1"))
	r := c.newReceiver(nil)
	m := c.receiveOne(r)
	for start := *m.LockedUntil; m.LockedUntil.Sub(start) < time.Second; {
		c.mustSucceed(r.RenewMessageLock(c.deadlineContext(), m, nil))
	}
	c.mustSucceed(r.CompleteMessage(c.deadlineContext(), m, nil))
}

func abandonedAgain(t *testing.T, c *client) {
	c.mustSucceed(c.sendMessages("", "1"))
	r := c.newReceiver(nil)
	for i := range 3 {
		m := c.receiveOne(r)
		if m.DeliveryCount != uint32(i+1) {
			t.Errorf("delivery %d counts as %d", i+1, m.DeliveryCount)
		}
		c.mustSucceed(r.AbandonMessage(c.deadlineContext(), m, nil))
	}
	if m := c.receiveDeadLetter(); m.DeadLetterReason == nil || *m.DeadLetterReason != "MaxDeliveryCountExceeded" {
		t.Errorf("the dead letter is %+v", m)
	}
}

func deadLetter(t *testing.T, c *client) {
	c.mustSucceed(c.sendMessages("", "1"))
	r := c.newReceiver(nil)
	began := time.Now()
	c.mustSucceed(r.DeadLetterMessage(c.deadlineContext(), c.receiveOne(r), &azservicebus.DeadLetterOptions{Reason: to.Ptr("bad"), ErrorDescription: to.Ptr("very")}))
	if time.Since(began) > 4*time.Second {
		t.Error("the client took the answer for a failure and tried again")
	}
	m := c.receiveDeadLetter()
	if string(m.Body) != "1" || *m.DeadLetterReason != "bad" || *m.DeadLetterErrorDescription != "very" || *m.DeadLetterSource != c.queue {
		t.Errorf("the dead letter is %+v", m)
	}
}

func deferredReceived(t *testing.T, c *client) {
	c.mustSucceed(c.sendMessages("", "1", "2"))
	r := c.newReceiver(nil)
	m := c.receiveOne(r)
	c.mustSucceed(r.DeferMessage(c.deadlineContext(), m, nil))
	c.mustSucceed(r.CompleteMessage(c.deadlineContext(), c.receiveOne(r), nil))
	c.receiveNone(r)
	peeked, err := r.PeekMessages(c.deadlineContext(), 10, nil)
	if err != nil || len(peeked) != 1 || peeked[0].State != azservicebus.MessageStateDeferred {
		t.Fatalf("peeked %+v, %v", peeked, err)
	}
	got, err := r.ReceiveDeferredMessages(c.deadlineContext(), []int64{*m.SequenceNumber}, nil)
	if err != nil || len(got) != 1 || string(got[0].Body) != "1" {
		t.Fatalf("received %+v, %v", got, err)
	}
	c.mustSucceed(r.CompleteMessage(c.deadlineContext(), got[0], nil))
	if _, err := r.ReceiveDeferredMessages(c.deadlineContext(), []int64{*m.SequenceNumber}, nil); codeOf(err) != azservicebus.CodeNotFound {
		t.Errorf("receiving it again: %v", err)
	}
}

func receiveAndDelete(t *testing.T, c *client) {
	c.mustSucceed(c.sendMessages("", "1"))
	c.receiveOne(c.newReceiver(&azservicebus.ReceiverOptions{ReceiveMode: azservicebus.ReceiveModeReceiveAndDelete}))
	if n := c.broker.Stats().Queues[c.queue].Active; n != 0 {
		t.Errorf("%d messages are left", n)
	}
}

func messagesExpire(t *testing.T, c *client) {
	c.mustSucceed(c.sendMessages("", "1"))
	c.broker.AgeMessages(61 * time.Second)
	if m := c.receiveDeadLetter(); *m.DeadLetterReason != "TTLExpiredException" {
		t.Errorf("the dead letter is %+v", m)
	}
}

func sessionExclusive(t *testing.T, c *client) {
	c.mustSucceed(c.sendMessages("s", "1", "2", "3"))
	s, err := c.AcceptSessionForQueue(c.deadlineContext(), c.queue, "s", nil)
	c.mustSucceed(err)
	if _, err := c.AcceptSessionForQueue(c.deadlineContext(), c.queue, "s", nil); conditionOf(err) != "com.microsoft:session-cannot-be-locked" {
		t.Errorf("a second owner: %v", err)
	}
	c.mustSucceed(s.CompleteMessage(c.deadlineContext(), c.receiveOne(s), nil))
	c.receiveOne(s)
	c.mustSucceed(s.Close(c.deadlineContext()))
	next, err := c.AcceptNextSessionForQueue(c.deadlineContext(), c.queue, nil)
	c.mustSucceed(err)
	var got []string
	for range 2 {
		m := c.receiveOne(next)
		got = append(got, fmt.Sprintf("%s/%d", m.Body, m.DeliveryCount))
	}
	if next.SessionID() != "s" || !slices.Equal(got, []string{"2/1", "3/1"}) {
		t.Errorf("session %q gave %v", next.SessionID(), got)
	}
}

func sessionLost(t *testing.T, c *client) {
	c.mustSucceed(c.sendMessages("s", "1"))
	s, err := c.AcceptSessionForQueue(c.deadlineContext(), c.queue, "s", nil)
	c.mustSucceed(err)
	m := c.receiveOne(s)
	if !c.broker.TakeSession(c.queue, "s") {
		t.Fatal("nobody had the session")
	}
	short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond) // the client would try for half a minute
	defer cancel()
	if err := s.CompleteMessage(short, m, nil); err == nil {
		t.Error("completed without the lock")
	}
	next, err := c.AcceptNextSessionForQueue(c.deadlineContext(), c.queue, nil)
	c.mustSucceed(err)
	if m := c.receiveOne(next); m.DeliveryCount != 2 {
		t.Errorf("it came again as delivery %d", m.DeliveryCount)
	}
}

func sessionState(t *testing.T, c *client) {
	s, err := c.AcceptSessionForQueue(c.deadlineContext(), c.queue, "s", nil)
	c.mustSucceed(err)
	before := s.LockedUntil()
	c.mustSucceed(s.SetSessionState(c.deadlineContext(), []byte("half"), nil))
	for !s.LockedUntil().After(before) {
		c.mustSucceed(s.RenewSessionLock(c.deadlineContext(), nil))
	}
	c.mustSucceed(s.Close(c.deadlineContext()))
	s, err = c.AcceptSessionForQueue(c.deadlineContext(), c.queue, "s", nil)
	c.mustSucceed(err)
	if got, err := s.GetSessionState(c.deadlineContext(), nil); err != nil || string(got) != "half" {
		t.Errorf("the state is %q, %v", got, err)
	}
}

func noSession(t *testing.T, c *client) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	// The client gives the broker its own deadline less a jitter that may be nothing, so either may be first.
	if _, err := c.AcceptNextSessionForQueue(ctx, c.queue, nil); codeOf(err) != azservicebus.CodeTimeout && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("accept: %v", err)
	}
	// It waits for one that comes later.
	sent := make(chan error, 1)
	go func() { sent <- c.sendMessages("late", "1") }()
	s, err := c.AcceptNextSessionForQueue(c.deadlineContext(), c.queue, nil)
	c.mustSucceed(errors.Join(err, <-sent))
	if s.SessionID() != "late" {
		t.Errorf("session %q", s.SessionID())
	}
}

func systemProperties(t *testing.T, c *client) {
	s, err := c.NewSender(c.queue, nil)
	c.mustSucceed(err)
	want := map[string]any{"int64": int64(5), "double": 1.0, "text": "ü", "flag": true}
	c.mustSucceed(s.SendMessage(c.deadlineContext(), &azservicebus.Message{Body: []byte{0, 0xff}, ContentType: to.Ptr("a/b"), ApplicationProperties: want}, nil))
	m := c.receiveOne(c.newReceiver(nil))
	if fmt.Sprintf("%#v", m.ApplicationProperties) != fmt.Sprintf("%#v", want) || *m.ContentType != "a/b" || string(m.Body) != "\x00\xff" {
		t.Errorf("it came as %#v", m)
	}
}
