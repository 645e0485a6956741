package api

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"mianti/internal/fault"
)

// Part (部件) is what has to work for a node to take requests.
type Part struct {
	Name  string `json:"name"`
	Ready bool   `json:"ready"`
	// Reason is a code of ours; the text of an error could name what is nobody's business.
	Reason string `json:"reason,omitempty"`
}

// PartOf says whether a part works, by what using it came to.
func PartOf(name string, err error) Part {
	p := Part{Name: name, Ready: err == nil}
	if err == nil {
		return p
	}
	p.Reason = "internal"
	if f := fault.As(err); f != nil {
		p.Reason = f.Code
	}
	return p
}

// readyFor is how long it is believed that a node is ready, or not: asking costs a few
// statements, and anybody may ask.
const (
	readyFor     = time.Second
	readyTimeout = 2 * time.Second
)

// readiness is what was found last.
type readiness struct {
	mu    sync.Mutex // held while it is looked at: one looks, the others wait for it
	taken time.Time
	parts []Part
}

// readyBody is the answer of /readyz.
type readyBody struct {
	Ready bool   `json:"ready"`
	Parts []Part `json:"parts"`
}

// answerReady says whether requests can be served, and what stands against it.
func (s *server) answerReady(c *gin.Context) {
	body := readyBody{Ready: true, Parts: s.look(c.Request.Context())}
	status := http.StatusOK
	for _, p := range body.Parts {
		if !p.Ready {
			body.Ready, status = false, http.StatusServiceUnavailable
		}
	}
	c.JSON(status, body)
}

// look gives how the parts are, as of the last second. That the server is about to end
// is said at once.
func (s *server) look(ctx context.Context) []Part {
	s.ready.mu.Lock()
	defer s.ready.mu.Unlock()
	now := s.Now()
	if age := now.Sub(s.ready.taken); s.ready.parts == nil || age < 0 || age >= readyFor {
		// Whoever asked may be gone before it is known; the next one wants to know too.
		ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), readyTimeout)
		defer stop()
		s.ready.parts = s.parts(ctx)
		s.ready.taken = s.Now()
	}
	select {
	case <-s.Draining:
		return append(s.ready.parts[:len(s.ready.parts):len(s.ready.parts)], Part{Name: "serving", Reason: "draining"})
	default:
		return s.ready.parts
	}
}

func (s *server) parts(ctx context.Context) []Part {
	if s.Ready != nil {
		return s.Ready(ctx)
	}
	_, err := s.Catalogs.Current(ctx)
	if errors.Is(err, fault.NotFound) {
		err = fault.New(fault.Unavailable, "no-catalog", "还没有发布目录。").Because(err)
	}
	return []Part{PartOf("catalog", err)}
}
