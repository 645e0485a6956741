package exchange_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/connectors"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

func key(request string) *exchange.Key {
	return &exchange.Key{System: as("SPJ").System, Value: "key-1", Request: request, At: at()}
}

func TestResolve_GivesTheSameResolutionForTheSameKey(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	c := b.open(as("SPJ"), founding())
	first, err := b.x.Resolve(t.Context(), as("SPJ"), c.ID, key("sha256:a"))
	if err != nil {
		t.Fatal(describe(err))
	}
	entries := len(b.entries(c.ID))
	second, err := b.x.Resolve(t.Context(), as("SPJ"), c.ID, key("sha256:a"))
	if err != nil {
		t.Fatal(describe(err))
	}
	if diff := cmp.Diff(asJSON(t, first), asJSON(t, second)); diff != "" {
		t.Errorf("the two differ (-first +second):\n%s", diff)
	}
	if n := len(b.sources.questions()); n != foundingQuestions {
		t.Errorf("%d questions, want the %d of the first request", n, foundingQuestions)
	}
	if len(b.entries(c.ID)) != entries+1 || len(b.entries(c.ID, ledger.Read)) != 1 || b.rows("resolutions") != 1 {
		t.Error("the repetition was not recorded as one reading of the first resolution")
	}
	_, err = b.x.Resolve(t.Context(), as("SPJ"), c.ID, key("sha256:b"))
	wantFault(t, err, fault.Conflict, "idempotency-key-reused")
}

func TestResolve_ResolvesAgainWithoutAKey(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	c := b.open(as("SPJ"), founding())
	first, second := b.resolve(as("SPJ"), c.ID), b.resolve(as("SPJ"), c.ID)
	if first.ID == second.ID || len(b.sources.questions()) != 2*foundingQuestions {
		t.Errorf("resolutions %s and %s after %d questions, want two of their own", first.ID, second.ID, len(b.sources.questions()))
	}
}

func TestResolve_LetsOneOfTwoWithTheSameKeyRun(t *testing.T) {
	t.Parallel()
	begun, release := make(chan struct{}, foundingQuestions), make(chan struct{})
	var b *bench
	b = newBench(t, func(ctx context.Context, q connectors.Query) (connectors.Reply, error) {
		if len(b.sources.questions()) > foundingQuestions { // the second one runs after all
			return wellKept(ctx, q)
		}
		begun <- struct{}{}
		<-release
		return wellKept(ctx, q)
	}, func(c *exchange.Config) { c.Deadline, c.SourceDeadline = time.Hour, time.Hour })
	c := b.open(as("SPJ"), founding())
	type answer struct {
		r   *exchange.Resolution
		err error
	}
	done := make(chan answer, 1)
	go func() {
		r, err := b.x.Resolve(t.Context(), as("SPJ"), c.ID, key("sha256:a"))
		done <- answer{r, err}
	}()
	for range foundingQuestions {
		receive(t, begun)
	}
	r, err := b.x.Resolve(t.Context(), as("SPJ"), c.ID, key("sha256:a"))
	close(release)
	wantFault(t, err, fault.Conflict, "request-in-progress")
	if r != nil {
		t.Error("the second request got a resolution while the first was under way")
	}
	first := receive(t, done)
	if first.err != nil {
		t.Fatal(describe(first.err))
	}
	later, err := b.x.Resolve(t.Context(), as("SPJ"), c.ID, key("sha256:a"))
	if err != nil || later.ID != first.r.ID {
		t.Errorf("afterwards: %+v, %v; want the resolution %s", later, err, first.r.ID)
	}
	if n := len(b.sources.questions()); n != foundingQuestions || len(b.entries(c.ID, ledger.Intent)) != n {
		t.Errorf("%d questions, want those of one request", n)
	}
}

func TestResolve_KeepsTheKeysOfPeopleApart(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	c := b.open(as("SPJ"), founding())
	clerk := policies.Caller{Person: "person-1", Department: "SPJ", Duties: []policies.Duty{policies.DutyClerk}}
	other := clerk
	other.Person = "person-2"
	ids := map[string]string{}
	for _, by := range []policies.Caller{as("SPJ"), clerk, other, clerk, as("SPJ"), other} {
		k := &exchange.Key{System: by.System, Value: "key-1", Request: "sha256:a", At: at()}
		r, err := b.x.Resolve(t.Context(), by, c.ID, k)
		if err != nil {
			t.Fatal(describe(err))
		}
		who := by.System + by.Person
		if before := ids[who]; before != "" && before != r.ID {
			t.Errorf("%s: the repetition made another resolution", who)
		}
		ids[who] = r.ID
	}
	if ids["SPJ-1"] == ids["person-1"] || ids["person-1"] == ids["person-2"] {
		t.Errorf("a key is shared: %v", ids)
	}
	acts := 0
	for _, e := range b.entries(c.ID) {
		if e.Kind == ledger.CaseOpened || e.System == "SPJ-1" {
			continue
		}
		if acts++; e.System != "" || (e.Person != "person-1" && e.Person != "person-2") || e.Department != "SPJ" {
			t.Errorf("entry of a person's act: %+v", e)
		}
	}
	// Each asks as the founding does: an intent and an outcome a question, the
	// whole, and one reading again.
	if want := 2 * (2*foundingQuestions + 2); acts != want {
		t.Errorf("%d acts of the two, want %d", acts, want)
	}
}
