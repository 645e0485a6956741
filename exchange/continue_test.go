package exchange_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/internal/jobs"
	"mianti/ledger"
	"mianti/policies"
)

// clock is a clock that tests move.
type clock struct{ elapsed atomic.Int64 }

func (c *clock) now() time.Time       { return at().Add(time.Duration(c.elapsed.Load())) }
func (c *clock) move(d time.Duration) { c.elapsed.Add(int64(d)) }

// recovering is a source of D-FG02 that is down until it is told otherwise.
type recovering struct{ well atomic.Bool }

func (r *recovering) ask(ctx context.Context, q connectors.Query) (connectors.Reply, error) {
	if !r.well.Load() {
		return connectors.Reply{}, &connectors.Fault{Kind: connectors.FaultDown}
	}
	return wellKept(ctx, q)
}

// newRecovering is a bench whose D-FG02 is down, and its clock.
func newRecovering(t *testing.T) (*bench, *recovering, *clock) {
	t.Helper()
	source, time := &recovering{}, &clock{}
	return newBench(t, except("D-FG02", source.ask), func(c *exchange.Config) { c.Now = time.now }), source, time
}

func (b *bench) goOn(by policies.Caller, id string) {
	b.t.Helper()
	if err := b.x.Continue(b.t.Context(), by.Department, id); err != nil {
		b.t.Fatalf("continue: %s", describe(err))
	}
}

func (b *bench) last(by policies.Caller, id string) *exchange.Resolution {
	b.t.Helper()
	r, err := b.store.LastResolution(b.t.Context(), by.Department, id)
	if err != nil {
		b.t.Fatalf("last resolution: %s", describe(err))
	}
	return r
}

func TestContinue_AsksAgainForWhatWaitsAndForNothingElse(t *testing.T) {
	t.Parallel()
	b, source, clock := newRecovering(t)
	c := b.open(as("SPJ"), founding())
	first := b.resolve(as("SPJ"), c.ID)
	if first.Version != 1 || !first.Continues() || !first.RetryAt.Equal(at().Add(15*time.Second)) {
		t.Fatalf("version %d goes on at %v, want 1 after 15 s", first.Version, first.RetryAt)
	}
	asked := len(b.sources.questions())
	source.well.Store(true)
	clock.move(15 * time.Second)
	b.goOn(as("SPJ"), c.ID)
	second := b.last(as("SPJ"), c.ID)
	if second.ID != first.ID || second.Version != 2 || second.Continues() || !second.StartedAt.Equal(first.StartedAt) {
		t.Errorf("%s version %d, goes on %t; want version 2 of %s, done", second.ID, second.Version, second.Continues(), first.ID)
	}
	var again []string
	for _, q := range b.sources.questions()[asked:] {
		again = append(again, q.Dataset.Code+" for "+q.Party)
	}
	slices.Sort(again)
	// Both records of its proof: what was read the first time was not kept.
	if diff := cmp.Diff([]string{"D-FG02 for p2", "D-SC04 for p2"}, again); diff != "" {
		t.Errorf("asked again (-want +got):\n%s", diff)
	}
	if m := b.material(second, "S01.M1.j", "p2"); m.Outcome != policies.Settled {
		t.Errorf("S01.M1.j is %s, want settled", m.Outcome)
	}
	others := func(r *exchange.Resolution) []exchange.MaterialResult {
		return slices.DeleteFunc(slices.Clone(r.Materials), func(m exchange.MaterialResult) bool { return m.Code == "S01.M1.j" })
	}
	if diff := cmp.Diff(others(first), others(second)); diff != "" {
		t.Errorf("what did not wait was changed (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(lookUps(b.entries(c.ID, ledger.Intent)), lookUps(b.entries(c.ID, ledger.Outcome))); diff != "" {
		t.Errorf("intents and outcomes differ (-intent +outcome):\n%s", diff)
	}
	if n := b.rows("resolution_versions"); n != 1 {
		t.Errorf("%d earlier versions are kept, want one", n)
	}
}

func TestContinue_WaitsLongerEachTimeAndTellsNobodyThatNothingChanged(t *testing.T) {
	t.Parallel()
	b, _, clock := newRecovering(t)
	c := b.open(as("SPJ"), founding())
	r := b.resolve(as("SPJ"), c.ID)
	for i, pause := range []time.Duration{15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 15 * time.Minute} {
		if r.Version != i+1 || !r.RetryAt.Equal(clock.now().Add(pause)) {
			t.Fatalf("version %d goes on after %s, want version %d after %s", r.Version, r.RetryAt.Sub(clock.now()), i+1, pause)
		}
		clock.move(pause)
		b.goOn(as("SPJ"), c.ID)
		r = b.last(as("SPJ"), c.ID)
	}
	if events := b.jobs(exchange.JobEvent); len(events) != 0 {
		t.Errorf("events: %v", events)
	}
	if waiting := b.jobs(exchange.JobContinue); len(waiting) != 1 {
		t.Errorf("%d jobs go on with the case, want one", len(waiting))
	}
}

// waiting are the jobs of a kind that wait, in the order in which they run.
func (b *bench) waiting(kind string) []jobs.Job {
	b.t.Helper()
	var out []jobs.Job
	b.query(func(db *sql.DB) error {
		rows, err := db.Query("SELECT id, payload, run_at FROM jobs WHERE kind = ? ORDER BY run_at, key", kind)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			job := jobs.Job{Kind: kind}
			var micros int64
			if err := rows.Scan(&job.ID, &job.Payload, &micros); err != nil {
				return err
			}
			job.RunAt = time.UnixMicro(micros).UTC()
			out = append(out, job)
		}
		return rows.Err()
	})
	return out
}

