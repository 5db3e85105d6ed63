// Package cloudrun feeds functions what Cloud Run is called with: Pub/Sub pushes and CloudEvents, whose sender it
// verifies, and plain requests. It opens no finding.
//
//	POST / ─ Google-signed token? ─▶ one delivery ─▶ Ingest ─ durable or quarantined ─▶ 204: acknowledged
//	             │ no: 401                              └─ passing trouble ───────────▶ 503: pushed again, then dead-lettered
//	/api/ingest/… ─▶ HTTP
package cloudrun

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/onepane/onepane/functions/host/attempt"
	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/telemetry/logs"
)

// Ingest takes one delivery: *ingest.Function. What it refuses for good it has set aside.
type Ingest interface {
	Handle(ctx context.Context, d ingest.Delivery) (ingest.Receipt, error)
}

// Service is one Cloud Run service.
type Service struct {
	Ingest Ingest
	// Verify says whether a bearer token is the push subscription's; an error is answered with 401. See Sender.
	Verify func(ctx context.Context, token string) error
	HTTP   http.Handler // all other requests, which it authenticates itself; nil refuses them
	// Limit is how long a push or request may take: less than the subscription's acknowledgement deadline, after which Pub/Sub
	// pushes again. 50 s when zero.
	Limit time.Duration
	Log   *slog.Logger
	Now   func() time.Time
}

const (
	defaultLimit = 50 * time.Second
	// maxPush bounds a push: a message has at most 10 MB, a third more in base64; Cloud Run itself takes 32 MB.
	maxPush = 32 << 20
	// drainTimeout is how long requests at hand may take after SIGTERM; Cloud Run kills after 10 s.
	drainTimeout  = 8 * time.Second
	headerTimeout = 10 * time.Second
	maxHeader     = 64 << 10
)

// Serve answers on PORT, of all addresses or of ONEPANE_BIND alone, until ctx ends or SIGTERM or an interrupt comes, then
// finishes the requests at hand and returns nil.
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
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM) // not before: it is a thirtieth of a cold start
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

// Handler is every route of the service.
func (s *Service) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{$}", s.takePush)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }) // start-up probe
	if s.HTTP != nil {
		mux.Handle("/", s.HTTP)
	}
	return attempt.Guard(s.Log, s.timeLimit(), mux)
}

func (s *Service) timeLimit() time.Duration {
	if s.Limit == 0 {
		return defaultLimit
	}
	return s.Limit
}

// takePush takes one Pub/Sub push or CloudEvent. Any answer but 2xx makes Pub/Sub push it again.
func (s *Service) takePush(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), s.timeLimit())
	defer cancel()
	if id := r.Header.Get("Ce-Id"); id != "" {
		ctx = logs.With(ctx, slog.String("event", id))
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		s.answerFailure(ctx, w, http.StatusUnauthorized, errors.New("no bearer token"))
		return
	}
	if err := s.Verify(ctx, token); err != nil {
		s.answerFailure(ctx, w, http.StatusUnauthorized, err)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPush))
	var large *http.MaxBytesError
	if errors.As(err, &large) { // the subscription's dead-letter topic keeps it
		s.answerFailure(ctx, w, http.StatusRequestEntityTooLarge, err)
		return
	}
	if err != nil {
		s.answerFailure(ctx, w, http.StatusBadRequest, err)
		return
	}
	if err := s.deliverPush(ctx, r, body); err != nil {
		s.answerFailure(ctx, w, http.StatusServiceUnavailable, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// deliverPush hands one delivery to the function; nil means that it is durable, here or in quarantine.
func (s *Service) deliverPush(ctx context.Context, r *http.Request, body []byte) error {
	d := ingest.Delivery{Body: body, Headers: deliveryHeaders(r.Header), Received: s.Now(), Trace: r.Header.Get("Traceparent")}
	err := attempt.Run(ctx, s.Log, func(ctx context.Context) error {
		_, err := s.Ingest.Handle(ctx, d)
		return err
	})
	if attempt.IsSettled(err) {
		return nil
	}
	return err
}

func (s *Service) answerFailure(ctx context.Context, w http.ResponseWriter, status int, err error) {
	s.Log.WarnContext(ctx, "not taken", "status", status, "kind", fault.Of(err).String(), "reason", err)
	w.WriteHeader(status)
}

// deliveryHeaders keeps those that say what the body is.
func deliveryHeaders(h http.Header) map[string]string {
	out := map[string]string{}
	for name, values := range h {
		if n := strings.ToLower(name); n == "content-type" || strings.HasPrefix(n, "ce-") || strings.HasPrefix(n, "x-goog-pubsub-") {
			out[n] = values[0]
		}
	}
	return out
}
