package store

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
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

// spreadWithin is within what time a change must be known everywhere.
const spreadWithin = 2 * time.Second

// never is a period of looking that leaves everything to notifications.
const never = time.Hour

// watching opens a store that watches; every is how often it looks.
func watching(t *testing.T, cfg Config, every time.Duration) *Store {
	t.Helper()
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := openStore(t, cfg)
	if every > 0 {
		s.listen.every = every
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Watch(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	deadline := time.Now().Add(10 * time.Second)
	for s.notices.last.Load() == nil {
		if time.Now().After(deadline) {
			t.Fatal("the store does not watch")
		}
		time.Sleep(time.Millisecond)
	}
	return s
}

// awaitListeners waits until so many listen.
func awaitListeners(t *testing.T, s *Store, want int) {
	t.Helper()
	const listening = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
	var got int
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if err := s.pool.QueryRowContext(t.Context(), listening).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got == want {
			return
		}
	}
	t.Fatalf("%d listen, want %d", got, want)
}

func spreadGrant() policies.Grant {
	return policies.Grant{
		ID: "g1", Department: "SPJ", Matter: "S01.M1", Dataset: "d1", Fields: []string{"b", "a"},
		From: testTime, Until: testTime.AddDate(9, 0, 0), State: policies.GrantActive,
	}
}

func spreadStop() safeguard.Held {
	return safeguard.Held{Stop: policies.Stop{Kind: policies.StopSystem, ID: "spj-1", Reason: "演练", By: ledger.Operator, At: testTime}}
}

// spreads are the changes that must be known, by how they are made at one store and
// seen at another.
func spreads() []spread {
	ctx := context.Background()
	entry := ledger.Entry{Kind: ledger.Stopped, At: testTime}
	meter := safeguard.Meter{Kind: safeguard.KindSystem, ID: "spj-1"}
	suspended := spreadGrant()
	suspended.State = policies.GrantSuspended
	state := func(s *Store) (policies.GrantState, error) {
		grants, _, err := s.InForce(ctx, []string{"S01.M1", "S01.M2"})
		if err != nil || len(grants.Grants) == 0 {
			return "", err
		}
		return grants.Grants[0].State, nil
	}
	return []spread{
		{"system registered",
			func(s *Store) error { return s.SaveSystem(ctx, exchange.System{ID: "spj-1", Department: "SPJ"}) },
			func(s *Store) (bool, error) {
				got, err := s.SystemInForce(ctx, "spj-1")
				if errors.Is(err, fault.NotFound) {
					return false, nil
				}
				return err == nil && got != nil, err
			}},
		{"credential added",
			func(s *Store) error {
				return s.Rotate(ctx, exchange.Rotation{System: "spj-1", Add: []exchange.Credential{{ID: "c1", Kind: exchange.CredentialSecret, Content: "x", NotBefore: testTime, CreatedAt: testTime}}})
			},
			func(s *Store) (bool, error) {
				got, err := s.SystemInForce(ctx, "spj-1")
				return err == nil && len(got.Credentials) == 1, err
			}},
		{"credential revoked",
			func(s *Store) error { return s.RevokeCredential(ctx, "spj-1", "c1", entry) },
			func(s *Store) (bool, error) {
				got, err := s.SystemInForce(ctx, "spj-1")
				return err == nil && !got.Credentials[0].RevokedAt.IsZero(), err
			}},
		{"system revoked",
			func(s *Store) error { return s.RevokeSystem(ctx, "spj-1", entry) },
			func(s *Store) (bool, error) {
				got, err := s.SystemInForce(ctx, "spj-1")
				return err == nil && got.Disabled, err
			}},
		{"token revoked",
			func(s *Store) error { return s.RevokeToken(ctx, "t1", time.Now().Add(time.Hour)) },
			func(s *Store) (bool, error) { return s.TokenRevoked(ctx, "t1") }},
		{"grant given",
			func(s *Store) error { return s.SaveGrants(ctx, []policies.Grant{spreadGrant()}) },
			func(s *Store) (bool, error) { got, err := state(s); return got == policies.GrantActive, err }},
		{"grant suspended",
			func(s *Store) error { return s.SaveGrants(ctx, []policies.Grant{suspended}) },
			func(s *Store) (bool, error) { got, err := state(s); return got == policies.GrantSuspended, err }},
		{"stop put up",
			func(s *Store) error { return s.PutStop(ctx, spreadStop(), entry) },
			func(s *Store) (bool, error) { return s.IsStopped(ctx, policies.StopSystem, "spj-1") }},
		{"stop lifted",
			func(s *Store) error { return s.LiftStop(ctx, policies.StopSystem, "spj-1", entry) },
			func(s *Store) (bool, error) {
				got, err := s.IsStopped(ctx, policies.StopSystem, "spj-1")
				return !got, err
			}},
		{"quota set",
			func(s *Store) error { return s.SetQuota(ctx, meter, safeguard.Limits{CallsPerHour: 7}, entry) },
			func(s *Store) (bool, error) {
				got, err := s.Overrides(ctx, meter)
				return got[meter].CallsPerHour == 7, err
			}},
		{"catalog published",
			func(s *Store) error {
				_, err := s.SaveRevision(ctx, map[string][]byte{"catalog.yaml": []byte("y")}, RevisionMeta{})
				return err
			},
			func(s *Store) (bool, error) { got, err := s.latestRevision(ctx); return got == 2, err }},
		{"correction opened",
			func(s *Store) error {
				return s.transact(ctx, func(tx *gorm.DB) error {
					row := correctionRow{ID: "k1", Dataset: "d1", Subject: "somebody", Provider: "GA", Receiver: "SPJ", CaseID: "c1", State: "negotiating", Version: 1}
					if err := table[correctionRow](tx).Create(ctx, &row); err != nil {
						return err
					}
					return table[correctedFieldRow](tx).Create(ctx, &correctedFieldRow{Dataset: "d1", Subject: "somebody", Correction: "k1"})
				})
			},
			func(s *Store) (bool, error) {
				got, err := s.OpenCorrections(ctx, []string{"somebody"})
				return len(got) == 1, err
			}},
	}
}

type spread struct {
	name   string
	change func(*Store) error
	seen   func(*Store) (bool, error)
}

// wantSpread makes every change at one store, and wants it known there at once and at
// the other within a time. The other has its old answer in memory by then.
func wantSpread(t *testing.T, here, there *Store, within time.Duration) {
	t.Helper()
	ready(t, here)
	open(t, here, newCase("c1", "1"))
	for _, each := range spreads() {
		for _, s := range []*Store{here, there} {
			if seen, err := each.seen(s); err != nil || seen {
				t.Fatalf("%s: before it was made: %t, %v", each.name, seen, err)
			}
		}
		if err := each.change(here); err != nil {
			t.Fatalf("%s: %v", each.name, err)
		}
		changed := time.Now()
		if seen, err := each.seen(here); err != nil || !seen {
			t.Errorf("%s: at the store that made it: %t, %v, want it known at once", each.name, seen, err)
		}
		for {
			asked := time.Now()
			seen, err := each.seen(there)
			if err != nil {
				t.Fatalf("%s: %v", each.name, err)
			}
			if seen {
				break
			}
			if asked.Sub(changed) > within {
				t.Errorf("%s: not known after %s", each.name, asked.Sub(changed))
				break
			}
			time.Sleep(time.Millisecond)
		}
	}
}

// TestSpread_ByNotification leaves nothing to looking: what is known came by LISTEN.
// The stores' clock stands still, so that memory does not expire.
func TestSpread_ByNotification(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	still := Config{URL: url, Now: testClock}
	here, there := watching(t, still, never), watching(t, still, never)
	awaitListeners(t, here, 2)
	wantSpread(t, here, there, spreadWithin)
}

// TestSpread_ByLookingAlone has nobody who listens, on both dialects: the way to where
// notifications come from leads nowhere.
func TestSpread_ByLookingAlone(t *testing.T) {
	t.Parallel()
	eachURL(t, func(t *testing.T, url string) {
		cut := Config{URL: url}
		if strings.HasPrefix(url, "postgres") {
			cut.Direct = "postgres://nobody@" + closedPort(t) + "/none"
		}
		wantSpread(t, watching(t, cut, 0), watching(t, cut, 0), spreadWithin)
	})
}

// closedPort is an address on which nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// TestSpread_ListensAgain cuts the connection that listens: changes are known in time
// meanwhile, and then it listens again.
func TestSpread_ListensAgain(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	here, there := openStore(t, Config{URL: url, Now: time.Now}), watching(t, Config{URL: url}, 0)
	awaitListeners(t, here, 1)
	if _, err := there.TokenRevoked(t.Context(), "t1"); err != nil {
		t.Fatal(err)
	}
	const cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
	if _, err := here.pool.ExecContext(t.Context(), cut); err != nil {
		t.Fatal(err)
	}
	if err := here.RevokeToken(t.Context(), "t1", time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	time.Sleep(spreadWithin)
	if revoked, err := there.TokenRevoked(t.Context(), "t1"); err != nil || !revoked {
		t.Errorf("TokenRevoked = %t, %v after %s", revoked, err, spreadWithin)
	}
	awaitListeners(t, here, 1)
}

// TestSpread_BelievesNothingWithoutLooking has a database that does not answer any
// more: memory is not believed beyond its time, whatever it says.
func TestSpread_BelievesNothingWithoutLooking(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		clock := testTime
		s.notices.now = func() time.Time { return clock }
		s.notices.watching.Store(true)
		if _, err := s.TokenRevoked(t.Context(), "t1"); err != nil {
			t.Fatal(err)
		}
		if err := s.pool.Close(); err != nil {
			t.Fatal(err)
		}
		clock = testTime.Add(memoryLife - time.Nanosecond)
		if _, err := s.TokenRevoked(t.Context(), "t1"); err != nil {
			t.Errorf("within its time: %v", err)
		}
		clock = testTime.Add(memoryLife)
		if _, err := s.TokenRevoked(t.Context(), "t1"); err == nil {
			t.Error("memory is believed beyond its time")
		}
	})
}

