package store

import (
	"errors"
	"sync"
	"testing"
	"time"

	"mianti/identity"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

func staffNamed(id, name string) *identity.Person {
	return &identity.Person{ID: id, Kind: identity.Staff, Issuer: "https://id.example", Subject: "s-1", Name: name, CreatedAt: testTime}
}

func TestSignIn_FindsThePersonAgainByIssuerAndSubject(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		e := ledger.Entry{Kind: ledger.SignedIn, At: testTime}
		first, err := s.SignIn(t.Context(), staffNamed("p1", "张三"), e)
		if err != nil {
			t.Fatal(err)
		}
		again, err := s.SignIn(t.Context(), staffNamed("p2", "张三丰"), e)
		if err != nil || first.ID != "p1" || again.ID != "p1" || again.Name != "张三丰" || !again.CreatedAt.Equal(testTime) {
			t.Errorf("again: %+v, %v; want p1 with his new name", again, err)
		}
		elsewhere := staffNamed("p3", "张三")
		elsewhere.Issuer = "https://other.example"
		other, err := s.SignIn(t.Context(), elsewhere, e)
		if err != nil || other.ID != "p3" {
			t.Errorf("the same subject of another issuer: %+v, %v; want somebody else", other, err)
		}
		entries, err := s.Entries(t.Context(), "")
		if err != nil || len(entries) != 3 || entries[0].Person != "p1" || entries[1].Person != "p1" || entries[2].Person != "p3" {
			t.Errorf("entries %+v (%v)", entries, err)
		}
	})
}

func TestSignIn_MakesOnePersonOfManyAtOnce(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ids := make([]string, 8)
		var all sync.WaitGroup
		for i := range ids {
			all.Go(func() {
				p, err := s.SignIn(t.Context(), staffNamed("p"+string(rune('a'+i)), "张三"), ledger.Entry{Kind: ledger.SignedIn, At: testTime})
				if err != nil {
					t.Error(err)
					return
				}
				ids[i] = p.ID
			})
		}
		all.Wait()
		for _, id := range ids {
			if id != ids[0] {
				t.Errorf("ids %v, want one", ids)
			}
		}
	})
}

func TestSignIn_OfADeactivatedPersonStoresNothing(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		if err := s.Register(t.Context(), staffNamed("p1", "张三"), ledger.Entry{Kind: ledger.PersonRegistered}); err != nil {
			t.Fatal(err)
		}
		if err := s.Register(t.Context(), staffNamed("p2", "张三"), ledger.Entry{}); !errors.Is(err, fault.Conflict) {
			t.Errorf("registered twice: %v", err)
		}
		if err := s.Deactivate(t.Context(), "p1", ledger.Entry{Kind: ledger.PersonDeactivated}, true); err != nil {
			t.Fatal(err)
		}
		_, err := s.SignIn(t.Context(), staffNamed("p3", "李四"), ledger.Entry{Kind: ledger.SignedIn})
		if !errors.Is(err, fault.Denied) {
			t.Errorf("sign in: %v, want denied", err)
		}
		p, err := s.Person(t.Context(), "p1")
		entries, listed := s.Entries(t.Context(), "")
		if err != nil || listed != nil || p.Name != "张三" || !p.Deactivated || len(entries) != 2 {
			t.Errorf("afterwards %+v with %d entries (%v, %v)", p, len(entries), err, listed)
		}
	})
}

// An act on duties is stored with its entry or not at all: an entry that cannot
// be written undoes it.
func TestDuties_ChangeTogetherWithTheirEntryOrNotAtAll(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		if err := s.Register(ctx, staffNamed("p1", "张三"), ledger.Entry{Kind: ledger.PersonRegistered}); err != nil {
			t.Fatal(err)
		}
		a := identity.Assignment{Person: "p1", Department: "SPJ", Duty: policies.DutyClerk, By: "p0", At: testTime}
		if err := s.Assign(ctx, a, ledger.Entry{Kind: ledger.DutyAssigned}); err != nil {
			t.Fatal(err)
		}
		other := a
		other.Duty = policies.DutyAuditor
		for name, act := range map[string]func() error{
			"assign":     func() error { return s.Assign(ctx, other, ledger.Entry{}) },
			"remove":     func() error { return s.Remove(ctx, a, ledger.Entry{}, true) },
			"deactivate": func() error { return s.Deactivate(ctx, "p1", ledger.Entry{}, true) },
		} {
			if act() == nil {
				t.Errorf("%s: no error", name)
			}
		}
		p, err := s.Person(ctx, "p1")
		if err != nil || p.Deactivated || len(p.Duties) != 1 || p.Duties[0] != a {
			t.Errorf("afterwards %+v (%v), want the one duty", p, err)
		}
	})
}

func TestAssign_LetsNobodyGiveHimselfADuty(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		if err := s.Register(t.Context(), staffNamed("p1", "张三"), ledger.Entry{Kind: ledger.PersonRegistered}); err != nil {
			t.Fatal(err)
		}
		own := identity.Assignment{Person: "p1", Department: "SPJ", Duty: policies.DutyClerk, By: "p1", At: testTime}
		if s.Assign(t.Context(), own, ledger.Entry{Kind: ledger.DutyAssigned}) == nil {
			t.Error("the database lets him")
		}
	})
}

func TestSessions_EndOnceAndStayEnded(t *testing.T) {
	t.Parallel()
	eachURL(t, func(t *testing.T, url string) {
		now := testTime
		s := openStore(t, Config{URL: url, Now: func() time.Time { return now }})
		ctx, sessions := t.Context(), s.Sessions()
		expires := testTime.Add(time.Hour)
		for _, token := range []string{"a", "b"} {
			if err := sessions.CommitCtx(ctx, token, []byte("1"), expires); err != nil {
				t.Fatal(err)
			}
		}
		if err := sessions.CommitCtx(ctx, "a", []byte("2"), expires); err != nil {
			t.Fatal(err)
		}
		if data, found, err := sessions.FindCtx(ctx, "a"); !found || err != nil || string(data) != "2" {
			t.Errorf("found %q, %v, %v", data, found, err)
		}
		e := ledger.Entry{Kind: ledger.SignedOut, At: now, Person: "p1"}
		first, err := sessions.End(ctx, "a", e)
		second, again := sessions.End(ctx, "a", e)
		if !first || second || err != nil || again != nil {
			t.Errorf("ended %v, %v (%v, %v); want once", first, second, err, again)
		}
		if err := sessions.CommitCtx(ctx, "a", []byte("3"), expires); err != nil { // of a request under way
			t.Fatal(err)
		}
		if _, found, err := sessions.FindCtx(ctx, "a"); found || err != nil {
			t.Errorf("it came back (%v)", err)
		}
		row, err := table[sessionRow](s.db).Where("token = ?", "a").Take(ctx)
		if entries, _ := s.Entries(ctx, ""); err != nil || row.Data != "" || len(entries) != 1 {
			t.Errorf("kept %q with %d entries (%v), want nothing of it and one entry", row.Data, len(entries), err)
		}
		if err := sessions.Touch(ctx, "b", testTime.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if last, err := sessions.LastUse(ctx, "b"); err != nil || !last.Equal(testTime.Add(time.Minute)) {
			t.Errorf("last use %s (%v)", last, err)
		}
		now = expires
		if _, found, _ := sessions.FindCtx(ctx, "b"); found {
			t.Error("an expired session is found")
		}
		if n, err := s.PurgeSessions(ctx, expires.Add(time.Microsecond)); n != 2 || err != nil {
			t.Errorf("dropped %d (%v), want both", n, err)
		}
	})
}
