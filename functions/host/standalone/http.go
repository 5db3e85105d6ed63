package standalone

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/onepane/onepane/shared/telemetry"
)

// Handler serves every route of the server.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /api/ingest/{route}", s.Ingest)
	mux.Handle("/api/ingest/{route}", s.Ingest) // answers which methods it takes
	mux.Handle("GET /metrics", s.Metrics)
	mux.Handle("/", s.API)
	// A web page someone visits must not be able to post to their loopback.
	return s.measureRequests(http.NewCrossOriginProtection().Handler(mux), mux)
}

// measureRequests times every request under the pattern of mux that serves it.
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

// statusRecorder keeps the status of an answer.
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
