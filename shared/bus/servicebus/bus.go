// Package servicebus is the bus on Azure Service Bus: the promises of package bus, kept by a broker that bills by the
// message. So events travel packed: as many of one session in a message as it holds, compressed.
//
//	Publish ─▶ by session ─▶ packed ──▶ queue "alerts" ──accept next session──▶ decoded ─▶ handler
//	 (repeats in     │      (zstd, one    session = tenant    ▲     (lock renewed)   │ nil: messages completed
//	  one call)      │       message id)                      └───── pause, halved ──┤ error
//	                 └─ over the limit: blob, and a claim on it   quarantine ◀───────┘ refused, then completed
//
// What the service cannot keep as package bus words it:
//
//   - A repeat is recognised by message: publishing the same events again, in one call as before, adds nothing while
//     the queue's duplicate window lasts, for its message ids are derived from the events' ids. An event that comes
//     again grouped with other events is offered again; correlation knows it by its id.
//   - Quarantine lists each id once, but a repeat occupies the queue until Remove takes every copy: duplicate detection
//     there would drop what comes again after it was removed.
//   - How many events wait is not known, only how many messages; the service counts those.
//   - A process that dies loses its count of how often an event failed alone. The broker counts deliveries of the
//     message instead, and after the queue's maxDeliveryCount moves it to the queue's own dead letters.
//
// The queues must exist as infra/azure makes them: alerts with sessions, duplicate detection and a lock of
// Options.Lock; quarantine with neither sessions nor duplicate detection.
package servicebus

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"github.com/onepane/onepane/shared/backoff"
	"github.com/onepane/onepane/shared/bus"
	"github.com/onepane/onepane/shared/bus/servicebus/pack"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
)

// Bus is one queue with sessions and its quarantine. It connects when first used and again after every loss. Safe for
// concurrent use.
type Bus struct {
	opts       Options
	client     *azservicebus.Client
	alerts     lazySender
	quarantine *Quarantine
	inFlight   chan struct{} // one element for each message being sent
}

var (
	_ bus.Publisher  = (*Bus)(nil)
	_ bus.Subscriber = (*Bus)(nil)
	_ bus.Waiter     = (*Bus)(nil)
)

// Options say where the namespace is and how fast to go. Everything below Blobs has a default.
type Options struct {
	Namespace  string                 // host name, "contoso.servicebus.windows.net"
	Credential azcore.TokenCredential // of an identity that may send and receive there
	// ConnectionString replaces Namespace and Credential for a namespace with keys.
	ConnectionString string
	// Blobs keeps events that are too large for a message; nil makes such an event fault.TooLarge.
	Blobs pack.Blobs

	Queue, Quarantine string        // names of queues; default bus.AlertsQueue, bus.QuarantineQueue
	Lock              time.Duration // the queue's lockDuration; 0 is 5 minutes. Locks are renewed three times as often
	MaxMessage        int           // bytes of a message's body; 0 is what fits in 256 KB
	InFlight          int           // messages being sent at once, the back-pressure on Publish; 0 is 16
	Sessions          int           // sessions handled side by side; 0 is 16
	Idle              time.Duration // how long a session without further messages is held; 0 is 2 s
	MaxHold           time.Duration // how long a busy session is held before others get a chance; 0 is a minute
	Pause             time.Duration // before a failed batch is offered again, doubling each time; 0 is 100 ms
	MaxPause          time.Duration // where doubling ends; 0 is 30 s
	Retry             azservicebus.RetryOptions
	Endpoint          string      // connects here instead of to Namespace: a private endpoint, a test
	TLS               *tls.Config // nil is the system's
	Log               *slog.Logger
	// Reject makes what quarantine keeps of an event that cannot be processed, and of the reason; nil keeps the event
	// as it is.
	Reject func(cloudevent.Event, error) (cloudevent.Event, error)
}

