package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

// Handler does the work of one kind of job. It MUST end when its context does,
// and put no personal data into its error. RetryAt and Never say more than a
// plain error, which is tried again after Backoff.
type Handler func(ctx context.Context, job Job) error

// Config is what a Runner is made of.
type Config struct {
	Queue Backlog
	// Owner tells this process from all others that run, or have run, on the
	// same queue.
	Owner    string
	Handlers map[string]Handler // by kind; other kinds are left to others
	Now      func() time.Time
	Log      *slog.Logger

	// Lease is how long a job stays taken when its process dies; default 30 s. The
	// clocks of all processes have to agree within a fraction of it.
	Lease time.Duration
	// Poll is how often an idle runner looks for work; default 1 s.
	Poll time.Duration
	// Parallel is how many jobs run at once; default 4.
	Parallel int
	// MaxAttempts is after how many a job is given up; default 20, about ten
	// hours.
	MaxAttempts int
	// Timeout bounds one attempt, so that a handler that hangs does not keep its
	// lease for ever; default 5 min.
	Timeout time.Duration
	// Grace is how long handlers may go on when the runner is told to stop;
	// default 5 s.
	Grace time.Duration
}

// Runner (后台执行器) claims jobs and runs them.
type Runner struct {
	cfg   Config
	kinds []string
	wake  chan struct{}
	// away is set while the queue cannot be reached, so that it is logged once.
	// Only Run's own goroutine uses it.
	away bool
}

// New checks cfg and fills in the defaults.
func New(cfg Config) (*Runner, error) {
	for name, missing := range map[string]bool{
		"Queue": cfg.Queue == nil, "Owner": cfg.Owner == "", "Handlers": len(cfg.Handlers) == 0,
		"Now": cfg.Now == nil, "Log": cfg.Log == nil,
	} {
		if missing {
			return nil, fmt.Errorf("new job runner: Config.%s is not set", name)
		}
	}
	for kind, handler := range cfg.Handlers {
		if kind == "" || handler == nil {
			return nil, fmt.Errorf("new job runner: the handler of kind %q is not set", kind)
		}
	}
	cfg.Handlers = maps.Clone(cfg.Handlers)
	orDefault(&cfg.Lease, 30*time.Second)
	orDefault(&cfg.Poll, time.Second)
	orDefault(&cfg.Parallel, 4)
	orDefault(&cfg.MaxAttempts, 20)
	orDefault(&cfg.Timeout, 5*time.Minute)
	orDefault(&cfg.Grace, 5*time.Second)
	return &Runner{cfg: cfg, kinds: slices.Sorted(maps.Keys(cfg.Handlers)), wake: make(chan struct{}, 1)}, nil
}

func orDefault[T int | time.Duration](value *T, otherwise T) {
	if *value <= 0 {
		*value = otherwise
	}
}

// Wake makes an idle runner look for work at once, such as after a local
// Enqueue. It never blocks.
func (r *Runner) Wake() {
	select {
	case r.wake <- struct{}{}:
	default: // it is about to look anyway
	}
}

// Run claims and runs jobs until ctx ends. Then it claims nothing more, lets
// the handlers go on for the grace time, ends their contexts, and returns when
// all of them have ended; what did not finish is given back at once. It MUST
// NOT be called twice.
func (r *Runner) Run(ctx context.Context) error {
	// Handlers outlive ctx by the grace time.
	handling, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stop(nil)
	var running sync.WaitGroup
	ended := make(chan struct{}, r.cfg.Parallel)
	for free := r.cfg.Parallel; ctx.Err() == nil; {
		asked := r.cfg.Now()
		claimed := r.claim(ctx, free)
		for _, job := range claimed {
			running.Go(func() {
				r.work(handling, job, asked)
				ended <- struct{}{} // has room for every handler
			})
		}
		free -= len(claimed)
		free += r.pause(ctx, ended, free)
	}
	grace := time.AfterFunc(r.cfg.Grace, func() { stop(errStopped) })
	running.Wait()
	grace.Stop()
	return nil
}

// claim takes as many jobs as can run. While the queue is away it takes none.
func (r *Runner) claim(ctx context.Context, free int) []Job {
	if free == 0 {
		return nil
	}
	// Not ctx: a claim that is cut off may be stored all the same, and its jobs
	// would wait until the lease has run out.
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.cfg.Lease/2)
	defer cancel()
	claimed, err := r.cfg.Queue.Claim(bounded, r.cfg.Owner, r.kinds, free, r.cfg.Lease)
	switch {
	case err != nil && !r.away:
		r.cfg.Log.LogAttrs(ctx, slog.LevelError, "background jobs cannot be read, and wait", slog.Any("error", err))
	case err == nil && r.away:
		r.cfg.Log.LogAttrs(ctx, slog.LevelInfo, "background jobs can be read again")
	}
	r.away = err != nil
	return claimed
}

// pause waits until it makes sense to look for work, and gives how many handlers
// have ended.
func (r *Runner) pause(ctx context.Context, ended <-chan struct{}, free int) int {
	var poll <-chan time.Time
	if free > 0 {
		timer := time.NewTimer(r.cfg.Poll)
		defer timer.Stop()
		poll = timer.C
	}
	select {
	case <-ctx.Done():
	case <-poll:
	case <-r.wake:
	case <-ended:
		return 1
	}
	return 0
}

// Why the context of a handler ends before it does.
var (
	errStopped   = errors.New("the runner was stopped")
	errLeaseLost = errors.New("the lease was lost")
	errTooLong   = errors.New("the attempt took too long")
)
