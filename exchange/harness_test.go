package exchange_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/examples/jinan"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/internal/keytest"
	"mianti/ledger"
	"mianti/policies"
	"mianti/store"
)

// at is when the tests take place.
func at() time.Time { return time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC) }

// source answers for every department.
type source func(ctx context.Context, q connectors.Query) (connectors.Reply, error)

// sources counts what is asked before it is answered.
type sources struct {
	answer source
	mu     sync.Mutex
	asked  []connectors.Query
}

// Ask keeps the contract of a connector as far as answer does.
func (s *sources) Ask(ctx context.Context, q connectors.Query) (connectors.Reply, error) {
	s.mu.Lock()
	s.asked = append(s.asked, q)
	s.mu.Unlock()
	return s.answer(ctx, q)
}

// questions are those asked so far.
func (s *sources) questions() []connectors.Query {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// bench is an exchange on a database of its own, with the Jinan catalog, a
// system for each department, and every grant that the catalog needs.
type bench struct {
	t       testing.TB
	file    string // of the database
	store   *store.Store
	sources *sources
	log     *bytes.Buffer
	config  exchange.Config
	x       *exchange.Exchange
}

func newBench(t testing.TB, answer source, changes ...func(*exchange.Config)) *bench {
	t.Helper()
	b := &bench{t: t, file: filepath.Join(t.TempDir(), "mianti.db"), log: &bytes.Buffer{}, sources: &sources{answer: answer}}
	url := "sqlite:" + b.file
	if err := store.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	var err error
	if b.store, err = store.Open(t.Context(), store.Config{URL: url, Keys: keytest.Keys(), Now: at}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.store.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { b.wantConcerns(t) }) // b.t may be a subtest by then
	var ids atomic.Int64
	b.config = exchange.Config{
		Catalogs: sharedCatalogs{store.NewCatalogs(b.store), b.store}, Cases: b.store, Resolutions: b.store, Submissions: b.store, Journal: b.store, Grants: b.store,
		Consents: b.store, Records: b.store, Previews: b.store, Inbox: b.store, Keys: b.store, Queue: b.store, Systems: b.store, Sources: b.sources,
		Locate: func(department string, _ *catalog.Source) (string, catalog.Network) {
			return "http://127.0.0.1:1/" + department, catalog.NetworkLocal
		},
		SubjectKey: bytes.Repeat([]byte{7}, 32), Now: at, NewID: func() string { return fmt.Sprintf("id-%d", ids.Add(1)) },
		Log: slog.New(slog.NewJSONHandler(b.log, nil)),
	}
	b.config.Desk = &exchange.Desk{
		Assists: b.store, Cases: b.store, Now: func() time.Time { return b.config.Now() }, NewID: b.config.NewID,
		// A day of the test is a working day.
		Due: func(from time.Time, days int) time.Time { return from.AddDate(0, 0, days) },
	}
	b.fill()
	for _, change := range changes {
		change(&b.config)
	}
	b.x = exchange.New(b.config)
	return b
}

// sharedCatalogs loads each catalog once for all tests of the process: nearly all
// have the shipped one, and loading it was half of what a bench cost.
type sharedCatalogs struct {
	*store.Catalogs
	store *store.Store
}

// loadedRevisions are by number and digest.
var loadedRevisions sync.Map

func (c sharedCatalogs) Current(ctx context.Context, about ...string) (*catalog.Revision, error) {
	number, err := c.store.LatestRevision(ctx)
	if err != nil {
		return c.Catalogs.Current(ctx)
	}
	return c.Revision(ctx, number)
}

func (c sharedCatalogs) Revision(ctx context.Context, number int, about ...string) (*catalog.Revision, error) {
	heads, err := c.store.RevisionHeads(ctx, number+1, 1)
	if err != nil || len(heads) == 0 || heads[0].Number != number {
		return c.Catalogs.Revision(ctx, number)
	}
	key := fmt.Sprint(number, " ", heads[0].Digest)
	if known, ok := loadedRevisions.Load(key); ok {
		return known.(*catalog.Revision), nil
	}
	rev, err := c.Catalogs.Revision(ctx, number)
	if err == nil {
		loadedRevisions.Store(key, rev)
	}
	return rev, err
}

// fill loads the catalog, and registers the systems and the grants.
func (b *bench) fill() {
	b.t.Helper()
	files, err := catalog.Files(jinan.Files)
	if err != nil {
		b.t.Fatal(err)
	}
	b.saveCatalog(files)
	rev, err := b.config.Catalogs.Current(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	for _, d := range rev.Departments() {
		if err := b.store.SaveSystem(b.t.Context(), exchange.System{ID: as(d.Code).System, Department: d.Code}); err != nil {
			b.t.Fatal(err)
		}
	}
	if err := b.store.SaveGrants(b.t.Context(), grantsFor(rev)); err != nil {
		b.t.Fatal(err)
	}
}

// saveCatalog loads files as the next revision.
func (b *bench) saveCatalog(files map[string][]byte) {
	b.t.Helper()
	if _, err := b.store.SaveRevision(b.t.Context(), files, store.RevisionMeta{Title: "济南"}); err != nil {
		b.t.Fatal(err)
	}
}

// grantsFor lets each matter's department read all of every dataset that a
// material of that matter names: what is released is then the catalog's doing.
func grantsFor(rev *catalog.Revision) []policies.Grant {
	grants := map[string]policies.Grant{}
	for _, m := range rev.Matters() {
		for i := range m.Materials {
			for _, proof := range m.Materials[i].Proofs {
				for _, l := range proof.Lookups {
					g := policies.Grant{
						ID: m.Code + ":" + l.Dataset, Department: m.Department, Matter: m.Code, Dataset: l.Dataset,
						From: at().AddDate(-1, 0, 0), Until: at().AddDate(1, 0, 0), State: policies.GrantActive,
					}
					for _, f := range rev.Dataset(l.Dataset).Fields {
						g.Fields = append(g.Fields, f.Code)
					}
					grants[g.ID] = g
				}
			}
		}
	}
	return slices.Collect(maps.Values(grants))
}

// as is the system of a department.
func as(department string) policies.Caller {
	return policies.Caller{System: department + "-1", Department: department}
}

func (b *bench) open(by policies.Caller, in exchange.Opening) *exchange.Case {
	b.t.Helper()
	c, _, err := b.x.OpenCase(b.t.Context(), by, in)
	if err != nil {
		b.t.Fatalf("open %s: %v", in.Number, describe(err))
	}
	return c
}

func (b *bench) resolve(by policies.Caller, id string) *exchange.Resolution {
	b.t.Helper()
	r, err := b.x.Resolve(b.t.Context(), by, id, nil)
	if err != nil {
		b.t.Fatalf("resolve: %v", describe(err))
	}
	return r
}

// material is the conclusion for a material of a party; an empty party means
// the case's own.
func (b *bench) material(r *exchange.Resolution, code, party string) exchange.MaterialResult {
	b.t.Helper()
	for _, m := range r.Materials {
		of := ""
		if m.Subject != nil {
			of = m.Subject.Party
		}
		if slices.Contains(m.UsedBy, code) && of == party {
			return m
		}
	}
	b.t.Fatalf("the resolution has no %s of %q", code, party)
	return exchange.MaterialResult{}
}

// entries of the ledger about a case; none of these kinds means all.
func (b *bench) entries(id string, kinds ...ledger.Kind) []ledger.Entry {
	b.t.Helper()
	// It is also called when the test's own context may be over.
	all, err := b.store.Entries(context.WithoutCancel(b.t.Context()), id)
	if err != nil {
		b.t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(e ledger.Entry) bool { return len(kinds) > 0 && !slices.Contains(kinds, e.Kind) })
}

// rows counts the rows of a table, past the store.
func (b *bench) rows(table string) int {
	b.t.Helper()
	var n int
	b.query(func(db *sql.DB) error { return db.QueryRow("SELECT count(*) FROM " + table).Scan(&n) })
	return n
}

// bodies are the entries of the ledger, byte for byte as they are stored.
func (b *bench) bodies() string {
	b.t.Helper()
	var text string
	b.query(func(db *sql.DB) error {
		return db.QueryRow("SELECT group_concat(kind || case_id || resolution_id || body, char(10)) FROM ledger_entries").Scan(&text)
	})
	return text
}

// wantConcerns holds every test to it that each entry about a case in which
// anybody has a number is found by somebody: whatever was done, he can see it.
func (b *bench) wantConcerns(t testing.TB) {
	b.query(func(db *sql.DB) error {
		rows, err := db.Query("SELECT DISTINCT kind FROM ledger_entries WHERE case_id IN (SELECT case_id FROM accesses) AND id NOT IN (SELECT entry_id FROM accesses)")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var kind string
			if err := rows.Scan(&kind); err != nil {
				return err
			}
			t.Errorf("an entry of kind %s concerns nobody", kind)
		}
		return rows.Err()
	})
}

func (b *bench) query(ask func(*sql.DB) error) {
	b.t.Helper()
	db, err := sql.Open("sqlite", b.file)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := errors.Join(ask(db), db.Close()); err != nil {
		b.t.Fatal(err)
	}
}

// asJSON is what a caller would see.
func asJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// describe tells all of a failure.
func describe(err error) string {
	f := fault.As(err)
	if f == nil {
		return fmt.Sprint(err)
	}
	return fmt.Sprintf("%v (%s %s %+v)", err, f.Kind, f.Code, f.Details)
}

// wantFault fails the test unless err is a failure of that kind and code.
func wantFault(t *testing.T, err error, kind fault.Kind, code string) *fault.Error {
	t.Helper()
	f := fault.As(err)
	if f == nil || f.Kind != kind || f.Code != code {
		t.Fatalf("error = %s, want %s %s", describe(err), kind, code)
	}
	return f
}

// receive waits for a signal that another goroutine is sure to give.
func receive[T any](t *testing.T, signal <-chan T) T {
	t.Helper()
	select {
	case value := <-signal:
		return value
	case <-time.After(time.Minute):
		t.Fatal("waited a minute in vain")
		panic("not reached")
	}
}
