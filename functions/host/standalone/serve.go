package standalone

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Limits of one connection: slow and endless senders are cut off.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = 2 * time.Minute // 20 MB over a slow line
	writeTimeout  = 3 * time.Minute // Prefer: wait, and long listings
	idleTimeout   = 2 * time.Minute
	maxHeader     = 64 << 10
	drainTimeout  = 20 * time.Second
)

// Run serves on l until ctx ends. Then it takes no more requests, finishes those being served, waits until correlate
// has handled every event, for at most 20 s in all, and returns nil; events that are left are on the disk and are
// handled after the next start. ready is called once requests are answered; it may be nil.
func (s *Server) Run(ctx context.Context, l net.Listener, ready func()) error {
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var wg sync.WaitGroup
	failed := make(chan error, 2)
	wg.Go(func() {
		if err := s.Bus.Subscribe(work, s.Correlate); err != nil {
			failed <- fmt.Errorf("subscribe: %w", err)
		}
	})
	srv := &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: cmp.Or(s.HeaderTimeout, headerTimeout), ReadTimeout: cmp.Or(s.ReadTimeout, readTimeout), WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
	wg.Go(func() {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("serve: %w", err)
		}
	})
	if ready != nil {
		ready()
	}
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
		err = s.drainSessions(srv)
	}
	_ = srv.Close() // after a drain there is nothing left to close
	stop()
	wg.Wait()
	return err
}

// drainSessions finishes requests and events, for at most drainTimeout.
func (s *Server) drainSessions(srv *http.Server) error {
	s.Log.Info("draining")
	ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	if err := srv.Shutdown(ctx); err != nil {
		s.Log.Warn("requests were cut off", "reason", err)
	}
	if err := s.Bus.Drained(ctx); err != nil {
		s.Log.Warn("correlation goes on at the next start", "reason", err)
	}
	return nil
}
