package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"mianti/admission"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/policies"
)

const (
	eventStream = "text/event-stream"
	// heartbeat keeps proxies from giving a quiet stream up.
	heartbeat = 15 * time.Second
	// longestStream ends a stream; the caller takes it up again with Last-Event-ID.
	longestStream = 5 * time.Minute
	// writeDeadline bounds one write to a caller that does not read.
	writeDeadline = 5 * time.Second
	// maxStreams is how many streams one process holds open: each looks into the
	// database now and then.
	maxStreams = 500
)

type eventsInput struct {
	CasePath
	LastEventID string `header:"Last-Event-ID" maxLength:"20" doc:"断线重连时, 上次收到的版次"`
}

// registerEvents adds the stream of a resolution's versions (server-sent
// events). An event tells that there is another version, and nothing of it.
func (s *server) registerEvents(tag string) {
	op := s.operation(http.MethodGet, resolutionsPath+"/{id}/events", "stream-resolution", "订阅核验进度", tag, 404, 422)
	op.Description = "server-sent events：每有新版发一个 version 事件，不再自动继续时发 end 事件后结束。事件不含当事人信息，内容请再读取。"
	schema := s.api.OpenAPI().Components.Schemas.Schema(typeOf[exchange.ResolutionState](), true, "ResolutionState")
	op.Responses["200"] = &huma.Response{
		Description: "事件流；每个事件的 data 如下", Content: map[string]*huma.MediaType{eventStream: {Schema: schema}},
	}
	handle(s, op, s.streamResolution)
}

func (s *server) streamResolution(ctx context.Context, in *eventsInput) (*huma.StreamResponse, error) {
	caller := callerOf(ctx)
	state, err := s.Exchange.ResolutionState(ctx, caller, in.ID)
	if err != nil {
		return nil, err
	}
	select {
	case s.streams <- struct{}{}:
	default:
		return nil, fault.New(fault.Unavailable, "unavailable", "订阅的人太多，请稍后再试，或改用轮询。")
	}
	seen, _ := strconv.Atoi(in.LastEventID) // one that is none has seen nothing
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer func() { <-s.streams }()
		admission.From(ctx).Done() // streams have a bound of their own
		c := humagin.Unwrap(hc)
		c.Header("Content-Type", eventStream)
		c.Header("X-Accel-Buffering", "no") // a proxy must not hold events back
		stream := &eventWriter{w: c.Writer, control: http.NewResponseController(c.Writer), now: s.Now}
		ctx, stop := context.WithTimeout(ctx, longestStream)
		defer stop()
		if s.Draining != nil {
			defer context.AfterFunc(s.drained(ctx), stop)()
		}
		s.stream(ctx, stream, caller, in.ID, state, seen)
	}}, nil
}

// drained is a context that ends when the server is being shut down.
func (s *server) drained(ctx context.Context) context.Context {
	draining, stop := context.WithCancel(ctx)
	go func() {
		defer stop()
		select {
		case <-s.Draining:
		case <-ctx.Done():
		}
	}()
	return draining
}

// stream writes an event for each version that has not been seen, until there
// will be no more.
func (s *server) stream(ctx context.Context, out *eventWriter, caller policies.Caller, id string, state exchange.ResolutionState, seen int) {
	for {
		if state.Version > seen {
			seen = state.Version
			if out.event("version", state) != nil {
				return
			}
		}
		if !state.Continues {
			_ = out.event("end", state) // the caller may have gone
			return
		}
		if ctx.Err() != nil {
			return
		}
		beat, stop := context.WithTimeout(ctx, heartbeat)
		next, err := s.Exchange.Await(beat, caller, id, seen)
		stop()
		if err != nil || out.comment() != nil {
			return
		}
		state = next
	}
}

// eventWriter writes server-sent events, each of which has to get out in time.
type eventWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	now     func() time.Time
}

func (e *eventWriter) event(kind string, state exchange.ResolutionState) error {
	data, err := json.Marshal(state)
	if err != nil {
		return fmt.Errorf("encode an event: %w", err)
	}
	return e.write(fmt.Sprintf("id: %d\nevent: %s\ndata: %s\n\n", state.Version, kind, data))
}

func (e *eventWriter) comment() error { return e.write(":\n\n") }

func (e *eventWriter) write(text string) error {
	// A recorder in a test knows no deadline.
	_ = e.control.SetWriteDeadline(e.now().Add(writeDeadline))
	if _, err := e.w.Write([]byte(text)); err != nil {
		return fmt.Errorf("write an event: %w", err)
	}
	return e.control.Flush()
}
