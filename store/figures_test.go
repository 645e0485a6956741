package store

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/connectors/guard"
	"mianti/exchange"
	"mianti/figures"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// finish closes a case that has a resolution.
func finish(t *testing.T, s *Store, id, number string, reason exchange.ClosingReason) {
	t.Helper()
	c := newCase(id, number)
	open(t, s, c)
	if err := s.CommitResolution(t.Context(), exchange.Commit{Resolution: newResolution("r-"+id, id)}); err != nil {
		t.Fatal(err)
	}
	c.ClosedAt, c.ClosedFor, c.UpdatedAt, c.DoneAt = testTime, reason, testTime, testTime
	if err := s.UpdateCase(t.Context(), c, entry(ledger.CaseClosed, id)); err != nil {
		t.Fatal(err)
	}
}

func TestUncountedCases_AreThoseThatAreDoneAndNotCountedYet(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ready(t, s)
		open(t, s, newCase("c0", "JN-0"))
		finish(t, s, "c1", "JN-1", exchange.CaseFinished)
		finish(t, s, "c2", "JN-2", exchange.CaseWithdrawn)
		found, err := s.UncountedCases(t.Context(), 10)
		if err != nil || len(found) != 2 {
			t.Fatalf("%d cases, %v; want 2", len(found), err)
		}
		one := found[0]
		if one.Case != "c1" || one.Withdrawn || one.Subject != "S01" || !one.DoneAt.Equal(testTime) || len(one.Resolutions) != 1 ||
			one.First == nil || one.First.Materials[0].Outcome != policies.Upload || !found[1].Withdrawn {
			t.Errorf("%+v", found)
		}
	})
}

func TestUncountedCases_GiveTheFirstVersionOfTheFirstResolution(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ready(t, s)
		c := newCase("c1", "JN-1")
		open(t, s, c)
		first, second := newResolution("r1", "c1"), newResolution("r1", "c1")
		second.Version, second.Materials[0].Outcome = 2, policies.Settled
		for _, r := range []*exchange.Resolution{first, second} {
			if err := s.CommitResolution(t.Context(), exchange.Commit{Resolution: r}); err != nil {
				t.Fatal(err)
			}
		}
		c.ClosedAt, c.ClosedFor, c.DoneAt = testTime, exchange.CaseFinished, testTime
		if err := s.UpdateCase(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		found, err := s.UncountedCases(t.Context(), 10)
		if err != nil || len(found) != 1 {
			t.Fatalf("%+v, %v", found, err)
		}
		if found[0].First.Materials[0].Outcome != policies.Upload || found[0].Resolutions[0].Materials[0].Outcome != policies.Settled {
			t.Errorf("first %+v, last %+v", found[0].First.Materials, found[0].Resolutions[0].Materials)
		}
	})
}

func TestAddCounts_AddsUpAndCountsNoCaseTwice(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ready(t, s)
		finish(t, s, "c1", "JN-1", exchange.CaseFinished)
		finish(t, s, "c2", "JN-2", exchange.CaseFinished)
		batch := func(id, day string) figures.Batch {
			return figures.Batch{
				Cases: []string{id}, At: testTime,
				Materials: []figures.MaterialCount{{Day: day, Department: "SPJ", Matter: "S01.M1", OneThing: "S01", Material: "S01.M1.c", Way: figures.Uploaded, Reason: "no_source", N: 2}},
				Ended:     []figures.CaseCount{{Day: day, Department: "SPJ", Subject: "S01", Finished: 1, AtOnce: 1}},
			}
		}
		for id, day := range map[string]string{"c1": "2026-11-23", "c2": "2026-11-23"} {
			if err := s.AddCounts(t.Context(), batch(id, day)); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.AddCounts(t.Context(), batch("c1", "2026-11-24")); !errors.Is(err, fault.Conflict) {
			t.Errorf("a second time: %v", err)
		}
		q := figures.Query{From: "2026-11-23", Until: "2026-11-24"}
		daily, err := s.DailyCounts(t.Context(), q)
		if diff := cmp.Diff([]figures.MaterialCount{{Day: "2026-11-23", Way: figures.Uploaded, N: 4}}, daily); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
		uploads, err := s.UploadCounts(t.Context(), q, 5)
		if diff := cmp.Diff([]figures.MaterialCount{{Matter: "S01.M1", Material: "S01.M1.c", Reason: "no_source", N: 4}}, uploads); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
		byWay, err := s.WayCounts(t.Context(), q)
		if diff := cmp.Diff([]figures.MaterialCount{{Material: "S01.M1.c", Way: figures.Uploaded, N: 4}}, byWay); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
		cases, err := s.CaseCounts(t.Context(), q)
		if diff := cmp.Diff([]figures.CaseCount{{Department: "SPJ", Subject: "S01", Finished: 2, AtOnce: 2}}, cases); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
		for _, other := range []figures.Query{{From: "2026-11-24", Until: "2026-11-24"}, {From: q.From, Until: q.Until, Department: "GA"}, {From: q.From, Until: q.Until, Matter: "S01.M2"}} {
			if found, err := s.MaterialCounts(t.Context(), other); len(found) != 0 || err != nil {
				t.Errorf("%+v: %+v, %v", other, found, err)
			}
		}
		if left, err := s.UncountedCases(t.Context(), 10); len(left) != 0 || err != nil {
			t.Errorf("left to count: %+v, %v", left, err)
		}
	})
}

