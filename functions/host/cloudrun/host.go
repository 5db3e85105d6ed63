// Package cloudrun feeds functions from Cloud Run's requests: Pub/Sub pushes and CloudEvents, whose sender it verifies,
// and plain HTTP. It reads no finding: the function's envelope does.
//
//	POST / ─ Google-signed token? ─▶ one delivery ─▶ Ingest ─ durable or in quarantine ─▶ 204: acknowledged
//	             │ no: 401                              └─ any other error ─────────────▶ 503: pushed again,
//	/api/ingest/… ─▶ HTTP                                                                     then dead-lettered
package cloudrun

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/onepane/onepane/functions/host/attempt"
)

// Service is one Cloud Run service. Serve runs it.
type Service struct {
	Ingest attempt.Ingest // pushes
	// Verify returns nil for a bearer token of the push subscription; an error is answered with 401. See Sender.
	Verify func(ctx context.Context, token string) error
	HTTP   http.Handler // all other requests, which it authenticates itself; nil answers 404
	// Limit is how long a push or request may take; 50 s when zero. It must be less than the subscription's
	// acknowledgement deadline, after which Pub/Sub pushes again.
	Limit time.Duration
	Log   *slog.Logger
	Now   func() time.Time
}

const defaultLimit = 50 * time.Second

// Handler serves every route of the service.
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
