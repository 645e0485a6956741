package webhook_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/internal/fault"
	"mianti/internal/jobs"
	"mianti/internal/webhook"
)

// endpoints knows the endpoint of one system.
type endpoints struct {
	one      *webhook.Endpoint
	err      error
	disabled chan string // reasons
}

func (e endpoints) Endpoint(_ context.Context, system string) (webhook.Endpoint, error) {
	if e.err != nil {
		return webhook.Endpoint{}, e.err
	}
	if e.one == nil || e.one.System != system {
		return webhook.Endpoint{}, fault.New(fault.NotFound, "unknown-webhook-endpoint", "没有")
	}
	return *e.one, nil
}

func (e endpoints) DisableEndpoint(_ context.Context, system, reason string) error {
	e.disabled <- system + ": " + reason
	return nil
}

// ending is how a job ended: done, or given back.
type ending struct {
	Done   bool
	At     time.Time // zero with neither: given up
	Reason string
}

// single is a backlog of one job.
type single struct {
	job   chan jobs.Job
	ended chan ending
}

func (s single) Claim(context.Context, string, []string, int, time.Duration) ([]jobs.Job, error) {
	select {
	case job := <-s.job:
		return []jobs.Job{job}, nil
	default:
		return nil, nil
	}
}

func (s single) Extend(context.Context, string, jobs.Job, time.Duration) (bool, error) {
	return true, nil
}

func (s single) Finish(context.Context, string, jobs.Job) (bool, error) {
	s.ended <- ending{Done: true}
	return true, nil
}

func (s single) Retry(_ context.Context, _ string, _ jobs.Job, at time.Time, reason string) error {
	s.ended <- ending{At: at, Reason: reason}
	return nil
}

// deliver runs one job through a runner.
func deliver(t *testing.T, e endpoints, attempts int, payload string) ending {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	queue := single{job: make(chan jobs.Job, 1), ended: make(chan ending, 1)}
	queue.job <- jobs.Job{ID: "1", Kind: "event", Payload: payload, Attempts: attempts}
	runner, err := jobs.New(jobs.Config{
		Queue: queue, Owner: "a", Now: clock, Log: log,
		Handlers: map[string]jobs.Handler{"event": webhook.Deliver(e, newSender(t, nil), log)},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- runner.Run(ctx) }()
	got := <-queue.ended
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	return got
}

const event = `{"system":"spj-1","id":"r1-2","type":"resolution.updated","at":"2026-11-24T00:30:00Z","data":{"version":2}}`

func TestDeliver_SendsTheEventUnderItsOwnID(t *testing.T) {
	t.Parallel()
	ids := make(chan string, 2)
	var status atomic.Int32
	status.Store(http.StatusInternalServerError)
	to := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		ids <- r.Header.Get("webhook-id")
		w.WriteHeader(int(status.Load()))
	})
	e := endpoints{one: &to}
	if got := deliver(t, e, 1, event); got.Done {
		t.Error("it counts as delivered")
	}
	status.Store(http.StatusNoContent)
	if got := deliver(t, e, 2, event); !got.Done {
		t.Errorf("ended %+v, want done", got)
	}
	if a, b := <-ids, <-ids; a != "r1-2" || b != "r1-2" {
		t.Errorf("ids %s and %s", a, b)
	}
}

func TestDeliver_TellsNobodyWithoutAnEndpoint(t *testing.T) {
	t.Parallel()
	var visits atomic.Int32
	off := receiver(t, func(http.ResponseWriter, *http.Request) { visits.Add(1) })
	off.Disabled = true
	for name, e := range map[string]endpoints{"none": {}, "disabled": {one: &off}} {
		if got := deliver(t, e, 1, event); !got.Done {
			t.Errorf("%s: ended %+v, want done", name, got)
		}
	}
	if visits.Load() > 0 {
		t.Error("a disabled endpoint was told")
	}
}

func TestDeliver_DisablesAnEndpointThatIsGone(t *testing.T) {
	t.Parallel()
	to := receiver(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) })
	e := endpoints{one: &to, disabled: make(chan string, 1)}
	if got := deliver(t, e, 1, event); !got.Done {
		t.Errorf("ended %+v, want done", got)
	}
	if reason := <-e.disabled; !strings.HasPrefix(reason, "spj-1: 接收方答复 410") {
		t.Errorf("disabled %q", reason)
	}
}

func TestDeliver_TriesAgainWhenTheEndpointSaysButNotSoonerThanUsual(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, retryAfter string
		attempts         int // before
		first, last      time.Duration
	}{
		{"it does not say", "", 0, 4 * time.Second, 5 * time.Second},
		{"later", "600", 0, 10 * time.Minute, 10 * time.Minute},
		{"sooner", "1", 4, 64 * time.Second, 80 * time.Second}, // the fifth attempt: 5 s · 2⁴
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			to := receiver(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", c.retryAfter)
				w.WriteHeader(http.StatusServiceUnavailable)
			})
			got := deliver(t, endpoints{one: &to}, c.attempts+1, event)
			if wait := got.At.Sub(now); wait < c.first || wait > c.last {
				t.Errorf("tried again after %v, want %v to %v", wait, c.first, c.last)
			}
			if want := "the message was not delivered: the endpoint answered 503"; got.Reason != want {
				t.Errorf("reason %q", got.Reason)
			}
		})
	}
}

func TestDeliver_GivesUpWhatIsNoEvent(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{"", "{}", `{"system":"spj-1"}`, `{"id":"1"}`, `{"system":"李四`} {
		want := ending{Reason: "the payload is no event"}
		if diff := cmp.Diff(want, deliver(t, endpoints{}, 1, payload)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", payload, diff)
		}
	}
}

func TestDeliver_TriesAgainWhenTheEndpointsAreAway(t *testing.T) {
	t.Parallel()
	got := deliver(t, endpoints{err: errors.New("the database is away")}, 1, event)
	if got.Done || got.At.IsZero() {
		t.Errorf("ended %+v, want another try", got)
	}
}
