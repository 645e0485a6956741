package admission_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"mianti/admission"
)

// machine is a made-up server with so many processors: work takes longer the more
// of it there is at once.
type machine struct {
	cores  int
	takes  time.Duration
	active atomic.Int64
}

func (m *machine) work() {
	at := int(m.active.Add(1))
	time.Sleep(m.takes * time.Duration(max(at, m.cores)) / time.Duration(m.cores))
	m.active.Add(-1)
}

// caller sends requests, at a rate however long they take, or one after the other.
type caller struct {
	flow      string
	every     time.Duration
	took      []time.Duration
	refused   int
	mu        sync.Mutex
	onlyAfter time.Duration // what came before is not counted
	class     admission.Class
}

func (c *caller) send(ctx context.Context, g *admission.Gate, m *machine, began time.Time) {
	begun := time.Now()
	ticket, err := g.Admit(ctx, admission.Request{Class: c.class, Flow: c.flow, Kind: "resolve"})
	if err == nil {
		m.work()
		ticket.Done()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case time.Since(began) < c.onlyAfter:
	case err != nil:
		c.refused++
	default:
		c.took = append(c.took, time.Since(begun))
	}
}

// run has callers send for a time.
func run(t *testing.T, g *admission.Gate, m *machine, long time.Duration, callers ...*caller) {
	t.Helper()
	var all sync.WaitGroup
	began := time.Now()
	for _, c := range callers {
		all.Go(func() {
			for time.Since(began) < long {
				all.Go(func() { c.send(t.Context(), g, m, began) })
				time.Sleep(c.every)
			}
		})
	}
	all.Wait()
}

func (c *caller) p99() time.Duration {
	sorted := append([]time.Duration{}, c.took...)
	for i := 1; i < len(sorted); i++ { // few
		for j := i; j > 0 && sorted[j] < sorted[j-1]; j-- {
			sorted[j], sorted[j-1] = sorted[j-1], sorted[j]
		}
	}
	if len(sorted) == 0 {
		return 0
	}
	return sorted[len(sorted)*99/100]
}

func newGate(cores int) *admission.Gate {
	return admission.NewGate(admission.Config{Now: time.Now, Cores: cores})
}

// A machine of two processors that does 200 a second is asked a thousand.
func TestGate_FiveTimesTheLoadIsShedAndTheRestIsQuick(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, m := newGate(2), &machine{cores: 2, takes: 10 * time.Millisecond}
		calm := &caller{flow: "a", every: 50 * time.Millisecond}
		run(t, g, m, 5*time.Second, calm)
		flood := &caller{flow: "a", every: time.Millisecond, onlyAfter: 2 * time.Second}
		run(t, g, m, 12*time.Second, flood)
		good := float64(len(flood.took)) / 10
		if good < 0.9*200 || flood.p99() > 4*calm.p99() || flood.refused == 0 {
			t.Errorf("%.0f a second in %v (p99), %d refused; want 180, at most 4 × %v", good, flood.p99(), flood.refused, calm.p99())
		}
	})
}

func TestGate_AFloodIsNotAtTheCostOfAQuietCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, m := newGate(2), &machine{cores: 2, takes: 10 * time.Millisecond}
		flood := &caller{flow: "flood", every: time.Millisecond}
		quiet := &caller{flow: "quiet", every: 50 * time.Millisecond, onlyAfter: 2 * time.Second}
		run(t, g, m, 12*time.Second, flood, quiet)
		if quiet.refused > 0 || len(quiet.took) != 200 || quiet.p99() > 2*m.takes {
			t.Errorf("%d answered, %d refused, p99 %v; want 200, none, about %v", len(quiet.took), quiet.refused, quiet.p99(), m.takes)
		}
	})
}

