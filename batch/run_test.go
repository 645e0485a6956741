package batch_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"mianti/batch"
	"mianti/catalog"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
	"mianti/safeguard"
)

// batchOpening is a case of the tax office.
func batchOpening(number string) exchange.Opening {
	return exchange.Opening{Number: number, Matter: "S02.M1", Facts: map[string]any{}, Parties: []catalog.Party{
		{ID: "p1", Roles: []string{"applicant"}, Kind: catalog.KindOrganization, Name: "济南示例有限公司", Number: creditCode(9000)},
	}}
}

func TestRun_VerifiesEachRowAsARegisteredCase(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, b *bench) {
		d := b.desk()
		got := b.submit(d, submission(list(5)))
		b.start(d, got.ID)
		b.run(d)
		after := b.batch(got.ID)
		if after.State != batch.Finished || after.Counts != (batch.Counts{Done: 5}) || after.EndedAt == nil {
			t.Fatalf("%s %+v %s", after.State, after.Counts, b.log.String())
		}
		for i, row := range b.rows(got.ID) {
			c, err := b.x.Case(t.Context(), taxOffice(), row.Case)
			if err != nil {
				t.Fatal(err)
			}
			if c.Number != fmt.Sprintf("%s-%05d", got.Number, i+2) || row.Status != exchange.StatusComplete || len(row.Outcomes) != 2 {
				t.Errorf("row %+v of case %s", row, c.Number)
			}
			// As for any case: an intent before, an outcome after, and whom it is about.
			for _, kind := range []ledger.Kind{ledger.CaseOpened, ledger.Intent, ledger.Outcome, ledger.Resolved} {
				if n := len(b.entries(row.Case, kind)); n != 1 {
					t.Errorf("%d entries %s, want 1", n, kind)
				}
			}
		}
		if b.sources.total() != 5 || len(b.entries("", ledger.BatchFinished)) != 1 {
			t.Errorf("%d questions, and %d ends", b.sources.total(), len(b.entries("", ledger.BatchFinished)))
		}
	})
}

func TestStart_BeginsNothingWhileThereAreErrors(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, b *bench) {
		d := b.desk()
		got := b.submit(d, submission(append(list(2), "坏公司,1\n"...)))
		_, err := d.Start(t.Context(), taxOffice(), got.ID, false)
		wantFault(t, err, fault.Conflict, "batch-has-errors")
		b.run(d)
		if b.sources.total() != 0 {
			t.Error("somebody was asked")
		}
		if _, err := d.Start(t.Context(), taxOffice(), got.ID, true); err != nil {
			t.Fatal(describe(err))
		}
		b.run(d)
		if after := b.batch(got.ID); after.State != batch.Finished || after.Counts != (batch.Counts{Wrong: 1, Done: 2}) || b.sources.total() != 2 {
			t.Errorf("%s %+v after %d questions", after.State, after.Counts, b.sources.total())
		}
	})
}

func TestPause_StopsBetweenRowsAndResumeGoesOn(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, b *bench) {
		b.config.Slice = 2
		d := b.desk()
		got := b.submit(d, submission(list(5)))
		b.start(d, got.ID)
		if _, err := b.step(d); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Pause(t.Context(), taxOffice(), got.ID, ""); err != nil {
			t.Fatal(describe(err))
		}
		b.run(d)
		if after := b.batch(got.ID); after.State != batch.Paused || after.Counts != (batch.Counts{Todo: 3, Done: 2}) {
			t.Errorf("%s %+v", after.State, after.Counts)
		}
		if _, err := d.Resume(t.Context(), taxOffice(), got.ID, ""); err != nil {
			t.Fatal(describe(err))
		}
		b.run(d)
		if after := b.batch(got.ID); after.State != batch.Finished || b.sources.total() != 5 {
			t.Errorf("%s after %d questions", after.State, b.sources.total())
		}
		_, err := d.Cancel(t.Context(), taxOffice(), got.ID, "")
		wantFault(t, err, fault.Conflict, "batch-state")
	})
}

func TestCancel_LeavesWhatWasNotAskedUnasked(t *testing.T) {
	t.Parallel()
	b := newBench(t, sqlite(t))
	b.config.Slice = 2
	d := b.desk()
	got := b.submit(d, submission(list(5)))
	b.start(d, got.ID)
	if _, err := b.step(d); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Cancel(t.Context(), taxOffice(), got.ID, ""); err != nil {
		t.Fatal(describe(err))
	}
	b.run(d)
	if after := b.batch(got.ID); after.State != batch.Cancelled || b.sources.total() != 2 || after.Counts.Todo != 3 {
		t.Errorf("%s %+v after %d questions", after.State, after.Counts, b.sources.total())
	}
}

