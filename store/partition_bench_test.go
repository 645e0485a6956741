package store

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"gorm.io/gorm"

	"mianti/internal/pgtest"
)

// BenchmarkPartitions inserts what one resolution adds, eleven rows at a time, by turns
// into a partitioned table and into a whole one that is the same otherwise: columns,
// indexes, triggers. ratio is of the medians: above 1 partitions are dearer.
func BenchmarkPartitions(b *testing.B) {
	s := benchStore(b, pgtest.Database(b))
	if _, err := s.KeepPartitions(b.Context()); err != nil {
		b.Fatal(err)
	}
	inserts := map[string]string{
		"ledger_entries": "INSERT INTO %s (kind, case_id, resolution_id, at, body) SELECT 'outcome', 'case-' || ?::bigint, 'resolution-' || ?::bigint, ?, repeat('x', 600) FROM generate_series(1, 11)",
		"accesses": "INSERT INTO %s (entry_id, subject, case_id, kind, department, at, ask) SELECT ? * 11 + i, md5((? * i)::text), 'case', 'outcome', 'SPJ', ?, md5(i::text)" +
			" FROM generate_series(1, 11) AS i",
	}
	for _, table := range []string{"ledger_entries", "accesses"} {
		b.Run(table, func(b *testing.B) {
			whole := "whole_" + table
			copyWhole(b, s, table, whole)
			var took [2][]time.Duration
			n := 0
			for b.Loop() {
				for range 500 {
					n++
					for i, name := range []string{table, whole} {
						begun := time.Now()
						if err := s.db.Exec(fmt.Sprintf(inserts[table], name), n, n, n).Error; err != nil {
							b.Fatal(err)
						}
						took[i] = append(took[i], time.Since(begun))
					}
				}
			}
			median := func(all []time.Duration) time.Duration {
				slices.Sort(all)
				return all[len(all)/2]
			}
			parted, plain := median(took[0]), median(took[1])
			b.ReportMetric(float64(parted.Microseconds()), "parted-µs")
			b.ReportMetric(float64(plain.Microseconds()), "whole-µs")
			b.ReportMetric(float64(parted)/float64(plain), "ratio")
		})
	}
}

// copyWhole makes a table like a partitioned one that is not.
func copyWhole(b *testing.B, s *Store, table, whole string) {
	b.Helper()
	err := s.db.Transaction(func(tx *gorm.DB) error {
		if err := tx.Exec("CREATE TABLE " + whole + " (LIKE " + table + " INCLUDING ALL)").Error; err != nil {
			return err
		}
		if table == "ledger_entries" { // what waits to be sealed is told apart by its number
			if err := tx.Exec("ALTER TABLE " + whole + " ALTER COLUMN id DROP IDENTITY, ALTER COLUMN id SET DEFAULT nextval('ledger_entries_id_seq')").Error; err != nil {
				return err
			}
		}
		var triggers []string
		const statement = "SELECT replace(pg_get_triggerdef(oid), '.' || ? || ' ', '.' || ? || ' ') FROM pg_trigger WHERE tgrelid = ?::regclass AND NOT tgisinternal"
		if err := tx.Raw(statement, table, whole, table).Scan(&triggers).Error; err != nil {
			return err
		}
		for _, trigger := range triggers {
			if err := tx.Exec(trigger).Error; err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}