// jobs are the payloads of the jobs of a kind that wait.
func (b *bench) jobs(kind string) []string {
	var out []string
	for _, job := range b.waiting(kind) {
		out = append(out, job.Payload)
	}
	return out
}

// told are the events that wait to be delivered: what, and to whom.
func (b *bench) told() []string {
	b.t.Helper()
	var out []string
	for _, payload := range b.jobs(exchange.JobEvent) {
		var e exchange.Event
		if err := json.Unmarshal([]byte(payload), &e); err != nil {
			b.t.Fatal(err)
		}
		out = append(out, e.Type+" "+e.System)
	}
	slices.Sort(out)
	return out
}

func TestContinue_TellsTheSystemWhenSomethingChanged(t *testing.T) {
	t.Parallel()
	b, source, _ := newRecovering(t)
	c := b.open(as("SPJ"), founding())
	r := b.resolve(as("SPJ"), c.ID)
	source.well.Store(true)
	b.goOn(as("SPJ"), c.ID)
	want := []string{`{"system":"SPJ-1","id":"` + r.ID + `-2","type":"resolution.updated","at":"2026-11-23T09:00:00Z",` +
		`"data":{"case":"` + c.ID + `","case_number":"` + c.Number + `","continues":false,"resolution":"` + r.ID + `","status":"` + string(b.last(as("SPJ"), c.ID).Status) + `","version":2}}`}
	if diff := cmp.Diff(want, b.jobs(exchange.JobEvent)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestContinue_GivesUpAfterADayForAPersonToLook(t *testing.T) {
	t.Parallel()
	b, _, clock := newRecovering(t)
	c := b.open(as("SPJ"), founding())
	b.resolve(as("SPJ"), c.ID)
	clock.move(24 * time.Hour)
	b.goOn(as("SPJ"), c.ID)
	r := b.last(as("SPJ"), c.ID)
	if m := b.material(r, "S01.M1.j", "p2"); m.Reason.Code != policies.ReasonManualCheck || r.Continues() {
		t.Errorf("%s, goes on %t; want manual_check, done", m.Reason.Code, r.Continues())
	}
}

func TestContinue_LeavesACaseAloneThatHasMovedOn(t *testing.T) {
	t.Parallel()
	for name, move := range map[string]func(b *bench, id string){
		"changed": func(b *bench, id string) {
			if _, err := b.x.ChangeCase(b.t.Context(), as("SPJ"), id, exchange.Change{Facts: map[string]any{"premises": "own"}}); err != nil {
				b.t.Fatal(describe(err))
			}
		},
		"never resolved": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, source, _ := newRecovering(t)
			c := b.open(as("SPJ"), founding())
			if move != nil {
				b.resolve(as("SPJ"), c.ID)
				move(b, c.ID)
			}
			source.well.Store(true)
			asked := len(b.sources.questions())
			b.goOn(as("SPJ"), c.ID)
			if got := len(b.sources.questions()); got != asked {
				t.Errorf("%d questions were put", got-asked)
			}
		})
	}
}