func (o Options) withDefaults() Options {
	o.Queue = cmp.Or(o.Queue, bus.AlertsQueue)
	o.Quarantine = cmp.Or(o.Quarantine, bus.QuarantineQueue)
	o.Lock = cmp.Or(o.Lock, 5*time.Minute)
	o.MaxMessage = cmp.Or(o.MaxMessage, pack.MaxBody)
	o.InFlight = cmp.Or(o.InFlight, 16)
	o.Sessions = cmp.Or(o.Sessions, 16)
	o.Idle = cmp.Or(o.Idle, 2*time.Second)
	o.MaxHold = cmp.Or(o.MaxHold, time.Minute)
	o.Pause = cmp.Or(o.Pause, 100*time.Millisecond)
	o.MaxPause = cmp.Or(o.MaxPause, 30*time.Second)
	o.Retry.RetryDelay = cmp.Or(o.Retry.RetryDelay, 250*time.Millisecond)
	o.Retry.MaxRetryDelay = cmp.Or(o.Retry.MaxRetryDelay, 5*time.Second)
	o.Retry.MaxRetries = cmp.Or(o.Retry.MaxRetries, 5)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Reject == nil {
		o.Reject = func(e cloudevent.Event, _ error) (cloudevent.Event, error) { return e, nil }
	}
	return o
}

// Open makes a bus. It does not connect yet: a function that starts cold connects with its first event. An error is
// fault.Invalid.
func Open(opts Options) (*Bus, error) {
	opts = opts.withDefaults()
	client, err := newClient(opts)
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "open Service Bus: %w", err)
	}
	b := &Bus{opts: opts, client: client, inFlight: make(chan struct{}, opts.InFlight)}
	b.alerts = lazySender{client: client, queue: opts.Queue}
	b.quarantine = &Quarantine{client: client, sender: lazySender{client: client, queue: opts.Quarantine}, opts: opts, firstSeen: map[string]int64{}}
	return b, nil
}

func newClient(opts Options) (*azservicebus.Client, error) {
	o := &azservicebus.ClientOptions{RetryOptions: opts.Retry, CustomEndpoint: opts.Endpoint, TLSConfig: opts.TLS, ApplicationID: "onepane"}
	if opts.ConnectionString != "" {
		return azservicebus.NewClientFromConnectionString(opts.ConnectionString, o)
	}
	return azservicebus.NewClient(opts.Namespace, opts.Credential, o)
}

// Quarantine returns the queue's quarantine.
func (b *Bus) Quarantine() *Quarantine { return b.quarantine }

// Close ends the connection. Stop publishing and subscribing first.
func (b *Bus) Close(ctx context.Context) error {
	if err := b.client.Close(ctx); err != nil {
		return fmt.Errorf("close Service Bus: %w", err)
	}
	return nil
}

// Wait is bus.Waiter. It asks until the session has no messages, so it waits for what is published meanwhile as well.
// Each time it asks costs one billed operation per 100 sessions with messages.
func (b *Bus) Wait(ctx context.Context, session string) error {
	id := pack.SessionID(session)
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		busy, err := b.hasMessages(ctx, id)
		if err == nil && !busy {
			return nil
		}
		if err := backoff.Wait(ctx, pause); err != nil {
			return fmt.Errorf("wait for session %q: %w", session, err)
		}
		if err != nil {
			b.opts.Log.Warn("sessions could not be listed", "error", withKind(err))
		}
	}
}

// hasMessages reports whether a session, by its id on the broker, has messages.
func (b *Bus) hasMessages(ctx context.Context, id string) (bool, error) {
	for pages := b.client.NewListSessionsForQueuePager(b.opts.Queue, nil); pages.More(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return false, err
		}
		for _, s := range page.Sessions {
			if s == id {
				return true, nil
			}
		}
	}
	return false, nil
}

// lazySender is a queue's sender, made when first needed. Safe for concurrent use.
type lazySender struct {
	client *azservicebus.Client
	queue  string
	mu     sync.Mutex
	sender *azservicebus.Sender
}

func (o *lazySender) sendMessage(ctx context.Context, m *azservicebus.Message) error {
	o.mu.Lock()
	if o.sender == nil {
		var err error
		if o.sender, err = o.client.NewSender(o.queue, nil); err != nil {
			o.mu.Unlock()
			return err
		}
	}
	s := o.sender
	o.mu.Unlock()
	return s.SendMessage(ctx, m, nil)
}
