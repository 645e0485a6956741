package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/internal/pgtest"
	"mianti/store"
)

// sizes are the catalogs that are held against each other, in matters.
const (
	smallCatalog = 1_000
	largeCatalog = 1_000_000
)

// BenchmarkCatalog holds a catalog of a million matters with eight materials each
// against one of a thousand, both in PostgreSQL.
//
//   - "ratio-step" is what the catalog's step of a resolution costs in the large one
//     (the revision with the matter, and the plan), for each one in the small, over a
//     thousand matters in both. "cold-µs" is the step in the large one for matters
//     that nobody asked for before, "warm-µs" for those of the ratio.
//   - "publish-ms" is a change of one material, checked, published, and answered by
//     another node; the median.
//   - "lint-s" is the large one looked through by all rules, with progress.
//   - "start-ms" is from the start of the program to its first answer, "rss-MiB" what
//     it holds after ten thousand matters were asked for.
func BenchmarkCatalog(b *testing.B) {
	big := newBigCatalog(b)
	urls := map[int]string{}
	for _, matters := range []int{smallCatalog, largeCatalog} {
		urls[matters] = pgtest.Database(b)
		if err := store.Migrate(b.Context(), urls[matters]); err != nil {
			b.Fatal(err)
		}
		begun := time.Now()
		big.save(b, openStore(b, urls[matters]), matters)
		b.Logf("%d matters stored in %s", matters, time.Since(begun).Round(time.Second))
	}
	for b.Loop() {
		step := stepper(b, urls)
		b.ReportMetric(step.warm[largeCatalog]/step.warm[smallCatalog], "ratio-step")
		b.ReportMetric(step.warm[largeCatalog], "warm-µs")
		b.ReportMetric(step.cold, "cold-µs")
		b.ReportMetric(publishing(b, urls[largeCatalog]), "publish-ms")
		b.ReportMetric(linting(b, urls[largeCatalog], largeCatalog), "lint-s")
	}
	start, rss := serving(b, urls[largeCatalog])
	b.ReportMetric(start, "start-ms")
	b.ReportMetric(rss, "rss-MiB")
	b.ReportMetric(0, "ns/op")
}

