package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// errPanicked is a handler that panicked.
var errPanicked = errors.New("the handler panicked")

// work makes one attempt at a job that was claimed no earlier than since, and
// tells the queue how it ended.
func (r *Runner) work(ctx context.Context, job Job, since time.Time) {
	if job.Attempts > r.cfg.MaxAttempts {
		// The attempts before ended with their process.
		r.giveUp(ctx, job, errors.New("too many attempts ended without a result"))
		return
	}
	attempt, end := context.WithCancelCause(ctx)
	limit := time.AfterFunc(r.cfg.Timeout, func() { end(errTooLong) })
	var keeper sync.WaitGroup
	keeper.Go(func() { r.keepLease(attempt, job, since, end) })
	err := r.call(attempt, job)
	cause := context.Cause(attempt)
	limit.Stop()
	end(nil)
	keeper.Wait()
	if err != nil && cause != nil {
		// The handler's own error would only say that its context ended.
		err = fmt.Errorf("%w: %w", cause, err)
	}
	r.settle(ctx, job, err)
}

// call runs the handler. A panic is an error like any other: one bad job must
// not end the process, and with it all the others.
func (r *Runner) call(ctx context.Context, job Job) (err error) {
	defer func() {
		value := recover()
		if value == nil {
			return
		}
		// A runtime error names types and sizes; anything else may hold data.
		err = fmt.Errorf("%w: %T", errPanicked, value)
		if known, ok := value.(runtime.Error); ok {
			err = fmt.Errorf("%w: %w", errPanicked, known)
		}
		r.cfg.Log.LogAttrs(ctx, slog.LevelError, "a background job panicked",
			slog.String("kind", job.Kind), slog.String("job", job.ID), slog.Any("error", err), slog.String("stack", string(debug.Stack())))
	}()
	return r.cfg.Handlers[job.Kind](ctx, job)
}

// keepLease extends the lease until ctx ends. When the lease is lost, or has run
// out because the queue was away, it ends the attempt: somebody else may have
// begun one.
func (r *Runner) keepLease(ctx context.Context, job Job, since time.Time, end context.CancelCauseFunc) {
	tick := time.NewTicker(r.cfg.Lease / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		asked := r.cfg.Now()
		held, err := r.extend(ctx, job, r.cfg.Lease-asked.Sub(since))
		switch {
		case err == nil && held:
			since = asked
		case err == nil, r.cfg.Now().Sub(since) >= r.cfg.Lease:
			end(errLeaseLost)
			return
		}
	}
}

func (r *Runner) extend(ctx context.Context, job Job, left time.Duration) (bool, error) {
	bounded, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	return r.cfg.Queue.Extend(bounded, r.cfg.Owner, job, r.cfg.Lease)
}

// settle tells the queue how an attempt ended. When it cannot be told, the
// lease runs out and the job runs again.
func (r *Runner) settle(ctx context.Context, job Job, err error) {
	said := verdictOf(err)
	switch {
	case err == nil:
		r.finish(ctx, job)
	case errors.Is(err, errLeaseLost):
		r.log(ctx, slog.LevelWarn, "a background job was taken over, because its lease was lost", job, nil)
	case errors.Is(err, errStopped):
		r.retry(ctx, job, r.cfg.Now(), errStopped)
	case said.never, job.Attempts >= r.cfg.MaxAttempts:
		r.giveUp(ctx, job, err)
	default:
		r.retry(ctx, job, r.nextAttempt(job, said), err)
		r.log(ctx, slog.LevelWarn, "a background job failed and is tried again", job, err)
	}
}

// nextAttempt is when the job runs again.
func (r *Runner) nextAttempt(job Job, said verdict) time.Time {
	now := r.cfg.Now()
	if said.at.IsZero() {
		wait := Backoff(job.Attempts)
		// Jobs that failed together do not come back together.
		return now.Add(wait - rand.N(wait/5+1))
	}
	if soonest := now.Add(r.cfg.Poll); said.at.Before(soonest) {
		return soonest
	}
	return said.at
}

func (r *Runner) finish(ctx context.Context, job Job) {
	ctx, cancel := r.afterwards(ctx)
	defer cancel()
	held, err := r.cfg.Queue.Finish(ctx, r.cfg.Owner, job)
	switch {
	case err != nil:
		r.log(ctx, slog.LevelError, "a background job is done, which could not be stored, so that it runs again", job, err)
	case !held:
		r.log(ctx, slog.LevelWarn, "a background job is done, after its lease was lost, so that it may run again", job, nil)
	}
}

func (r *Runner) giveUp(ctx context.Context, job Job, err error) {
	r.log(ctx, slog.LevelError, "a background job failed and is given up", job, err)
	r.retry(ctx, job, time.Time{}, err)
}

func (r *Runner) retry(ctx context.Context, job Job, at time.Time, reason error) {
	ctx, cancel := r.afterwards(ctx)
	defer cancel()
	if err := r.cfg.Queue.Retry(ctx, r.cfg.Owner, job, at, reason.Error()); err != nil {
		r.log(ctx, slog.LevelError, "a background job could not be given back, and waits until its lease has run out", job, err)
	}
}

// afterwards is a context for what follows an attempt, also when the attempt's
// own has ended.
func (r *Runner) afterwards(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), r.cfg.Lease/3)
}

func (r *Runner) log(ctx context.Context, level slog.Level, message string, job Job, err error) {
	attributes := []slog.Attr{slog.String("kind", job.Kind), slog.String("job", job.ID), slog.Int("attempts", job.Attempts)}
	if err != nil {
		attributes = append(attributes, slog.Any("error", err))
	}
	r.cfg.Log.LogAttrs(ctx, level, message, attributes...)
}
