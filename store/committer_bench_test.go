package store

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mianti/internal/pgtest"
	"mianti/ledger"
)

// BenchmarkCommitter holds writes that share their commits against a commit for each,
// by turns of 0.3 s on one PostgreSQL with fsync on, for 8, 32 and 128 callers that
// each store one entry after another. "ratio" is the median over the turns of how many
// are stored together for each one stored alone.
func BenchmarkCommitter(b *testing.B) {
	// Files on a disk, and every commit flushed: that is what is shared.
	server, err := pgtest.StartCluster(b.Context(), os.TempDir(), "fsync=on", "synchronous_commit=on", "shared_buffers=512MB", "max_connections=200")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = server.Close() })
	url, err := server.CreateDatabase(b.Context(), "committer")
	if err != nil {
		b.Fatal(err)
	}
	if err := Migrate(b.Context(), url); err != nil {
		b.Fatal(err)
	}
	s, err := Open(b.Context(), Config{URL: url, Now: testClock, MaxConnections: 64})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	together := func(ctx context.Context, w *write) error { return s.store(ctx, w) }
	alone := func(ctx context.Context, w *write) error {
		w.done = make(chan error, 1)
		s.storeRound(ctx, []*write{w})
		return <-w.done
	}
	for _, callers := range []int{8, 32, 128} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			var ratios, rates []float64
			for b.Loop() {
				for range 15 {
					one, all := writeFor(b, callers, alone), writeFor(b, callers, together)
					ratios, rates = append(ratios, all/one), append(rates, all)
				}
			}
			slices.Sort(ratios)
			slices.Sort(rates)
			b.ReportMetric(ratios[len(ratios)/2], "ratio")
			b.ReportMetric(rates[len(rates)/2], "writes/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// writeFor gives how many writes a second some callers store in a turn.
func writeFor(b *testing.B, callers int, store func(context.Context, *write) error) float64 {
	b.Helper()
	var n atomic.Int64
	var all sync.WaitGroup
	begun := time.Now()
	for range callers {
		all.Go(func() {
			for time.Since(begun) < 300*time.Millisecond {
				w, err := newWrite([]ledger.Entry{{Kind: ledger.Read, At: testTime, Case: "c1", System: "s1", Concerns: []string{"somebody"}}})
				if err == nil {
					err = store(b.Context(), w)
				}
				if err != nil {
					b.Error(err)
					return
				}
				n.Add(1)
			}
		})
	}
	all.Wait()
	return float64(n.Load()) / time.Since(begun).Seconds()
}
