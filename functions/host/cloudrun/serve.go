package cloudrun

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/onepane/onepane/shared/fault"
)

const (
	// drainTimeout is how long requests being served may take after SIGTERM; Cloud Run kills the process after 10 s.
	drainTimeout  = 8 * time.Second
	headerTimeout = 10 * time.Second
	maxHeader     = 64 << 10 // bytes
)

// Serve answers requests on PORT (8080 when unset), of all addresses or of ONEPANE_BIND alone. It ends with ctx,
// SIGTERM or an interrupt: it finishes the requests being served, for at most 8 s, and returns nil. An error is of a
// port that cannot be listened on, fault.Unavailable, or of requests that were cut off.
func Serve(ctx context.Context, getenv func(string) string, s *Service) error {
	port := getenv("PORT")
	if port == "" {
		port = "8080"
	}
	l, err := net.Listen("tcp", net.JoinHostPort(getenv("ONEPANE_BIND"), port))
	if err != nil {
		return fault.Errorf(fault.Unavailable, "listen on PORT %s: %w", port, err)
	}
	srv := &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: headerTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM) // after listening: this takes a thirtieth of a cold start
	defer stop()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	s.Log.Info("draining")
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	if err := srv.Shutdown(end); err != nil {
		s.Log.Warn("requests were cut off", "reason", err)
		return errors.Join(err, srv.Close())
	}
	return nil
}