func TestContinue_TwoAtOnceCountOnce(t *testing.T) {
	t.Parallel()
	b, source, _ := newRecovering(t)
	c := b.open(as("SPJ"), founding())
	b.resolve(as("SPJ"), c.ID)
	source.well.Store(true)
	var both sync.WaitGroup
	for range 4 {
		both.Go(func() {
			if err := b.x.Continue(t.Context(), "SPJ", c.ID); err != nil {
				if f := fault.As(err); f == nil || f.Code != "resolution-superseded" {
					t.Errorf("continue: %s", describe(err))
				}
			}
		})
	}
	both.Wait()
	if r := b.last(as("SPJ"), c.ID); r.Version != 2 {
		t.Errorf("version %d, want 2", r.Version)
	}
	if events := b.jobs(exchange.JobEvent); len(events) != 1 {
		t.Errorf("%d events, want one", len(events))
	}
	if diff := cmp.Diff(lookUps(b.entries(c.ID, ledger.Intent)), lookUps(b.entries(c.ID, ledger.Outcome))); diff != "" {
		t.Errorf("intents and outcomes differ (-intent +outcome):\n%s", diff)
	}
}

// schooling is a case of GA whose birth certificate may be confirmed by an
// officer of WJ within two working days.
func schooling() exchange.Opening {
	guardian := person("p1", "郑丽华", "370199198704202485", "applicant", "guardian")
	guardian.Consent = catalog.ConsentGiven
	return exchange.Opening{
		Number: "JN-T-0501", Matter: "S05.M1", Facts: map[string]any{"parent_child_not_same_household": true, "guardian_not_parent": false},
		Parties: []catalog.Party{guardian, person("p2", "冯乐乐", "370199201908051134", "child")},
	}
}

const birth = "S05.M1.c"

// newAssisting is a bench whose register of births is down for good.
func newAssisting(t *testing.T) (*bench, *exchange.Case, policies.Caller, *clock) {
	t.Helper()
	clock := &clock{}
	b := newBench(t, except("D-WJ01", func(context.Context, connectors.Query) (connectors.Reply, error) {
		return connectors.Reply{}, &connectors.Fault{Kind: connectors.FaultDown}
	}), func(c *exchange.Config) { c.Now = clock.now })
	by := as("GA")
	return b, b.open(by, schooling()), by, clock
}

func (b *bench) task(department string) *exchange.AssistTask {
	b.t.Helper()
	tasks, err := b.x.AssistTasks(b.t.Context(), as(department), exchange.AssistFilter{State: exchange.AssistOpen, Limit: 10})
	if err != nil || len(tasks) != 1 {
		b.t.Fatalf("%d open tasks (%v), want one", len(tasks), err)
	}
	return &tasks[0]
}

func (b *bench) answer(department, id string, result exchange.AssistResult) {
	b.t.Helper()
	if _, err := b.x.AnswerAssist(b.t.Context(), as(department), id, exchange.AssistAnswer{Result: result, Officer: "李明"}); err != nil {
		b.t.Fatalf("answer: %s", describe(err))
	}
}

func TestAssist_TheCaseGoesOnWhenTheOfficerAnswers(t *testing.T) {
	t.Parallel()
	for result, want := range map[exchange.AssistResult]policies.Outcome{
		exchange.AssistConfirmed: policies.Settled, exchange.AssistNotConfirmed: policies.Upload, exchange.AssistNotFound: policies.Upload,
	} {
		t.Run(string(result), func(t *testing.T) {
			t.Parallel()
			b, c, by, _ := newAssisting(t)
			first := b.resolve(by, c.ID)
			task := b.task("WJ")
			m := b.material(first, birth, "p2")
			if m.Outcome != policies.Verifying || m.Task != task.ID || m.Department != "WJ" || !m.DueAt.Equal(at().AddDate(0, 0, 2)) {
				t.Fatalf("%s, task %q at %s until %v; want verifying, %s at WJ for two days", m.Outcome, m.Task, m.Department, m.DueAt, task.ID)
			}
			b.answer("WJ", task.ID, result)
			b.goOn(by, c.ID)
			if m := b.material(b.last(by, c.ID), birth, "p2"); m.Outcome != want {
				t.Errorf("%s for %s, want %s", m.Outcome, m.Reason.Code, want)
			}
		})
	}
}

func TestAssist_OneQuestionIsOneTask(t *testing.T) {
	t.Parallel()
	b, c, by, _ := newAssisting(t)
	b.resolve(by, c.ID)
	b.resolve(by, c.ID)
	b.answer("WJ", b.task("WJ").ID, exchange.AssistConfirmed)
	if m := b.material(b.resolve(by, c.ID), birth, "p2"); m.Outcome != policies.Settled {
		t.Errorf("resolved anew: %s, want settled by the answer that there is", m.Outcome)
	}
}