func TestSeal_NotesTheUsesOfDatasets(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		use := func(kind ledger.Kind, dataset, department, result string, at time.Time) ledger.Entry {
			return ledger.Entry{Kind: kind, At: at, System: "s", Department: department, Case: "c1", Dataset: dataset, Matter: "S01.M1", Material: "S01.M1.a", Result: result, Grant: "g1"}
		}
		late := time.Date(2026, 11, 23, 16, 30, 0, 0, time.UTC) // the 24th in Shanghai
		appendAll(t, s,
			use(ledger.Intent, "D-GA01", "SPJ", "", testTime), use(ledger.Outcome, "D-GA01", "SPJ", "ok", testTime),
			use(ledger.Outcome, "D-GA01", "SPJ", "ok", late), use(ledger.Denied, "D-GA01", "BDC", "no_grant", testTime),
			use(ledger.Outcome, "", "SPJ", "ok", testTime), use(ledger.Outcome, "D-GA02", "SPJ", "not_found", testTime))
		filter := figures.UseFilter{Datasets: []string{"D-GA01"}, From: testTime.Add(-time.Hour), Until: late.Add(24 * time.Hour), Limit: 10}
		if before, err := s.DatasetUses(t.Context(), filter); len(before) != 0 || err != nil {
			t.Errorf("before it is sealed: %+v, %v", before, err)
		}
		sealAll(t, s, 2)
		uses, err := s.DatasetUses(t.Context(), filter)
		if err != nil || len(uses) != 3 {
			t.Fatalf("%+v, %v; want 3", uses, err)
		}
		if !uses[0].At.Equal(late) || uses[0].Grant != "g1" || uses[0].Case != "c1" {
			t.Errorf("the newest is %+v", uses[0])
		}
		totals, err := s.UseTotals(t.Context(), filter)
		want := []figures.UseTotal{
			{Dataset: "D-GA01", Department: "SPJ", Matter: "S01.M1", Result: "ok", N: 2},
			{Dataset: "D-GA01", Department: "BDC", Matter: "S01.M1", Result: figures.UseDenied, N: 1},
		}
		if diff := cmp.Diff(want, totals); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
		filter.Limit, filter.Before = 1, uses[0].Number
		next, err := s.DatasetUses(t.Context(), filter)
		if err != nil || len(next) != 1 || next[0].Number != uses[1].Number {
			t.Errorf("the next page %+v, %v; want %d", next, err, uses[1].Number)
		}
		filter.Before, filter.Department, filter.Limit = 0, "BDC", 10
		if found, err := s.DatasetUses(t.Context(), filter); err != nil || len(found) != 1 || found[0].Result != figures.UseDenied {
			t.Errorf("of BDC: %+v, %v", found, err)
		}
	})
}

func TestSourceTimes_GivesTheNearestRankOfWhatCameBack(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		var calls []guard.Call
		for i := range 20 { // 10 ms, 20 ms … 200 ms
			c := newCall("GA.D-GA01.query", testTime)
			c.Dataset, c.Department, c.Result, c.Probe = "D-GA01", "GA", "ok", false
			c.Out, c.Back = testTime, testTime.Add(time.Duration(i+1)*10*time.Millisecond)
			calls = append(calls, c)
		}
		lost := calls[0]
		lost.Back, lost.Done, lost.Result = time.Time{}, testTime.Add(time.Second), "timeout"
		other := calls[0]
		other.Source, other.Dataset, other.Department = "SC.D-SC01.query", "D-SC01", "SC"
		held := refusedCall("GA.D-GA01.query", testTime)
		held.Dataset, held.Department, held.Result, held.Probe = "D-GA01", "GA", "busy", false
		probe := calls[19]
		probe.Probe = true
		if err := s.RecordCalls(t.Context(), append(calls, lost, held, probe, other)); err != nil {
			t.Fatal(err)
		}
		found, err := s.SourceTimes(t.Context(), "GA", testTime, testTime.Add(time.Hour))
		if err != nil || len(found) != 1 {
			t.Fatalf("%+v, %v", found, err)
		}
		// The 19th of 20 is the first that is not shorter than 95 %, the 10th than half:
		// 190 ms and 100 ms. The class in which one lies ends less than a tenth above it.
		if one := found[0]; one.Source != "GA.D-GA01.query" || one.Dataset != "D-GA01" || one.Department != "GA" || one.P95 < 190 || one.P95 > 209 || one.P50 < 100 || one.P50 > 110 || one.Asked != 21 || one.Answered != 20 || one.Failed != 1 || one.Held != 1 || one.Well() {
			t.Errorf("%+v", one)
		}
		if all, err := s.SourceTimes(t.Context(), "", testTime, testTime.Add(time.Hour)); err != nil || len(all) != 2 || all[1].Source != "SC.D-SC01.query" || all[1].P95 != 10 || all[1].P50 != 10 {
			t.Errorf("of all: %+v, %v", all, err)
		}
		if found, err := s.SourceTimes(t.Context(), "SPJ", testTime, testTime.Add(time.Hour)); len(found) != 0 || err != nil {
			t.Errorf("of another department: %+v, %v", found, err)
		}
	})
}