func openStore(b *testing.B, url string) *store.Store {
	b.Helper()
	s, err := store.Open(b.Context(), store.Config{URL: url, Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return s
}

type steps struct {
	warm map[int]float64 // microseconds, by matters of the catalog
	cold float64
}

// stepper measures the step in both catalogs by turns.
func stepper(b *testing.B, urls map[int]string) steps {
	b.Helper()
	catalogs := map[int]*store.Catalogs{}
	for matters, url := range urls {
		catalogs[matters] = store.NewCatalogs(openStore(b, url))
	}
	random := rand.New(rand.NewPCG(1, 2))
	subjects := map[int][]string{}
	for _, matters := range []int{smallCatalog, largeCatalog} {
		for range smallCatalog {
			subjects[matters] = append(subjects[matters], fmt.Sprintf("%s.M%d", thingCode(random.IntN(matters/mattersOfThing)), 1+random.IntN(mattersOfThing)))
		}
	}
	took := map[int][]float64{}
	out := steps{warm: map[int]float64{}}
	begun := time.Now()
	for _, subject := range subjects[largeCatalog] {
		planned(b, catalogs[largeCatalog], subject)
	}
	out.cold = micros(time.Since(begun)) / smallCatalog
	for _, subject := range subjects[smallCatalog] {
		planned(b, catalogs[smallCatalog], subject)
	}
	for round := range 12 {
		order := []int{smallCatalog, largeCatalog}
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, matters := range order {
			runtime.GC()
			begun := time.Now()
			for _, subject := range subjects[matters] {
				planned(b, catalogs[matters], subject)
			}
			took[matters] = append(took[matters], micros(time.Since(begun))/smallCatalog)
		}
	}
	for matters, all := range took {
		slices.Sort(all)
		out.warm[matters] = all[len(all)/2]
	}
	return out
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }

// planned does the catalog's step of a resolution.
func planned(b *testing.B, c *store.Catalogs, subject string) {
	b.Helper()
	rev, err := c.Current(b.Context(), subject)
	if err != nil {
		b.Fatal(err)
	}
	plan, err := rev.Plan(catalog.PlanInput{Subject: subject, Facts: catalog.Facts{"agent": false}})
	if err != nil {
		b.Fatal(err)
	}
	if len(plan.Matters) != 1 {
		b.Fatalf("%d matters planned", len(plan.Matters))
	}
}

// publishing gives the milliseconds of a published change, until another node answers
// by it.
func publishing(b *testing.B, url string) float64 {
	b.Helper()
	here, there := openStore(b, url), store.NewCatalogs(openStore(b, url))
	catalogs := store.NewCatalogs(here)
	random := rand.New(rand.NewPCG(3, 4))
	var took []float64
	for n := range 25 {
		base, err := here.LatestRevision(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		code := fmt.Sprintf("%s.M%d.c", thingCode(random.IntN(largeCatalog/mattersOfThing)), 1+random.IntN(mattersOfThing))
		edit, err := catalogs.Thing(b.Context(), base, catalog.ThingMaterial, code)
		if err != nil {
			b.Fatal(err)
		}
		value := object(b, edit.Value)
		value["note"] = fmt.Sprint("第", n, "次修改")
		if edit.Value, err = json.Marshal(value); err != nil {
			b.Fatal(err)
		}
		begun := time.Now()
		drafted, err := catalogs.Drafted(b.Context(), base, []catalog.Edit{edit})
		if err != nil {
			b.Fatal(err)
		}
		number, err := here.PublishRevision(b.Context(), store.Publication{Base: base, Parts: drafted.Parts})
		if err != nil {
			b.Fatal(err)
		}
		rev, err := there.Current(b.Context(), code)
		if err != nil {
			b.Fatal(err)
		}
		took = append(took, micros(time.Since(begun))/1000)
		if m := rev.Material(code); rev.Number != number || m == nil || m.Note != value["note"] {
			b.Fatalf("the other node is at revision %d, not %d", rev.Number, number)
		}
	}
	slices.Sort(took)
	b.Logf("publishing one change: median %.1f ms, slowest %.1f ms", took[len(took)/2], took[len(took)-1])
	return took[len(took)/2]
}

// serving starts the built program on a catalog, and gives the milliseconds to its
// first answer, and the mebibytes that it holds after many matters were asked for.
func serving(b *testing.B, url string) (start, rss float64) {
	b.Helper()
	p := build(b)
	begun := time.Now()
	address, pid := p.start(b, "serve", "--database="+url, "--listen=127.0.0.1:0", p.key(b))
	guide := func(code string) {
		answer, err := http.Get(address + "/guide/" + code)
		if err != nil {
			b.Fatal(err)
		}
		defer answer.Body.Close()
		_, _ = io.Copy(io.Discard, answer.Body) // the connection is used again
		if answer.StatusCode != http.StatusOK {
			b.Fatalf("guide to %s: %s", code, answer.Status)
		}
	}
	guide(thingCode(1) + ".M1")
	start = micros(time.Since(begun)) / 1000
	random := rand.New(rand.NewPCG(5, 6))
	for range 10_000 {
		guide(fmt.Sprintf("%s.M%d", thingCode(random.IntN(largeCatalog/mattersOfThing)), 1+random.IntN(mattersOfThing)))
	}
	return start, resident(b, pid)
}

// resident gives the mebibytes of memory that a process holds.
func resident(b *testing.B, pid int) float64 {
	b.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Skip("no /proc here")
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "VmRSS:"); ok {
			kib, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				b.Fatal(err)
			}
			return float64(kib) / 1024
		}
	}
	return 0
}
