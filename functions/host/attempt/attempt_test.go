package attempt

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/onepane/onepane/shared/fault"
)

var quiet = slog.New(slog.DiscardHandler)

func TestRunAnswersBeforeItsDeadline(t *testing.T) {
	forever := make(chan struct{})
	defer close(forever)
	for name, f := range map[string]func(context.Context) error{
		"a function that listens": func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		"one that does not":       func(context.Context) error { <-forever; return nil },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		err := Run(ctx, quiet, f)
		if ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v, the platform's time being %v", name, err, ctx.Err())
		}
		cancel()
	}
}

func TestAPanicIsAnError(t *testing.T) {
	var p *Panic
	if err := Run(t.Context(), quiet, func(context.Context) error { panic("words") }); !errors.As(err, &p) || p.Value != "words" || isSettled(err) {
		t.Errorf("%v", err)
	}
}

func TestWhatisSettled(t *testing.T) {
	for kind, want := range map[fault.Kind]bool{fault.Again: false, fault.Invalid: true, fault.TooLarge: true, fault.Held: true, fault.Precondition: false,
		fault.Denied: false, fault.Exhausted: false, fault.Unavailable: false, fault.Conflict: false} {
		if got := isSettled(fault.Errorf(kind, "x")); got != want {
			t.Errorf("%v: %v", kind, got)
		}
	}
	if !isSettled(nil) {
		t.Error("success")
	}
}

func TestGuard(t *testing.T) {
	w := httptest.NewRecorder()
	Guard(quiet, time.Minute, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if _, ok := r.Context().Deadline(); !ok {
			t.Error("no deadline")
		}
		panic("words")
	})).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != http.StatusInternalServerError {
		t.Errorf("%d", w.Code)
	}
}
