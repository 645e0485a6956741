package exchange_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/effect"
	"mianti/examples/jinan"
	"mianti/exchange"
	"mianti/ledger"
	"mianti/policies"
)

// revise loads the shipped catalog with some texts of a file replaced, and gives
// the revision before and this one.
func (b *bench) revise(file string, oldAndNew ...string) (before, after *catalog.Revision) {
	b.t.Helper()
	before, err := b.config.Catalogs.Current(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	files, err := catalog.Files(jinan.Files)
	if err != nil {
		b.t.Fatal(err)
	}
	text := string(files[file])
	for i := 0; i < len(oldAndNew); i += 2 {
		if strings.Count(text, oldAndNew[i]) != 1 {
			b.t.Fatalf("%s holds %q %d times", file, oldAndNew[i], strings.Count(text, oldAndNew[i]))
		}
		text = strings.Replace(text, oldAndNew[i], oldAndNew[i+1], 1)
	}
	files[file] = []byte(text)
	b.saveCatalog(files)
	if after, err = b.config.Catalogs.Current(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	return before, after
}

// measure measures a change, and fails the test if anybody is asked for it.
func (b *bench) measure(before, after *catalog.Revision) *effect.Effect {
	b.t.Helper()
	b.sources.answer = func(_ context.Context, q connectors.Query) (connectors.Reply, error) {
		b.t.Errorf("%s was asked", q.Dataset.Code)
		return connectors.Reply{}, nil
	}
	desk := effect.Desk{Past: b.store, Rights: b.store, Journal: b.store, Now: at}
	got, err := desk.Measure(b.t.Context(), policies.Caller{Person: "reviewer"}, effect.Question{Before: before, After: after})
	if err != nil {
		b.t.Fatalf("measure: %s", describe(err))
	}
	return got
}

// The lines of the archive of a finished building, by which it is found in S04.yaml.
const archiveChain = "chain: [{mode: history, months: 24}, {mode: upload}]\n        note: 各阶段电子文件自动归集"

// The one paper of this case is handed in. Under the draft it is made from the form:
// one paper fewer, of the archive's department.
func TestEffect_CountsAPaperThatNeedNotBeHandedInAnyMore(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	r := b.resolve(as("DA"), b.open(as("DA"), archive("JN-T-0002", trading)).ID)
	before, after := b.revise("one-things/S04.yaml", archiveChain, "chain: [{mode: form}]\n        note: 各阶段电子文件自动归集")
	got := b.measure(before, after)

	place := effect.Place{Material: "S04.M21.a", Name: "工程竣工档案(电子)", Matter: "S04.M21", MatterName: "城建档案验收、人防竣工备案、防雷验收", OneThing: "S04", Department: "DA"}
	total := effect.RerunLine{Cases: 1, Changed: 1, Before: 1}
	if diff := cmp.Diff(total, got.Cases.Total); diff != "" || total.Difference() != -1 {
		t.Errorf("in all (-want +got):\n%s", diff)
	}
	total.Code, total.Name = "DA", "市城建档案馆"
	if diff := cmp.Diff([]effect.RerunLine{total}, got.Cases.ByDepartment); diff != "" {
		t.Errorf("by department (-want +got):\n%s", diff)
	}
	moves := []effect.Move{{Place: place, From: policies.Upload, To: policies.Settled, N: 1, Asks: []string{}, Examples: []string{r.ID}}}
	if diff := cmp.Diff(moves, got.Cases.Moves); diff != "" {
		t.Errorf("moves (-want +got):\n%s", diff)
	}
	changes := []effect.MaterialChange{{Place: place, Kind: catalog.ThingChanged, Lines: []effect.ChangeLine{
		{What: "办法的顺序", Old: "历史材料复用（24 个月） → 申请人提交", New: "表单自动生成"},
	}}}
	if diff := cmp.Diff(changes, got.Changes); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	// Neither its matter nor the paper has a condition: there is one situation.
	switches := []effect.Switch{{Place: place, From: catalog.TrialUpload, To: catalog.TrialExempt, Situations: 1, Of: 1, Complete: true, Example: []effect.FactValue{}}}
	if diff := cmp.Diff(switches, got.Switches); diff != "" || got.Switches[0].Turn() != effect.Eased {
		t.Errorf("switches (-want +got):\n%s", diff)
	}
}

// premisesChain is how S01.M1.d is settled.
const premisesChain = `            check_text: 用途允许：未申报住改商的，用途不得为住宅
        chain: [{mode: commit, when: accept_commitment}, {mode: data}, {mode: upload}]`

// The premises were proved by the register of titles. Under the draft the applicant
// hands the title in: one paper more.
func TestEffect_CountsAPaperThatWouldHaveToBeHandedIn(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	r := b.resolve(as("SPJ"), b.open(as("SPJ"), founding()).ID)
	if m := b.material(r, "S01.M1.d", "p3"); m.Outcome != policies.Settled {
		t.Fatalf("the premises are %s, want settled", m.Outcome)
	}
	before, after := b.revise("one-things/S01.yaml", premisesChain, strings.Replace(premisesChain, "{mode: commit, when: accept_commitment}, {mode: data}, ", "", 1))
	got := b.measure(before, after)
	if total := got.Cases.Total; total.Difference() != 1 || total.Before != len(r.Papers) || total.Unknown != 0 {
		t.Errorf("in all %+v, want one paper more than the %d recorded", total, len(r.Papers))
	}
	if len(got.Cases.Moves) != 1 || got.Cases.Moves[0].Material != "S01.M1.d" || got.Cases.Moves[0].To != policies.Upload {
		t.Errorf("moves %+v, want that of S01.M1.d to upload", got.Cases.Moves)
	}
	// Whoever commits need not hand it in either way; whoever does not, must now: one
	// of the two situations is of the second kind, and the other is so too, for the
	// draft leaves the commitment out.
	if len(got.Switches) != 2 || got.Switches[0].Turn() != effect.Laden || got.Switches[1].Turn() != effect.Laden {
		t.Errorf("switches %+v, want from commitment and from the register to upload", got.Switches)
	}
}

// What the draft's check reads was not asked for then: nobody knows what would come of
// it, and it counts neither as settled nor as handed in.
func TestEffect_CountsWhatWasNotAskedThenAsUnknown(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	r := b.resolve(as("SPJ"), b.open(as("SPJ"), founding()).ID)
	const released = "release: [certificate_number, holder, location, unit_number, usage, registered_on]}]\n            check: \"premises_use == 'residential' || zr01.usage != '住宅'\""
	before, after := b.revise("one-things/S01.yaml", released, strings.Replace(released, "registered_on]", "registered_on, co_ownership]", 1))
	got := b.measure(before, after)
	want := []effect.Move{{
		Place: effect.Place{Material: "S01.M1.d", Name: "住所(经营场所)相关文件", Matter: "S01.M1", MatterName: after.Matter("S01.M1").Name, OneThing: "S01", Department: "SPJ"},
		From:  policies.Settled, To: exchange.NotRecorded, N: 1, Asks: []string{"D-ZR01"}, Examples: []string{r.ID},
	}}
	if diff := cmp.Diff(want, got.Cases.Moves); diff != "" {
		t.Errorf("moves (-want +got):\n%s", diff)
	}
	if total := got.Cases.Total; total.Unknown != 1 || total.Difference() != 0 || total.Changed != 1 {
		t.Errorf("in all %+v, want one unknown and no difference", total)
	}
}

// Under the revision at which it was made, a case comes out as it was answered.
func TestEffect_IsNoneUnderTheSameRevision(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	papers := 0
	first, second := b.open(as("SPJ"), founding()), b.open(as("DA"), archive("JN-T-0002", trading))
	for _, r := range []*exchange.Resolution{b.resolve(as("SPJ"), first.ID), b.resolve(as("DA"), second.ID)} {
		papers += len(r.Papers)
	}
	rev, err := b.config.Catalogs.Current(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := b.measure(rev, rev)
	if len(got.Changes)+len(got.Switches)+len(got.Lacks)+len(got.Cases.Moves)+got.Others != 0 {
		t.Errorf("the same revision differs: %+v", got)
	}
	if total := got.Cases.Total; total.Cases != 2 || total.Before != papers || total.After != papers || total.Changed != 0 || total.Unknown != 0 {
		t.Errorf("in all %+v, want two cases with %d papers before and after", total, papers)
	}
}

// What somebody handed in for the case, and what was decided since, changes nothing of
// what he was asked for.
func TestEffect_ForgetsWhatCameOfTheCase(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	c := b.open(as("DA"), archive("JN-T-0002", trading))
	b.resolve(as("DA"), c.ID)
	if err := b.x.HandIn(t.Context(), as("DA"), c.ID, exchange.Handing{Material: papers, Digest: "sha256:feed"}); err != nil {
		t.Fatal(describe(err))
	}
	if _, err := b.x.ReportResult(t.Context(), as("DA"), c.ID, exchange.MatterResult{Matter: "S04.M21", Outcome: catalog.Granted, Number: "1", IssuedOn: "2026-11-01"}); err != nil {
		t.Fatal(describe(err))
	}
	if r := b.resolve(as("DA"), c.ID); len(r.Papers) != 0 {
		t.Fatalf("%d papers are asked for, want none once the matter was decided", len(r.Papers))
	}
	before, after := b.revise("one-things/S04.yaml", archiveChain, "chain: [{mode: form}]\n        note: 各阶段电子文件自动归集")
	if total := b.measure(before, after).Cases.Total; total.Before != 1 || total.After != 0 || total.Cases != 1 {
		t.Errorf("in all %+v, want the one paper that was asked for", total)
	}
}

func TestEffect_SkipsADestroyedCaseAndSaysSo(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	b.resolve(as("DA"), b.open(as("DA"), archive("JN-T-0002", trading)).ID)
	destroyLater(t, b)
	before, after := b.revise("one-things/S04.yaml", archiveChain, "chain: [{mode: form}]\n        note: 各阶段电子文件自动归集")
	if got := b.measure(before, after).Cases; got.Destroyed != 1 || got.Rerun != 0 || got.Looked != 1 || got.Total != (effect.RerunLine{}) {
		t.Errorf("cases %+v, want one that was destroyed and none worked out", got)
	}
}

// A case that the change does not touch is looked at and left alone.
func TestEffect_OpensOnlyCasesThatTheChangeTouches(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	b.resolve(as("SPJ"), b.open(as("SPJ"), founding()).ID)
	b.resolve(as("DA"), b.open(as("DA"), archive("JN-T-0002", trading)).ID)
	before, after := b.revise("one-things/S04.yaml", archiveChain, "chain: [{mode: form}]\n        note: 各阶段电子文件自动归集")
	if got := b.measure(before, after).Cases; got.Looked != 2 || got.Rerun != 1 {
		t.Errorf("%d looked at and %d worked out, want 2 and 1", got.Looked, got.Rerun)
	}
}

func TestEffect_IsRecorded(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	before, after := b.revise("one-things/S04.yaml", archiveChain, "chain: [{mode: form}]\n        note: 各阶段电子文件自动归集")
	b.measure(before, after)
	want := []ledger.Entry{{Kind: ledger.EffectMeasured, At: at().UTC(), Person: "reviewer", Revision: 1, Object: "revision:2"}}
	got := b.entries("", ledger.EffectMeasured)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

// BenchmarkEffect says how many cases a second are opened and worked out twice from
// their recorded inputs.
func BenchmarkEffect(b *testing.B) {
	const cases = 100
	x := newBench(b, wellKept)
	for i := range cases {
		in := wholeFounding()
		in.Number = fmt.Sprintf("JN-B-%04d", i)
		x.resolve(as("SPJ"), x.open(as("SPJ"), in).ID)
	}
	before, after := x.revise("one-things/S01.yaml", premisesChain, strings.Replace(premisesChain, "{mode: commit, when: accept_commitment}, {mode: data}, ", "", 1))
	for b.Loop() {
		if got := x.measure(before, after).Cases; got.Rerun != cases || got.Total.Difference() != cases {
			b.Fatalf("cases %+v, want a paper more in each of %d", got.Total, cases)
		}
	}
	b.ReportMetric(float64(cases*b.N)/b.Elapsed().Seconds(), "cases/s")
}
