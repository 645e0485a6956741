package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/safeguard"
)

// heldCommitter is one whose rounds stand still until they are let go, and tell how
// many writes each has.
type heldCommitter struct {
	committer
	sizes chan int
	letGo chan struct{}
}

func newHeldCommitter() *heldCommitter {
	h := &heldCommitter{sizes: make(chan int, maxWaiting), letGo: make(chan struct{})}
	h.run = func(_ context.Context, round []*write) {
		h.sizes <- len(round)
		<-h.letGo
		answer(round, nil)
	}
	return h
}

// add has one more write come, and waits until it waits.
func (h *heldCommitter) add(ctx context.Context, w *write) <-chan error {
	h.mu.Lock()
	before := len(h.waiting)
	h.mu.Unlock()
	done := make(chan error, 1)
	go func() { done <- h.do(ctx, w) }()
	for range 5000 {
		h.mu.Lock()
		waits := len(h.waiting) > before
		h.mu.Unlock()
		if waits || len(h.sizes) > 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	return done
}

func ofCase(id string) *write {
	return &write{release: &released{Commit: exchange.Commit{Resolution: newResolution("r-"+id, id)}}}
}

func TestCommitter_TakesAllThatWaits(t *testing.T) {
	t.Parallel()
	h := newHeldCommitter()
	first := h.add(t.Context(), &write{})
	if n := <-h.sizes; n != 1 {
		t.Fatalf("the first round has %d writes: it waits for nobody", n)
	}
	var rest []<-chan error
	for range 5 {
		rest = append(rest, h.add(t.Context(), &write{}))
	}
	close(h.letGo)
	for _, done := range append(rest, first) {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if n := <-h.sizes; n != 5 {
		t.Errorf("the second round has %d writes, want the 5 that waited", n)
	}
	if h.rounds != 0 || len(h.waiting) != 0 {
		t.Errorf("%d rounds under way, %d writes wait, after all is done", h.rounds, len(h.waiting))
	}
}

func TestCommitter_StoresACaseOnceARound(t *testing.T) {
	t.Parallel()
	h := newHeldCommitter()
	all := []<-chan error{h.add(t.Context(), &write{})}
	<-h.sizes
	for _, id := range []string{"c1", "c2", "c1"} {
		all = append(all, h.add(t.Context(), ofCase(id)))
	}
	close(h.letGo)
	for _, done := range all {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if a, b := <-h.sizes, <-h.sizes; a != 2 || b != 1 {
		t.Errorf("rounds of %d and %d, want one of two cases and one for the second resolution of the first", a, b)
	}
}

func TestCommitter_ShedsWhatItCannotHold(t *testing.T) {
	t.Parallel()
	h := newHeldCommitter()
	first := h.add(t.Context(), &write{})
	<-h.sizes
	var all sync.WaitGroup
	for range maxWaiting {
		all.Go(func() {
			if err := h.do(t.Context(), &write{}); err != nil {
				t.Error(err)
			}
		})
	}
	for full := false; !full; time.Sleep(time.Millisecond) {
		h.mu.Lock()
		full = len(h.waiting) == maxWaiting
		h.mu.Unlock()
	}
	begun := time.Now()
	err := h.do(t.Context(), &write{})
	if f := fault.As(err); f == nil || f.Kind != fault.Unavailable || f.Code != "writes-waiting" || f.Wait <= 0 || time.Since(begun) > time.Second {
		t.Errorf("error = %v after %s, want writes-waiting at once, and when to try again", err, time.Since(begun))
	}
	close(h.letGo)
	all.Wait()
	<-first
}

func TestCommitter_WhoGivesUpIsNotStored(t *testing.T) {
	t.Parallel()
	h := newHeldCommitter()
	first := h.add(t.Context(), &write{})
	<-h.sizes
	ctx, giveUp := context.WithCancel(t.Context())
	gone, stays := h.add(ctx, &write{}), h.add(t.Context(), &write{})
	giveUp()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want canceled", err)
	}
	close(h.letGo)
	if err := errors.Join(<-first, <-stays); err != nil {
		t.Fatal(err)
	}
	if n := <-h.sizes; n != 1 {
		t.Errorf("the second round has %d writes, want the one that stayed", n)
	}
}

func TestCommitter_ARoundThatPanicsIsAnswered(t *testing.T) {
	t.Parallel()
	c := &committer{run: func(context.Context, []*write) { panic("a mistake") }}
	follower := make(chan error, 1)
	func() {
		defer func() { _ = recover() }()
		_ = c.do(t.Context(), &write{})
	}()
	c.run = func(_ context.Context, round []*write) { answer(round, nil) }
	go func() { follower <- c.do(t.Context(), &write{}) }()
	select {
	case err := <-follower:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Error("nobody stores any more")
	}
}

// What is refused of a round does no harm to the rest of it.
func TestStoreRound_StoresWhatIsNotRefused(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ready(t, s)
		for i, id := range []string{"c1", "c2", "c3"} {
			open(t, s, newCase(id, fmt.Sprint("JN-", i)))
		}
		s.rules.Quotas.System = safeguard.Limits{CallsPerHour: 3, CallsPerDay: 3, SubjectsPerHour: 9, SubjectsPerDay: 9}
		resolve := func(id string, change func(c *exchange.Commit)) *write {
			e := entry(ledger.Outcome, id)
			e.Resolution = "r-" + id
			commit := exchange.Commit{Resolution: newResolution("r-"+id, id), Entries: []ledger.Entry{e}}
			change(&commit)
			w, err := newWrite(commit.Entries)
			if err != nil {
				t.Fatal(err)
			}
			if w.release, err = newReleased(commit); err != nil {
				t.Fatal(err)
			}
			return w
		}
		ask := func(system string, questions int) *write {
			intents, subjects := make([]ledger.Entry, questions), make([]string, questions)
			for i := range intents {
				intents[i] = ledger.Entry{Kind: ledger.Intent, At: testTime, System: system, Case: "c1", Department: "SPJ"}
			}
			w, err := newWrite(intents)
			if err != nil {
				t.Fatal(err)
			}
			w.tallies, w.questions = safeguard.CountIntents(intents, subjects), true
			return w
		}
		good, changed := resolve("c1", func(*exchange.Commit) {}), resolve("c2", func(c *exchange.Commit) { c.Resolution.CaseVersion = 7 })
		noGrant := resolve("c3", func(c *exchange.Commit) { c.Rights.Grants = []string{"gone"} })
		within, over, together := ask("s1", 2), ask("s2", 4), ask("s1", 2)
		round := []*write{good, changed, noGrant, within, over, together}
		for _, w := range round {
			w.done = make(chan error, 1)
		}
		s.storeRound(t.Context(), round)
		for _, want := range []struct {
			name string
			w    *write
			code string
		}{
			{"a good resolution", good, ""}, {"of a changed case", changed, "case-changed"}, {"without its grant", noGrant, exchange.AuthorizationChanged},
			{"within the quota", within, ""}, {"over it alone", over, "quota-exceeded"}, {"over it with the one before", together, "quota-exceeded"},
		} {
			err, code := <-want.w.done, ""
			if f := fault.As(err); f != nil {
				code = f.Code
			}
			if code != want.code || (err != nil) != (want.code != "") {
				t.Errorf("%s: error = %v, want code %q", want.name, err, want.code)
			}
		}
		if n := countEntries(t, s, ledger.Outcome); n != 1 {
			t.Errorf("%d outcomes, want that of the good resolution", n)
		}
		if n := countEntries(t, s, ledger.Intent); n != 2 {
			t.Errorf("%d intents, want the two within the quota", n)
		}
		if _, err := s.LastResolution(t.Context(), "SPJ", "c2"); !errors.Is(err, fault.NotFound) {
			t.Errorf("a refused resolution was stored: %v", err)
		}
		usage, err := s.Usage(t.Context(), safeguard.Meter{Kind: safeguard.KindSystem, ID: "s1"}, testTime)
		if err != nil || usage[0].Calls != 2 {
			t.Errorf("usage of s1: %+v, %v; want 2 calls", usage, err)
		}
	})
}
