package store

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"mianti/internal/pgtest"
	"mianti/ledger"
)

// eachDatabase runs a benchmark on an empty store of each dialect.
func eachDatabase(b *testing.B, run func(b *testing.B, s *Store)) {
	b.Run("db=sqlite", func(b *testing.B) {
		url := "sqlite:" + filepath.Join(b.TempDir(), "log.db")
		if err := Migrate(b.Context(), url); err != nil {
			b.Fatal(err)
		}
		run(b, benchStore(b, url))
	})
	b.Run("db=postgres", func(b *testing.B) { run(b, benchStore(b, pgtest.Database(b))) })
}

func benchStore(b *testing.B, url string) *Store {
	b.Helper()
	s, err := Open(b.Context(), Config{URL: url, Now: testClock})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return s
}

// BenchmarkLog verifies a log of a million entries from the database, and proves
// that entries are in it. "s/million" is the time for a million entries,
// "ms/proof" that of an inclusion proof, "heap-MB" the largest heap while it
// verifies.
func BenchmarkLog(b *testing.B) {
	const size = 1_000_000
	eachDatabase(b, func(b *testing.B, s *Store) {
		begun := time.Now()
		fillEntries(b, s, size)
		for waiting := size; waiting > 0; {
			done, err := NewLog(s).Seal(b.Context(), testSigner(b), SealBatch)
			if err != nil || done.Entries == 0 {
				b.Fatal(done, err)
			}
			waiting -= done.Entries
		}
		b.Logf("recorded and sealed in %s", time.Since(begun))
		b.Run("verify", func(b *testing.B) { benchVerify(b, s, size) })
		b.Run("prove", func(b *testing.B) { benchProve(b, s, size) })
	})
}

// fillEntries records entries as large as those of a look-up.
func fillEntries(b *testing.B, s *Store, n int) {
	b.Helper()
	const body = `'{"kind":"outcome","at":"2026-11-23T09:30:00.123456Z","system":"spj-approval","department":"SPJ","case":"01970000-0000-7000-8000-000000000000",` +
		`"resolution":"01970000-0000-7000-8000-00000000000a","revision":3,"ruleset":"2026-11-26+000000000000","matter":"S01.M1","material":"S01.M1.b","mode":"data","dataset":"D-GA01",` +
		`"source":"ga-person","subject":"hmac-sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","fields":["name","valid_to"],"grant":"g1","basis":["grant_covers"],"result":"ok","millis":20,` +
		`"digest":"hmac-sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}'`
	numbers := fmt.Sprintf("generate_series(1, %d) AS n(i)", n)
	if s.dialect == dialectSQLite {
		numbers = fmt.Sprintf("(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) SELECT i FROM n)", n)
	}
	statement := fmt.Sprintf("INSERT INTO ledger_entries (kind, case_id, resolution_id, at, body) SELECT 'outcome', '01970000-0000-7000-8000-000000000000', "+
		"'01970000-0000-7000-8000-00000000000a', %d, %s FROM %s", At(testTime), body, numbers)
	if _, err := s.pool.ExecContext(b.Context(), statement); err != nil {
		b.Fatal(err)
	}
}

func benchVerify(b *testing.B, s *Store, size int64) {
	peak := uint64(0)
	for b.Loop() {
		report, err := ledger.Verification{Keys: benchKeys(b), Progress: func(int64, int64) { peak = max(peak, heap()) }}.Verify(b.Context(), NewLog(s))
		if err != nil || len(report.Faults) > 0 || report.Size != size {
			b.Fatal(report, err)
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)*1e6/float64(size), "s/million")
	b.ReportMetric(float64(peak)/1e6, "heap-MB")
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func benchKeys(b *testing.B) ledger.Keys {
	b.Helper()
	keys, err := ledger.ParseKeys([]string{testSigner(b).VKey()})
	if err != nil {
		b.Fatal(err)
	}
	return keys
}

func benchProve(b *testing.B, s *Store, size int64) {
	for b.Loop() {
		proveOne(b, s, size)
	}
	b.ReportMetric(b.Elapsed().Seconds()*1000/float64(b.N), "ms/proof")
}

func proveOne(b *testing.B, s *Store, size int64) {
	c, err := NewLog(s).Checkpoint(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	if _, err := ledger.ProveInclusion(b.Context(), NewLog(s), c, rand.Int64N(size)); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkLog_Grows seals a batch and proves an entry in logs of a hundred
// thousand, a million and ten million leaves, and reports the heap that is left
// after it ("heap-MB") and what was allocated for it ("alloc-MB"): neither grows
// with the log. The leaves are hashes without entries; sealing and proving look at
// no others.
func BenchmarkLog_Grows(b *testing.B) {
	s := benchStore(b, pgtest.Database(b))
	var tree ledger.Frontier
	for _, size := range []int64{100_000, 1_000_000, 10_000_000} {
		growTo(b, s, &tree, size)
		b.Run(fmt.Sprintf("leaves=%d", size), func(b *testing.B) {
			var before, after runtime.MemStats
			debug.FreeOSMemory()
			runtime.ReadMemStats(&before)
			for b.Loop() {
				fillEntries(b, s, 1000)
				if done, err := NewLog(s).Seal(b.Context(), testSigner(b), 1000); err != nil || done.Entries != 1000 {
					b.Fatal(done, err)
				}
				for range 10 {
					proveOne(b, s, size)
				}
			}
			runtime.ReadMemStats(&after)
			runtime.GC()
			b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(b.N)/1e6, "alloc-MB")
			b.ReportMetric(float64(heap())/1e6, "heap-MB")
		})
		reload(b, s, &tree)
	}
}

// growTo puts leaves behind those that there are, and publishes a checkpoint.
func growTo(b *testing.B, s *Store, tree *ledger.Frontier, size int64) {
	b.Helper()
	from := tree.Size()
	leaves := fmt.Sprintf("INSERT INTO ledger_leaves (place, entry_id, hash, links) SELECT i, -1 - i, sha256(int8send(i)), '' FROM generate_series(%d::bigint, %d) AS n(i)", from, size-1)
	if _, err := s.pool.ExecContext(b.Context(), leaves); err != nil {
		b.Fatal(err)
	}
	var nodes []nodeRow
	for i := from; i < size; i++ {
		tree.Append(sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(i))), func(n ledger.Node) {
			if n.Level%ledger.TileHeight == 0 {
				nodes = append(nodes, nodeRow{Level: n.Level, Place: n.Index, Hash: slices.Clone(n.Hash[:])})
			}
		})
	}
	if err := s.db.CreateInBatches(&nodes, entryBatch).Error; err != nil {
		b.Fatal(err)
	}
	c, err := testSigner(b).Sign(ledger.Tree{Size: size, Root: tree.Root()})
	if err != nil {
		b.Fatal(err)
	}
	last, err := newestCheckpoint(b.Context(), s.db)
	if err != nil {
		b.Fatal(err)
	}
	number := int64(1)
	if last != nil {
		number = last.Number + 1
	}
	if err := s.publish(b.Context(), s.db, c, number, testSigner(b).VKey()); err != nil {
		b.Fatal(err)
	}
}

// reload goes on from what the benchmark has sealed.
func reload(b *testing.B, s *Store, tree *ledger.Frontier) {
	b.Helper()
	c, err := NewLog(s).Checkpoint(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	loaded, err := ledger.LoadFrontier(b.Context(), storedTiles{s.db}, c.Tree)
	if err != nil {
		b.Fatal(err)
	}
	*tree = *loaded
}
