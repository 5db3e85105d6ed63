package ingest

import (
	"context"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// span continues the sender's trace, or starts one, and makes d's events carry it on to correlate.
func (f *Function) span(ctx context.Context, d *Delivery) (context.Context, trace.Span) {
	if d.Trace != "" {
		ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": d.Trace})
	}
	ctx, span := otel.Tracer("github.com/onepane/onepane/functions/ingest").Start(ctx, "ingest "+f.Route,
		trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(attribute.Int("bytes", len(d.Body))))
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	d.Trace = carrier["traceparent"]
	return ctx, span
}