// Those who ask only when they have their answer are no overload, however many.
func TestGate_WhoeverWaitsForHisAnswerIsNotRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, m := newGate(2), &machine{cores: 2, takes: 5 * time.Millisecond}
		var all sync.WaitGroup
		var done, refused atomic.Int64
		for range 128 {
			all.Go(func() {
				for range 20 {
					ticket, err := g.Admit(t.Context(), admission.Request{Flow: "one system", Kind: "resolve"})
					if err != nil {
						refused.Add(1)
						continue
					}
					m.work()
					ticket.Done()
					done.Add(1)
				}
			})
		}
		all.Wait()
		if done.Load() != 128*20 || refused.Load() > 0 {
			t.Errorf("%d done, %d refused", done.Load(), refused.Load())
		}
	})
}

// Departments on the same machine share its processors, so that what is away stretches
// what is not.
func TestGate_WhatIsAwayButCostsUsIsBoundedToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, m := newGate(2), &machine{cores: 2, takes: 5 * time.Millisecond}
		ask := func(flow string) (time.Duration, error) {
			begun := time.Now()
			ticket, err := g.Admit(t.Context(), admission.Request{Flow: flow, Kind: "resolve"})
			if err != nil {
				return 0, err
			}
			defer ticket.Done()
			m.work()
			back := ticket.Away()
			m.work()
			m.work()
			back()
			return time.Since(begun), nil
		}
		for range 50 { // how long it takes alone
			if _, err := ask("flood"); err != nil {
				t.Fatal(err)
			}
		}
		var all sync.WaitGroup
		var mu sync.Mutex
		began, good := time.Now(), &caller{}
		for time.Since(began) < 12*time.Second {
			all.Go(func() {
				took, err := ask("flood")
				mu.Lock()
				defer mu.Unlock()
				if err == nil && time.Since(began) > 5*time.Second {
					good.took = append(good.took, took)
				}
			})
			time.Sleep(1500 * time.Microsecond) // five times 133 a second
		}
		all.Wait()
		if good.p99() > 68*time.Millisecond || len(good.took) < 7*110 {
			t.Errorf("%d answered, p99 %v; want about %d, and that it does not grow", len(good.took), good.p99(), 7*133)
		}
	})
}

func TestGate_ADoorThatIsCrowdedLeavesTheWorkAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, m := newGate(2), &machine{cores: 2, takes: 10 * time.Millisecond}
		flood := &caller{flow: "198.51.100.7", class: admission.Door, every: time.Millisecond}
		good := &caller{flow: "198.51.100.9", class: admission.Door, every: 200 * time.Millisecond, onlyAfter: time.Second}
		work := &caller{flow: "system", every: 40 * time.Millisecond, onlyAfter: time.Second}
		vital := &caller{flow: "203.0.113.1", class: admission.Vital, every: 500 * time.Millisecond}
		run(t, g, m, 6*time.Second, flood, good, work, vital)
		for _, c := range []*caller{good, work, vital} {
			if c.refused > 0 || c.p99() > 6*m.takes {
				t.Errorf("%s: %d refused, p99 %v", c.flow, c.refused, c.p99())
			}
		}
		if flood.refused == 0 {
			t.Error("the flood was let in")
		}
	})
}

// What waits for a department takes no place: a slow one is no overload.
func TestTicket_AwayTakesNoPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1)
		var all sync.WaitGroup
		begun := time.Now()
		for i := range 200 {
			all.Go(func() {
				ticket, err := g.Admit(t.Context(), admission.Request{Flow: fmt.Sprint(i % 3), Kind: "resolve"})
				if err != nil {
					t.Error(err)
					return
				}
				defer ticket.Done()
				first, second := ticket.Away(), ticket.Away()
				time.Sleep(time.Second)
				first()
				first() // counts once
				if got := g.Stats().Classes[admission.Work]; got.Active != 0 && got.Away == 0 {
					t.Errorf("%+v: it is still away", got)
				}
				second()
			})
		}
		all.Wait()
		if took := time.Since(begun); took != time.Second {
			t.Errorf("took %v, want all at once", took)
		}
		if got := g.Stats(); even(got.Classes[admission.Work]) != (admission.ClassStats{Admitted: 200}) || got.Stretch > 1.01 {
			t.Errorf("afterwards %+v", got)
		}
	})
}

