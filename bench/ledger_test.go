package bench

import (
	"database/sql"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkLedger resolves a case of eight materials over HTTP at two servers of
// the same build, in turns: one that records and seals as it always does, and one
// whose database drops every entry, so that nothing is recorded, linked or sealed.
// "ratio" is how many the first resolves for each one of the second. The databases
// are durable, and on the same disk.
func BenchmarkLedger(b *testing.B) {
	p := build(b)
	for _, database := range []string{"sqlite", "postgres"} {
		b.Run("db="+database, func(b *testing.B) {
			with, without := newTarget(b, p, database, "5ms"), newTarget(b, p, database, "5ms")
			dropEntries(b, without.database)
			on, off := 0, 0
			for b.Loop() { // the databases grow: each comes first as often as second
				on += with.resolveFor(b)
				off += without.resolveFor(b)
				off += without.resolveFor(b)
				on += with.resolveFor(b)
			}
			if on == 0 || off == 0 || entriesOf(b, without.database) > 0 || entriesOf(b, with.database) == 0 {
				b.Fatalf("%d with, %d without, or entries where there should be none", on, off)
			}
			b.ReportMetric(float64(on)/float64(off), "ratio")
			b.ReportMetric(float64(on)/float64(2*b.N)/turn.Seconds(), "with/s")
			b.ReportMetric(float64(off)/float64(2*b.N)/turn.Seconds(), "without/s")
		})
	}
}

// resolveFor has eight callers resolve for one turn, and counts.
func (t *target) resolveFor(b *testing.B) int {
	b.Helper()
	var resolved atomic.Int64
	var all sync.WaitGroup
	until := time.Now().Add(turn)
	for range 8 {
		all.Go(func() {
			for time.Now().Before(until) {
				t.resolve(b)
				resolved.Add(1)
			}
		})
	}
	all.Wait()
	return int(resolved.Load())
}

func openDatabase(b *testing.B, url string) *sql.DB {
	b.Helper()
	driver, address := "pgx", url
	if path, sqlite := strings.CutPrefix(url, "sqlite:"); sqlite {
		driver, address = "sqlite", path+"?_pragma=busy_timeout(10000)"
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	return db
}

// dropEntries has a database forget all entries at once that are recorded from
// now on.
func dropEntries(b *testing.B, url string) {
	b.Helper()
	db := openDatabase(b, url)
	statements := []string{
		"CREATE TRIGGER drop_entries BEFORE INSERT ON ledger_entries BEGIN SELECT RAISE(IGNORE); END",
		"CREATE TRIGGER drop_accesses BEFORE INSERT ON accesses BEGIN SELECT RAISE(IGNORE); END",
		"DROP TRIGGER ledger_entries_no_delete", "DELETE FROM ledger_entries", "DELETE FROM ledger_pending",
	}
	if !strings.HasPrefix(url, "sqlite:") {
		statements = []string{
			"CREATE FUNCTION drop_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
			"CREATE TRIGGER drop_entries BEFORE INSERT ON ledger_entries FOR EACH ROW EXECUTE FUNCTION drop_row()",
			"CREATE TRIGGER drop_accesses BEFORE INSERT ON accesses FOR EACH ROW EXECUTE FUNCTION drop_row()",
			"ALTER TABLE ledger_entries DISABLE TRIGGER ledger_entries_append_only", "DELETE FROM ledger_entries", "DELETE FROM ledger_pending",
		}
	}
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			b.Fatalf("%s: %v", statement, err)
		}
	}
}

func entriesOf(b *testing.B, url string) int {
	b.Helper()
	n := 0
	if err := openDatabase(b, url).QueryRow("SELECT COUNT(*) FROM ledger_entries").Scan(&n); err != nil {
		b.Fatal(err)
	}
	return n
}
