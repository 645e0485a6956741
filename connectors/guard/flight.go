package guard

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"mianti/connectors"
)

// sameDeadline is by how much a question may have longer than the call that it
// joins.
const sameDeadline = 50 * time.Millisecond

// flights are the calls under way that identical questions of a case can share.
// It is not the library's singleflight: there a call lives as long as its first
// waiter wants, and the others cannot leave.
type flights struct {
	mu    sync.Mutex
	under map[string]*flight
}

// flight is a call that is shared.
type flight struct {
	waiters  int // under flights.mu
	deadline time.Time
	cancel   context.CancelCauseFunc
	over     chan struct{}
	reply    connectors.Reply // read after over
	err      error
}

// share asks together with whoever asks the same for the same case. The call
// ends with its last waiter; each waiter keeps its own deadline.
func (g *Guard) share(ctx context.Context, x *question) (connectors.Reply, error) {
	key := keyOf(x.Query)
	f, first := g.join(ctx, x, key)
	select {
	case <-f.over:
	case <-ctx.Done():
		if !g.leave(ctx, key, f) {
			err := interrupted(ctx)
			x.shared(first, connectors.Reply{}, err)
			return connectors.Reply{}, err
		}
	}
	x.shared(first, f.reply, f.err)
	if first || f.err != nil {
		return f.reply, f.err
	}
	return clone(f.reply), nil
}

// join joins a call that is under way, or begins one.
func (g *Guard) join(ctx context.Context, x *question, key string) (f *flight, first bool) {
	deadline, _ := ctx.Deadline()
	g.flights.mu.Lock()
	defer g.flights.mu.Unlock()
	if f := g.flights.under[key]; f != nil && f.suits(deadline) {
		f.waiters++
		return f, false
	}
	f = &flight{waiters: 1, deadline: deadline, over: make(chan struct{})}
	shared, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	f.cancel = cancel
	stop := context.CancelFunc(func() {})
	if !deadline.IsZero() {
		shared, stop = context.WithDeadline(shared, deadline)
	}
	g.flights.under[key] = f
	go func() {
		defer cancel(nil)
		defer stop()
		f.reply, f.err = x.put(shared)
		g.flights.forget(key, f)
		close(f.over)
	}()
	return f, true
}

// suits says whether a question with this deadline can wait for the call: its
// own may not be much later, or it would be told of another's deadline.
func (f *flight) suits(deadline time.Time) bool {
	if f.deadline.IsZero() || deadline.IsZero() {
		return f.deadline.IsZero() && deadline.IsZero()
	}
	return !deadline.After(f.deadline.Add(sameDeadline))
}

// leave is what a waiter does whose own time is up. The last one ends the call,
// and waits until nothing of it is left.
func (g *Guard) leave(ctx context.Context, key string, f *flight) (last bool) {
	g.flights.mu.Lock()
	f.waiters--
	last = f.waiters == 0
	if last && g.flights.under[key] == f {
		delete(g.flights.under, key)
	}
	g.flights.mu.Unlock()
	if last {
		f.cancel(context.Cause(ctx))
		<-f.over
	}
	return last
}

func (fs *flights) forget(key string, f *flight) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fs.under[key] == f {
		delete(fs.under, key)
	}
}

// shared records a question that was answered by another's call.
func (x *question) shared(first bool, reply connectors.Reply, err error) {
	if first {
		return // its attempts are recorded
	}
	result, fault := ResultOK, (*connectors.Fault)(nil)
	switch {
	case errors.As(err, &fault):
		result = string(fault.Kind)
	case len(reply.Records) == 0:
		result = ResultNotFound
	}
	x.coalesced = true
	x.record(Call{Done: x.guard.Now(), Records: len(reply.Records), Result: result})
}

// keyOf is equal for identical questions of one case.
func keyOf(q connectors.Query) string {
	parts := append([]string{
		q.Case, q.Source.Code, q.Dataset.Code, q.BaseURL, q.Receiver, string(q.Subject.Kind), q.Subject.Name, q.Subject.Number,
	}, slices.Sorted(slices.Values(q.Fields))...)
	return strings.Join(parts, "\x00")
}

// clone makes a reply that another waiter can change.
func clone(r connectors.Reply) connectors.Reply {
	r.Records = slices.Clone(r.Records)
	for i := range r.Records {
		r.Records[i].Fields = maps.Clone(r.Records[i].Fields)
		for code, value := range r.Records[i].Fields {
			if list, ok := value.([]string); ok {
				r.Records[i].Fields[code] = slices.Clone(list)
			}
		}
	}
	r.Warnings = slices.Clone(r.Warnings)
	return r
}
