package exchange_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/exchange"
	"mianti/ledger"
	"mianti/policies"
)

// dead answers nothing until its deadline.
func dead(ctx context.Context, _ connectors.Query) (connectors.Reply, error) {
	<-ctx.Done()
	return connectors.Reply{}, ctx.Err()
}

// inBubble runs a test in a time of its own. The store is opened outside, for
// it has goroutines that outlive the test.
func inBubble(t *testing.T, b *bench, test func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b.t = t
		test(t)
	})
}

func TestResolve_OneDeadSourceCostsItsOwnMaterialsOnly(t *testing.T) {
	t.Parallel()
	b := newBench(t, except("D-FG02", dead))
	inBubble(t, b, func(t *testing.T) {
		c := b.open(as("SPJ"), founding())
		begun := time.Now()
		r := b.resolve(as("SPJ"), c.ID)
		if took := time.Since(begun); took != b.x.SourceDeadline {
			t.Errorf("took %v, want the deadline of one source, %v", took, b.x.SourceDeadline)
		}
		for _, m := range r.Materials {
			want := policies.Settled
			switch {
			case m.Outcome == policies.NotApplicable:
				continue
			case m.Code == "S01.M1.j":
				want = policies.Verifying
			}
			if m.Outcome != want {
				t.Errorf("%s is %s, want %s", m.Code, m.Outcome, want)
			}
		}
		m := b.material(r, "S01.M1.j", "p2")
		if diff := cmp.Diff([]string{"data source_down timeout"}, results(m)); diff != "" || m.Reason.Code != policies.ReasonSourceRetry {
			t.Errorf("reason %s, want source_retry; attempts (-want +got):\n%s", m.Reason.Code, diff)
		}
	})
}

// slowFounder is a case whose one material goes to five sources, one after the
// other.
func slowFounder() exchange.Opening {
	return exchange.Opening{Number: "JN-T-0001", Matter: "S10.M0", Parties: []catalog.Party{
		{ID: "p1", Roles: []string{"founder"}, Kind: catalog.KindOrganization, Name: "泉城示例置业有限公司", Number: estates},
	}}
}

func TestResolve_AsksOneSourceAfterTheOtherWithADeadlineForEach(t *testing.T) {
	t.Parallel()
	b := newBench(t, dead, func(c *exchange.Config) { c.Deadline = time.Minute })
	inBubble(t, b, func(t *testing.T) {
		c := b.open(as("SPJ"), slowFounder())
		begun := time.Now()
		m := b.material(b.resolve(as("SPJ"), c.ID), "S10.M0.b", "p1")
		if took := time.Since(begun); took != 5*b.x.SourceDeadline {
			t.Errorf("took %v, want five times the deadline of one source", took)
		}
		if m.Outcome != policies.Upload || m.Reason.Code != "source_down" || len(m.Attempts) != 5 {
			t.Errorf("outcome %s for %s after %v, want upload for source_down after five attempts", m.Outcome, m.Reason.Code, results(m))
		}
	})
}

// A source that fails yields an outcome, not an error, however many fail.
func TestResolve_AnswersWhenDeadSourcesUsedUpItsTime(t *testing.T) {
	t.Parallel()
	b := newBench(t, dead)
	inBubble(t, b, func(t *testing.T) {
		c := b.open(as("SPJ"), slowFounder())
		begun := time.Now()
		r, err := b.x.Resolve(t.Context(), as("SPJ"), c.ID, nil)
		if took := time.Since(begun); took > b.x.Deadline+b.x.SourceDeadline {
			t.Errorf("took %v, want about %v", took, b.x.Deadline)
		}
		if err != nil {
			t.Fatalf("no resolution: %s", describe(err))
		}
		m := b.material(r, "S10.M0.b", "p1")
		if m.Outcome != policies.Upload || m.Reason.Code != "source_down" {
			t.Errorf("outcome %s for %s, want upload for source_down", m.Outcome, m.Reason.Code)
		}
		if diff := cmp.Diff(lookUps(b.entries(c.ID, ledger.Intent)), lookUps(b.entries(c.ID, ledger.Outcome))); diff != "" {
			t.Errorf("intents and outcomes differ (-intent +outcome):\n%s", diff)
		}
	})
}
