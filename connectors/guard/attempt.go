package guard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"mianti/catalog"
	"mianti/connectors"
)

const (
	// mostReserved is what an attempt leaves of the deadline for one more.
	mostReserved = 250 * time.Millisecond
)

// attempt puts the question once, as soon as the source can be asked.
func (x *question) attempt(ctx context.Context, hedged bool) (connectors.Reply, error) {
	number := x.begin()
	if number == 0 {
		return connectors.Reply{}, interrupted(ctx)
	}
	defer x.done()
	if number == 1 {
		x.source.allowance.save()
	} else if hedged && (number > x.settings.limits.Attempts || !x.source.allowance.take()) {
		return connectors.Reply{}, &failure{fault: fail(connectors.FaultBusy, "no further call is allowed")}
	}
	now := x.guard.Now()
	if now.Add(leastTime).After(x.deadline) {
		return connectors.Reply{}, x.notPut(fail(connectors.FaultTimeout, "no time is left to ask it"), number)
	}
	e := entry{set: x.settings, now: x.guard.Now, deadline: x.deadline, probe: x.probe, hedged: hedged}
	p, f := x.source.enter(ctx, e)
	if f != nil {
		return connectors.Reply{}, x.notPut(f, number)
	}
	return x.call(ctx, p, number, hedged)
}

// notPut is an attempt that was refused. Only a question of which no attempt was
// put counts as refused.
func (x *question) notPut(f *connectors.Fault, number int) error {
	if number == 1 {
		_ = x.refuse(f) // the fault itself is returned with what follows from it
	}
	return x.failed(f, number, false)
}

// call makes one call and judges what came of it.
func (x *question) call(ctx context.Context, p permit, number int, hedged bool) (connectors.Reply, error) {
	out := x.guard.Now()
	until := x.until(out, number, hedged)
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	reply, left, err := x.converse(ctx)
	back := x.guard.Now()

	var f *connectors.Fault
	if err == nil {
		reply, err = Admit(x.Query, reply)
	}
	if err != nil {
		reply.Records = nil
		f = x.faultFrom(ctx, err)
	}
	v, result := x.judge(ctx, reply, f, until.Sub(out))
	// The next question gets its turn when it is known what came of this one.
	x.learn(p, back, v, f)
	if !left {
		x.source.gate.leave(back)
	}
	if result != ResultCancelled {
		x.source.health.called(back, back.Sub(out), v, f)
	}
	x.record(Call{
		Out: out, Back: back, Done: x.guard.Now(), Bytes: reply.Size, Records: len(reply.Records),
		Result: result, Attempt: number, Hedged: hedged, Warnings: reply.Warnings,
	})
	if f != nil {
		return connectors.Reply{}, x.failed(f, number, true)
	}
	return reply, nil
}

// until is how long an attempt may take. One that may be followed by another
// leaves some time for it.
func (x *question) until(now time.Time, number int, hedged bool) time.Time {
	until := x.deadline
	if number < x.settings.limits.Attempts && !hedged && !x.probe && x.Source.Kind != catalog.SourceAssist {
		until = until.Add(-min(until.Sub(now)/4, mostReserved))
	}
	if x.settings.timeout > 0 && now.Add(x.settings.timeout).Before(until) {
		until = now.Add(x.settings.timeout)
	}
	return until
}

// judge says what a call tells of its source, and how it is recorded.
func (x *question) judge(ctx context.Context, reply connectors.Reply, f *connectors.Fault, given time.Duration) (verdict, string) {
	switch {
	case f == nil && len(reply.Records) == 0:
		return alive, ResultNotFound
	case f == nil:
		return alive, ResultOK
	case errors.Is(f.Cause, context.Canceled) && ctx.Err() != nil:
		return unsaid, ResultCancelled
	case f.Kind == connectors.FaultTimeout && given < x.settings.fair():
		return unsaid, string(f.Kind)
	default:
		return judgeHealth(f.Kind), string(f.Kind)
	}
}

// learn takes what a call says of the source.
func (x *question) learn(p permit, now time.Time, v verdict, f *connectors.Fault) {
	s := x.source
	var wrong topic
	if f != nil && (f.Kind == connectors.FaultMalformed || f.Kind == connectors.FaultWrongSubject) {
		wrong = topicOf(x.Subject)
	}
	s.fuse.leave(p, now, v, wrong)
	switch {
	case v == failed:
		s.gate.chill()
	case v == alive && !p.trial: // after a trial it begins slowly
		s.gate.warm(now)
	}
	if f != nil && f.Kind == connectors.FaultBusy && !f.RetryAt.IsZero() {
		s.hush(f.RetryAt)
	}
}

// faultFrom makes a fault of what a connector, or the judge of its answer, has
// returned. Of an error that is no fault nothing is passed on: it may say
// anything.
func (x *question) faultFrom(ctx context.Context, err error) *connectors.Fault {
	var given *connectors.Fault
	if !errors.As(err, &given) {
		given = fail(connectors.KindOf(err), "the connector returned an error that is no fault")
	}
	f := *given
	now := x.guard.Now()
	if f.Kind != connectors.FaultPending && (!f.RetryAt.After(now) || f.RetryAt.After(now.Add(longestQuiet))) {
		f.RetryAt = time.Time{}
	}
	if ctx.Err() != nil && (f.Kind == connectors.FaultDown || f.Kind == connectors.FaultTimeout) {
		return interrupted(ctx)
	}
	if f.Kind == connectors.FaultWrongSubject {
		x.guard.Log.LogAttrs(ctx, slog.LevelError, "source answered about somebody else",
			slog.String("source", x.source.code), slog.String("query", x.ID))
	}
	return &f
}

// outcome is what a connector returned.
type outcome struct {
	reply connectors.Reply
	err   error
}

// converse calls the connector and comes back in time even if the connector
// does not. A call that is left behind keeps its turn at the gate until it ends,
// so that there are never more of them than the gate is wide.
func (x *question) converse(ctx context.Context) (reply connectors.Reply, left bool, err error) {
	var parted atomic.Bool // of the two, who comes second knows of the first
	heard := make(chan outcome, 1)
	go func() {
		reply, err := x.safely(ctx)
		heard <- outcome{reply, err}
		if parted.Swap(true) {
			x.source.stuck.Add(-1)
			x.source.gate.leave(x.guard.Now())
		}
	}()
	select {
	case o := <-heard:
		return o.reply, false, o.err
	case <-ctx.Done():
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case o := <-heard:
		return o.reply, false, o.err
	case <-timer.C:
	}
	behind := x.source.stuck.Add(1)
	if parted.Swap(true) {
		x.source.stuck.Add(-1)
		o := <-heard
		return o.reply, false, o.err
	}
	x.guard.Log.LogAttrs(ctx, slog.LevelError, "connector does not keep its deadline",
		slog.String("source", x.source.code), slog.Int("left_behind", int(behind)))
	return connectors.Reply{}, true, interrupted(ctx)
}

// safely turns a panic of the connector into a fault. What was panicked with is
// not logged: it may hold a value.
func (x *question) safely(ctx context.Context) (reply connectors.Reply, err error) {
	defer func() {
		if r := recover(); r != nil {
			x.guard.Log.LogAttrs(ctx, slog.LevelError, "connector panicked", slog.String("source", x.source.code),
				slog.String("panic", fmt.Sprintf("%T", r)), slog.String("stack", string(debug.Stack())))
			reply, err = connectors.Reply{}, fail(connectors.FaultMalformed, "the connector could not read the answer")
		}
	}()
	return x.guard.Connectors[x.Source.Kind].Ask(ctx, x.Query)
}
