package telemetry

import (
	"context"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Deliveries makes a span of each delivery: the Tracer of ingest.
type Deliveries struct{}

// Start begins the span of a delivery of so many bytes, in the trace of traceparent or a new one. carried is the
// traceparent for its events; end ends the span.
func (Deliveries) Start(ctx context.Context, route, traceparent string, bytes int) (_ context.Context, carried string, end func()) {
	if traceparent != "" {
		ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": traceparent})
	}
	ctx, span := otel.Tracer("github.com/onepane/onepane/functions/ingest").Start(ctx, "ingest "+route,
		trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(attribute.Int("bytes", bytes)))
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return ctx, carrier["traceparent"], func() { span.End() }
}