func TestCorrectionsOpened_TellsWhenTheyWereAnsweredWithoutReadingThem(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ready(t, s)
		open(t, s, newCase("c1", "JN-1"))
		for _, id := range []string{"k1", "k2"} {
			due := At(testTime.Add(time.Hour))
			row := correctionRow{ID: id, Dataset: "D-GA01", Subject: "x", Provider: "GA", Receiver: "SPJ", CaseID: "c1", State: "open", Article: "26", Due: &due, Opened: At(testTime), Version: 1, Body: "sealed:not to be read"}
			if err := s.db.Create(&row).Error; err != nil {
				t.Fatal(err)
			}
		}
		answered, passed := entry(ledger.CorrectionAnswered, "c1"), entry(ledger.CorrectionPassedOn, "c1")
		passed.Object, passed.At = "correction:k1", testTime.Add(time.Hour)
		answered.Object, answered.At = "correction:k1", testTime.Add(2*time.Hour)
		appendAll(t, s, passed, answered)
		got, err := s.CorrectionsOpened(t.Context(), testTime, testTime.Add(time.Minute))
		slices.SortFunc(got, func(a, b figures.Answered) int { return b.AnsweredAt.Compare(a.AnsweredAt) })
		want := []figures.Answered{
			{Provider: "GA", OpenedAt: testTime.Add(time.Hour), AnsweredAt: testTime.Add(2 * time.Hour)}, {Provider: "GA", OpenedAt: testTime},
		}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
	})
}

func TestMigrate_IndexesTheUsesThatWereSealedBefore(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		late := time.Date(2026, 11, 23, 16, 30, 0, 0, time.UTC) // the 24th in Shanghai
		answered := ledger.Entry{Kind: ledger.Outcome, At: late, System: "s", Department: "SPJ", Case: "c1", Dataset: "D-GA01", Matter: "S01.M1", Material: "S01.M1.a", Result: "ok", Grant: "g1"}
		denied, none := answered, answered
		denied.Kind, denied.Result, denied.Grant = ledger.Denied, "", ""
		none.Dataset = ""
		appendAll(t, s, answered, denied, none)
		sealAll(t, s, 10)
		appendAll(t, s, answered) // waits for its place, and is indexed when it gets it
		read := func() (uses []useRow, counts []useCountRow) {
			if err := s.db.Order("entry_id").Find(&uses).Error; err != nil {
				t.Fatal(err)
			}
			if err := s.db.Order("result").Find(&counts).Error; err != nil {
				t.Fatal(err)
			}
			return uses, counts
		}
		wantUses, wantCounts := read()
		text, err := migrationFiles.ReadFile("migrations/" + string(s.dialect) + "/00027_figures.sql")
		if err != nil {
			t.Fatal(err)
		}
		_, backfill, _ := strings.Cut(string(text), "-- What was sealed before there was this index.")
		for _, statement := range append([]string{"DELETE FROM dataset_uses", "DELETE FROM dataset_use_counts"}, strings.Split(strings.TrimSpace(backfill), ";\n")...) {
			if statement = strings.TrimSuffix(strings.TrimSpace(statement), ";"); statement == "" {
				continue
			}
			if err := s.db.Exec(statement).Error; err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
		uses, counts := read()
		if len(uses) != 2 || len(counts) != 2 || counts[0].Day != "2026-11-24" {
			t.Errorf("%+v, %+v; want two of the 24th", uses, counts)
		}
		if diff := cmp.Diff(wantUses, uses) + cmp.Diff(wantCounts, counts); diff != "" {
			t.Errorf("-sealed now +sealed before:\n%s", diff)
		}
	})
}