func TestAssist_ALateAnswerStillCounts(t *testing.T) {
	t.Parallel()
	b, c, by, clock := newAssisting(t)
	b.resolve(by, c.ID)
	task := b.task("WJ")
	clock.move(48 * time.Hour)
	b.goOn(by, c.ID)
	if m := b.material(b.last(by, c.ID), birth, "p2"); m.Outcome != policies.Upload || m.Reason.Code != "source_down" {
		t.Errorf("overdue: %s for %s, want upload for source_down", m.Outcome, m.Reason.Code)
	}
	b.answer("WJ", task.ID, exchange.AssistConfirmed)
	b.goOn(by, c.ID)
	if m := b.material(b.last(by, c.ID), birth, "p2"); m.Outcome != policies.Settled {
		t.Errorf("answered late: %s for %s, want settled", m.Outcome, m.Reason.Code)
	}
}

func TestAssist_RemindsAndEscalatesUntilItIsAnswered(t *testing.T) {
	t.Parallel()
	b, c, by, clock := newAssisting(t)
	b.resolve(by, c.ID)
	due := clock.now().AddDate(0, 0, 2)
	notices := slices.DeleteFunc(b.waiting(exchange.JobAssistNotice), func(j jobs.Job) bool { return !strings.Contains(j.Payload, `"WJ"`) })
	if len(notices) != 3 || !notices[0].RunAt.Equal(at()) || !notices[1].RunAt.Equal(at().AddDate(0, 0, 1)) || !notices[2].RunAt.Equal(due) {
		t.Fatalf("notices at %v, want now, at half of the time, and when it is due", notices)
	}
	for i, want := range [][]string{{"assist.opened WJ-1"}, {"assist.reminder WJ-1"}, {"assist.overdue GA-1", "assist.overdue WJ-1"}} {
		before := b.told()
		if err := b.x.AssistNotice(t.Context(), notices[i]); err != nil {
			t.Fatal(err)
		}
		got := slices.DeleteFunc(b.told(), func(e string) bool { return slices.Contains(before, e) })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	}
	b.answer("WJ", b.task("WJ").ID, exchange.AssistConfirmed)
	before := b.told()
	notices[2].ID = "another"
	if err := b.x.AssistNotice(t.Context(), notices[2]); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, b.told()); diff != "" {
		t.Errorf("an answered task is still told of (-before +after):\n%s", diff)
	}
}

func TestAssist_EveryReadingOfTheSubjectIsRecorded(t *testing.T) {
	t.Parallel()
	b, c, by, _ := newAssisting(t)
	b.resolve(by, c.ID)
	task := b.task("WJ")
	before := len(b.entries(c.ID, ledger.Read))
	read, err := b.x.AssistTask(t.Context(), as("WJ"), task.ID)
	if err != nil || read.Subject == nil || read.Subject.Number != "370199201908051134" {
		t.Fatalf("task %+v, %v", read, err)
	}
	if !strings.HasPrefix(read.Question, "请核实《亲子关系证明(出生医学证明)》是否属实") {
		t.Errorf("the officer is asked %q", read.Question)
	}
	entries := b.entries(c.ID, ledger.Read)
	if len(entries) != before+1 || entries[before].Task != task.ID || entries[before].Department != "WJ" {
		t.Errorf("entries of the reading: %+v", entries[before:])
	}
	b.answer("WJ", task.ID, exchange.AssistConfirmed)
	if got := b.entries(c.ID, ledger.AssistAnswered); len(got) != 1 || got[0].Result != "confirmed" {
		t.Errorf("entries of the answer: %+v", got)
	}
}

func TestResolve_ARecordThatIsTooOldIsStale(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		age    time.Duration
		reason policies.ReasonCode
	}{
		"as old as allowed": {24 * time.Hour, policies.ReasonRecordMatches}, "older": {24*time.Hour + time.Second, policies.ReasonSourceRetry},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, except("D-FG02", func(ctx context.Context, q connectors.Query) (connectors.Reply, error) {
				reply, err := wellKept(ctx, q)
				reply.Records[0].AsOf = at().Add(-test.age)
				return reply, err
			}))
			c := b.open(as("SPJ"), founding())
			rev, err := b.config.Catalogs.Revision(t.Context(), c.Revision)
			if err != nil {
				t.Fatal(err)
			}
			rev.SourceFor("D-FG02", catalog.ModeData).FreshHours = 24 // of this test's own catalog
			m := b.material(b.resolve(as("SPJ"), c.ID), "S01.M1.j", "p2")
			if m.Reason.Code != test.reason {
				t.Errorf("%s for %s, want %s", m.Outcome, m.Reason.Code, test.reason)
			}
		})
	}
}
