package figures_test

import (
	"slices"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/examples/jinan"
	"mianti/exchange"
	"mianti/figures"
	"mianti/policies"
)

func jinanCatalog(t testing.TB) *catalog.Revision {
	t.Helper()
	rev, err := catalog.Load(jinan.Files)
	if err != nil {
		t.Fatal(err)
	}
	return rev
}

// done is the last second of 23 November in Shanghai, still the 23rd in UTC.
var done = time.Date(2026, 11, 23, 23, 59, 59, 0, catalog.TimeZone())

// result is what a resolution says of one material of S01.M1.
func result(code, party string, outcome policies.Outcome, mode catalog.Mode, reason policies.ReasonCode) exchange.MaterialResult {
	m := exchange.MaterialResult{Code: code, UsedBy: []string{code}, Outcome: outcome, Mode: mode, Reason: exchange.Reason{Code: reason}}
	if party != "" {
		m.Subject = &exchange.SubjectRef{Role: "applicant", Party: party}
	}
	return m
}

func resolution(materials ...exchange.MaterialResult) *exchange.Resolution {
	r := &exchange.Resolution{OneThing: "S01", Matters: []exchange.MatterState{{Code: "S01.M1"}}, Materials: materials}
	for _, m := range materials {
		if m.Outcome == policies.Upload {
			p := exchange.Paper{Code: m.Code}
			if m.Subject != nil {
				p.Party = m.Subject.Party
			}
			r.Papers = append(r.Papers, p)
		}
	}
	return r
}

func finished(resolutions ...*exchange.Resolution) *figures.Finished {
	return &figures.Finished{Case: "c1", Department: "SPJ", Subject: "S01", DoneAt: done, First: resolutions[0], Resolutions: resolutions}
}

// waysOf counts by way.
func waysOf(counts []figures.MaterialCount) map[figures.Way]int {
	out := map[figures.Way]int{}
	for _, c := range counts {
		out[c.Way] += c.N
	}
	return out
}

func TestCount_TellsEveryWayApart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		outcome policies.Outcome
		mode    catalog.Mode
		reason  policies.ReasonCode
		want    figures.Way
	}{
		{policies.Settled, catalog.ModeData, policies.ReasonRecordMatches, figures.Exempt},
		{policies.Committed, catalog.ModeCommit, policies.ReasonCommitment, figures.Committed},
		{policies.Upload, catalog.ModeUpload, policies.ReasonNoSource, figures.Uploaded},
		{policies.Upload, catalog.ModeUpload, policies.ReasonChosePaper, figures.Chosen},
		{policies.Upload, catalog.ModeUpload, policies.ReasonConsentRefused, figures.Chosen},
		{policies.Deferred, catalog.ModeDefer, policies.ReasonMayFollow, figures.Later},
		{policies.Verifying, "", policies.ReasonManualCheck, figures.Unsettled},
		{policies.NeedsConsent, "", policies.ReasonConsentMissing, figures.Unsettled},
		{policies.NotApplicable, "", policies.ReasonConditionFalse, figures.NotApplicable},
		{policies.NotApplicable, "", policies.ReasonMatterDecided, figures.NotApplicable},
	} {
		counts, _ := figures.Count(finished(resolution(result("S01.M1.a", "", c.outcome, c.mode, c.reason))), jinanCatalog(t))
		if len(counts) != 1 || counts[0].Way != c.want || counts[0].N != 1 {
			t.Errorf("%s, %s: %+v, want %s once", c.outcome, c.reason, counts, c.want)
		}
	}
}

func TestCount_NamesDayMatterAndDepartment(t *testing.T) {
	t.Parallel()
	rev := jinanCatalog(t)
	counts, ended := figures.Count(finished(resolution(
		result("S01.M1.a", "p1", policies.Settled, catalog.ModeData, ""), result("S01.M1.a", "p2", policies.Settled, catalog.ModeData, ""),
	)), rev)
	want := figures.MaterialCount{
		Day: "2026-11-23", Department: rev.Matter("S01.M1").Department, Matter: "S01.M1", OneThing: "S01", Material: "S01.M1.a", Way: figures.Exempt, Mode: "data", N: 2,
	}
	if len(counts) != 1 || counts[0] != want {
		t.Errorf("%+v, want %+v", counts, want)
	}
	if want := (figures.CaseCount{Day: "2026-11-23", Department: "SPJ", Subject: "S01", Finished: 1, AtOnce: 1}); ended != want {
		t.Errorf("%+v, want %+v", ended, want)
	}
}

