// Package standalone runs every function in one process: HTTP in, the embedded bus between, the embedded store below.
// It feeds functions what the clouds' hosts would, and decides nothing.
//
//	HTTP ─┬─ POST /api/ingest/… ─▶ ingest ─▶ bus ─▶ correlate ─▶ store
//	      └─ everything else ─▶ api ◀──────────────────────────────┘
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

	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/telemetry"
)

// Bus hands the published events to correlate until ctx ends.
type Bus interface {
	Subscribe(ctx context.Context, h func(ctx context.Context, evs []cloudevent.Event) error) error
	// Drained returns when everything published before the call is settled, or with ctx's error.
	Drained(ctx context.Context) error
}

// Meter times requests.
type Meter interface {
	Request(route, method string, code int, took time.Duration)
}

// Server is one running Onepane.
type Server struct {
	Ingest    http.Handler // POST /api/ingest/{route}
	API       http.Handler // all else
	Metrics   http.Handler
	Correlate func(ctx context.Context, evs []cloudevent.Event) error
	Bus       Bus
	Meter     Meter
	Log       *slog.Logger

	// HeaderTimeout and ReadTimeout are how long a request's header, and all of it, may take to arrive; 0 is 10 s and 2 min.
	HeaderTimeout, ReadTimeout time.Duration
}

// Limits of one connection: slow and endless senders are cut off.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = 2 * time.Minute // 20 MB over a slow line
	writeTimeout  = 3 * time.Minute // Prefer: wait, and long listings
	idleTimeout   = 2 * time.Minute
	maxHeader     = 64 << 10
	drainTimeout  = 20 * time.Second
)

// Run serves on l until ctx ends, then takes no more requests, finishes those at hand, lets correlate catch up (for
// at most 20 s; what is left is on disk and goes on at the next start) and returns nil. Ready is called when requests
// are answered.
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

// drainSessions ends service in order.
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

// Handler is every route of the server.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /api/ingest/{route}", s.Ingest)
	mux.Handle("/api/ingest/{route}", s.Ingest) // it says which methods it takes
	mux.Handle("GET /metrics", s.Metrics)
	mux.Handle("/", s.API)
	// A web page someone visits must not be able to post to their loopback.
	return s.measureRequests(http.NewCrossOriginProtection().Handler(mux), mux)
}

// measureRequests times every request under the pattern that serves it.
func (s *Server) measureRequests(next http.Handler, mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		rec := &statusRecorder{ResponseWriter: w, code: http.StatusOK}
		ctx := telemetry.With(r.Context(), slog.String("method", r.Method), slog.String("path", r.URL.Path))
		next.ServeHTTP(rec, r.WithContext(ctx))
		if s.Meter != nil {
			_, pattern := mux.Handler(r)
			s.Meter.Request(pattern, r.Method, rec.code, time.Since(start))
		}
	})
}

// statusRecorder remembers the status of an answer.
type statusRecorder struct {
	http.ResponseWriter
	code int
}

func (r *statusRecorder) WriteHeader(code int) {
	r.code = code
	r.ResponseWriter.WriteHeader(code)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
