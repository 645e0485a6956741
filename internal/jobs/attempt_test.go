package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/internal/jobs"
)

func TestRun_DoesAsTheHandlerSays(t *testing.T) {
	t.Parallel()
	no := errors.New("no")
	for _, c := range []struct {
		name     string
		attempts int // before
		err      func() error
		want     returned
	}{
		{"never", 0, func() error { return jobs.Never(no) }, returned{Job: "1", Never: true, Reason: "no"}},
		{"never, wrapped", 0, func() error { return fmt.Errorf("deliver: %w", jobs.Never(no)) }, returned{Job: "1", Never: true, Reason: "deliver: no"}},
		{"later", 0, func() error { return jobs.RetryAt(time.Now().Add(90*time.Minute), no) }, returned{Job: "1", After: 90 * time.Minute, Reason: "no"}},
		{"in the past", 0, func() error { return jobs.RetryAt(time.Now().Add(-time.Hour), no) }, returned{Job: "1", After: time.Second, Reason: "no"}},
		{"the last attempt", 19, func() error { return no }, returned{Job: "1", Never: true, Reason: "no"}},
		{"the last attempt, later", 19, func() error { return jobs.RetryAt(time.Now().Add(time.Hour), no) }, returned{Job: "1", Never: true, Reason: "no"}},
		{"without a reason", 0, func() error { return jobs.Never(nil) }, returned{Job: "1", Never: true, Reason: "the handler gave no reason"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				before := job("1")
				before.Attempts = c.attempts
				m := newMemory(t, before)
				r := start(t, m, func(context.Context, jobs.Job) error { return c.err() }, nil)
				synctest.Wait()
				r.stop()
				_, back := m.seen()
				if diff := cmp.Diff([]returned{c.want}, back); diff != "" {
					t.Errorf("given back (-want +got):\n%s", diff)
				}
				if gaveUp := strings.Contains(r.log.String(), "given up"); gaveUp != c.want.Never {
					t.Errorf("log says that it was given up: %v, want %v", gaveUp, c.want.Never)
				}
			})
		})
	}
}

// A job that ends its process never gets to say so.
func TestRun_GivesUpAJobWhoseAttemptsAllVanished(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		before := job("1")
		before.Attempts = 20
		m := newMemory(t, before)
		r := start(t, m, func(context.Context, jobs.Job) error { t.Error("it ran"); return nil }, nil)
		synctest.Wait()
		r.stop()
		if _, back := m.seen(); len(back) != 1 || !back[0].Never {
			t.Errorf("given back %v, want never", back)
		}
	})
}

func TestRun_SurvivesAPanicAndKeepsItsValueToItself(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		panics func()
		want   string
	}{
		{"a text", func() { panic("张三 370199198805163323") }, "the handler panicked: string"},
		{"a fault of the program", func() { var none []int; _ = none[len(none)] }, "the handler panicked: runtime error: index out of range [0] with length 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := newMemory(t, job("bad"), job("good"))
				r := start(t, m, func(_ context.Context, j jobs.Job) error {
					if j.ID == "bad" {
						c.panics()
					}
					return nil
				}, nil)
				synctest.Wait()
				r.stop()
				finished, back := m.seen()
				if len(back) != 1 || back[0].Reason != c.want || len(finished) != 1 {
					t.Errorf("finished %v, given back %v, want the reason %q", finished, back, c.want)
				}
				if text := r.log.String(); strings.Contains(text, "370199") || !strings.Contains(text, "attempt_test.go") {
					t.Errorf("the log holds the value, or not the place:\n%s", text)
				}
			})
		})
	}
}

func TestRun_KeepsTheLeaseWhileTheHandlerRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, job("1"))
		runs := 0
		r := start(t, m, func(context.Context, jobs.Job) error {
			runs++
			time.Sleep(100 * time.Second) // of the bubble's clock; the lease is 30 s
			return nil
		}, nil)
		for range 99 {
			time.Sleep(time.Second)
			if taken, err := m.Claim(t.Context(), "b", []string{kind}, 1, time.Minute); err != nil || len(taken) > 0 {
				t.Fatalf("another took %v, %v", taken, err)
			}
		}
		time.Sleep(2 * time.Second)
		r.stop()
		if finished, _ := m.seen(); len(finished) != 1 || runs != 1 {
			t.Errorf("finished %v after %d runs, want one", finished, runs)
		}
	})
}

func TestRun_EndsAnAttemptThatLostItsLease(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		lose  func(m *memory)
		after time.Duration // at most
	}{
		{"taken by another", func(m *memory) { m.steal("1") }, 10 * time.Second},
		{"run out while the queue was away", func(m *memory) { m.setAway(true) }, 30 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := newMemory(t, job("1"))
				ended := make(chan time.Duration, 1)
				r := start(t, m, func(ctx context.Context, _ jobs.Job) error {
					c.lose(m)
					from := time.Now()
					<-ctx.Done()
					ended <- time.Since(from)
					return ctx.Err()
				}, nil)
				if got := <-ended; got > c.after {
					t.Errorf("ended after %v, want %v at most", got, c.after)
				}
				synctest.Wait()
				m.setAway(false)
				r.stop()
				if finished, back := m.seen(); len(finished)+len(back) > 0 {
					t.Errorf("finished %v, gave back %v what was another's", finished, back)
				}
				if !strings.Contains(r.log.String(), "lease was lost") {
					t.Error("the log does not say so")
				}
			})
		})
	}
}

func TestRun_KeepsTheLeaseOverAShortAbsenceOfTheQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, job("1"))
		r := start(t, m, func(ctx context.Context, _ jobs.Job) error {
			m.setAway(true)
			time.Sleep(15 * time.Second) // one of two extensions fails
			m.setAway(false)
			time.Sleep(30 * time.Second)
			return ctx.Err()
		}, nil)
		time.Sleep(46 * time.Second)
		r.stop()
		if finished, back := m.seen(); len(finished) != 1 || len(back) > 0 {
			t.Errorf("finished %v, gave back %v", finished, back)
		}
		if got := strings.Count(r.log.String(), "background jobs cannot be read"); got != 1 {
			t.Errorf("logged the absence %d times, want once", got)
		}
	})
}

func TestRun_EndsAnAttemptThatTakesTooLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, job("1"))
		r := start(t, m, func(ctx context.Context, _ jobs.Job) error { <-ctx.Done(); return ctx.Err() }, nil)
		time.Sleep(5*time.Minute + time.Second)
		synctest.Wait()
		_, back := m.seen()
		r.stop()
		if len(back) != 1 || back[0].Never || back[0].Reason != "the attempt took too long: context canceled" {
			t.Errorf("given back %+v, want once, for taking too long", back)
		}
	})
}
