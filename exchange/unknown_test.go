package exchange_test

import (
	"context"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/connectors"
	"mianti/exchange"
	"mianti/ledger"
)

// underAnotherName answers as if the number were somebody else's, after a while.
func underAnotherName(records int, takes time.Duration) source {
	return func(ctx context.Context, q connectors.Query) (connectors.Reply, error) {
		return after(ctx, takes, func() connectors.Reply {
			r := record(q)
			r.Subject.Name = "王小明"
			return connectors.Reply{Records: slices.Repeat([]connectors.Record{r}, records), Reference: "应答"}
		})
	}
}

// unknown answers that there is no such person, after a while.
func unknown(takes time.Duration) source {
	return func(ctx context.Context, _ connectors.Query) (connectors.Reply, error) {
		return after(ctx, takes, func() connectors.Reply { return connectors.Reply{} })
	}
}

func after(ctx context.Context, takes time.Duration, reply func() connectors.Reply) (connectors.Reply, error) {
	select {
	case <-time.After(takes):
		return reply(), nil
	case <-ctx.Done():
		return connectors.Reply{}, ctx.Err()
	}
}

// inTheBubble is the tests' time, going on with that of a bubble, which begins in
// the year 2000.
func inTheBubble() time.Time {
	return at().Add(time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)))
}

// TestResolve_DoesNotTellANumberOfSomebodyElseFromNobodys resolves a case in
// which the number of one person is nobody's, somebody else's, or that of two
// records of somebody else, and the source takes longer over what it knows. All
// that the caller gets is the same, and so is the time that it takes.
func TestResolve_DoesNotTellANumberOfSomebodyElseFromNobodys(t *testing.T) {
	t.Parallel()
	ids := regexp.MustCompile(`id-\d+|sha256:[0-9a-f]{64}|"nonce":"[^"]+"`) // digests of what holds an id, and what the salt of each case gives
	const even = 100 * time.Millisecond
	resolve := func(other source) (body string, took time.Duration, recorded []string) {
		b := newBench(t, about(zhou, other), func(c *exchange.Config) { c.EvenTime, c.Now = even, inTheBubble })
		inBubble(t, b, func(t *testing.T) {
			c := b.open(as("SPJ"), founding())
			begun := time.Now()
			r := b.resolve(as("SPJ"), c.ID)
			body, took = ids.ReplaceAllString(asJSON(t, r), "id"), time.Since(begun)
			for _, e := range b.entries(c.ID, ledger.Outcome) {
				if e.Result != "ok" {
					recorded = append(recorded, e.Result)
				}
			}
		})
		return body, took, recorded
	}
	nobody, want, none := resolve(unknown(10 * time.Millisecond))
	if want != 2*even { // the licence, and then the register
		t.Errorf("an unknown person takes %v, want %v", want, 2*even)
	}
	if diff := cmp.Diff([]string{"not_found", "not_found"}, none); diff != "" {
		t.Errorf("recorded of nobody (-want +got):\n%s", diff)
	}
	for name, records := range map[string]int{"somebody else's": 1, "somebody else's, twice": 2} {
		body, took, recorded := resolve(underAnotherName(records, 70*time.Millisecond))
		if diff := cmp.Diff(nobody, body); diff != "" || took != want {
			t.Errorf("%s: took %v, want %v; answer (-nobody's +%s):\n%s", name, took, want, name, diff)
		}
		if diff := cmp.Diff([]string{"mismatch", "mismatch"}, recorded); diff != "" {
			t.Errorf("%s: recorded (-want +got):\n%s", name, diff)
		}
	}
}

// TestResolve_TellsThatTheNameOfABodyDoesNotAgree shows that the rule for persons
// is not one for bodies, whose names are public and change.
func TestResolve_TellsThatTheNameOfABodyDoesNotAgree(t *testing.T) {
	t.Parallel()
	b := newBench(t, except("D-SW04", underAnotherName(1, 0)))
	c := b.open(as("SW"), exchange.Opening{Number: "JN-T-0001", Matter: "S02.M1", Parties: archive("", trading).Parties})
	told := map[string]bool{}
	for _, m := range b.resolve(as("SW"), c.ID).Materials {
		for _, a := range results(m) {
			told[a] = true
		}
	}
	if !told["data mismatch name"] {
		t.Errorf("told %v, want that the name at the register does not agree", told)
	}
}