// TestSpread_ForgetsAllWhenTheDatabaseHasGoneBack restores an earlier state, whose
// counter is lower than what is known.
func TestSpread_ForgetsAllWhenTheDatabaseHasGoneBack(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		if err := s.SaveGrants(t.Context(), []policies.Grant{spreadGrant()}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.InForce(t.Context(), []string{"S01.M1"}); err != nil {
			t.Fatal(err)
		}
		for _, restore := range []string{"DELETE FROM grants", "UPDATE notices SET serial = 1"} {
			if _, err := s.pool.ExecContext(t.Context(), restore); err != nil {
				t.Fatal(err)
			}
		}
		grants, _, err := s.InForce(t.Context(), []string{"S01.M1"})
		if err != nil || len(grants.Grants) != 0 {
			t.Errorf("InForce gives %d grants, %v, of a database that has none", len(grants.Grants), err)
		}
	})
}

// TestSpread_KeepsNothingThatWasReadTooEarly lets a change come between the look at the
// counters and the end of the reading.
func TestSpread_KeepsNothingThatWasReadTooEarly(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		reading := func(ctx context.Context) (bool, int, error) {
			old, err := s.readRevoked(ctx, "t1")
			if err == nil {
				err = s.RevokeToken(ctx, "t1", testTime.Add(time.Hour))
			}
			if err == nil {
				_, err = s.TokenRevoked(ctx, "another") // looks at the counters
			}
			return old, 1, err
		}
		if _, err := s.known.revoked.recall(t.Context(), "t1", reading); err != nil {
			t.Fatal(err)
		}
		if revoked, err := s.TokenRevoked(t.Context(), "t1"); err != nil || !revoked {
			t.Errorf("TokenRevoked = %t, %v: what was read before the revocation is believed", revoked, err)
		}
	})
}

// TestSpread_ManyRowsCountOnce changes many rows in one transaction.
func TestSpread_ManyRowsCountOnce(t *testing.T) {
	t.Parallel()
	s := openStore(t, Config{URL: pgtest.Database(t), Now: testClock})
	before, err := s.notices.fresh(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var many []policies.Grant
	for i := range 1000 {
		g := spreadGrant()
		g.ID += url.QueryEscape(time.Duration(i).String())
		many = append(many, g)
	}
	if err := s.SaveGrants(t.Context(), many); err != nil {
		t.Fatal(err)
	}
	after, err := s.notices.fresh(t.Context())
	if err != nil || after != before+1 {
		t.Errorf("the counter went from %d to %d, %v; want it counted once", before, after, err)
	}
}
