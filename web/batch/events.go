package batch

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"mianti/admission"
	"mianti/batch"
	"mianti/internal/fault"
	"mianti/policies"
	"mianti/web/frame"
)

// A stream looks at the batch now and then, and ends after a while: a browser that
// still wants it asks again.
const (
	lookEvery  = 2 * time.Second
	streamLife = 10 * time.Minute
)

// events is a stream that says when there is something new to see of a batch, never
// what.
func (s *section) events(v *frame.Visit) (frame.Answer, error) {
	b, err := s.Lists.Batch(v.Context(), v.Caller, v.Param("id"))
	if err != nil {
		return frame.Answer{}, err
	}
	select {
	case s.streams <- struct{}{}:
	default:
		return frame.Answer{}, fault.New(fault.Unavailable, "unavailable", "同时打开的进度页过多，请稍后刷新。")
	}
	return frame.Streamed(func(w http.ResponseWriter) {
		defer func() { <-s.streams }()
		admission.From(v.Context()).Done() // streams have a bound of their own
		ctx, stop := context.WithTimeout(v.Context(), streamLife)
		defer stop()
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("X-Accel-Buffering", "no")
		s.follow(ctx, w, v.Caller, b)
	}), nil
}

// follow writes an event for each change until the batch stands still, the reader
// goes, or the server is about to end.
func (s *section) follow(ctx context.Context, w http.ResponseWriter, by policies.Caller, b *batch.Batch) {
	out := http.NewResponseController(w)
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for last := -1; ; {
		if now := seen(b); now != last {
			last = now
			if _, err := fmt.Fprintf(w, "event: version\nid: %d\ndata: {}\n\n", now); err != nil {
				return // the reader has gone
			}
		}
		if b.State != batch.Running {
			// The reader may have gone by now; then nobody misses it.
			_, _ = fmt.Fprint(w, "event: end\ndata: {}\n\n")
			_ = out.Flush()
			return
		}
		if out.Flush() != nil || out.SetWriteDeadline(time.Time{}) != nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-s.Draining:
			return
		case <-tick.C:
		}
		next, err := s.Lists.Batch(ctx, by, b.ID)
		if err != nil {
			return
		}
		b = next
	}
}
