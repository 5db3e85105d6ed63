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
	// drainTimeout is how long invocations being served may take after SIGTERM. Those cut off are offered again.
	drainTimeout  = 25 * time.Second
	headerTimeout = 10 * time.Second
	maxHeader     = 64 << 10
)

// Serve listens at once on the port that the Functions host gives its handler, and opens the app meanwhile:
// invocations that come before it is open wait for it. When ctx ends, Serve finishes the invocations being served,
// for at most 25 s, and returns nil. An error is fault.Invalid without a port, fault.Unavailable for one that cannot
// be listened on, or what open returned.
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
	starting := &startup{opened: make(chan struct{})}
	srv := &http.Server{
		Handler: starting, ReadHeaderTimeout: headerTimeout, MaxHeaderBytes: maxHeader,
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
		starting.app = app
		close(starting.opened)
	}()
	select {
	case err := <-failed:
		_ = srv.Close() // invocations that wait are offered again
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

// startup answers while the app is not open yet.
type startup struct {
	opened chan struct{}
	app    *App // once opened is closed
}

// ServeHTTP answers at once when the Functions host asks whether its handler listens; any other request waits for the
// app.
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
