package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/internal/pgtest"
	"mianti/ledger"
	"mianti/policies"
	"mianti/safeguard"
)

// intentsOf are n questions of a system under a grant, each about a subject of
// its own, from the first on.
func intentsOf(system, grant string, first, n int) ([]ledger.Entry, []string) {
	intents, subjects := make([]ledger.Entry, n), make([]string, n)
	for i := range intents {
		intents[i] = ledger.Entry{Kind: ledger.Intent, At: testTime, System: system, Department: "SPJ", Case: "c1", Matter: "M1", Grant: grant}
		subjects[i] = fmt.Sprintf("hmac-sha256:%d", first+i)
	}
	return intents, subjects
}

func wantUsage(t *testing.T, s *Store, m safeguard.Meter, calls, subjects int64) {
	t.Helper()
	usage, err := s.Usage(t.Context(), m, testTime)
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range usage {
		if got.Calls != calls || got.Subjects != subjects {
			t.Errorf("%s %s in the %s: %d calls, %d subjects, want %d and %d", m.Kind, m.ID, got.Span, got.Calls, got.Subjects, calls, subjects)
		}
	}
}

func countEntries(t *testing.T, s *Store, kind ledger.Kind) int64 {
	t.Helper()
	n, err := table[entryRow](s.db).Where("kind = ?", string(kind)).Count(t.Context(), "*")
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAppendIntents_CountsCallsAndDistinctSubjects(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		for range 2 { // the second time the subjects are known
			intents, subjects := intentsOf("s1", "g1", 0, 3)
			subjects[2] = ""
			if err := s.AppendIntents(t.Context(), intents, subjects); err != nil {
				t.Fatal(err)
			}
		}
		for _, m := range []safeguard.Meter{{Kind: safeguard.KindSystem, ID: "s1"}, {Kind: safeguard.KindGrant, ID: "g1"}, {Kind: safeguard.KindMatter, ID: "M1"}} {
			wantUsage(t, s, m, 6, 2)
		}
		wantUsage(t, s, safeguard.Meter{Kind: safeguard.KindSystem, ID: "s2"}, 0, 0)
		if n := countEntries(t, s, ledger.Intent); n != 6 {
			t.Errorf("%d intents, want 6", n)
		}
	})
}

func TestAppendIntents_CountsManyAtOnce(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) { // more than one statement takes
		intents, subjects := intentsOf("s1", "g1", 0, 1200)
		for i := range intents {
			intents[i].Grant = fmt.Sprintf("g%d", i)
		}
		if err := s.AppendIntents(t.Context(), intents, subjects); err != nil {
			t.Fatal(err)
		}
		wantUsage(t, s, safeguard.Meter{Kind: safeguard.KindSystem, ID: "s1"}, 1200, 1200)
		wantUsage(t, s, safeguard.Meter{Kind: safeguard.KindGrant, ID: "g1199"}, 1, 1)
	})
}

func TestAppendIntents_OverAQuotaRecordsAndCountsNothing(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		var told []safeguard.Alarm
		s.alarmed = func(_ context.Context, a safeguard.Alarm) { told = append(told, a) }
		grant := safeguard.Meter{Kind: safeguard.KindGrant, ID: "g1"}
		limits := safeguard.Limits{CallsPerHour: 5, CallsPerDay: 100, SubjectsPerHour: 100, SubjectsPerDay: 100}
		if err := s.SetQuota(t.Context(), grant, limits, ledger.Entry{Kind: ledger.QuotaSet, At: testTime}); err != nil {
			t.Fatal(err)
		}
		add := func(first, n int) error {
			intents, subjects := intentsOf("s1", "g1", first, n)
			return s.AppendIntents(t.Context(), intents, subjects)
		}
		if err := add(0, 4); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			err := add(4, 2)
			if f := fault.As(err); f == nil || f.Kind != fault.Exhausted || f.Wait != safeguard.WindowAt(safeguard.SpanHour, testTime).End.Sub(testTime) {
				t.Fatalf("over the quota: %v", err)
			}
		}
		wantUsage(t, s, grant, 4, 4)
		wantUsage(t, s, safeguard.Meter{Kind: safeguard.KindSystem, ID: "s1"}, 4, 4)
		if n := countEntries(t, s, ledger.Intent); n != 4 {
			t.Errorf("%d intents, want the 4 within the quota", n)
		}
		if err := add(4, 1); err != nil { // what is left is left
			t.Errorf("within the quota: %v", err)
		}
		alarms, err := s.ListAlarms(t.Context(), safeguard.AlarmFilter{Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		times := map[safeguard.AlarmKind]int64{}
		for _, a := range alarms {
			times[a.Kind] = a.Times
			if a.Department != "SPJ" || a.Of != grant || a.Threshold != 5 {
				t.Errorf("alarm %+v", a)
			}
		}
		// 80 % at the first four and at the fifth; exceeded twice. Told once each.
		if len(alarms) != 2 || times[safeguard.AlarmQuotaNear] != 2 || times[safeguard.AlarmQuotaExceeded] != 2 || len(told) != 2 {
			t.Errorf("alarms %v, told of %d", times, len(told))
		}
	})
}

