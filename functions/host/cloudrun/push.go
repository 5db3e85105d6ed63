package cloudrun

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/onepane/onepane/functions/host/attempt"
	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/telemetry/logs"
)

// maxPush is the largest push, in bytes: a message has at most 10 MB, a third more in base64; Cloud Run takes 32 MB.
const maxPush = 32 << 20

// takePush takes one Pub/Sub push or CloudEvent. Any status but 2xx makes Pub/Sub push it again.
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

// deliverPush hands one delivery to the function. nil means that Pub/Sub may forget it.
func (s *Service) deliverPush(ctx context.Context, r *http.Request, body []byte) error {
	d := ingest.Delivery{Body: body, Headers: deliveryHeaders(r.Header), Received: s.Now(), Trace: r.Header.Get("Traceparent")}
	return attempt.Deliver(ctx, s.Log, s.Ingest, d)
}

// answerFailure logs an error and answers with its status: the push comes again.
func (s *Service) answerFailure(ctx context.Context, w http.ResponseWriter, status int, err error) {
	s.Log.WarnContext(ctx, "not taken", "status", status, "kind", fault.Of(err).String(), "reason", err)
	w.WriteHeader(status)
}

// deliveryHeaders returns the headers that say what the body is, their names in lower case.
func deliveryHeaders(h http.Header) map[string]string {
	out := map[string]string{}
	for name, values := range h {
		if n := strings.ToLower(name); n == "content-type" || strings.HasPrefix(n, "ce-") || strings.HasPrefix(n, "x-goog-pubsub-") {
			out[n] = values[0]
		}
	}
	return out
}