func TestCount_KeepsWhatWasConcludedBeforeTheMatterWasDecided(t *testing.T) {
	t.Parallel()
	counts, _ := figures.Count(finished(
		resolution(result("S01.M1.a", "p1", policies.Upload, "", policies.ReasonNoSource), result("S01.M1.b", "", policies.Settled, catalog.ModeData, "")),
		resolution(result("S01.M1.a", "p1", policies.NotApplicable, "", policies.ReasonMatterDecided), result("S01.M1.b", "", policies.Settled, catalog.ModeData, "")),
	), jinanCatalog(t))
	if got := waysOf(counts); got[figures.Uploaded] != 1 || got[figures.Exempt] != 1 || got[figures.NotApplicable] != 0 {
		t.Errorf("%v, want one upload and one exempt", got)
	}
}

func TestCount_APaperThatWasHandedInForTheCaseIsNotExempt(t *testing.T) {
	t.Parallel()
	counts, _ := figures.Count(finished(
		resolution(result("S01.M1.a", "p1", policies.Upload, "", policies.ReasonNoSource)),
		resolution(result("S01.M1.a", "p1", policies.Settled, catalog.ModeHistory, policies.ReasonReused)),
	), jinanCatalog(t))
	if got := waysOf(counts); got[figures.Uploaded] != 1 || got[figures.Exempt] != 0 {
		t.Errorf("%v, want one upload", got)
	}
	counts, _ = figures.Count(finished(resolution(result("S01.M1.a", "p1", policies.Settled, catalog.ModeHistory, policies.ReasonReused))), jinanCatalog(t))
	if got := waysOf(counts); got[figures.Exempt] != 1 {
		t.Errorf("a paper of an earlier case: %v, want one exempt", got)
	}
}

func TestCount_ForgetsWhatTheCaseNoLongerAsksFor(t *testing.T) {
	t.Parallel()
	counts, _ := figures.Count(finished(
		resolution(result("S01.M1.a", "p1", policies.Upload, "", policies.ReasonNoSource)),
		resolution(result("S01.M1.a", "", policies.NotApplicable, "", policies.ReasonConditionFalse)),
	), jinanCatalog(t))
	if got := waysOf(counts); got[figures.Uploaded] != 0 || got[figures.NotApplicable] != 1 {
		t.Errorf("%v, want not applicable alone", got)
	}
}

func TestCount_AtOnceMeansThatNoOtherPaperIsAskedForLater(t *testing.T) {
	t.Parallel()
	upload := func(code, party string) exchange.MaterialResult {
		return result(code, party, policies.Upload, "", policies.ReasonNoSource)
	}
	for _, c := range []struct {
		name string
		of   *figures.Finished
		want int
	}{
		{"the same paper again", finished(resolution(upload("S01.M1.a", "p1")), resolution(upload("S01.M1.a", "p1"))), 1},
		{"another paper", finished(resolution(upload("S01.M1.a", "p1")), resolution(upload("S01.M1.b", "p1"))), 0},
		{"the same paper of another party", finished(resolution(upload("S01.M1.a", "p1")), resolution(upload("S01.M1.a", "p2"))), 0},
		{"a later version of the first", &figures.Finished{DoneAt: done, First: resolution(), Resolutions: []*exchange.Resolution{resolution(upload("S01.M1.a", "p1"))}}, 0},
	} {
		if _, ended := figures.Count(c.of, jinanCatalog(t)); ended.Finished != 1 || ended.AtOnce != c.want {
			t.Errorf("%s: %+v, want at once %d", c.name, ended, c.want)
		}
	}
}

func TestCount_AWithdrawnOrUnresolvedCaseSaysNothingOfMaterials(t *testing.T) {
	t.Parallel()
	withdrawn := finished(resolution(result("S01.M1.a", "", policies.Settled, catalog.ModeData, "")))
	withdrawn.Withdrawn = true
	if counts, ended := figures.Count(withdrawn, jinanCatalog(t)); len(counts) != 0 || ended.Withdrawn != 1 || ended.Finished != 0 {
		t.Errorf("withdrawn: %v, %+v", counts, ended)
	}
	if counts, ended := figures.Count(&figures.Finished{DoneAt: done}, jinanCatalog(t)); len(counts) != 0 || ended.Withdrawn+ended.Finished != 0 {
		t.Errorf("never resolved: %v, %+v", counts, ended)
	}
}

func TestCount_GivesItsCountsInOneOrder(t *testing.T) {
	t.Parallel()
	var materials []exchange.MaterialResult
	for _, code := range []string{"S01.M1.d", "S01.M1.a", "S01.M1.c", "S01.M1.b"} {
		materials = append(materials, result(code, "", policies.Settled, catalog.ModeData, ""))
	}
	counts, _ := figures.Count(finished(resolution(materials...)), jinanCatalog(t))
	if !slices.IsSortedFunc(counts, func(a, b figures.MaterialCount) int { return len(a.Day) - len(b.Day) }) || len(counts) != 4 || counts[0].Material != "S01.M1.a" || counts[3].Material != "S01.M1.d" {
		t.Errorf("%+v", counts)
	}
}
