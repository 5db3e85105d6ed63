package ingest

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"github.com/onepane/onepane/shared/telemetry/logs"
)

// Tracer makes a span of each delivery; telemetry.Deliveries is one. It is an interface because a tracing library is
// a tenth of a cold start: the functions beside their sources leave traces to their platform.
type Tracer interface {
	// Start begins the span. traceparent is the sender's trace (W3C Trace Context), or empty; the one returned is
	// what the delivery's events carry on.
	Start(ctx context.Context, route, traceparent string, bytes int) (_ context.Context, carried string, end func())
}

// startSpan continues the sender's trace, or starts one, and makes d's events carry it on to correlate.
func (f *Function) startSpan(ctx context.Context, d *Delivery) (_ context.Context, end func()) {
	if f.Tracer != nil {
		ctx, d.Trace, end = f.Tracer.Start(ctx, f.Route, d.Trace, len(d.Body))
		return ctx, end
	}
	if d.Trace = carriedTrace(d.Trace); d.Trace != "" {
		ctx = logs.With(ctx, slog.String("trace", d.Trace[3:35]))
	}
	return ctx, func() {}
}

const (
	traceLength = len("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	noTrace     = "00000000000000000000000000000000"
	noSpan      = "0000000000000000"
)

// carriedTrace is the traceparent that events carry on: of version 00, and "" when the sender's is malformed (W3C
// Trace Context, section 3.2). Of a later version the known part is kept.
func carriedTrace(traceparent string) string {
	if len(traceparent) < traceLength || strings.Trim(traceparent[:traceLength], "0123456789abcdef-") != "" {
		return ""
	}
	part := strings.Split(traceparent[:traceLength], "-")
	if len(part) != 4 || len(part[0]) != 2 || len(part[1]) != 32 || len(part[2]) != 16 || part[1] == noTrace || part[2] == noSpan {
		return ""
	}
	if rest := traceparent[traceLength:]; part[0] == "ff" || rest != "" && (part[0] == "00" || rest[0] != '-') {
		return ""
	}
	flags, err := strconv.ParseUint(part[3], 16, 8)
	if err != nil || part[0] == "00" && flags > 3 {
		return ""
	}
	return fmt.Sprintf("00-%s-%s-%02x", part[1], part[2], flags&3) // sampled, random; later versions may have more
}