func TestRun_KeepsToItsRowsOfADay(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, b *bench) {
		in := submission(list(5))
		in.PerDay = 2
		d := b.desk()
		got := b.submit(d, in)
		b.start(d, got.ID)
		for range 2 { // the rows of the day, and the look at what is left
			if _, err := b.step(d); err != nil {
				t.Fatal(err)
			}
		}
		after := b.batch(got.ID)
		if b.sources.total() != 2 || after.Note == nil || after.Note.Code != "daily-quota" {
			t.Fatalf("%d questions, note %+v", b.sources.total(), after.Note)
		}
		// Midnight in Jinan is 16:00 UTC.
		if want := time.Date(2026, 11, 23, 16, 0, 0, 0, time.UTC); !after.Note.Until.Equal(want) {
			t.Errorf("goes on at %v, want %v", after.Note.Until, want)
		}
		b.run(d)
		if after := b.batch(got.ID); after.State != batch.Finished || after.Note != nil || b.clock.now().Before(time.Date(2026, 11, 24, 16, 0, 0, 0, time.UTC)) {
			t.Errorf("%s, %+v, at %v", after.State, after.Note, b.clock.now())
		}
	})
}

func TestRun_WaitsForTheQuotasOfTheExchange(t *testing.T) {
	t.Parallel()
	b := newBench(t, sqlite(t))
	limits := safeguard.Limits{CallsPerHour: 2, CallsPerDay: 100, SubjectsPerHour: 100, SubjectsPerDay: 100}
	if err := b.store.SetQuota(t.Context(), safeguard.Meter{Kind: safeguard.KindSystem, ID: "SW-1"}, limits, ledger.Entry{Kind: ledger.QuotaSet, At: b.clock.now()}); err != nil {
		t.Fatal(err)
	}
	d := b.desk()
	got := b.submit(d, submission(list(3)))
	b.start(d, got.ID)
	if _, err := b.step(d); err != nil {
		t.Fatal(err)
	}
	after := b.batch(got.ID)
	if after.State != batch.Running || after.Note == nil || after.Note.Code != "quota-exceeded" || after.Counts.Todo != 1 || b.sources.total() != 2 {
		t.Errorf("%s %+v, note %+v, %d questions", after.State, after.Counts, after.Note, b.sources.total())
	}
	b.run(d)
	if after := b.batch(got.ID); after.State != batch.Finished || after.Counts.Done != 3 {
		t.Errorf("%s %+v", after.State, after.Counts)
	}
}

func TestRun_IsPausedByAStopAndByTheEndOfTheSystem(t *testing.T) {
	t.Parallel()
	b := newBench(t, sqlite(t))
	d := b.desk()
	got := b.submit(d, submission(list(2)))
	b.start(d, got.ID)
	if err := b.store.RevokeSystem(t.Context(), "SW-1", ledger.Entry{Kind: ledger.SystemRevoked, At: b.clock.now()}); err != nil {
		t.Fatal(err)
	}
	b.run(d)
	if after := b.batch(got.ID); after.State != batch.Paused || after.Note == nil || after.Note.Code != "requester-gone" || b.sources.total() != 0 {
		t.Errorf("%s, note %+v, %d questions", after.State, after.Note, b.sources.total())
	}
}

func TestBatch_IsNotFoundByAnotherDepartment(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, b *bench) {
		d := b.desk()
		got := b.submit(d, submission(list(1)))
		for name, do := range map[string]func() error{
			"read": func() error { _, err := d.Batch(t.Context(), police(), got.ID); return err },
			"rows": func() error {
				_, err := d.List(t.Context(), police(), batch.RowFilter{Batch: got.ID, Limit: 1})
				return err
			},
			"errors": func() error { _, err := d.Errors(t.Context(), police(), got.ID); return err },
			"start":  func() error { _, err := d.Start(t.Context(), police(), got.ID, false); return err },
			"pause":  func() error { _, err := d.Pause(t.Context(), police(), got.ID, ""); return err },
			"cancel": func() error { _, err := d.Cancel(t.Context(), police(), got.ID, ""); return err },
			"result": func() error { _, err := d.Result(t.Context(), police(), got.ID, "correct-horse-battery"); return err },
		} {
			if err := do(); !errors.Is(err, fault.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		found, err := d.Batches(t.Context(), police(), batch.Filter{Limit: 10})
		if err != nil || len(found) != 0 {
			t.Errorf("%d batches, %v", len(found), err)
		}
	})
}

