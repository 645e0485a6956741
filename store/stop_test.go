package store

import (
	"errors"
	"fmt"
	"testing"

	"gorm.io/gorm"

	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/internal/pgtest"
	"mianti/ledger"
	"mianti/policies"
	"mianti/safeguard"
)

func stopOn(kind policies.StopKind, id string) (safeguard.Held, ledger.Entry) {
	h := safeguard.Held{Stop: policies.Stop{Kind: kind, ID: id, Reason: "演练", By: "p1", At: testTime.UTC()}, Owner: "GA"}
	return h, ledger.Entry{Kind: ledger.Stopped, At: testTime, Object: string(kind) + ":" + id, Why: "演练", Person: "p1"}
}

func TestStops_AreStoredWithTheirEntryOrNotAtAll(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		h, e := stopOn(policies.StopGrant, "g1")
		if err := s.PutStop(t.Context(), h, e); err != nil {
			t.Fatal(err)
		}
		if err := s.PutStop(t.Context(), h, e); !errors.Is(err, fault.Conflict) {
			t.Errorf("a second one: %v", err)
		}
		bad := e
		bad.Kind = "" // the ledger refuses it
		other, _ := stopOn(policies.StopDataset, "D1")
		if err := s.PutStop(t.Context(), other, bad); err == nil {
			t.Error("a stop was stored without an entry")
		}
		held, err := s.Held(t.Context())
		if err != nil || len(held) != 1 || held[0] != h {
			t.Errorf("held %+v, %v", held, err)
		}
		if n := countEntries(t, s, ledger.Stopped); n != 1 {
			t.Errorf("%d entries, want 1", n)
		}
		lifted := ledger.Entry{Kind: ledger.StopLifted, At: testTime}
		if err := s.LiftStop(t.Context(), policies.StopGrant, "g2", lifted); !errors.Is(err, fault.NotFound) || countEntries(t, s, ledger.StopLifted) != 0 {
			t.Errorf("another one: %v", err)
		}
		if err := s.LiftStop(t.Context(), policies.StopGrant, "g1", lifted); err != nil {
			t.Fatal(err)
		}
		if stopped, err := s.IsStopped(t.Context(), policies.StopGrant, "g1"); err != nil || stopped || countEntries(t, s, ledger.StopLifted) != 1 {
			t.Errorf("still stopped: %v, %v", stopped, err)
		}
	})
}

func TestCommitResolution_ReleasesNothingThatRestsOnAStop(t *testing.T) {
	t.Parallel()
	outcome := ledger.Entry{
		Kind: ledger.Outcome, At: testTime, System: "s1", Case: "c1", Grant: "g1", Dataset: "D1", Source: "D1.query",
		Also: []ledger.Service{{Grant: "g2"}},
	}
	evidence := exchange.Evidence{Grant: "g3", Dataset: "D3", Source: "D3.query"} // kept from a version before
	for _, stop := range []struct {
		kind policies.StopKind
		id   string
		free bool
	}{
		{policies.StopSystem, "s1", false}, {policies.StopGrant, "g1", false}, {policies.StopGrant, "g2", false}, {policies.StopDataset, "D1", false},
		{policies.StopSource, "D1.query", false}, {policies.StopGrant, "g3", false}, {policies.StopDataset, "D3", false}, {policies.StopSource, "D3.query", false},
		{policies.StopGrant, "g4", true}, {policies.StopDataset, "g1", true}, {policies.StopSystem, "s2", true},
	} {
		t.Run(string(stop.kind)+" "+stop.id, func(t *testing.T) {
			t.Parallel()
			eachStore(t, func(t *testing.T, s *Store) {
				ready(t, s)
				open(t, s, newCase("c1", "JN-1"))
				h, e := stopOn(stop.kind, stop.id)
				if err := s.PutStop(t.Context(), h, e); err != nil {
					t.Fatal(err)
				}
				r := newResolution("r1", "c1")
				r.Materials = []exchange.MaterialResult{{Evidence: &evidence}}
				err := s.CommitResolution(t.Context(), exchange.Commit{Resolution: r, Entries: []ledger.Entry{outcome}})
				if stop.free {
					if err != nil {
						t.Errorf("it rests on nothing stopped: %v", err)
					}
					return
				}
				if f := fault.As(err); f == nil || f.Kind != fault.Conflict || f.Code != "authorization-changed" {
					t.Errorf("error = %v, want authorization-changed", err)
				}
				if _, err := s.Resolution(t.Context(), "SPJ", "r1"); !errors.Is(err, fault.NotFound) || countEntries(t, s, ledger.Outcome) != 0 {
					t.Errorf("something was stored: %v", err)
				}
			})
		})
	}
}

// A stop that comes while a release is being stored waits for it, and a release
// that comes while a stop is being put up finds it.
func TestPutStop_WaitsForReleasesUnderWay(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	one, two := openStore(t, Config{URL: url, Now: testClock}), openStore(t, Config{URL: url, Now: testClock})
	h, e := stopOn(policies.StopGrant, "g1")
	put := make(chan error, 1)
	err := one.transact(t.Context(), func(tx *gorm.DB) error {
		w := &write{release: &released{Commit: exchange.Commit{Resolution: newResolution("r1", "c1"), Entries: []ledger.Entry{{Kind: ledger.Outcome, Grant: "g1"}}}}}
		refused := refusals{}
		if err := one.refuseStopped(t.Context(), tx, []*write{w}, refused); err != nil || len(refused) > 0 {
			return fmt.Errorf("refused %v: %w", refused, err)
		}
		go func() { put <- two.PutStop(t.Context(), h, e) }()
		if err := waitsForLock(t, one); err != nil {
			return err
		}
		select {
		case err := <-put:
			return fmt.Errorf("the stop did not wait: %w", err)
		default:
			return nil
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-put; err != nil {
		t.Fatal(err)
	}
}

// waitsForLock returns when some other connection waits for a lock.
func waitsForLock(t *testing.T, s *Store) error {
	t.Helper()
	for range 1000 {
		var n int
		if err := s.db.Raw("SELECT count(*) FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())").Scan(&n).Error; err != nil {
			return err
		}
		if n > 0 {
			return nil
		}
	}
	return errors.New("nobody waits")
}
