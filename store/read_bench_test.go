package store

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"mianti/exchange"
	"mianti/internal/keytest"
	"mianti/internal/pgtest"
	"mianti/ledger"
	"mianti/policies"
)

// BenchmarkInForce measures what a resolution pays for the grants of its matter, 89 of
// them, and the stops, in a PostgreSQL that holds few other grants and in one that
// holds 100 000, by turns. "ratio-growth" is the time with the 100 000 for each one
// without them (medians), "ratio-read" the time of reading and indexing the grants anew, as
// before, for each one from memory.
func BenchmarkInForce(b *testing.B) {
	few, many := manyGrants(b, 10), manyGrants(b, 100_000)
	matters := []string{"S06.M1"}
	var inFew, inMany, read []time.Duration
	const turn = 1000 // one is too short for a clock
	for b.Loop() {
		for _, of := range []struct {
			s    *Store
			took *[]time.Duration
		}{{few, &inFew}, {many, &inMany}} {
			begun := time.Now()
			for range turn {
				if _, _, err := of.s.InForce(b.Context(), matters); err != nil {
					b.Fatal(err)
				}
			}
			*of.took = append(*of.took, time.Since(begun))
		}
		begun := time.Now()
		grants, err := many.GrantsFor(b.Context(), matters)
		if err != nil {
			b.Fatal(err)
		}
		policies.IndexGrants(grants)
		read = append(read, time.Since(begun))
	}
	b.ReportMetric(median(inMany)/median(inFew), "ratio-growth")
	b.ReportMetric(turn*median(read)/median(inMany), "ratio-read")
	b.ReportMetric(median(inMany)/turn, "ns-from-memory")
}

// manyGrants is a store that watches, with 89 grants for a matter and others besides.
func manyGrants(b *testing.B, others int) *Store {
	b.Helper()
	s := readStore(b)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Watch(ctx) }()
	b.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	})
	var grants []policies.Grant
	for i := range 89 + others {
		g := spreadGrant()
		g.ID, g.Matter, g.Dataset = fmt.Sprintf("g%06d", i), fmt.Sprintf("S%05d.M1", i/100), fmt.Sprintf("d%d", i%100)
		g.Fields = []string{"name", "number", "state", "issued_on", "valid_until", "address", "kind", "holder"}
		if i < 89 {
			g.Matter = "S06.M1"
		}
		grants = append(grants, g)
	}
	if err := s.SaveGrants(b.Context(), grants); err != nil {
		b.Fatal(err)
	}
	return s
}

func readStore(b *testing.B) *Store {
	b.Helper()
	s, err := Open(b.Context(), Config{URL: pgtest.Database(b), Now: time.Now, Keys: keytest.Keys()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return s
}

// BenchmarkReadCase measures one reading of a case by one statement, and by four, each
// by the ORM, as it was read before, on PostgreSQL by turns. "ratio" is the time of the
// four for each one of the one; "unwrap-µs" is what of it the key alone costs.
func BenchmarkReadCase(b *testing.B) {
	s := readStore(b)
	ctx := b.Context()
	if err := s.SaveSystem(ctx, exchange.System{ID: "spj", Department: "SPJ"}); err != nil {
		b.Fatal(err)
	}
	if _, err := s.SaveRevision(ctx, map[string][]byte{"catalog.yaml": []byte("x")}, RevisionMeta{}); err != nil {
		b.Fatal(err)
	}
	if _, err := s.OpenCase(ctx, newCase("c1", "JN-1"), entry(ledger.CaseOpened, "c1")); err != nil {
		b.Fatal(err)
	}
	row, err := table[caseKeyRow](s.db).Where("case_id = ?", "c1").Take(ctx)
	if err != nil {
		b.Fatal(err)
	}
	var one, four, unwrap []time.Duration
	for b.Loop() {
		begun := time.Now()
		if _, err := s.Case(ctx, "SPJ", "c1"); err != nil {
			b.Fatal(err)
		}
		second := time.Now()
		if err := readInFour(ctx, s, "c1"); err != nil {
			b.Fatal(err)
		}
		third := time.Now()
		if _, err := s.unwrapCase(ctx, &row); err != nil {
			b.Fatal(err)
		}
		one, four, unwrap = append(one, second.Sub(begun)), append(four, third.Sub(second)), append(unwrap, time.Since(third))
	}
	b.ReportMetric(median(four)/median(one), "ratio")
	b.ReportMetric(median(one)/1000, "one-µs")
	b.ReportMetric(median(unwrap)/1000, "unwrap-µs")
}

// median is that of times, in nanoseconds.
func median(of []time.Duration) float64 {
	slices.Sort(of)
	return float64(of[len(of)/2])
}

// readInFour reads a case as it was read before.
func readInFour(ctx context.Context, s *Store, id string) error {
	row, err := table[caseRow](s.db).Where("id = ? AND department = ?", id, "SPJ").Take(ctx)
	if err != nil {
		return err
	}
	keyRow, key, err := s.keyRowOf(ctx, s.db, id)
	if err != nil {
		return err
	}
	read := caseRead{row: row, key: *keyRow}
	if read.results, err = table[resultRow](s.db).Where("case_id = ?", id).Order("reported_at, matter").Find(ctx); err != nil {
		return err
	}
	if read.consents, err = table[consentRow](s.db).Where("case_id = ?", id).Order("seq").Find(ctx); err != nil {
		return err
	}
	_, err = read.open(key)
	return err
}