func TestResult_IsLockedForTheRequesterAndRecorded(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, b *bench) {
		d := b.desk()
		got := b.submit(d, submission(list(2)))
		_, err := d.Result(t.Context(), taxOffice(), got.ID, "correct-horse-battery")
		wantFault(t, err, fault.Conflict, "batch-not-started")
		b.start(d, got.ID)
		b.run(d)
		_, err = d.Result(t.Context(), taxOffice(), got.ID, "short")
		wantFault(t, err, fault.Invalid, "invalid-passphrase")
		clerk := policies.Caller{Person: "p-1", Department: "SW", Duties: []policies.Duty{policies.DutyClerk}}
		_, err = d.Result(t.Context(), clerk, got.ID, "correct-horse-battery")
		wantFault(t, err, fault.Denied, "not-the-requester")
		file, err := d.Result(t.Context(), taxOffice(), got.ID, "correct-horse-battery")
		if err != nil {
			t.Fatal(describe(err))
		}
		if strings.Contains(string(file.Content), "济南示例") || file.Name != got.Number+".zip" {
			t.Errorf("%s can be read", file.Name)
		}
		if n := len(b.entries("", ledger.BatchRead)); n != 1 {
			t.Errorf("%d readings were recorded, want 1", n)
		}
	})
}

func TestExpire_DestroysListAndResultsAfterTheirTerm(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, b *bench) {
		d := b.desk()
		got := b.submit(d, submission(list(2)))
		b.start(d, got.ID)
		b.run(d)
		if n, err := d.Expire(t.Context()); err != nil || n != 0 {
			t.Fatalf("%d were destroyed at once, %v", n, err)
		}
		b.clock.set(b.batch(got.ID).KeptUntil.Add(time.Second))
		if n, err := d.Expire(t.Context()); err != nil || n != 1 {
			t.Fatalf("%d were destroyed, %v", n, err)
		}
		if n, err := d.Expire(t.Context()); err != nil || n != 0 {
			t.Fatalf("%d were destroyed again, %v", n, err)
		}
		after := b.batch(got.ID)
		if after.DestroyedAt == nil || after.Counts.Done != 2 || len(b.entries("", ledger.BatchDestroyed)) != 1 {
			t.Errorf("%+v", after)
		}
		_, err := d.List(t.Context(), taxOffice(), batch.RowFilter{Batch: got.ID, Limit: 1})
		wantFault(t, err, fault.Gone, "batch-destroyed")
		_, err = d.Result(t.Context(), taxOffice(), got.ID, "correct-horse-battery")
		wantFault(t, err, fault.Gone, "batch-destroyed")
	})
}

func TestRun_FollowsRowsThatWaitForASource(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, b *bench) {
		d := b.desk()
		got := b.submit(d, submission(list(2)))
		b.start(d, got.ID)
		b.sources.away = true
		for range 2 { // the rows, and the first look at what waits
			if _, err := b.step(d); err != nil {
				t.Fatal(err)
			}
		}
		after := b.batch(got.ID)
		if after.State != batch.Running || after.Counts != (batch.Counts{Waiting: 2}) || after.Note == nil || after.Note.Code != "waiting" {
			t.Fatalf("%s %+v, note %+v", after.State, after.Counts, after.Note)
		}
		b.sources.away = false
		for _, row := range b.rows(got.ID) {
			if err := b.x.Continue(t.Context(), "SW", row.Case); err != nil {
				t.Fatal(err)
			}
		}
		b.run(d)
		if after := b.batch(got.ID); after.State != batch.Finished || after.Counts != (batch.Counts{Done: 2}) {
			t.Errorf("%s %+v", after.State, after.Counts)
		}
	})
}

func TestRun_TellsRowsThatLackSomethingFromThoseThatAreSettled(t *testing.T) {
	t.Parallel()
	b := newBench(t, sqlite(t))
	if err := b.store.SaveSystem(t.Context(), exchange.System{ID: "DA-1", Department: "DA"}); err != nil {
		t.Fatal(err)
	}
	archives := policies.Caller{System: "DA-1", Department: "DA"}
	in := submission([]byte("申请人姓名或名称,申请人号码,人防工程是结建、易地建设还是免建\n甲公司," + creditCode(1) + ",免建\n乙公司," + creditCode(2) + ",\n丙公司," + creditCode(3) + ",都不是\n"))
	in.Subject = "S04.M21"
	d := b.desk()
	got, err := d.Submit(t.Context(), archives, in)
	if err != nil {
		t.Fatal(describe(err))
	}
	if _, err := d.Start(t.Context(), archives, got.ID, true); err != nil {
		t.Fatal(describe(err))
	}
	b.run(d)
	rows, err := d.List(t.Context(), archives, batch.RowFilter{Batch: got.ID, States: []batch.RowState{batch.RowLacking}, Limit: 10})
	if err != nil || len(rows) != 2 {
		t.Fatalf("%d rows lack something, %v", len(rows), err)
	}
	// Both have a paper to hand in; of the second, a fact is not known besides.
	for i, want := range []string{"S04.M21.a upload", "S04.M21.a upload, S04.M21.b needs_fact"} {
		var told []string
		for _, o := range rows[i].Outcomes {
			told = append(told, o.Code+" "+string(o.Outcome))
		}
		if got := strings.Join(told, ", "); got != want {
			t.Errorf("line %d: %s, want %s", rows[i].Line, got, want)
		}
	}
}
