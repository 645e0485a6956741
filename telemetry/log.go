package telemetry

import (
	"context"
	"log/slog"
)

// logged adds the trace of a line's context to the line.
type logged struct{ slog.Handler }

// TraceLines adds the trace that a line belongs to, so that from a span the lines can be
// found, and from a line the span.
func TraceLines(next slog.Handler) slog.Handler { return logged{next} }

// Handle writes a line.
func (l logged) Handle(ctx context.Context, r slog.Record) error {
	if id := TraceID(ctx); id != "" {
		r = r.Clone()
		r.AddAttrs(slog.String("trace_id", id))
	}
	return l.Handler.Handle(ctx, r)
}

// WithAttrs gives the handler with attributes.
func (l logged) WithAttrs(attrs []slog.Attr) slog.Handler { return logged{l.Handler.WithAttrs(attrs)} }

// WithGroup gives the handler with a group.
func (l logged) WithGroup(name string) slog.Handler { return logged{l.Handler.WithGroup(name)} }
