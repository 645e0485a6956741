package exchange_test

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"mianti/connectors"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// stop puts up a stop, past whoever may.
func (b *bench) stop(kind policies.StopKind, id string) {
	b.t.Helper()
	b.execute("INSERT INTO stops (kind, id, reason, put_by, department, owner, at) VALUES (?, ?, '演练', 'p1', '', '', 0)", string(kind), id)
}

func (b *bench) lift(kind policies.StopKind, id string) {
	b.t.Helper()
	b.execute("DELETE FROM stops WHERE kind = ? AND id = ?", string(kind), id)
}

// limitSubjects lets a meter ask about that many subjects a day.
func (b *bench) limitSubjects(kind, id string, most int) {
	b.t.Helper()
	b.execute("REPLACE INTO quotas (kind, id, calls_per_hour, calls_per_day, subjects_per_hour, subjects_per_day) VALUES (?, ?, 1000, 1000, 1000, ?)", kind, id, most)
}

func (b *bench) execute(statement string, values ...any) {
	b.t.Helper()
	b.query(func(db *sql.DB) error {
		_, err := db.Exec("PRAGMA busy_timeout = 10000; "+statement, values...)
		return err
	})
}

// cardSource is what answers for D-GA01 when Zhou's card is asked for.
func (b *bench) cardSource() string {
	b.t.Helper()
	c := b.open(as("SPJ"), founding())
	e := b.material(b.resolve(as("SPJ"), c.ID), zhouCard, "p4").Evidence
	if e == nil || e.Dataset != "D-GA01" || e.Grant != "S01.M1:D-GA01" {
		b.t.Fatalf("Zhou's card rests on %+v", e)
	}
	return e.Source
}

// things are what can be stopped of Zhou's card, besides the system.
func (b *bench) things() map[policies.StopKind]string {
	b.t.Helper()
	return map[policies.StopKind]string{
		policies.StopGrant: "S01.M1:D-GA01", policies.StopDataset: "D-GA01", policies.StopSource: b.cardSource(),
	}
}

// rests reports whether any evidence that is given out rests on a thing.
func rests(r *exchange.Resolution, kind policies.StopKind, id string) bool {
	return slices.ContainsFunc(r.Materials, func(m exchange.MaterialResult) bool {
		return slices.ContainsFunc(m.Evidences(), func(e *exchange.Evidence) bool {
			of := map[policies.StopKind]string{policies.StopGrant: e.Grant, policies.StopDataset: e.Dataset, policies.StopSource: e.Source}
			return of[kind] == id && e.Withheld == "" && e.Fields != nil
		})
	})
}

func TestResolve_AsksNothingThatIsStopped(t *testing.T) {
	t.Parallel()
	for kind, want := range map[policies.StopKind]string{
		policies.StopGrant: "data no_grant grant_stopped", policies.StopDataset: "data no_grant grant_covers,own_consent,dataset_stopped", policies.StopSource: "elicense source_down stopped",
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, wellKept)
			id := b.things()[kind]
			c := b.open(as("SPJ"), founding())
			intents, asked := len(b.entries(c.ID, ledger.Intent)), len(b.sources.questions())
			b.stop(kind, id)
			r := b.resolve(as("SPJ"), c.ID)
			if rests(r, kind, id) {
				t.Error("something rests on what is stopped")
			}
			got := results(b.material(r, zhouCard, "p4"))
			if !slices.ContainsFunc(got, func(s string) bool { return len(s) >= len(want) && s[:len(want)] == want }) {
				t.Errorf("attempts %q, want %q", got, want)
			}
			for _, q := range b.sources.questions()[asked:] {
				if q.Source.Code == id || q.Dataset.Code == id {
					t.Errorf("%s was asked", q.Source.Code)
				}
			}
			for _, e := range b.entries(c.ID, ledger.Intent)[intents:] {
				if e.Grant == id || e.Dataset == id || e.Source == id {
					t.Errorf("an intent to ask it is on record: %+v", e)
				}
			}
			b.lift(kind, id)
			if !rests(b.resolve(as("SPJ"), c.ID), kind, id) {
				t.Error("nothing rests on it after the stop was lifted")
			}
		})
	}
}

