package exchange_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/internal/jobs"
	"mianti/ledger"
	"mianti/retention"
)

// destroyLater destroys what is due when the term of an open case is over.
func destroyLater(t *testing.T, b *bench) {
	t.Helper()
	r := &retention.Retention{Store: b.store, Terms: retention.DefaultTerms(), Now: func() time.Time { return at().AddDate(2, 0, 0) }}
	if done, err := r.Run(t.Context(), nil); err != nil || done.Cases != 1 {
		t.Fatalf("destroyed %+v, %v; want one case", done, err)
	}
}

func TestDestroyedCase_IsGoneForWhateverNeedsIt(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	c := b.open(as("SPJ"), founding())
	r := b.resolve(as("SPJ"), c.ID)
	destroyLater(t, b)
	asked := len(b.sources.questions())
	for name, act := range map[string]func() error{
		"read":    func() error { _, err := b.x.Case(t.Context(), as("SPJ"), c.ID); return err },
		"resolve": func() error { _, err := b.x.Resolve(t.Context(), as("SPJ"), c.ID, nil); return err },
		"open again": func() error {
			_, _, err := b.x.OpenCase(t.Context(), as("SPJ"), founding())
			return err
		},
		"change": func() error {
			_, err := b.x.ChangeCase(t.Context(), as("SPJ"), c.ID, exchange.Change{Facts: map[string]any{"agent": true}})
			return err
		},
		"report": func() error {
			_, err := b.x.ReportResult(t.Context(), as("SPJ"), c.ID, exchange.MatterResult{Matter: "S01.M1", Outcome: catalog.Refused})
			return err
		},
		"hand in": func() error {
			return b.x.HandIn(t.Context(), as("SPJ"), c.ID, exchange.Handing{Material: "S01.M1.a", Digest: "sha256:00"})
		},
		"ask for consents": func() error { _, err := b.x.AskConsents(t.Context(), as("SPJ"), c.ID, nil); return err },
		"close": func() error {
			_, err := b.x.CloseCase(t.Context(), as("SPJ"), c.ID, exchange.CaseFinished)
			return err
		},
	} {
		if f := fault.As(act()); f == nil || f.Kind != fault.Gone || f.Code != "case-destroyed" || !strings.Contains(f.Message, "保存期限届满") {
			t.Errorf("%s: %v, want case-destroyed, and why", name, f)
		}
	}
	payload, err := json.Marshal(map[string]string{"department": "SPJ", "case": c.ID})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.x.ContinueJob(t.Context(), jobs.Job{Kind: exchange.JobContinue, Payload: string(payload)}); err != nil {
		t.Errorf("a job that would go on: %v, want it to end quietly", err)
	}
	if len(b.sources.questions()) != asked {
		t.Error("a source was asked for a destroyed case")
	}
	read := len(b.entries(c.ID, ledger.Read))
	outline, err := b.x.Resolution(t.Context(), as("SPJ"), r.ID)
	if err != nil || outline.Destroyed == nil || outline.Summary != r.Summary || len(outline.Materials) != len(r.Materials) {
		t.Fatalf("outline %+v, %v; want what was concluded", outline, err)
	}
	for i, m := range outline.Materials {
		if m.Outcome != r.Materials[i].Outcome || m.Reason.Code != r.Materials[i].Reason.Code || m.Reason.Text != "" {
			t.Errorf("%s: %s, %+v; want the outcome and the code alone", m.Code, m.Outcome, m.Reason)
		}
		for _, e := range m.Evidences() {
			if e.Fields != nil || e.Reference != "" || e.Proof != "" || e.ValidUntil != "" || e.Withheld != exchange.WithheldDestroyed {
				t.Errorf("%s: evidence %+v still says something", m.Code, e)
			}
		}
	}
	if now := len(b.entries(c.ID, ledger.Read)); now != read+1 {
		t.Errorf("%d readings recorded, want %d", now, read+1)
	}
}

func TestCase_IsDoneWhenEveryMatterIsDecidedOrItIsClosed(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	done := func(id string) time.Time {
		t.Helper()
		c, err := b.x.Case(t.Context(), as("SPJ"), id)
		if err != nil {
			t.Fatal(describe(err))
		}
		return c.DoneAt
	}
	one := b.open(as("SPJ"), founding())
	if at := done(one.ID); !at.IsZero() {
		t.Errorf("an open case was done at %s", at)
	}
	if _, err := b.x.ReportResult(t.Context(), as("SPJ"), one.ID, exchange.MatterResult{Matter: "S01.M1", Outcome: catalog.Refused}); err != nil {
		t.Fatal(describe(err))
	}
	if got := done(one.ID); !got.Equal(at()) {
		t.Errorf("decided: done at %s, want %s", got, at())
	}
	in := wholeFounding()
	in.Number = "JN-T-0002"
	whole := b.open(as("SPJ"), in)
	if _, err := b.x.ReportResult(t.Context(), as("SPJ"), whole.ID, exchange.MatterResult{Matter: "S01.M1", Outcome: catalog.Granted}); err != nil {
		t.Fatal(describe(err))
	}
	if got := done(whole.ID); !got.IsZero() {
		t.Errorf("one matter of several is decided: done at %s, want it not to be", got)
	}
	if _, err := b.x.CloseCase(t.Context(), as("SPJ"), whole.ID, exchange.CaseWithdrawn); err != nil {
		t.Fatal(describe(err))
	}
	if got := done(whole.ID); !got.Equal(at()) {
		t.Errorf("closed: done at %s, want %s", got, at())
	}
}
