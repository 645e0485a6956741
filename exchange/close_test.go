package exchange_test

import (
	"testing"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
)

func TestCloseCase_LeavesNothingButReading(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	c := b.open(as("SPJ"), founding())
	r := b.resolve(as("SPJ"), c.ID)
	asked := len(b.sources.questions())
	closed, err := b.x.CloseCase(t.Context(), as("SPJ"), c.ID, exchange.CaseWithdrawn)
	if err != nil {
		t.Fatal(describe(err))
	}
	if !closed.ClosedAt.Equal(at()) || closed.ClosedFor != exchange.CaseWithdrawn {
		t.Errorf("closed at %v for %q", closed.ClosedAt, closed.ClosedFor)
	}
	for name, act := range map[string]func() error{
		"resolve": func() error { _, err := b.x.Resolve(t.Context(), as("SPJ"), c.ID, nil); return err },
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
		"close for another reason": func() error {
			_, err := b.x.CloseCase(t.Context(), as("SPJ"), c.ID, exchange.CaseFinished)
			return err
		},
	} {
		if f := fault.As(act()); f == nil || f.Kind != fault.Conflict || f.Code != "case-closed" {
			t.Errorf("%s: %v, want case-closed", name, f)
		}
	}
	if len(b.sources.questions()) != asked {
		t.Error("a source was asked for a closed case")
	}
	stored, err := b.x.Case(t.Context(), as("SPJ"), c.ID)
	if err != nil || !stored.ClosedAt.Equal(at()) {
		t.Errorf("the case reads %+v, %v", stored, err)
	}
	if _, err := b.x.Resolution(t.Context(), as("SPJ"), r.ID); err != nil {
		t.Errorf("its resolution cannot be read: %v", err)
	}
}

func TestCloseCase_TwiceForTheSameReasonIsOneEntry(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	c := b.open(as("SPJ"), founding())
	for range 2 {
		if _, err := b.x.CloseCase(t.Context(), as("SPJ"), c.ID, exchange.CaseFinished); err != nil {
			t.Fatal(describe(err))
		}
	}
	entries := b.entries(c.ID, ledger.CaseClosed)
	if len(entries) != 1 || entries[0].Result != "finished" || entries[0].System == "" {
		t.Errorf("entries %+v, want one that says finished", entries)
	}
}

func TestCloseCase_RefusesAnotherDepartmentAndAnUnknownReason(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	c := b.open(as("SPJ"), founding())
	_, err := b.x.CloseCase(t.Context(), as("GA"), c.ID, exchange.CaseFinished)
	wantFault(t, err, fault.NotFound, "unknown-case")
	_, err = b.x.CloseCase(t.Context(), as("SPJ"), c.ID, "forgotten")
	wantFault(t, err, fault.Invalid, "invalid-closing")
	if stored := b.stored(as("SPJ"), c.ID); !stored.ClosedAt.IsZero() {
		t.Error("the case was closed all the same")
	}
}

// What waits for a source is not asked again once the case is closed.
func TestCloseCase_StopsWhatGoesOnByItself(t *testing.T) {
	t.Parallel()
	b, source, _ := newRecovering(t)
	c := b.open(as("SPJ"), founding())
	if r := b.resolve(as("SPJ"), c.ID); !r.Continues() {
		t.Fatal("the resolution does not go on by itself")
	}
	if _, err := b.x.CloseCase(t.Context(), as("SPJ"), c.ID, exchange.CaseWithdrawn); err != nil {
		t.Fatal(describe(err))
	}
	asked := len(b.sources.questions())
	source.well.Store(true)
	b.goOn(as("SPJ"), c.ID)
	if len(b.sources.questions()) != asked {
		t.Error("a source was asked for a closed case")
	}
}

// A case does not close by itself: a paper that may follow can still come in.
func TestReportResult_LeavesTheCaseOpenWhenEveryMatterIsDecided(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	c := b.open(as("SPJ"), founding()) // the one matter S01.M1
	b.report(c.ID, "S01.M1", catalog.Granted)
	b.resolve(as("SPJ"), c.ID)
	if n := len(b.sources.questions()); n != 0 {
		t.Errorf("%d questions were asked though every matter is decided", n)
	}
	if stored := b.stored(as("SPJ"), c.ID); !stored.ClosedAt.IsZero() {
		t.Error("the case closed by itself")
	}
}
