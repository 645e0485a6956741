package exchange_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"mianti/connectors"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// setGrants stores the grants of the family's matter, changed.
func (b *bench) setGrants(change func(*policies.Grant)) {
	b.t.Helper()
	grants := grantsFor(loadFamily(b.t))
	for i := range grants {
		change(&grants[i])
	}
	if err := b.store.SaveGrants(context.WithoutCancel(b.t.Context()), grants); err != nil {
		b.t.Error(err)
	}
}

func TestResolution_WithholdsWhatRestsOnAGrantThatWasEnded(t *testing.T) {
	t.Parallel()
	b, c := familyBench(t)
	first := b.resolve(as("SPJ"), c.ID)
	was := b.material(first, "S90.M1.a", "p1")
	if was.Outcome != policies.Settled || len(was.Evidence.Fields) == 0 || was.Evidence.Reference == "" {
		t.Fatalf("%s, %+v", was.Outcome, was.Evidence)
	}
	for _, test := range []struct {
		name   string
		change func(*policies.Grant)
		want   exchange.Withheld
	}{
		{"active", func(*policies.Grant) {}, ""},
		{"suspended", func(g *policies.Grant) { g.State = policies.GrantSuspended }, exchange.WithheldGrantSuspended},
		{"terminated", func(g *policies.Grant) { g.State = policies.GrantTerminated }, exchange.WithheldGrantTerminated},
		{"its time is over: it was answered rightly", func(g *policies.Grant) { g.Until = at().AddDate(0, 0, -1) }, ""},
	} {
		b.setGrants(test.change)
		read, err := b.x.Resolution(t.Context(), as("SPJ"), first.ID)
		if err != nil {
			t.Fatalf("%s: %s", test.name, describe(err))
		}
		is := b.material(read, "S90.M1.a", "p1")
		withheld := is.Evidence.Fields == nil && is.Evidence.Reference == "" && is.Evidence.ValidUntil == ""
		if is.Outcome != policies.Settled || is.Evidence.Withheld != test.want || withheld != (test.want != "") || is.Evidence.Digest != was.Evidence.Digest {
			t.Errorf("%s: %s, %+v; want withheld %q", test.name, is.Outcome, is.Evidence, test.want)
		}
	}
}

func TestResolve_TriesOnceMoreWhenAGrantEndsMeanwhile(t *testing.T) {
	t.Parallel()
	b, c := familyBench(t)
	var once sync.Once
	b.sources.answer = func(ctx context.Context, q connectors.Query) (connectors.Reply, error) {
		once.Do(func() { b.setGrants(func(g *policies.Grant) { g.State = policies.GrantTerminated }) })
		return fullRecord(ctx, q)
	}
	r := b.resolve(as("SPJ"), c.ID)
	if m := b.material(r, "S90.M1.a", "p1"); m.Outcome != policies.Upload || m.Reason.Code != "no_grant" || m.Evidence != nil {
		t.Errorf("%s %s, %+v; want an upload for want of a grant", m.Outcome, m.Reason.Code, m.Evidence)
	}
	if n := len(b.entries(c.ID, ledger.Resolved)); n != 1 || b.rows("resolutions") != 1 {
		t.Errorf("%d resolutions are recorded, want the second try's alone", n)
	}
	if intents, outcomes := len(b.entries(c.ID, ledger.Intent)), len(b.entries(c.ID, ledger.Outcome)); intents == 0 || intents != outcomes {
		t.Errorf("%d intents, %d outcomes; want what was asked in vain recorded too", intents, outcomes)
	}
}

// refusing finds that a right has ended, always.
type refusing struct {
	exchange.Resolutions
	tries int
}

// CommitResolution refuses.
func (r *refusing) CommitResolution(context.Context, exchange.Commit) error {
	r.tries++
	return fault.New(fault.Conflict, exchange.AuthorizationChanged, "共享授权已经终止。")
}

func TestResolve_GivesTheConflictWhenARightEndsTwice(t *testing.T) {
	t.Parallel()
	b, c := familyBench(t)
	always := &refusing{Resolutions: b.store}
	b.x.Resolutions = always
	key := &exchange.Key{System: as("SPJ").System, Value: "k", Request: "r", At: at()}
	for i := range 2 { // the key is free again
		_, err := b.x.Resolve(t.Context(), as("SPJ"), c.ID, key)
		wantFault(t, err, fault.Conflict, exchange.AuthorizationChanged)
		if always.tries != 2*(i+1) {
			t.Errorf("%d tries, want 2 each", always.tries)
		}
	}
}

func TestContinueJob_IsTriedAgainWhenARightEnds(t *testing.T) {
	t.Parallel()
	b, _, _ := newRecovering(t)
	c := b.open(as("SPJ"), founding())
	b.resolve(as("SPJ"), c.ID)
	b.x.Resolutions = &refusing{Resolutions: b.store}
	job := b.waiting(exchange.JobContinue)[0]
	if err := b.x.ContinueJob(t.Context(), job); err != nil {
		t.Fatal(describe(err))
	}
	soon := b.config.Now().Add(5 * time.Second)
	again := b.waiting(exchange.JobContinue)
	if len(again) != 1 || again[0].RunAt.After(soon) || again[0].RunAt.Equal(job.RunAt) {
		t.Errorf("jobs %+v, want one by %v", again, soon)
	}
}
