// Package logs writes log lines that carry tenant and event. It is apart from telemetry because a function that
// starts cold logs, and leaves metrics and traces, which cost 8 MB, to its platform.
package logs

import (
	"context"
	"io"
	"log/slog"

	"go.opentelemetry.io/otel/trace"
)

type attrs struct{}

// With adds attributes to every line that is logged with the returned context, besides those already there.
func With(ctx context.Context, as ...slog.Attr) context.Context {
	have, _ := ctx.Value(attrs{}).([]slog.Attr)
	return context.WithValue(ctx, attrs{}, append(have[:len(have):len(have)], as...))
}

// New writes lines of at least the given level to w, as JSON or as text, with the context's attributes and trace id.
func New(w io.Writer, level slog.Level, json bool) *slog.Logger {
	o := &slog.HandlerOptions{Level: level}
	if json {
		return slog.New(handler{slog.NewJSONHandler(w, o)})
	}
	return slog.New(handler{slog.NewTextHandler(w, o)})
}

// handler adds what the context knows.
type handler struct{ slog.Handler }

func (h handler) Handle(ctx context.Context, r slog.Record) error {
	if as, ok := ctx.Value(attrs{}).([]slog.Attr); ok {
		r.AddAttrs(as...)
	}
	if sc := trace.SpanContextFromContext(ctx); sc.IsValid() {
		r.AddAttrs(slog.String("trace", sc.TraceID().String()))
	}
	return h.Handler.Handle(ctx, r)
}

func (h handler) WithAttrs(as []slog.Attr) slog.Handler { return handler{h.Handler.WithAttrs(as)} }
func (h handler) WithGroup(name string) slog.Handler    { return handler{h.Handler.WithGroup(name)} }
