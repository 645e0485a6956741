package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"mianti/internal/fault"
	"mianti/internal/jobs"
)

// Event is the payload of a delivery's job.
type Event struct {
	System string          `json:"system"`
	ID     string          `json:"id"`
	Type   string          `json:"type"`
	At     time.Time       `json:"at"`
	Data   json.RawMessage `json:"data"`
}

// Deliver makes the handler of the jobs whose payload is an Event. A system
// without an endpoint, or with one that is disabled, is not told.
func Deliver(endpoints Endpoints, sender *Sender, log *slog.Logger) jobs.Handler {
	return func(ctx context.Context, job jobs.Job) error {
		var event Event
		if err := json.Unmarshal([]byte(job.Payload), &event); err != nil || event.System == "" || event.ID == "" {
			return jobs.Never(errors.New("the payload is no event"))
		}
		endpoint, err := endpoints.Endpoint(ctx, event.System)
		if errors.Is(err, fault.NotFound) || err == nil && endpoint.Disabled {
			return nil
		}
		if err != nil {
			return fmt.Errorf("deliver an event: %w", err)
		}
		err = sender.Send(ctx, Message{Endpoint: endpoint, ID: event.ID, Type: event.Type, At: event.At, Data: event.Data})
		if !errors.Is(err, ErrGone) {
			return sender.onward(job, err)
		}
		log.LogAttrs(ctx, slog.LevelWarn, "an endpoint said that it is gone, and is disabled", slog.String("system", event.System))
		if err := endpoints.DisableEndpoint(ctx, event.System, reasonGone); err != nil {
			return fmt.Errorf("disable an endpoint: %w", err)
		}
		return nil
	}
}

// reasonGone is what the operator of the system reads.
const reasonGone = "接收方答复 410，表示不再接收通知；重新登记通知地址后恢复。"

// onward says when a message that was not delivered is tried again: when the
// endpoint says, but never sooner than after the usual wait.
func (s *Sender) onward(job jobs.Job, err error) error {
	var failure *Failure
	if !errors.As(err, &failure) || failure.RetryAt.Before(s.now().Add(jobs.Backoff(job.Attempts))) {
		return err
	}
	return jobs.RetryAt(failure.RetryAt, err)
}
