package exchange

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"mianti/internal/jobs"
)

// JobEvent is the kind of job that tells a system something.
const JobEvent = "event"

// Event (通知) is what a system is told by webhook. It holds no personal data: a
// system that wants to know more asks, with its own token.
type Event struct {
	System string         `json:"system"`
	ID     string         `json:"id"` // the same for every try
	Type   string         `json:"type"`
	At     time.Time      `json:"at"`
	Data   map[string]any `json:"data"`
}

// The types of events; those of assist tasks are assist.opened, assist.reminder
// and assist.overdue.
const EventResolutionUpdated = "resolution.updated"

func (e Event) job() (jobs.Job, error) {
	payload, err := json.Marshal(e)
	if err != nil {
		return jobs.Job{}, fmt.Errorf("encode an event: %w", err)
	}
	return jobs.Job{Kind: JobEvent, Key: e.ID + ":" + e.System, Payload: string(payload), RunAt: e.At}, nil
}

// Tell lets every system of a department know what other use cases have to say.
// The id makes a repetition the same event; data holds no personal data.
func (x *Exchange) Tell(ctx context.Context, department, kind, id string, data map[string]any) error {
	return x.tell(ctx, department, kind, id, data)
}

// tell lets every system of a department know. The id makes a repetition the
// same event.
func (x *Exchange) tell(ctx context.Context, department, kind, id string, data map[string]any) error {
	systems, err := x.Systems.SystemsOf(ctx, department)
	if err != nil {
		return fmt.Errorf("tell a department: %w", err)
	}
	var all []jobs.Job
	for _, system := range systems {
		job, err := Event{System: system, ID: id, Type: kind, At: x.Now().UTC(), Data: data}.job()
		if err != nil {
			return err
		}
		all = append(all, job)
	}
	if len(all) == 0 {
		return nil
	}
	if err := x.Queue.Enqueue(ctx, all...); err != nil {
		return fmt.Errorf("tell a department: %w", err)
	}
	return nil
}
