package azurefunc

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/onepane/onepane/shared/fault"
)

const (
	// drainTimeout is how long invocations at hand may take after SIGTERM. What is cut off is offered again.
	drainTimeout  = 25 * time.Second
	headerTimeout = 10 * time.Second
	maxHeader     = 64 << 10
)

// Serve listens at once where the Functions host looks for its handler, opens the app beside that, and answers until
// ctx ends; then it finishes the invocations at hand and returns nil. Invocations that come before the app is open wait
// for it. An app that does not open is the error.
func Serve(ctx context.Context, getenv func(string) string, log *slog.Logger, open func(context.Context) (*App, error)) error {
	port := getenv("FUNCTIONS_CUSTOMHANDLER_PORT")
	if port == "" {
		port = getenv("FUNCTIONS_HTTPWORKER_PORT")
	}
	if port == "" {
		return fault.Errorf(fault.Invalid, "FUNCTIONS_CUSTOMHANDLER_PORT: not set; this program is started by the Azure Functions host")
	}
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		return fault.Errorf(fault.Unavailable, "listen on port %s: %w", port, err)
	}
	early := &startup{opened: make(chan struct{})}
	srv := &http.Server{
		Handler: early, ReadHeaderTimeout: headerTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 2)
	go func() { failed <- fmt.Errorf("serve: %w", srv.Serve(l)) }()
	go func() {
		app, err := open(ctx)
		if err != nil {
			failed <- fmt.Errorf("open: %w", err)
			return
		}
		early.app = app
		close(early.opened)
	}()
	select {
	case err := <-failed:
		_ = srv.Close() // what waits is offered again
		return err
	case <-ctx.Done():
	}
	log.Info("draining")
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	if err := srv.Shutdown(end); err != nil {
		log.Warn("invocations were cut off", "reason", err)
		return srv.Close()
	}
	return nil
}

// startup answers before the app is open.
type startup struct {
	opened chan struct{}
	app    *App // once opened is closed
}

// ServeHTTP answers the host's question whether anyone listens at once, and lets everything else wait.
func (e *startup) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case <-e.opened:
		e.app.ServeHTTP(w, r)
		return
	default:
	}
	if r.URL.Path == "/" && r.Header.Get(invocationHeader) == "" {
		writeAnswer(w, http.StatusOK, "starting")
		return
	}
	select {
	case <-e.opened:
		e.app.ServeHTTP(w, r)
	case <-r.Context().Done():
	}
}
