package store

import (
	"testing"
	"time"

	"mianti/figures"
	"mianti/internal/pgtest"
)

// yearOfCounts fills PostgreSQL with what a year of a city comes to: on every day
// 500 materials of 100 matters in three ways, and 200 sources whose calls lie in
// twelve classes.
func yearOfCounts(b *testing.B) *Store {
	b.Helper()
	s, err := Open(b.Context(), Config{URL: pgtest.Database(b), Now: testClock})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	for _, statement := range []string{
		`INSERT INTO material_counts SELECT to_char(date '2025-11-24' + d, 'YYYY-MM-DD'), 'D' || m / 5 % 20, 'S' || m / 50 || '.M' || m / 5, 'S' || m / 50,
			'S' || m / 50 || '.M' || m / 5 || '.' || m, (ARRAY['exempt', 'upload', 'not_applicable'])[w], '', '', 7
			FROM generate_series(0, 364) d, generate_series(0, 499) m, generate_series(1, 3) w`,
		`INSERT INTO source_call_counts SELECT to_char(date '2025-11-24' + d, 'YYYY-MM-DD'), 'X' || s, 'D-X' || s, 'D' || s % 20, 'ok', t, 50, 0
			FROM generate_series(0, 364) d, generate_series(0, 199) s, generate_series(1, 12) t`,
		`ANALYZE`,
	} {
		if err := s.db.Exec(statement).Error; err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	return s
}

func BenchmarkFigures(b *testing.B) {
	s := yearOfCounts(b)
	until := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	for _, span := range []struct {
		name string
		days int
	}{{"30 days", 30}, {"a year", 365}} {
		from := until.AddDate(0, 0, -span.days)
		q := figures.Query{From: from.Format(time.DateOnly), Until: "2026-11-23"}
		for name, read := range map[string]func() error{
			"materials": func() error { _, err := s.MaterialCounts(b.Context(), q); return err },
			"daily":     func() error { _, err := s.DailyCounts(b.Context(), q); return err },
			"uploads":   func() error { _, err := s.UploadCounts(b.Context(), q, 5000); return err },
			"sources":   func() error { _, err := s.SourceTimes(b.Context(), "", from, until); return err },
		} {
			b.Run(span.name+"/"+name, func(b *testing.B) {
				for b.Loop() {
					if err := read(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
