// Package telemetry lets operators watch Onepane: log lines that carry tenant and event (package logs), Prometheus
// metrics of each stage, traces from delivery to store.
//
//	ingest, correlate, host ─▶ Metrics ─▶ GET /metrics
//	delivery ─▶ Deliveries ─ traceparent in the event ─▶ correlate ─▶ StartTracing's endpoint, by OTLP
package telemetry

import (
	"context"
	"io"
	"log/slog"

	"go.opentelemetry.io/otel/trace"

	"github.com/onepane/onepane/shared/telemetry/logs"
)

// With is logs.With, for packages that import telemetry anyway.
func With(ctx context.Context, as ...slog.Attr) context.Context { return logs.With(ctx, as...) }

// NewLog is logs.New with the trace of the context's span.
func NewLog(w io.Writer, level slog.Level, json bool) *slog.Logger {
	return logs.New(w, level, json, traceAttrs)
}

// traceAttrs returns the id of the context's trace; nothing when it has none.
func traceAttrs(ctx context.Context) []slog.Attr {
	if sc := trace.SpanContextFromContext(ctx); sc.IsValid() {
		return []slog.Attr{slog.String("trace", sc.TraceID().String())}
	}
	return nil
}
