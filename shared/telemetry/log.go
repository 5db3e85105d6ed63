// Package telemetry is how Onepane can be watched: log lines that carry tenant and event (logs), Prometheus metrics of
// each stage, traces from delivery to store.
package telemetry

import (
	"context"
	"io"
	"log/slog"

	"go.opentelemetry.io/otel/trace"

	"github.com/onepane/onepane/shared/telemetry/logs"
)

// With is logs.With, for those who are here already.
func With(ctx context.Context, as ...slog.Attr) context.Context { return logs.With(ctx, as...) }

// NewLog is logs.New with the trace of the context's span.
func NewLog(w io.Writer, level slog.Level, json bool) *slog.Logger {
	return logs.New(w, level, json, traceAttrs)
}

func traceAttrs(ctx context.Context) []slog.Attr {
	if sc := trace.SpanContextFromContext(ctx); sc.IsValid() {
		return []slog.Attr{slog.String("trace", sc.TraceID().String())}
	}
	return nil
}
