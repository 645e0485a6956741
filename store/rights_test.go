package store

import (
	"testing"
	"time"

	"gorm.io/gorm"

	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/internal/pgtest"
	"mianti/ledger"
	"mianti/policies"
)

// grantIn is a grant in a state.
func grantIn(state policies.GrantState) []policies.Grant {
	return []policies.Grant{{
		ID: "g1", Department: "SPJ", Matter: "S01.M1", Dataset: "D-GA01", Fields: []string{"name"}, From: testTime.Add(-time.Hour), Until: testTime.Add(time.Hour), State: state,
	}}
}

// saidConsent is a consent of the case in a state.
func saidConsent(id string, state exchange.ConsentStanding) exchange.Consent {
	return exchange.Consent{
		ID: id, Case: "c1", CaseNumber: "JN-1", Department: "SPJ", Party: "p2", By: "p2", Revision: 1, State: state,
		Channel: exchange.ChannelOwn, RequestedAt: testTime, About: "d2", Subject: "d2",
	}
}

func wantConflict(t *testing.T, err error, code string) {
	t.Helper()
	f := fault.As(err)
	if f == nil || f.Kind != fault.Conflict || f.Code != code {
		t.Errorf("error = %v, want a conflict %s", err, code)
	}
}

func TestCommitResolution_RefusesWhatRestsOnARightThatHasEnded(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ready(t, s)
		c := newCase("c1", "JN-1")
		c.Consents = []exchange.Consent{
			saidConsent("k-given", exchange.ConsentGiven), saidConsent("k-superseded", exchange.ConsentSuperseded),
			saidConsent("k-withdrawn", exchange.ConsentWithdrawn), saidConsent("k-refused", exchange.ConsentRefused),
		}
		open(t, s, c)
		for _, test := range []struct {
			name  string
			state policies.GrantState
			right exchange.Rights
			ended bool
		}{
			{"active", policies.GrantActive, exchange.Rights{Grants: []string{"g1"}, Consents: []string{"k-given", "k-superseded"}}, false},
			{"suspended", policies.GrantSuspended, exchange.Rights{Grants: []string{"g1"}}, true},
			{"terminated", policies.GrantTerminated, exchange.Rights{Grants: []string{"g1"}}, true},
			{"suspended, but nothing rests on it", policies.GrantSuspended, exchange.Rights{}, false},
			{"a grant that is gone", policies.GrantActive, exchange.Rights{Grants: []string{"g1", "g2"}}, true},
			{"withdrawn", policies.GrantActive, exchange.Rights{Consents: []string{"k-given", "k-withdrawn"}}, true},
			{"refused", policies.GrantActive, exchange.Rights{Consents: []string{"k-refused"}}, true},
			{"a consent that is gone", policies.GrantActive, exchange.Rights{Consents: []string{"k-none"}}, true},
		} {
			if err := s.SaveGrants(t.Context(), grantIn(test.state)); err != nil {
				t.Fatal(err)
			}
			err := s.CommitResolution(t.Context(), exchange.Commit{Resolution: newResolution("r-"+test.name, "c1"), Rights: test.right})
			if test.ended {
				wantConflict(t, err, exchange.AuthorizationChanged)
			} else if err != nil {
				t.Errorf("%s: %v", test.name, err)
			}
			if _, err := s.Resolution(t.Context(), "SPJ", "r-"+test.name); (err != nil) != test.ended {
				t.Errorf("%s: read: %v", test.name, err)
			}
		}
	})
}

// Who ends a grant waits for a release that is under way, and the release counts
// as before it.
func TestCommitResolution_HoldsTheGrantUntilItIsStored(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	s, other := openStore(t, Config{URL: url, Now: testClock}), openStore(t, Config{URL: url, Now: testClock})
	ready(t, s)
	open(t, s, newCase("c1", "JN-1"))
	if err := s.SaveGrants(t.Context(), grantIn(policies.GrantActive)); err != nil {
		t.Fatal(err)
	}
	// The ledger comes after the rights: with it held, the release stops between
	// its check and its end.
	held := s.db.WithContext(t.Context()).Begin()
	if err := held.Exec("LOCK TABLE ledger_entries IN EXCLUSIVE MODE").Error; err != nil {
		t.Fatal(err)
	}
	released, ended := make(chan error, 1), make(chan error, 1)
	go func() {
		released <- s.CommitResolution(t.Context(), exchange.Commit{
			Resolution: newResolution("r1", "c1"), Entries: []ledger.Entry{entry(ledger.Resolved, "c1")}, Rights: exchange.Rights{Grants: []string{"g1"}},
		})
	}()
	untilWaiting(t, other.db, 1, released)
	go func() { ended <- other.SaveGrants(t.Context(), grantIn(policies.GrantTerminated)) }()
	untilWaiting(t, other.db, 2, ended)
	if err := held.Rollback().Error; err != nil {
		t.Fatal(err)
	}
	if err := <-released; err != nil {
		t.Errorf("release: %v", err)
	}
	if err := <-ended; err != nil {
		t.Errorf("end of the grant: %v", err)
	}
	wantConflict(t, s.CommitResolution(t.Context(), exchange.Commit{Resolution: newResolution("r2", "c1"), Rights: exchange.Rights{Grants: []string{"g1"}}}), exchange.AuthorizationChanged)
}

// untilWaiting looks at the database until this many of its sessions wait for a
// lock. It fails when what should wait has ended instead.
func untilWaiting(t *testing.T, db *gorm.DB, sessions int, done <-chan error) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		var waiting int
		const question = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
		if err := db.WithContext(t.Context()).Raw(question).Row().Scan(&waiting); err != nil {
			t.Fatal(err)
		}
		if waiting >= sessions {
			return
		}
		select {
		case err := <-done:
			t.Fatalf("it did not wait: %v", err)
		case <-t.Context().Done():
			t.Fatal("it never waited")
		case <-tick.C:
		}
	}
}
