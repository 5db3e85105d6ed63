package ingest

import (
	"context"
	"testing"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

const (
	ids    = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"
	parent = "00-" + ids + "-01"
)

func TestTracesAreCarriedOn(t *testing.T) {
	for from, want := range map[string]string{
		parent: parent, "00-" + ids + "-00": "00-" + ids + "-00", "": "", "00": "", "zz-" + ids + "-01": "", "00-" + ids + "-0": "", parent + "-": "",
		parent + "-more": "", "ff-" + ids + "-01": "", "01-" + ids + "-01": parent, "01-" + ids + "-01-more": parent, "01-" + ids + "-01more": "",
		"01-" + ids + "-ff": "00-" + ids + "-03", "00-" + ids + "-04": "",
		"00-" + noTrace + "-b7ad6b7169203331-01":                  "",
		"00-0af7651916cd43dd8448eb211c80319c-" + noSpan + "-01":   "",
		"00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01": "",
		"00-0af7651916cd43dd8448eb211c80319-cb7ad6b7169203331-01": "",
		"00-0af7651916cd43dd8448eb211c80319cé7ad6b7169203331-01":  "",
	} {
		if got := carriedTrace(from); got != want {
			t.Errorf("%q becomes %q, want %q", from, got, want)
		}
	}
}

// What is carried on is what OpenTelemetry reads; it is more lenient.
func FuzzCarried(f *testing.F) {
	f.Add(parent)
	f.Add("01-" + ids + "-03-more")
	f.Fuzz(func(t *testing.T, from string) {
		sc := func(traceparent string) trace.SpanContext {
			return trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier{"traceparent": traceparent}))
		}
		theirs, ours := sc(from), sc(carriedTrace(from))
		if carriedTrace(from) != "" && !ours.IsValid() {
			t.Errorf("%q: OpenTelemetry does not read %q", from, carriedTrace(from))
		}
		if !ours.IsValid() {
			return
		}
		if theirs.TraceID() != ours.TraceID() || theirs.SpanID() != ours.SpanID() || theirs.TraceFlags() != ours.TraceFlags() {
			t.Errorf("%q: OpenTelemetry reads %v, and %v of what is carried on", from, theirs, ours)
		}
	})
}
