package ledger_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"mianti/ledger"
)

// endless is a log of leaves that are made when they are read, so that what is
// measured is the verification alone. It keeps every eighth level of the tree, as
// a database does.
type endless struct {
	size   int64
	entry  []byte
	at     int64
	levels map[int][]byte
	note   string
}

func newEndless(b *testing.B, size int64) *endless {
	b.Helper()
	l := &endless{size: size, levels: map[int][]byte{}, at: 1795425000123456, entry: []byte(`{"kind":"outcome","at":"2026-11-23T09:10:00.123456Z","system":"spj-approval",` +
		`"department":"SPJ","case":"01970000-0000-7000-8000-000000000000","resolution":"01970000-0000-7000-8000-00000000000a","revision":3,"subject":"hmac-sha256:` +
		strings.Repeat("0123456789abcdef", 4) + `","fields":["name","valid_to"],"grant":"g1","basis":["grant_covers"],"result":"ok","millis":20,"digest":"hmac-sha256:` + strings.Repeat("0123456789abcdef", 4) + `"}`)}
	var f ledger.Frontier
	for i := range size {
		f.Append(l.row(i).Hash, func(n ledger.Node) {
			if n.Level%ledger.TileHeight == 0 {
				l.levels[n.Level/ledger.TileHeight] = append(l.levels[n.Level/ledger.TileHeight], n.Hash[:]...)
			}
		})
	}
	c, err := signer(b, 1).Sign(ledger.Tree{Size: size, Root: f.Root()})
	if err != nil {
		b.Fatal(err)
	}
	l.note = c.Note
	return l
}

func (l *endless) row(i int64) ledger.Row {
	row := ledger.Row{Index: i, EntryID: i + 1, Entry: l.entry, Links: []string{fmt.Sprintf("%064x", i)}}
	row.Columns = &ledger.Columns{Kind: "outcome", Case: "01970000-0000-7000-8000-000000000000", Resolution: "01970000-0000-7000-8000-00000000000a", At: l.at}
	row.Hash = row.Leaf().Hash()
	return row
}

func (l *endless) Rows(_ context.Context, from int64, limit int) ([]ledger.Row, error) {
	var rows []ledger.Row
	for i := from; i < l.size && len(rows) < limit; i++ {
		rows = append(rows, l.row(i))
	}
	return rows, nil
}

func (l *endless) Tile(_ context.Context, t ledger.Tile) ([]byte, error) {
	from := int(t.Index) * ledger.TileWidth * len(ledger.Hash{})
	return l.levels[t.Level][from : from+t.Width*len(ledger.Hash{})], nil
}

func (l *endless) Published(_ context.Context, after int64, _ int) ([]ledger.Published, error) {
	if after > 0 {
		return nil, nil
	}
	return []ledger.Published{{Number: 1, Size: l.size, Note: l.note}}, nil
}

func (l *endless) Strays(context.Context, int) ([]int64, error) { return nil, nil }

// BenchmarkVerify verifies logs of a hundred thousand, a million and ten million
// entries. "s/million" is the time for a million; "heap-MB" is the largest heap
// while it verifies, less what there was before: it does not grow with the log.
func BenchmarkVerify(b *testing.B) {
	for _, size := range []int64{100_000, 1_000_000, 10_000_000} {
		b.Run(fmt.Sprintf("leaves=%d", size), func(b *testing.B) {
			log, peak, before := newEndless(b, size), uint64(0), heap()
			v := ledger.Verification{Keys: keysOf(b, signer(b, 1)), Progress: func(done, _ int64) {
				if done%(1<<18) == 0 || done == size { // a look at the heap takes a while
					peak = max(peak, heap())
				}
			}}
			for b.Loop() {
				if report, err := v.Verify(b.Context(), log); err != nil || len(report.Faults) > 0 || report.Size != size {
					b.Fatal(report, err)
				}
			}
			b.ReportMetric(b.Elapsed().Seconds()*1e6/float64(b.N)/float64(size), "s/million")
			b.ReportMetric(float64(peak-before)/1e6, "heap-MB")
		})
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
