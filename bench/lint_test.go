package bench

import (
	"runtime"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/catalog/lint"
	"mianti/store"
)

// linting looks through a stored catalog by all rules, and gives the seconds that it
// took. The counts are held against its size.
func linting(b *testing.B, url string, matters int) float64 {
	b.Helper()
	catalogs := store.NewCatalogs(openStore(b, url))
	ground, err := catalogs.Current(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	begun := time.Now()
	linter, looked := lint.New(ground, lint.Config{Keep: 1000}), 0
	err = catalogs.EachOneThing(b.Context(), ground.Number, func(rev *catalog.Revision) error {
		for _, thing := range rev.OneThings() {
			linter.Look(rev, thing)
		}
		if looked++; looked%10_000 == 0 {
			b.Logf("%d one-things looked at after %s", looked, time.Since(begun).Round(time.Second))
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	linter.Ground(ground)
	report := linter.Report()
	took := time.Since(begun)
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	found := 0
	for _, n := range report.Counts {
		found += n.Open + n.Explained
	}
	b.Logf("%d materials looked at in %s, %d findings, %d kept, %d MiB of heap", report.Materials, took.Round(time.Millisecond), found, len(report.Findings), memory.HeapInuse>>20)
	if report.Materials != matters*materialsOfMatter {
		b.Fatalf("looked at %d materials, want %d", report.Materials, matters*materialsOfMatter)
	}
	return took.Seconds()
}
