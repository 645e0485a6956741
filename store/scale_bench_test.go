package store

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"mianti/exchange"
	"mianti/internal/keytest"
	"mianti/internal/pgtest"
	"mianti/ledger"
)

// BenchmarkSealer seals 4096 entries at a time, each about a person, as one sealer does
// for all nodes: what it can do is the most that they can record for long.
func BenchmarkSealer(b *testing.B) {
	s := benchStore(b, pgtest.Database(b))
	var spent time.Duration
	sealed := 0
	for b.Loop() {
		for part := range 16 {
			entries := make([]ledger.Entry, 256)
			for i := range entries {
				entries[i] = entry(ledger.Outcome, fmt.Sprintf("case-%d-%d", part, i/11))
				entries[i].Dataset, entries[i].Grant, entries[i].Result = "D-GA01", "g1", "ok"
				entries[i].Concerns = []string{fmt.Sprintf("person-%d-%d", part, i/11)}
			}
			if err := s.Append(b.Context(), entries); err != nil {
				b.Fatal(err)
			}
		}
		begun := time.Now()
		done, err := NewLog(s).Seal(b.Context(), testSignerOf(b), SealBatch)
		if err != nil {
			b.Fatal(err)
		}
		spent += time.Since(begun)
		sealed += done.Entries
	}
	b.ReportMetric(float64(sealed)/spent.Seconds(), "entries/s")
}

func testSignerOf(b *testing.B) *ledger.Signer {
	b.Helper()
	signer, err := ledger.NewSigner(testOrigin, slices.Repeat([]byte{7}, 32))
	if err != nil {
		b.Fatal(err)
	}
	return signer
}

// BenchmarkPooler reads a case and a page of the queue, by turns straight from
// PostgreSQL with prepared statements, straight with none, and through PgBouncer.
func BenchmarkPooler(b *testing.B) {
	database := pgtest.Database(b)
	s := benchStore(b, database)
	const parameter = "&" + poolerParameter + "=" + poolerTransaction
	ways := []string{"prepared", "unprepared", "pgbouncer"}
	stores := []*Store{s, benchStore(b, database+parameter), benchStore(b, pgtest.Pooled(b, database)+parameter)}
	for _, one := range stores {
		if err := one.Unlock(b.Context(), keytest.Keys(), ""); err != nil {
			b.Fatal(err)
		}
	}
	readyFor(b, s)
	took := make([][]time.Duration, len(ways))
	for b.Loop() {
		for range 300 {
			for i, s := range stores {
				begun := time.Now()
				if _, err := s.Case(b.Context(), "SPJ", "c1"); err != nil {
					b.Fatal(err)
				}
				if _, err := s.CaseBriefs(b.Context(), exchange.CaseFilter{Department: "SPJ", Limit: 10}); err != nil {
					b.Fatal(err)
				}
				took[i] = append(took[i], time.Since(begun))
			}
		}
	}
	medians := make([]float64, len(ways))
	for i := range ways {
		slices.Sort(took[i])
		medians[i] = float64(took[i][len(took[i])/2].Microseconds())
		b.ReportMetric(medians[i], ways[i]+"-µs")
	}
	b.ReportMetric(medians[1]/medians[0], "unprepared-ratio")
	b.ReportMetric(medians[2]/medians[0], "pgbouncer-ratio")
}

// readyFor registers what a case refers to, and opens one.
func readyFor(b *testing.B, s *Store) {
	b.Helper()
	if err := s.SaveSystem(b.Context(), exchange.System{ID: "spj", Department: "SPJ", Name: "审批系统"}); err != nil {
		b.Fatal(err)
	}
	if _, err := s.SaveRevision(b.Context(), map[string][]byte{"catalog.yaml": []byte("x")}, RevisionMeta{Title: "t", Version: "1"}); err != nil {
		b.Fatal(err)
	}
	if _, err := s.OpenCase(b.Context(), newCase("c1", "JN-1")); err != nil {
		b.Fatal(err)
	}
}