func TestResolve_RefusesAStoppedSystem(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	c := b.open(as("SPJ"), founding())
	b.stop(policies.StopSystem, as("SPJ").System)
	_, err := b.x.Resolve(t.Context(), as("SPJ"), c.ID, nil)
	wantFault(t, err, fault.Denied, "stopped")
	if n := len(b.sources.questions()); n != 0 {
		t.Errorf("%d questions were asked", n)
	}
	clerk := policies.Caller{Person: "clerk-1", Department: "SPJ", Duties: []policies.Duty{policies.DutyClerk}}
	if r := b.resolve(clerk, c.ID); !rests(r, policies.StopDataset, "D-GA01") { // the system is stopped, not its department
		t.Error("the clerk got nothing")
	}
}

// What is stopped while it is being asked is not released (reliability.md §2.4,
// check and use at one time).
func TestResolve_ReleasesNothingThatIsStoppedMeanwhile(t *testing.T) {
	t.Parallel()
	for _, kind := range []policies.StopKind{policies.StopSystem, policies.StopGrant, policies.StopDataset, policies.StopSource} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			var once sync.Once
			stop := func() {}
			b := newBench(t, func(ctx context.Context, q connectors.Query) (connectors.Reply, error) {
				stop()
				return wellKept(ctx, q)
			})
			id := as("SPJ").System
			if kind != policies.StopSystem {
				id = b.things()[kind]
			}
			c := b.open(as("SPJ"), founding())
			before := b.rows("resolutions")
			stop = func() { once.Do(func() { b.stop(kind, id) }) }
			r, err := b.x.Resolve(t.Context(), as("SPJ"), c.ID, key("sha256:a"))
			if kind == policies.StopSystem {
				wantFault(t, err, fault.Denied, "stopped")
				if r != nil || b.rows("resolutions") != before {
					t.Error("something was released")
				}
			} else if err != nil || rests(r, kind, id) || b.rows("resolutions") != before+1 { // made again, without it
				t.Errorf("%v; something was released that rests on what is stopped", err)
			}
			if intents, outcomes := len(b.entries(c.ID, ledger.Intent)), len(b.entries(c.ID, ledger.Outcome)); intents != outcomes {
				t.Errorf("%d intents, %d outcomes: what was asked is not on record", intents, outcomes)
			}
			r, err = b.x.Resolve(t.Context(), as("SPJ"), c.ID, key("sha256:a")) // the same key is free again
			if kind == policies.StopSystem {
				wantFault(t, err, fault.Denied, "stopped")
				return
			}
			if err != nil || rests(r, kind, id) {
				t.Errorf("again: %v", err)
			}
		})
	}
}

func TestContinueJob_RestsWhileTheSystemIsStopped(t *testing.T) {
	t.Parallel()
	b, source, clock := newRecovering(t)
	c := b.open(as("SPJ"), founding())
	first := b.resolve(as("SPJ"), c.ID)
	source.well.Store(true)
	b.stop(policies.StopSystem, as("SPJ").System)
	asked := len(b.sources.questions())
	clock.move(15 * time.Second)
	job := b.waiting(exchange.JobContinue)[0]
	b.execute("DELETE FROM jobs")
	if err := b.x.ContinueJob(t.Context(), job); err != nil {
		t.Fatal(describe(err))
	}
	if n := len(b.sources.questions()); n != asked || b.last(as("SPJ"), c.ID).Version != first.Version {
		t.Errorf("it went on: %d questions", n-asked)
	}
	waiting := b.waiting(exchange.JobContinue)
	if len(waiting) != 1 || !waiting[0].RunAt.Equal(clock.now().Add(time.Minute)) {
		t.Fatalf("it waits as %+v, want for a minute", waiting)
	}
	b.lift(policies.StopSystem, as("SPJ").System)
	clock.move(time.Minute)
	if err := b.x.ContinueJob(t.Context(), waiting[0]); err != nil {
		t.Fatal(describe(err))
	}
	if m := b.material(b.last(as("SPJ"), c.ID), "S01.M1.j", "p2"); m.Outcome != policies.Settled {
		t.Errorf("S01.M1.j is %s, want settled", m.Outcome)
	}
}