func TestGate_WhoWaitsTooLongOrGoesIsForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1)
		var held []*admission.Ticket
		for i := range 16 {
			ticket, err := g.Admit(t.Context(), admission.Request{Class: admission.Vital, Flow: fmt.Sprint(i)})
			if err != nil {
				break
			}
			if held = append(held, ticket); len(held) == 8 {
				break
			}
		}
		gone, stop := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer stop()
		if _, err := g.Admit(gone, admission.Request{Class: admission.Vital, Flow: "gone"}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("whoever has gone: %v", err)
		}
		var refusal *admission.Refusal
		if _, err := g.Admit(t.Context(), admission.Request{Class: admission.Vital, Flow: "late"}); !errors.As(err, &refusal) || refusal.Wait < time.Second || refusal.Wait > 3*time.Second {
			t.Errorf("whoever waits too long: %v", err)
		}
		for _, ticket := range held {
			ticket.Done()
			ticket.Done() // counts once
			ticket.Away()()
		}
		want := admission.ClassStats{Admitted: 8, Refused: 1}
		if got := even(g.Stats().Classes[admission.Vital]); got != want {
			t.Errorf("afterwards %+v, want %+v", got, want)
		}
	})
}

// even leaves out the flows, which are remembered until they have had their share.
func even(s admission.ClassStats) admission.ClassStats {
	s.Flows = 0
	return s
}

// Nothing is counted twice, whatever happens at once.
func TestGate_CountsComeOutEven(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(2)
		var all sync.WaitGroup
		for i := range 4000 {
			all.Go(func() {
				time.Sleep(time.Duration(i%97) * time.Millisecond)
				ctx, stop := context.WithTimeout(t.Context(), time.Duration(1+i%300)*time.Millisecond)
				defer stop()
				ticket, err := g.Admit(ctx, admission.Request{Class: admission.Class(i % 4), Flow: fmt.Sprint(i % 11), Kind: fmt.Sprint(i % 600)})
				if err != nil {
					return
				}
				defer ticket.Done()
				if i%2 == 0 {
					defer ticket.Away()()
				}
				time.Sleep(time.Duration(i%7) * time.Millisecond)
			})
		}
		all.Wait()
		time.Sleep(time.Minute)
		g.WouldRefuse(admission.Request{})
		for class, s := range g.Stats().Classes {
			if s.Active != 0 || s.Away != 0 || s.Waiting != 0 || s.Flows > 11 || s.Overloaded {
				t.Errorf("%s: %+v", class, s)
			}
		}
	})
}

func TestTicket_NilDoesNothing(t *testing.T) {
	t.Parallel()
	ticket := admission.From(t.Context())
	ticket.Away()()
	ticket.Done()
	if ticket != nil {
		t.Error("a ticket from nowhere")
	}
}

// BenchmarkGate is what a request costs that is let in at once, with two questions
// that are away; the aim is at most 2 µs.
func BenchmarkGate(b *testing.B) {
	for _, flows := range []int{1, 100} {
		b.Run(fmt.Sprintf("flows=%d", flows), func(b *testing.B) {
			g := newGate(2)
			names := make([]string, flows)
			for i := range names {
				names[i] = fmt.Sprintf("system %d", i)
			}
			ctx := context.Background()
			b.ReportAllocs()
			before := processorTime(b)
			for i := 0; b.Loop(); i++ {
				ticket, err := g.Admit(ctx, admission.Request{Flow: names[i%flows], Kind: "POST cases resolutions"})
				if err != nil {
					b.Fatal(err)
				}
				ticket.Away()()
				ticket.Done()
			}
			// On a busy machine the time says more of the others.
			b.ReportMetric(float64((processorTime(b)-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
		})
	}
}

// processorTime is what this process has used so far.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
