package exchange_test

import (
	"context"
	"sync/atomic"
	"testing"

	"mianti/connectors"
	"mianti/policies"
)

func TestResolve_AsksASourceThatWasDownOnceMore(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault   connectors.FaultKind
		tries   int64
		outcome policies.Outcome
	}{
		"down for a moment":       {connectors.FaultDown, 2, policies.Settled},
		"not to be understood":    {connectors.FaultMalformed, 1, policies.Verifying},
		"the credential is wrong": {connectors.FaultRefused, 1, policies.Verifying},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var tries atomic.Int64
			b := newBench(t, func(ctx context.Context, q connectors.Query) (connectors.Reply, error) {
				if q.Dataset.Code == "D-FG02" && tries.Add(1) == 1 {
					return connectors.Reply{}, &connectors.Fault{Kind: test.fault}
				}
				return wellKept(ctx, q)
			})
			r := b.resolve(as("SPJ"), b.open(as("SPJ"), founding()).ID)
			for _, m := range r.Materials {
				if m.Code == "S01.M1.j" && m.Outcome != test.outcome {
					t.Errorf("%s, want %s", m.Outcome, test.outcome)
				}
			}
			if got := tries.Load(); got != test.tries {
				t.Errorf("%d tries, want %d", got, test.tries)
			}
		})
	}
}
