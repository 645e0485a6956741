package store

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/internal/jobs"
	"mianti/internal/pgtest"
	"mianti/ledger"
)

func TestSurvey_CountsWhatWaits(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		late := testTime.Add(-time.Hour)
		err := s.Enqueue(ctx, jobs.Job{Kind: "event", RunAt: late}, jobs.Job{Kind: "event", RunAt: testTime}, jobs.Job{Kind: "event", RunAt: testTime.Add(time.Hour)},
			jobs.Job{Kind: "continue", RunAt: late})
		if err != nil {
			t.Fatal(err)
		}
		failed, err := s.Claim(ctx, "a", []string{"continue"}, 1, time.Minute)
		if err != nil || len(failed) != 1 {
			t.Fatalf("claimed %d jobs, %v", len(failed), err)
		}
		if err := s.Retry(ctx, "a", failed[0], time.Time{}, "no"); err != nil {
			t.Fatal(err)
		}
		if err := s.Append(ctx, []ledger.Entry{{Kind: ledger.Intent, At: late, Case: "c"}, {Kind: ledger.Intent, At: testTime, Case: "c"}}); err != nil {
			t.Fatal(err)
		}
		register(t, s, "ends", testTime.Add(24*time.Hour), testTime.Add(48*time.Hour))
		register(t, s, "later", testTime.Add(72*time.Hour))
		register(t, s, "never", time.Time{}, testTime.Add(time.Hour))
		got, err := s.Survey(ctx)
		if err != nil {
			t.Fatal(err)
		}
		want := &Survey{
			Primary: true, Unsealed: 2, OldestUnsealed: late, Alarms: map[string]int64{}, Stops: map[string]int64{},
			Jobs:           []JobCount{{Kind: "continue", Failed: 1}, {Kind: "event", Due: 2, Later: 1, Oldest: late}},
			CredentialEnds: map[string]time.Time{"GA": testTime.Add(48 * time.Hour)},
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Survey{}, "Size", "ClockOffset", "ClockDoubt")); diff != "" {
			t.Errorf("survey (-want +got):\n%s", diff)
		}
		if got.Size < 1 {
			t.Errorf("the database takes %d bytes", got.Size)
		}
		if s.dialect == dialectPostgres && got.ClockOffset == 0 { // ours stands still
			t.Error("the clocks were not compared")
		}
	})
}

// register adds a system of GA whose credentials end then.
func register(t *testing.T, s *Store, id string, ends ...time.Time) {
	t.Helper()
	system := exchange.System{ID: id, Department: "GA", Name: id}
	for i, end := range ends {
		system.Credentials = append(system.Credentials, exchange.Credential{
			ID: id + string(rune('a'+i)), Kind: exchange.CredentialSecret, Content: "digest", NotBefore: testTime, NotAfter: end, CreatedAt: testTime,
		})
	}
	if err := s.SaveSystem(t.Context(), system); err != nil {
		t.Fatal(err)
	}
}

func TestReady_RefusesADatabaseThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		if err := s.Ready(t.Context()); err != nil {
			t.Errorf("a database that works: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := s.Ready(t.Context()); err == nil {
			t.Error("a database that is closed is ready")
		}
	})
}

func TestReady_RefusesADatabaseThatTakesNoWrites(t *testing.T) {
	t.Parallel()
	s := openStore(t, Config{URL: pgtest.Database(t) + readOnly, Now: testClock})
	err := s.Ready(t.Context())
	if f := fault.As(err); f == nil || f.Code != "database-read-only" || !errors.Is(err, fault.Unavailable) {
		t.Errorf("%v, want database-read-only", err)
	}
	if _, err := s.Survey(context.Background()); err != nil {
		t.Errorf("a survey writes nothing: %v", err)
	}
}

// readOnly makes every transaction of a connection read only.
const readOnly = "&options=-c%20default_transaction_read_only%3Don"
