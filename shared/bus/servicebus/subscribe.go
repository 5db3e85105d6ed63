package servicebus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"github.com/onepane/onepane/shared/backoff"
	"github.com/onepane/onepane/shared/bus"
)

// acceptTimeout is how long one wait for a free session takes: the broker answers by then, and the next wait begins.
const acceptTimeout = time.Minute

// Subscribe is bus.Subscriber. It holds up to Options.Sessions sessions at a time. While the namespace is out of reach
// it keeps trying, with growing pauses.
func (b *Bus) Subscribe(ctx context.Context, h bus.Handler) error {
	var serving sync.WaitGroup
	defer serving.Wait()
	room := make(chan struct{}, b.opts.Sessions)
	failures := 0
	for {
		select {
		case room <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		r, err := b.acceptSession(ctx)
		switch {
		case ctx.Err() != nil:
			if r != nil {
				b.releaseSession(ctx, r)
			}
			return nil
		case err != nil:
			failures++
			b.opts.Log.Warn("no session could be accepted", "queue", b.opts.Queue, "failures", failures, "error", withKind(err))
			_ = b.pauseAfter(ctx, failures) // the loop looks at ctx
		case r != nil:
			failures = 0
			serving.Go(func() {
				defer func() { <-room }()
				b.serveSession(ctx, r, h)
			})
			continue
		}
		<-room
	}
}

// acceptSession waits for a session with messages that nobody holds; nil when there was none in time.
func (b *Bus) acceptSession(ctx context.Context) (*azservicebus.SessionReceiver, error) {
	waiting, cancel := context.WithTimeout(ctx, acceptTimeout)
	defer cancel()
	r, err := b.client.AcceptNextSessionForQueue(waiting, b.opts.Queue, nil)
	if hasCode(err, azservicebus.CodeTimeout) || errors.Is(err, context.DeadlineExceeded) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("accept a session of %q: %w", b.opts.Queue, err)
	}
	return r, nil
}

// releaseSession lets a session go, so that another process can have it at once and no delivery is counted.
func (b *Bus) releaseSession(ctx context.Context, r *azservicebus.SessionReceiver) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := r.Close(ctx); err != nil {
		b.opts.Log.Warn("session could not be released, its lock will expire", "session", r.SessionID(), "error", withKind(err))
	}
}

// pauseAfter waits after the given number of failures in a row, or until ctx ends.
func (b *Bus) pauseAfter(ctx context.Context, failures int) error {
	return backoff.Wait(ctx, backoff.Delay(failures, b.opts.Pause, b.opts.MaxPause))
}
