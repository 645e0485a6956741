package citizen_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/citizen"
	"mianti/examples/jinan"
	"mianti/ledger"
	"mianti/policies"
	"mianti/store"
)

// BenchmarkList reads pages of the list of somebody with 100 entries and of
// somebody with 10 000, by turns, and reports how much longer the second takes.
func BenchmarkList(b *testing.B) {
	z, db := newCitizen(b)
	few, many := policies.Caller{Person: "p1", Subject: "few"}, policies.Caller{Person: "p2", Subject: "many"}
	fillAccesses(b, db, few.Subject, 100)
	fillAccesses(b, db, many.Subject, 10_000)
	times := map[string][]time.Duration{}
	for b.Loop() {
		for _, by := range []policies.Caller{few, many} {
			begun := time.Now()
			if _, err := z.List(b.Context(), by, citizen.Query{Limit: 50}); err != nil {
				b.Fatal(err)
			}
			times[by.Subject] = append(times[by.Subject], time.Since(begun))
		}
	}
	for _, name := range []string{"few", "many"} {
		b.ReportMetric(float64(p99(times[name]).Microseconds())/1000, "p99-ms-"+name)
	}
	b.ReportMetric(float64(p99(times["many"]))/float64(p99(times["few"])), "ratio")
}

func p99(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)*99/100]
}

func newCitizen(tb testing.TB) (*citizen.Citizen, *store.Store) {
	tb.Helper()
	url := "sqlite:" + filepath.Join(tb.TempDir(), "mianti.db")
	if err := store.Migrate(tb.Context(), url); err != nil {
		tb.Fatal(err)
	}
	db, err := store.Open(tb.Context(), store.Config{URL: url, Now: time.Now})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	files, err := catalog.Files(jinan.Files)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := db.SaveRevision(tb.Context(), files, store.RevisionMeta{Title: "济南"}); err != nil {
		tb.Fatal(err)
	}
	return citizen.New(citizen.Config{Accesses: db, Cases: db, Register: db, Journal: db, Catalogs: store.NewCatalogs(db), Now: time.Now}), db
}

// fillAccesses records questions about somebody with what came of them.
func fillAccesses(tb testing.TB, db *store.Store, subject string, n int) {
	tb.Helper()
	var entries []ledger.Entry
	for i := range n / 2 {
		e := ledger.Entry{
			Kind: ledger.Intent, At: moment(), System: "s", Department: "SPJ", Case: fmt.Sprint("c", i%200), Revision: 1, Matter: "S01.M1", Material: "S01.M1.a",
			Dataset: "D-GA01", Fields: []string{"name"}, Mode: "data", Ask: fmt.Sprint(subject, i), Concerns: []string{subject},
		}
		entries = append(entries, e)
		e.Kind, e.Result = ledger.Outcome, "ok"
		entries = append(entries, e)
	}
	if err := db.Append(tb.Context(), entries); err != nil {
		tb.Fatal(err)
	}
}
