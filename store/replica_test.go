package store

import (
	"context"
	"testing"
	"time"

	"mianti/citizen"
	"mianti/exchange"
	"mianti/internal/pgtest"
	"mianti/ledger"
)

// listed counts the cases in the queue, as a page reads it.
func listed(ctx context.Context, t *testing.T, s *Store) int {
	t.Helper()
	page, err := s.CaseBriefs(ctx, exchange.CaseFilter{Department: "SPJ", Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	return len(page.Items)
}

// awaitReplica waits until pages are read from the replica.
func awaitReplica(t *testing.T, s *Store) {
	t.Helper()
	for begun := time.Now(); ; {
		if s.Replicas(t.Context())[0].Usable {
			return
		}
		if time.Since(begun) > 40*time.Second {
			t.Fatalf("the replica is not used: %+v", s.Replicas(t.Context()))
		}
		time.Sleep(50 * time.Millisecond) // it applies with a delay
	}
}

// TestReplica_ShowsOwnWritesAndNoRevokedRight reads from a true replica that is five
// seconds behind: what others wrote is late there, which shows that it is read; what
// the person wrote himself, rights, revocations and his list of accesses are not.
func TestReplica_ShowsOwnWritesAndNoRevokedRight(t *testing.T) {
	t.Parallel()
	pair := pgtest.Replicated(t, 5*time.Second)
	s := openStore(t, Config{URL: pair.Primary, Read: []string{pair.Replica}, Now: time.Now, ReadLag: time.Minute})
	strict := openStore(t, Config{URL: pair.Primary, Read: []string{pair.Replica}, Now: time.Now, ReadLag: time.Second})
	ready(t, s)
	open(t, s, newCase("c1", "JN-1"))
	awaitReplica(t, s)

	open(t, s, newCase("c2", "JN-2"))
	written, err := s.Position(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	anybody, author := ReadingAfter(t.Context(), ""), ReadingAfter(t.Context(), written)
	if got := listed(anybody, t, s); got != 1 {
		t.Errorf("a page of somebody else shows %d cases, want the 1 that the replica has: else this shows nothing", got)
	}
	for name, ctx := range map[string]context.Context{"who wrote it": author, "a program": t.Context(), "a forged position": ReadingAfter(t.Context(), "x'; --")} {
		if got := listed(ctx, t, s); got != 2 {
			t.Errorf("%s sees %d cases, want 2", name, got)
		}
	}

	if err := s.RevokeToken(anybody, "jti-1", time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if revoked, err := s.TokenRevoked(anybody, "jti-1"); err != nil || !revoked {
		t.Errorf("a token that was revoked just now: %v, %v", revoked, err)
	}
	looked := entry(ledger.Read, "c1")
	looked.Concerns = []string{"somebody"}
	if err := s.Append(anybody, []ledger.Entry{looked}); err != nil {
		t.Fatal(err)
	}
	if list, err := s.AccessesOf(anybody, citizen.Filter{Subject: "somebody", Limit: 5}); err != nil || len(list) != 1 {
		t.Errorf("the person's list has %d accesses, %v, want the one just now", len(list), err)
	}

	// Once it is further behind than is allowed, it is left alone.
	strict.Replicas(t.Context())
	for begun := time.Now(); listed(anybody, t, strict) != 2; time.Sleep(20 * time.Millisecond) {
		if time.Since(begun) > 30*time.Second {
			t.Fatal("a replica that lags is read all the same")
		}
	}

	awaitReplica(t, s)
	pair.StopReplica(t)
	if got := listed(anybody, t, s); got != 2 {
		t.Errorf("with the replica away a page shows %d cases, want 2", got)
	}
	if one := s.Replicas(t.Context())[0]; one.Usable {
		t.Errorf("a replica that is away is called usable: %+v", one)
	}
}

func TestReplica_ThatFollowsNobodyIsNotRead(t *testing.T) {
	t.Parallel()
	url, other := pgtest.Database(t), pgtest.Database(t)
	s := openStore(t, Config{URL: url, Read: []string{other}, Now: time.Now})
	ready(t, s)
	open(t, s, newCase("c1", "JN-1"))
	if got := listed(ReadingAfter(t.Context(), ""), t, s); got != 1 {
		t.Errorf("%d cases, want the 1 of the primary", got)
	}
	if one := s.Replicas(t.Context())[0]; one.Usable || one.Host == "" {
		t.Errorf("%+v, want it named and not usable", one)
	}
}

func TestPosition_KnowsItsOwnForm(t *testing.T) {
	t.Parallel()
	for p, want := range map[Position]bool{"": true, "0/0": true, "16/B374D848": true, nowhere: true, "16": false, "16/": false, "g/1": false, "123456789/0": false} {
		if got := p.Valid(); got != want {
			t.Errorf("%q valid: %v, want %v", p, got, want)
		}
	}
}
