package exchange_test

import (
	"context"
	"sync"
	"testing"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
)

// TestResolve_KeepsNothingOfACaseThatChangedMeanwhile withdraws a consent while
// the first question is under way.
func TestResolve_KeepsNothingOfACaseThatChangedMeanwhile(t *testing.T) {
	t.Parallel()
	var b *bench
	var id string
	var once sync.Once
	b = newBench(t, func(ctx context.Context, q connectors.Query) (connectors.Reply, error) {
		once.Do(func() {
			party := founding().Parties[2]
			party.Consent = catalog.ConsentRefused
			if _, err := b.x.ChangeCase(t.Context(), as("SPJ"), id, exchange.Change{Parties: []catalog.Party{party}}); err != nil {
				t.Error(describe(err))
			}
		})
		return wellKept(ctx, q)
	})
	id = b.open(as("SPJ"), founding()).ID
	r, err := b.x.Resolve(t.Context(), as("SPJ"), id, nil)
	wantFault(t, err, fault.Conflict, "case-changed")
	if r != nil || b.rows("resolutions") != 0 {
		t.Error("a resolution was returned or stored")
	}
	if n := len(b.entries(id, ledger.Outcome)); n != foundingQuestions {
		t.Errorf("%d outcomes on record, want those of the %d questions", n, foundingQuestions)
	}
	b.resolve(as("SPJ"), id) // and again, it goes through
}

func TestResolve_FreesItsKeyWhenItFails(t *testing.T) {
	t.Parallel()
	full := true
	b := newBench(t, wellKept, func(c *exchange.Config) {
		whole := c.Journal
		c.Journal = journal(func(ctx context.Context, entries []ledger.Entry) error {
			if full {
				return fault.New(fault.Unavailable, "disk-full", "磁盘已满。")
			}
			return whole.Append(ctx, entries)
		})
	})
	c := b.open(as("SPJ"), founding())
	_, err := b.x.Resolve(t.Context(), as("SPJ"), c.ID, key("sha256:a"))
	wantFault(t, err, fault.Unavailable, "not-recorded")
	full = false
	if _, err := b.x.Resolve(t.Context(), as("SPJ"), c.ID, key("sha256:a")); err != nil {
		t.Errorf("the same key again: %s", describe(err))
	}
}
