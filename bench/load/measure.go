package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// answerTimeout is how long a caller waits for one answer.
const answerTimeout = 30 * time.Second

// Target is what is put under load.
type Target struct {
	Name    string
	Address string // host:port
	PID     int    // whose processor time is counted, with all processes under it; 0 for none
	// DatabasePID is the server's first process, whose and whose backends' time is
	// counted apart; 0 for none.
	DatabasePID int
	// Request is the nth request, counted over all callers.
	Request func(n int64) []byte
	// Check says what is wrong with an answer, so that a fast wrong answer is no
	// figure. Nil: every status but 2xx is wrong.
	Check func(Answer) error
	// Then, if there is one, asks what follows from an answer on the same
	// connection; its time belongs to the request.
	Then func(c *Conn, first Answer) error
	// Allocations, if there is one, gives the number of heap objects that the
	// process has allocated so far.
	Allocations func() (int64, error)
}

// Result is what one slice of load came to.
type Result struct {
	Requests, Failed int // Failed are not in the other figures but Elapsed
	Elapsed          time.Duration
	PerSecond        float64 // answered well
	P50, P99         time.Duration
	CPU              time.Duration // of the target's process for one request
	DatabaseCPU      time.Duration // of the database's processes for one request
	Allocations      float64       // heap objects for one request; 0 when not told
	Latencies        []time.Duration
	FirstError       error
}

// Closed has a number of callers send each its next request when it has its last
// answer, for a time. Who got a wrong answer or none waits for a moment first, as
// a caller that is shed would.
func Closed(ctx context.Context, t *Target, callers int, span time.Duration) (Result, error) {
	until := time.Now().Add(span)
	var next atomic.Int64
	due := func() (int64, time.Time, bool) {
		now := time.Now()
		return next.Add(1) - 1, now, now.Before(until) && ctx.Err() == nil
	}
	return run(t, callers, 10*time.Millisecond, due)
}

// Fixed sends so many requests a second, whether answers come or not, by as many
// callers as are given. A request that no caller is free for waits, and its time
// counts from when it was due. Who cannot keep up is asked for no longer than twice
// the time.
func Fixed(ctx context.Context, t *Target, perSecond float64, callers int, span time.Duration) (Result, error) {
	begun := time.Now()
	all := int64(perSecond * span.Seconds())
	var next atomic.Int64
	due := func() (int64, time.Time, bool) {
		n := next.Add(1) - 1
		if n >= all || ctx.Err() != nil || time.Since(begun) > 2*span {
			return 0, time.Time{}, false
		}
		at := begun.Add(time.Duration(float64(n) / perSecond * float64(time.Second)))
		time.Sleep(time.Until(at))
		return n, at, true
	}
	return run(t, callers, 0, due)
}

// usage is what processes have used so far.
type usage struct {
	process, database time.Duration
	allocations       int64
}

func (t *Target) usage() (usage, error) {
	var u usage
	var errs [3]error
	if t.PID != 0 {
		u.process, errs[0] = CPU(t.PID)
	}
	if t.DatabasePID != 0 {
		u.database, errs[1] = CPU(t.DatabasePID)
	}
	if t.Allocations != nil {
		u.allocations, errs[2] = t.Allocations()
	}
	return u, errors.Join(errs[:]...)
}

// caller is one of those that ask.
type caller struct {
	conn   *Conn
	took   []time.Duration
	failed int
	err    error // the first one
}

// run has callers take what is due until nothing is, and wait after a failure.
func run(t *Target, callers int, pause time.Duration, due func() (n int64, at time.Time, more bool)) (Result, error) {
	before, err := t.usage()
	if err != nil {
		return Result{}, err
	}
	begun := time.Now()
	all := make([]caller, callers)
	var group sync.WaitGroup
	for i := range all {
		all[i].conn = NewConn(t.Address, answerTimeout)
		group.Go(func() { all[i].work(t, pause, due) })
	}
	group.Wait()
	elapsed := time.Since(begun)
	after, err := t.usage()
	if err != nil {
		return Result{}, err
	}
	out := summary(all, elapsed)
	if out.Requests > 0 {
		n := time.Duration(out.Requests)
		out.CPU, out.DatabaseCPU = (after.process-before.process)/n, (after.database-before.database)/n
		out.Allocations = float64(after.allocations-before.allocations) / float64(out.Requests)
	}
	return out, nil
}

func (c *caller) work(t *Target, pause time.Duration, due func() (int64, time.Time, bool)) {
	defer c.conn.Close()
	for {
		n, at, more := due()
		if !more {
			return
		}
		if err := t.ask(c.conn, n); err != nil {
			c.fail(err)
			time.Sleep(pause)
			continue
		}
		c.took = append(c.took, time.Since(at))
	}
}

func (c *caller) fail(err error) {
	c.failed++
	if c.err == nil {
		c.err = err
	}
}

// ask sends one request and judges its answer.
func (t *Target) ask(c *Conn, n int64) error {
	answer, err := c.Do(t.Request(n))
	switch {
	case err != nil:
		return err
	case t.Check != nil:
		err = t.Check(answer)
	case answer.Status/100 != 2:
		err = fmt.Errorf("%s: status %d: %.300s", t.Name, answer.Status, answer.Body)
	}
	if err == nil && t.Then != nil {
		err = t.Then(c, answer)
	}
	return err
}

// Once sends one request on a connection of its own.
func (t *Target) Once(n int64) error {
	c := NewConn(t.Address, answerTimeout)
	defer c.Close()
	return t.ask(c, n)
}

func summary(all []caller, elapsed time.Duration) Result {
	out := Result{Elapsed: elapsed}
	for i := range all {
		out.Latencies = append(out.Latencies, all[i].took...)
		out.Failed += all[i].failed
		if out.FirstError == nil {
			out.FirstError = all[i].err
		}
	}
	out.Requests = len(out.Latencies)
	out.PerSecond = float64(out.Requests) / elapsed.Seconds()
	slices.Sort(out.Latencies)
	out.P50, out.P99 = Percentile(out.Latencies, 50), Percentile(out.Latencies, 99)
	return out
}

// Percentile gives the smallest value that so many percent of the sorted values do
// not exceed (nearest rank); 0 of none.
func Percentile[T cmp.Ordered](sorted []T, percent float64) T {
	var none T
	if len(sorted) == 0 {
		return none
	}
	rank := int(percent / 100 * float64(len(sorted)))
	if float64(rank) < percent/100*float64(len(sorted)) {
		rank++
	}
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// Median gives the middle of values in any order, the lower of two; 0 of none.
func Median[T cmp.Ordered](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return Percentile(sorted, 50)
}