// 50 callers of two replicas count exactly, and none gets over the quota.
func TestAppendIntents_CountsExactlyOnTwoReplicas(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	replicas := []*Store{openStore(t, Config{URL: url, Now: testClock}), openStore(t, Config{URL: url, Now: testClock})}
	const callers, rounds, perRound, most = 50, 4, 3, 450
	system := safeguard.Meter{Kind: safeguard.KindSystem, ID: "s1"}
	limits := safeguard.Limits{CallsPerHour: most, CallsPerDay: 10_000, SubjectsPerHour: 10_000, SubjectsPerDay: 10_000}
	if err := replicas[0].SetQuota(t.Context(), system, limits, ledger.Entry{Kind: ledger.QuotaSet, At: testTime}); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	taken, refused := 0, 0
	for caller := range callers {
		all.Go(func() {
			for round := range rounds {
				// Half of the callers share their subjects, in another order.
				intents, subjects := intentsOf("s1", fmt.Sprintf("g%d", caller%3), (caller/2)*10+round, perRound)
				if caller%2 == 1 {
					subjects[0], subjects[2] = subjects[2], subjects[0]
				}
				err := replicas[caller%2].AppendIntents(t.Context(), intents, subjects)
				mu.Lock()
				switch {
				case err == nil:
					taken++
				case errors.Is(err, fault.Exhausted):
					refused++
				default:
					t.Errorf("caller %d: %v", caller, err)
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if taken != most/perRound || taken+refused != callers*rounds {
		t.Errorf("%d rounds were taken and %d refused, want %d of %d taken", taken, refused, most/perRound, callers*rounds)
	}
	usage, err := replicas[1].Usage(t.Context(), system, testTime)
	if err != nil {
		t.Fatal(err)
	}
	var distinct int64
	if err := replicas[0].db.Raw("SELECT count(*) FROM usage_subjects WHERE kind = 'system' AND span = 'hour'").Scan(&distinct).Error; err != nil {
		t.Fatal(err)
	}
	if usage[0].Calls != most || usage[0].Subjects != distinct || countEntries(t, replicas[0], ledger.Intent) != most {
		t.Errorf("usage %+v, %d subjects, %d intents", usage[0], distinct, countEntries(t, replicas[0], ledger.Intent))
	}
}

func TestOutcomes_AreCountedWhereverTheyAreStored(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		s.rules.Enumeration.Stop = true
		unknown := func(n int) []ledger.Entry {
			var entries []ledger.Entry
			for range n {
				entries = append(entries, ledger.Entry{Kind: ledger.Outcome, At: testTime, System: "s1", Department: "SPJ", Case: "c1", Mode: "data", Result: "not_found"})
			}
			return entries
		}
		if err := s.Append(t.Context(), unknown(19)); err != nil {
			t.Fatal(err)
		}
		if alarms, err := s.ListAlarms(t.Context(), safeguard.AlarmFilter{Limit: 10}); err != nil || len(alarms) != 0 {
			t.Fatalf("alarms %+v, %v", alarms, err)
		}
		ready(t, s)
		open(t, s, newCase("c1", "JN-1"))
		commit := exchange.Commit{Resolution: newResolution("r1", "c1"), Entries: unknown(1)}
		if err := s.CommitResolution(t.Context(), commit); err != nil { // an alarm changes no answer
			t.Fatal(err)
		}
		alarms, err := s.ListAlarms(t.Context(), safeguard.AlarmFilter{Limit: 10})
		if err != nil || len(alarms) != 1 || alarms[0].Kind != safeguard.AlarmEnumeration || alarms[0].Value != 20 {
			t.Fatalf("alarms %+v, %v", alarms, err)
		}
		held, err := s.Held(t.Context())
		if err != nil || len(held) != 1 || held[0].Kind != policies.StopSystem || held[0].ID != "s1" || held[0].By != "mianti" || held[0].Reason != "enumeration" {
			t.Errorf("held %+v, %v", held, err)
		}
		if err := s.Append(t.Context(), unknown(1)); err != nil || countEntries(t, s, ledger.Stopped) != 1 {
			t.Errorf("stopped %d times, %v", countEntries(t, s, ledger.Stopped), err)
		}
	})
}

func TestAlarms_AreAcknowledgedOnceByTheOwnDepartment(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		err := s.transact(t.Context(), func(tx *gorm.DB) error {
			_, err := raise(tx, []safeguard.Alarm{{
				Kind: safeguard.AlarmFanOut, Of: safeguard.Meter{Kind: safeguard.KindSystem, ID: "s1"}, Window: safeguard.WindowAt(safeguard.SpanHour, testTime),
				Department: "SPJ", Times: 1, FirstAt: testTime, LastAt: testTime,
			}})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		entry := ledger.Entry{Kind: ledger.AlarmAcknowledged, At: testTime, Person: "p1"}
		if _, err := s.AcknowledgeAlarm(t.Context(), 1, "GA", entry); !errors.Is(err, fault.NotFound) {
			t.Errorf("by another department: %v", err)
		}
		if got, err := s.AcknowledgeAlarm(t.Context(), 1, "SPJ", entry); err != nil || got.AcknowledgedBy != "p1" || !got.AcknowledgedAt.Equal(testTime) {
			t.Errorf("%+v, %v", got, err)
		}
		if _, err := s.AcknowledgeAlarm(t.Context(), 1, "", entry); !errors.Is(err, fault.Conflict) || countEntries(t, s, ledger.AlarmAcknowledged) != 1 {
			t.Errorf("again: %v", err)
		}
		if left, err := s.ListAlarms(t.Context(), safeguard.AlarmFilter{Open: true, Limit: 10}); err != nil || len(left) != 0 {
			t.Errorf("open: %+v, %v", left, err)
		}
	})
}

func TestLoginFailures_CountFiveMinutes(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		a, b := safeguard.Login{Kind: safeguard.LoginAddress, Digest: "a"}, safeguard.Login{Kind: safeguard.LoginClient, Digest: "b"}
		for _, ago := range []time.Duration{0, time.Minute, 4 * time.Minute, 6 * time.Minute} {
			if err := s.AddLoginFailure(t.Context(), []safeguard.Login{a, b}, testTime.Add(-ago)); err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.LoginFailures(t.Context(), []safeguard.Login{a, {Kind: safeguard.LoginClient, Digest: "a"}}, testTime.Add(-safeguard.LoginWindow))
		if err != nil || len(got) != 1 || got[a] != 3 {
			t.Errorf("failures %v, %v, want 3 of one", got, err)
		}
	})
}

func TestPurgeUsage_KeepsTheWindowsThatGoOn(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		intents, subjects := intentsOf("s1", "g1", 0, 1)
		if err := s.AppendIntents(t.Context(), intents, subjects); err != nil {
			t.Fatal(err)
		}
		login := []safeguard.Login{{Kind: safeguard.LoginClient, Digest: "b"}}
		if err := s.AddLoginFailure(t.Context(), login, testTime); err != nil {
			t.Fatal(err)
		}
		day := safeguard.WindowAt(safeguard.SpanDay, testTime)
		// Three meters, each with a total and a subject, in two spans; one login.
		for _, c := range []struct {
			at   time.Time
			want int
		}{{testTime, 0}, {testTime.Add(2 * time.Hour), 7}, {day.End, 0}, {day.End.Add(time.Hour), 6}} {
			if n, err := s.PurgeUsage(t.Context(), c.at); err != nil || n != c.want {
				t.Errorf("at %s: %d rows, %v, want %d", c.at, n, err, c.want)
			}
		}
	})
}
