package exchange_test

import (
	"context"
	"errors"
	"testing"

	"mianti/connectors"
	"mianti/exchange"
)

// nobodysGrants are grants that cannot be read.
type nobodysGrants struct{ exchange.Grants }

func (nobodysGrants) InForce(context.Context, []string) (*exchange.GrantSet, *exchange.StopSet, error) {
	return nil, nil, errors.New("away")
}

// TestSelfTest_AsksNobodyAndRecordsNothing: it goes the way of a resolution, and leaves
// no trace of it.
func TestSelfTest_AsksNobodyAndRecordsNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(context.Context, connectors.Query) (connectors.Reply, error) {
		return connectors.Reply{}, errors.New("nobody is to be asked")
	})
	before, err := b.store.Survey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := b.x.SelfTest(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	after, err := b.store.Survey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if asked := len(b.sources.questions()); asked != 0 || after.Unsealed != before.Unsealed || len(after.Jobs) != len(before.Jobs) {
		t.Errorf("%d questions, %d entries before and %d after, %d jobs", asked, before.Unsealed, after.Unsealed, len(after.Jobs))
	}
}

func TestSelfTest_SaysWhatDoesNotWork(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, func(c *exchange.Config) { c.Grants = nobodysGrants{c.Grants} })
	if err := b.x.SelfTest(t.Context()); err == nil {
		t.Error("grants that cannot be read are no fault")
	}
}
