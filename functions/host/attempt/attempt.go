// Package attempt is one try of a platform's host at a function: within the platform's deadline, and with a panic
// contained. What an error means to the platform stays with each host.
//
//	host ─ deadline D ─▶ Run ─ ctx until D less a reserve ─▶ function ─▶ error, or a Panic, or out of time
package attempt

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/onepane/onepane/shared/fault"
)

// maxReserve is how much of the platform's time is kept for answering; of a short time a fifth.
const maxReserve = 2 * time.Second

// Panic is the error of a function that panicked.
type Panic struct{ Value any }

// Error says what the function panicked with.
func (p *Panic) Error() string { return fmt.Sprintf("panic: %v", p.Value) }

// Run calls f with a context that ends a little before ctx does, and returns before ctx's deadline whatever f does.
// A panic is logged with its stack and returned as a *Panic. A function that ignores its context is left running and
// fault.Unavailable returned: everything here may be repeated, so its late success does no harm.
func Run(ctx context.Context, log *slog.Logger, f func(context.Context) error) error {
	inner, cancel, reserve := withReserve(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- callGuarded(inner, log, f) }()
	select {
	case err := <-done:
		return err
	case <-inner.Done():
	}
	grace := time.NewTimer(reserve / 2)
	defer grace.Stop()
	select {
	case err := <-done:
		return err
	case <-grace.C:
		return fault.Errorf(fault.Unavailable, "the function did not end within its time: %w", context.DeadlineExceeded)
	}
}

// withReserve is ctx ending a reserve earlier.
func withReserve(ctx context.Context) (context.Context, context.CancelFunc, time.Duration) {
	end, ok := ctx.Deadline()
	if !ok {
		inner, cancel := context.WithCancel(ctx)
		return inner, cancel, maxReserve
	}
	reserve := min(maxReserve, time.Until(end)/5)
	inner, cancel := context.WithDeadline(ctx, end.Add(-reserve))
	return inner, cancel, reserve
}

func callGuarded(ctx context.Context, log *slog.Logger, f func(context.Context) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			log.ErrorContext(ctx, "panic", "value", fmt.Sprint(v), "stack", string(debug.Stack()))
			err = &Panic{v}
		}
	}()
	return f(ctx)
}

// IsSettled reports whether an ingest function's answer leaves nothing to try again: what it took is durable, and what
// it could not read is in quarantine.
func IsSettled(err error) bool {
	return err == nil || fault.Permanent(err) || fault.Of(err) == fault.Held
}

// Guard gives a request's context an end before the platform's limit, and answers 500 for a handler that panics, in the
// shape of the API's errors, where nothing was answered yet. It does not buffer, so that answers may be streamed; a
// handler that ignores its context is the platform's to cut off.
func Guard(log *slog.Logger, limit time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		outer, end := context.WithTimeout(r.Context(), limit)
		defer end()
		ctx, cancel, _ := withReserve(outer)
		defer cancel()
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if v == http.ErrAbortHandler {
				panic(v)
			}
			log.ErrorContext(ctx, "panic", "value", fmt.Sprint(v), "stack", string(debug.Stack()))
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = w.Write([]byte(`{"error":{"code":"generalException","message":"The request failed unexpectedly; it may be sent again."}}`))
		}()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}
