// Package logs writes log lines that carry tenant, event and trace. It is apart from telemetry for functions that start
// cold: they log, and leave metrics and traces, which would cost them 8 MB, to their platform.
package logs

import (
	"context"
	"io"
	"log/slog"
)

type attrs struct{}

// With returns a context whose attributes, as and those ctx has, are on every line that is logged with it.
func With(ctx context.Context, as ...slog.Attr) context.Context {
	have, _ := ctx.Value(attrs{}).([]slog.Attr)
	return context.WithValue(ctx, attrs{}, append(have[:len(have):len(have)], as...))
}

// New returns a logger that writes lines of at least the given level to w, as JSON or as text, with the context's
// attributes and those that the functions of more return for the context.
func New(w io.Writer, level slog.Level, json bool, more ...func(context.Context) []slog.Attr) *slog.Logger {
	o := &slog.HandlerOptions{Level: level}
	if json {
		return slog.New(handler{slog.NewJSONHandler(w, o), more})
	}
	return slog.New(handler{slog.NewTextHandler(w, o), more})
}

// handler adds the attributes of the context.
type handler struct {
	slog.Handler
	more []func(context.Context) []slog.Attr
}

func (h handler) Handle(ctx context.Context, r slog.Record) error {
	if as, ok := ctx.Value(attrs{}).([]slog.Attr); ok {
		r.AddAttrs(as...)
	}
	for _, find := range h.more {
		r.AddAttrs(find(ctx)...)
	}
	return h.Handler.Handle(ctx, r)
}

func (h handler) WithAttrs(as []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(as), h.more}
}
func (h handler) WithGroup(name string) slog.Handler {
	return handler{h.Handler.WithGroup(name), h.more}
}
