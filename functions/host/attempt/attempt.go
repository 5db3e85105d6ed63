// Package attempt runs a function once for a host: it ends before the platform's deadline, and a panic is an error.
// What an error means to the platform stays with each host.
//
//	host ─ deadline D ─▶ Run ─ ctx until D less a reserve ─▶ function ─▶ error, Panic, or fault.Unavailable: too late
//	                   Guard ─ the same ───────────────────▶ handler  ─▶ its answer, or 500 after a panic
package attempt

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/fault"
)

// maxReserve is how much of the platform's time is kept for answering; a fifth of times below 10 s.
const maxReserve = 2 * time.Second

// Panic is the error of a function that panicked with Value.
type Panic struct{ Value any }

// Error says what the function panicked with.
func (p *Panic) Error() string { return fmt.Sprintf("panic: %v", p.Value) }

// Run calls f with a context that ends a reserve before ctx does, and returns before ctx's deadline whatever f does. A
// panic is logged with its stack and returned as a *Panic. A function that ignores its context goes on running, and Run
// returns fault.Unavailable: every function here may be repeated, so its late success does no harm.
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

// withReserve returns ctx ending a reserve earlier, and the reserve.
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

// callGuarded calls f and turns its panic into a *Panic, logged with the stack.
func callGuarded(ctx context.Context, log *slog.Logger, f func(context.Context) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			log.ErrorContext(ctx, "panic", "value", fmt.Sprint(v), "stack", string(debug.Stack()))
			err = &Panic{v}
		}
	}()
	return f(ctx)
}

// Ingest takes one delivery: *ingest.Function. A finding that can never be read it has put into quarantine.
type Ingest interface {
	Handle(ctx context.Context, d ingest.Delivery) (ingest.Receipt, error)
}

// Deliver hands d to fn, as Run does. It returns nil when the platform may forget the delivery: every finding of it
// is on the bus or in quarantine. Any error asks the platform to deliver it again.
func Deliver(ctx context.Context, log *slog.Logger, fn Ingest, d ingest.Delivery) error {
	err := Run(ctx, log, func(ctx context.Context) error {
		_, err := fn.Handle(ctx, d)
		return err
	})
	if isSettled(err) {
		return nil
	}
	return err
}

// isSettled reports whether an ingest function's error is of findings that are in quarantine, or nil.
func isSettled(err error) bool {
	return err == nil || fault.Permanent(err) || fault.Of(err) == fault.Held
}

// Guard ends a request's context before limit, the platform's, and answers 500 for a handler that panics before it
// has answered, in the shape of the API's errors. It does not buffer, so that answers may be streamed: a handler that
// ignores its context is cut off by the platform.
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
