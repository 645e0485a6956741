package exchange_test

import (
	"slices"
	"testing"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/policies"
)

// report says how a matter was decided.
func (b *bench) report(caseID, matter string, outcome catalog.Verdict) {
	b.t.Helper()
	in := exchange.MatterResult{Matter: matter, Outcome: outcome}
	if matter == "S01.M1" && outcome == catalog.Granted {
		in.HolderNumber = trading
	}
	if _, err := b.x.ReportResult(b.t.Context(), as("SPJ"), caseID, in); err != nil {
		b.t.Fatal(describe(err))
	}
}

func TestResolve_AsksNobodyForAMatterThatIsDecided(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	c := b.open(as("SPJ"), wholeFounding())
	b.report(c.ID, "S01.M1", catalog.Granted)
	r := b.resolve(as("SPJ"), c.ID)
	for _, q := range b.sources.questions() {
		if q.Matter == "S01.M1" {
			t.Errorf("%s was asked for %s, which is granted", q.Source.Code, q.Material)
		}
	}
	applicable := 0
	for _, m := range r.Materials {
		ofM1 := slices.ContainsFunc(m.UsedBy, func(code string) bool { return code[:len("S01.M1.")] == "S01.M1." })
		if ofM1 && m.Outcome != policies.NotApplicable {
			t.Errorf("%s is %s, want not_applicable: its matter is granted", m.Code, m.Outcome)
		}
		if m.Outcome != policies.NotApplicable {
			applicable++
		}
	}
	if m := b.material(r, "S01.M1.b", "p2"); m.Reason.Code != policies.ReasonMatterDecided || m.Reason.Text != "事项已办结，不再核验，也无需提交。" {
		t.Errorf("reason %s %q", m.Reason.Code, m.Reason.Text)
	}
	if r.Summary.Applicable != applicable {
		t.Errorf("%d materials are counted as applicable, want %d: a decided one is none", r.Summary.Applicable, applicable)
	}
}

func TestResolve_KeepsWhatWasConcludedBeforeTheMatterWasDecided(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	c := b.open(as("SPJ"), wholeFounding())
	first := b.resolve(as("SPJ"), c.ID)
	before := b.material(first, "S01.M1.b", "p2")
	if before.Outcome != policies.Settled || len(before.Evidence.Fields) == 0 {
		t.Fatalf("the card is %s, want it settled with fields", before.Outcome)
	}
	asked := len(b.sources.questions())
	b.report(c.ID, "S01.M1", catalog.Granted)
	second := b.resolve(as("SPJ"), c.ID)
	after := b.material(second, "S01.M1.b", "p2")
	if after.Outcome != policies.Settled || after.Evidence.Reference != before.Evidence.Reference || after.Evidence.Digest != before.Evidence.Digest {
		t.Errorf("%s by %+v, want what the first resolution said", after.Outcome, after.Evidence)
	}
	if len(after.Evidence.Fields) > 0 {
		t.Error("the fields are released again, though their purpose is done")
	}
	for _, q := range b.sources.questions()[asked:] {
		if q.Matter == "S01.M1" {
			t.Errorf("%s was asked for %s again", q.Source.Code, q.Material)
		}
	}
	third := b.resolve(as("SPJ"), c.ID)
	if again := b.material(third, "S01.M1.b", "p2"); again.Outcome != policies.Settled || again.Evidence.Digest != before.Evidence.Digest {
		t.Errorf("the third resolution says %s", again.Outcome)
	}
	if b.material(first, "S01.M1.b", "p2").Evidence.Fields == nil {
		t.Error("keeping has changed the earlier resolution")
	}
	for _, r := range []*exchange.Resolution{first, second, third} {
		b.wantSame(r.ID, 1)
	}
}

// The premises serve the founding and the taxes: one look-up while both are
// open, and two entries once the founding is granted.
func TestResolve_TakesADecidedUseFromOneThatGoesOn(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	c := b.open(as("SPJ"), wholeFounding())
	first := b.material(b.resolve(as("SPJ"), c.ID), "S01.M1.d", "p3")
	if !slices.Equal(first.UsedBy, []string{"S01.M1.d", "S01.M3.d"}) {
		t.Fatalf("the premises serve %v", first.UsedBy)
	}
	b.report(c.ID, "S01.M1", catalog.Granted)
	r := b.resolve(as("SPJ"), c.ID)
	kept, goesOn := b.material(r, "S01.M1.d", "p3"), b.material(r, "S01.M3.d", "p3")
	if !slices.Equal(kept.UsedBy, []string{"S01.M1.d"}) || kept.Outcome != policies.Settled || kept.Evidence.Reference != first.Evidence.Reference {
		t.Errorf("%v is %s, want S01.M1.d alone, kept", kept.UsedBy, kept.Outcome)
	}
	// Its own rule now speaks for it: the paper is not asked for again.
	if !slices.Equal(goesOn.UsedBy, []string{"S01.M3.d"}) || goesOn.Outcome != policies.Settled || goesOn.Mode != catalog.ModeCancel {
		t.Errorf("%v is %s by %s, want S01.M3.d alone, cancelled", goesOn.UsedBy, goesOn.Outcome, goesOn.Mode)
	}
	if goesOn.SamePaper != "S01.M1.d@p3" {
		t.Errorf("same paper as %q, want S01.M1.d@p3", goesOn.SamePaper)
	}
}

// What was still open is nobody's to do once the matter is decided.
func TestResolve_DropsWhatWasLeftOpenWhenTheMatterIsDecided(t *testing.T) {
	t.Parallel()
	b, _, _ := newRecovering(t)
	in := wholeFounding()
	c := b.open(as("SPJ"), in)
	first := b.resolve(as("SPJ"), c.ID)
	if m := b.material(first, "S01.M1.j", "p2"); m.Outcome != policies.Verifying {
		t.Fatalf("S01.M1.j is %s, want it to wait for its source", m.Outcome)
	}
	b.report(c.ID, "S01.M1", catalog.Granted)
	r := b.resolve(as("SPJ"), c.ID)
	m := b.material(r, "S01.M1.j", "p2")
	if m.Outcome != policies.NotApplicable || m.Reason.Code != policies.ReasonMatterDecided || m.RetryAt != nil {
		t.Errorf("S01.M1.j is %s, %s, asked again at %v; want it dropped", m.Outcome, m.Reason.Code, m.RetryAt)
	}
}
