package exchange_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/internal/keytest"
	"mianti/internal/pgtest"
	"mianti/policies"
	"mianti/store"
)

// replica is one of two programs on one PostgreSQL.
type replica struct {
	t     *testing.T
	store *store.Store
	x     *exchange.Exchange
	// began is when the last transaction that stores a resolution began.
	began atomic.Int64
	// unchecked turns the check at release off, to show that the race is real.
	unchecked bool
	// until, if there is one, is what the sources wait for; asked is closed when
	// the first of them has been asked.
	until, asked chan struct{}
	first        *sync.Once
}

// slowly answers with a good record: once the right has ended, if that is waited
// for, and else after up to two milliseconds.
func (r *replica) slowly(_ context.Context, q connectors.Query) (connectors.Reply, error) {
	if r.until != nil {
		r.first.Do(func() { close(r.asked) })
		<-r.until
	} else {
		time.Sleep(rand.N(2 * time.Millisecond)) //nolint:gosec // no secret
	}
	fields := map[string]any{}
	for _, code := range q.Fields {
		fields[code] = "2036-01-01"
	}
	return connectors.Reply{Records: []connectors.Record{{Subject: q.Subject, Fields: fields}}}, nil
}

// newReplica is an exchange on a database that others use as well.
func newReplica(t *testing.T, url, name string) *replica {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{URL: url, Keys: keytest.Keys(), Now: at, MaxConnections: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	r := &replica{t: t, store: db}
	var ids atomic.Int64
	newID := func() string { return fmt.Sprintf("%s-%d", name, ids.Add(1)) }
	r.x = exchange.New(exchange.Config{
		Catalogs: store.NewCatalogs(db), Cases: db, Resolutions: releases{Store: db, r: r}, Submissions: db, Journal: db, Grants: db,
		Consents: db, Keys: db, Queue: db, Systems: db, Sources: &sources{answer: r.slowly},
		Locate: func(string, *catalog.Source) (string, catalog.Network) {
			return "http://127.0.0.1:1", catalog.NetworkLocal
		},
		Desk:       &exchange.Desk{Assists: db, Cases: db, Now: at, NewID: newID, Due: func(from time.Time, days int) time.Time { return from.AddDate(0, 0, days) }},
		SubjectKey: bytes.Repeat([]byte{7}, 32), Now: at, NewID: newID, Log: slog.New(slog.DiscardHandler),
	})
	return r
}

// releases notes when a release begins, and can turn its check off.
type releases struct {
	*store.Store
	r *replica
}

// CommitResolution begins the release.
func (s releases) CommitResolution(ctx context.Context, c exchange.Commit) error {
	s.r.began.Store(time.Now().UnixNano())
	if s.r.unchecked {
		current, err := s.Case(ctx, "SPJ", c.Resolution.Case)
		if err != nil {
			return err
		}
		c.Rights, c.Resolution.CaseVersion = exchange.Rights{}, current.Version
	}
	return s.Store.CommitResolution(ctx, c)
}

// race is a case whose spouse has given her consent, with what is needed to end
// a right on which its resolution rests.
type race struct {
	resolves, ends *replica
	c              *exchange.Case
	consent        *exchange.Consent
	spouse         policies.Caller
}

func newRace(t *testing.T) *race {
	t.Helper()
	url := pgtest.Database(t)
	r := &race{resolves: newReplica(t, url, "a"), ends: newReplica(t, url, "b")}
	rev := loadFamily(t)
	if _, err := r.ends.store.SaveRevision(t.Context(), familyCatalog(), store.RevisionMeta{Title: "家庭"}); err != nil {
		t.Fatal(err)
	}
	if err := r.ends.store.SaveSystem(t.Context(), exchange.System{ID: as("SPJ").System, Department: "SPJ"}); err != nil {
		t.Fatal(err)
	}
	if err := r.ends.store.SaveGrants(t.Context(), grantsFor(rev)); err != nil {
		t.Fatal(err)
	}
	return r
}

// open opens the next case, and has the spouse give her consent.
func (r *race) open(t *testing.T, number string) {
	t.Helper()
	c, _, err := r.ends.x.OpenCase(t.Context(), as("SPJ"), exchange.Opening{Number: number, OneThing: "S90", Facts: map[string]any{"married": false}, Parties: family()})
	if err != nil {
		t.Fatal(describe(err))
	}
	r.c, r.spouse = c, citizen(r.ends.x, family()[1])
	r.consent = agree(t, r.ends.x, c.ID, r.spouse)
}

// citizen is a party who has signed in himself.
func citizen(x *exchange.Exchange, p catalog.Party) policies.Caller {
	return policies.Caller{Person: "person-" + p.ID, Subject: x.SubjectOf(p.Kind, p.Number), Duties: []policies.Duty{policies.DutyCitizen}}
}

// agree asks for the consents of a case and gives the one of this person.
func agree(t *testing.T, x *exchange.Exchange, id string, by policies.Caller) *exchange.Consent {
	t.Helper()
	if _, err := x.AskConsents(t.Context(), as("SPJ"), id, nil); err != nil {
		t.Fatal(describe(err))
	}
	asked, err := x.MyConsents(t.Context(), by, exchange.ConsentFilter{Limit: 1000})
	if err != nil {
		t.Fatal(describe(err))
	}
	for _, c := range asked {
		if c.Case != id || c.State != exchange.ConsentRequested {
			continue
		}
		read, err := x.MyConsent(t.Context(), by, c.ID)
		if err != nil {
			t.Fatal(describe(err))
		}
		given, err := x.DecideConsent(t.Context(), by, c.ID, exchange.ConsentDecision{Decision: catalog.ConsentGiven, SheetDigest: read.SheetDigest})
		if err != nil {
			t.Fatal(describe(err))
		}
		return given
	}
	t.Fatalf("nobody asks %s", by.Person)
	return nil
}

// run resolves the case on one replica while the other ends a right of it. It
// reports whether the spouse's record was released by a transaction that began
// after that had been stored.
func (r *race) run(t *testing.T, end func() error) (late bool) {
	t.Helper()
	var both sync.WaitGroup
	var ended time.Time
	both.Go(func() {
		if r.resolves.until == nil {
			time.Sleep(rand.N(12 * time.Millisecond)) //nolint:gosec // no secret
		} else {
			defer close(r.resolves.until)
			<-r.resolves.asked
		}
		if err := end(); err != nil {
			t.Error(describe(err))
		}
		ended = time.Now()
	})
	resolution, err := r.resolves.x.Resolve(t.Context(), as("SPJ"), r.c.ID, nil)
	began := time.Unix(0, r.resolves.began.Load())
	both.Wait()
	if err != nil {
		if f := fault.As(err); f == nil || f.Kind != fault.Conflict {
			t.Error(describe(err))
		}
		return false
	}
	for _, m := range resolution.Materials {
		if m.Subject != nil && m.Subject.Party == "p2" && m.Evidence != nil && m.Evidence.Fields != nil {
			return began.After(ended)
		}
	}
	return false
}

// races runs this many races of each kind, and counts the late releases. A lost
// one has sources that are so slow that the right has surely ended before they
// answer.
func races(t *testing.T, unchecked, lost bool, rounds int) (late map[string]int) {
	t.Helper()
	r := newRace(t)
	r.resolves.unchecked = unchecked
	gate := func() {
		if lost {
			r.resolves.until, r.resolves.asked, r.resolves.first = make(chan struct{}), make(chan struct{}), new(sync.Once)
		}
	}
	grants := grantsFor(loadFamily(t))
	set := func(state policies.GrantState) error {
		for i := range grants {
			grants[i].State = state
		}
		return r.ends.store.SaveGrants(t.Context(), grants)
	}
	late = map[string]int{}
	for i := range rounds {
		r.open(t, fmt.Sprintf("JN-G%d", i))
		gate()
		if r.run(t, func() error { return set(policies.GrantTerminated) }) {
			late["grant"]++
		}
		if err := set(policies.GrantActive); err != nil {
			t.Fatal(err)
		}
		r.open(t, fmt.Sprintf("JN-C%d", i))
		gate()
		if r.run(t, func() error {
			_, err := r.ends.x.WithdrawConsent(t.Context(), r.spouse, r.consent.ID)
			return err
		}) {
			late["consent"]++
		}
	}
	return late
}

// TOCTOU: what has ended on one replica releases nothing on another
// (docs/decisions/0015-consent.md).
func TestResolve_ReleasesNothingOnARightThatHasEndedElsewhere(t *testing.T) {
	plain, slow := 150, 50
	if raceDetector { // which makes each round ten times as long; these races are the database's
		plain, slow = 15, 5
	}
	if late := races(t, false, false, plain); len(late) != 0 {
		t.Errorf("late releases: %v, want none", late)
	}
	if late := races(t, false, true, slow); len(late) != 0 {
		t.Errorf("late releases from slow sources: %v, want none", late)
	}
}

// Without the check the same races are lost: the test above can fail.
func TestResolve_WouldReleaseTooMuchWithoutTheCheck(t *testing.T) {
	const rounds = 20
	late := races(t, true, true, rounds)
	if late["grant"] != rounds || late["consent"] != rounds {
		t.Errorf("late releases: %v, want %d of each", late, rounds)
	}
}
