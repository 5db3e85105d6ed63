// Package send publishes to Service Bus by its REST API, one HTTPS request a message. It is for functions that start
// cold and only send: they carry neither an AMQP stack nor its handshake. Package servicebus receives what it sends.
//
//	Publish ─▶ pack: by session, ≤ 232 KB ─▶ POST https://{namespace}/{queue}/messages ─▶ 201: durable
//	               │                         BrokerProperties: session, id       └─ 429, 5xx, lost: again, same id
//
// The API also takes batches. They are not used: a call is one message a session already, and a batch is JSON with
// bodies in base64, a third more of the bytes that are billed.
package send

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/onepane/onepane/shared/bus"
	"github.com/onepane/onepane/shared/bus/servicebus/pack"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/identity"
)

// Tokens gives access tokens: *identity.Credential.
type Tokens interface {
	Token(ctx context.Context, r identity.Request) (identity.Token, error)
}

// Sender publishes to a queue with sessions and to its quarantine. Safe for concurrent use.
type Sender struct {
	opts     Options
	base     string
	inFlight chan struct{} // one element for each message being sent
}

var _ bus.Publisher = (*Sender)(nil)

// Options say where the namespace is; everything below Credential has a default.
type Options struct {
	Namespace  string // host name, "contoso.servicebus.windows.net"
	Credential Tokens // of an identity with the role Azure Service Bus Data Sender
	// Blobs keeps events that are too large for a message: a *Container. nil makes such an event fault.TooLarge.
	Blobs pack.Putter

	Queue, Quarantine string        // names of queues; default bus.AlertsQueue, bus.QuarantineQueue
	MaxMessage        int           // bytes of a message's body; 0 is what fits in 256 KB
	InFlight          int           // messages being sent at once, the back-pressure on Publish; 0 is 16
	Tries             int           // of a message, while it fails for reasons that may pass; 0 is 4
	Pause             time.Duration // before the second try, doubling each time; 0 is 250 ms
	HTTP              *http.Client  // nil is one that follows no redirect
	Endpoint          string        // base URL instead of Namespace's: a private endpoint, a test
}

// Scope is what a token for the namespace is asked for.
const Scope = "https://servicebus.azure.net/.default"

// Open makes a sender. It connects when it first sends. An error is fault.Invalid.
func Open(opts Options) (*Sender, error) {
	opts.Queue = cmp.Or(opts.Queue, bus.AlertsQueue)
	opts.Quarantine = cmp.Or(opts.Quarantine, bus.QuarantineQueue)
	opts.InFlight = cmp.Or(opts.InFlight, 16)
	opts.Tries = cmp.Or(opts.Tries, 4)
	opts.Pause = cmp.Or(opts.Pause, 250*time.Millisecond)
	opts.Endpoint = cmp.Or(opts.Endpoint, "https://"+opts.Namespace)
	if opts.HTTP == nil {
		opts.HTTP = defaultClient
	}
	u, err := url.Parse(opts.Endpoint)
	if err != nil || u.Host == "" {
		return nil, fault.Errorf(fault.Invalid, "open Service Bus: %q is no namespace", opts.Namespace)
	}
	return &Sender{opts: opts, base: strings.TrimSuffix(opts.Endpoint, "/"), inFlight: make(chan struct{}, opts.InFlight)}, nil
}

// Publish is bus.Publisher. A namespace that throttles or a full queue is fault.Exhausted; one that is out of reach or
// does not let the identity in is fault.Unavailable: both say nothing about the events.
func (s *Sender) Publish(ctx context.Context, evs ...cloudevent.Event) error {
	return s.packTarget(s.opts.Queue).Publish(ctx, evs)
}

// Quarantine returns the publisher to the quarantine queue. It sends each event in a message of its own.
func (s *Sender) Quarantine() bus.Publisher { return quarantine{s} }

type quarantine struct{ s *Sender }

// Publish is bus.Publisher.
func (q quarantine) Publish(ctx context.Context, evs ...cloudevent.Event) error {
	return q.s.packTarget(q.s.opts.Quarantine).PublishSingly(ctx, evs)
}

// packTarget returns a queue as package pack sends to it.
func (s *Sender) packTarget(queue string) pack.Target {
	return pack.Target{Limit: s.opts.MaxMessage, Blobs: s.opts.Blobs, Send: func(ctx context.Context, m pack.Message) error {
		if err := s.sendMessage(ctx, queue, m); err != nil {
			return fmt.Errorf("send to %q: %w", queue, err)
		}
		return nil
	}}
}

// sendMessage sends a message until it is taken, Options.Tries times at most. If the answer to one that was taken is
// lost, the queue's duplicate detection drops the next.
func (s *Sender) sendMessage(ctx context.Context, queue string, m pack.Message) error {
	select {
	case s.inFlight <- struct{}{}:
		defer func() { <-s.inFlight }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return retryRequest(ctx, s.opts.Tries, s.opts.Pause, func() (time.Duration, error) { return s.postMessage(ctx, queue, m) })
}

// postMessage sends a message once. The duration is as of answer.retryAfter.
func (s *Sender) postMessage(ctx context.Context, queue string, m pack.Message) (time.Duration, error) {
	token, err := s.opts.Credential.Token(ctx, identity.Request{Scope: Scope})
	if err != nil {
		return noRetry, fmt.Errorf("get a token: %w", err)
	}
	h := http.Header{
		"Authorization": {"Bearer " + token.Value}, "Content-Type": {m.ContentType}, "Brokerproperties": {brokerProperties(m)},
	}
	setProperties(h, m)
	a, err := sendRequest(ctx, s.opts.HTTP, http.MethodPost, s.base+"/"+url.PathEscape(queue)+"/messages", h, m.Body)
	if err != nil {
		return 0, fault.Errorf(fault.Unavailable, "ask Service Bus at %s: %w", s.opts.Namespace, err)
	}
	if a.status == http.StatusCreated {
		return 0, nil
	}
	return a.retryAfter(), refusalError(a)
}

// refusalError returns the error for a status other than 201 (REST API, "Send Message", response codes). A refusal
// for the identity or the queue is fault.Unavailable: someone may put it right, and no event is at fault.
func refusalError(a answer) error {
	switch a.status {
	case http.StatusUnauthorized:
		return fault.Errorf(fault.Unavailable, "Service Bus does not let the identity in (%s): it needs the role Azure Service Bus Data Sender", a)
	case http.StatusForbidden: // documented also for a message that is too large, which pack does not make
		return fault.Errorf(fault.Exhausted, "the queue is full, or a network rule forbids it (%s)", a)
	case http.StatusNotFound, http.StatusGone:
		return fault.Errorf(fault.Unavailable, "there is no such queue (%s)", a)
	case http.StatusRequestEntityTooLarge:
		return fault.Errorf(fault.TooLarge, "the message is too large (%s)", a)
	case http.StatusTooManyRequests:
		return fault.Errorf(fault.Exhausted, "the namespace is throttled (%s)", a)
	}
	return fault.Errorf(fault.Unavailable, "Service Bus refuses (%s)", a)
}