func TestContinue_SettlesAnewWhatRestsOnAStop(t *testing.T) {
	t.Parallel()
	b, source, clock := newRecovering(t)
	c := b.open(as("SPJ"), founding())
	if first := b.resolve(as("SPJ"), c.ID); !rests(first, policies.StopDataset, "D-GA01") {
		t.Fatal("nothing rests on the cards")
	}
	source.well.Store(true)
	b.stop(policies.StopDataset, "D-GA01")
	clock.move(15 * time.Second)
	b.goOn(as("SPJ"), c.ID)
	second := b.last(as("SPJ"), c.ID)
	if second.Version != 2 || rests(second, policies.StopDataset, "D-GA01") {
		t.Errorf("version %d rests on what is stopped", second.Version)
	}
}

func TestResolve_OverAQuotaAsksNobody(t *testing.T) {
	t.Parallel()
	for kind, id := range map[string]string{"system": as("SPJ").System, "matter": "S01.M1", "grant": "S01.M1:D-GA01", "person": "clerk-1"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, wellKept)
			by := as("SPJ")
			if kind == "person" {
				by = policies.Caller{Person: "clerk-1", Department: "SPJ", Duties: []policies.Duty{policies.DutyClerk}}
			}
			c := b.open(as("SPJ"), founding())
			b.limitSubjects(kind, id, 0)
			r, err := b.x.Resolve(t.Context(), by, c.ID, key("sha256:a"))
			f := wantFault(t, err, fault.Exhausted, "quota-exceeded")
			if f.Wait != 7*time.Hour { // at is 17:00 in Shanghai
				t.Errorf("wait %s, want until midnight", f.Wait)
			}
			if r != nil || len(b.sources.questions()) != 0 || len(b.entries(c.ID, ledger.Intent)) != 0 || b.rows("resolutions") != 0 {
				t.Error("something was asked, recorded or released")
			}
			b.limitSubjects(kind, id, 1000)
			if _, err := b.x.Resolve(t.Context(), by, c.ID, key("sha256:a")); err != nil { // nothing was lost
				t.Errorf("within the quota: %s", describe(err))
			}
		})
	}
}

// Whoever tries numbers learns nothing, and the alarm rings (reliability.md
// §2.4, enumeration).
func TestOWASP_API6_TheAlarmRingsWhenSomebodyTriesNumbers(t *testing.T) {
	t.Parallel()
	b := newBench(t, nothing)
	c := b.open(as("SPJ"), founding())
	for range 20 {
		if _, err := b.x.Resolve(t.Context(), as("SPJ"), c.ID, nil); err != nil && !errors.Is(err, fault.Conflict) {
			t.Fatal(describe(err))
		}
	}
	if n := b.rows("alarms WHERE kind = 'enumeration' AND meter_kind = 'system' AND meter_id = 'SPJ-1' AND department = 'SPJ'"); n != 1 {
		t.Errorf("%d alarms, want one", n)
	}
}

func TestResolution_LeavesOutWhatRestsOnAStop(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	for kind, id := range b.things() {
		c := b.open(as("SPJ"), founding())
		first := b.resolve(as("SPJ"), c.ID)
		b.stop(kind, id)
		read := func() *exchange.Resolution {
			r, err := b.x.Resolution(t.Context(), as("SPJ"), first.ID)
			if err != nil {
				t.Fatal(describe(err))
			}
			return r
		}
		if r := read(); rests(r, kind, id) || b.material(r, zhouCard, "p4").Outcome != policies.Settled {
			t.Errorf("%s: an earlier resolution gives out what rests on it", kind)
		}
		b.lift(kind, id)
		if !rests(read(), kind, id) {
			t.Errorf("%s: nothing is given out after it was lifted", kind)
		}
	}
}

func TestContinueJob_RestsUntilTheQuotaIsThereAgain(t *testing.T) {
	t.Parallel()
	b, source, clock := newRecovering(t)
	c := b.open(as("SPJ"), founding())
	b.resolve(as("SPJ"), c.ID)
	source.well.Store(true)
	b.limitSubjects("system", as("SPJ").System, 0)
	clock.move(15 * time.Second)
	job, asked := b.waiting(exchange.JobContinue)[0], len(b.sources.questions())
	b.execute("DELETE FROM jobs")
	if err := b.x.ContinueJob(t.Context(), job); err != nil {
		t.Fatal(describe(err))
	}
	waiting, midnight := b.waiting(exchange.JobContinue), at().Add(7*time.Hour) // at is 17:00 in Shanghai
	if len(b.sources.questions()) != asked || len(waiting) != 1 || !waiting[0].RunAt.Equal(midnight) {
		t.Errorf("it waits as %+v, want until midnight", waiting)
	}
}
