package bench

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"mianti/internal/pgtest"
)

// BenchmarkStart says how long it takes from the start of the program to its
// first 200 of /readyz, with the shipped catalog: the first start after migrate
// and catalog load, when keys are made (first-ms), and the median of those after
// it (again-ms). The address is asked every millisecond.
func BenchmarkStart(b *testing.B) {
	p := build(b)
	for _, database := range []string{"sqlite", "postgres"} {
		b.Run("db="+database, func(b *testing.B) {
			at := "--database=sqlite:" + b.TempDir() + "/start.db"
			if database == "postgres" {
				at = "--database=" + pgtest.Database(b)
			}
			p.command(b, "migrate", at)
			p.command(b, "catalog", "load", at)
			key := p.key(b)
			first := p.startOnce(b, at, key)
			var again []time.Duration
			for b.Loop() {
				again = append(again, p.startOnce(b, at, key))
			}
			slices.Sort(again)
			b.ReportMetric(float64(first.Microseconds())/1000, "first-ms")
			b.ReportMetric(float64(again[len(again)/2].Microseconds())/1000, "again-ms")
		})
	}
}

// free is an address that nobody listens at.
const free = "127.0.0.1:18431"

// startOnce starts a server, waits until it is ready, and ends it.
func (p *program) startOnce(b *testing.B, args ...string) time.Duration {
	b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	process := exec.CommandContext(ctx, p.binary, append([]string{"serve", "--listen=" + free, "--issuer=https://mianti.test"}, args...)...)
	process.Cancel = func() error { return process.Process.Signal(os.Interrupt) }
	begun := time.Now()
	if err := process.Start(); err != nil {
		b.Fatal(err)
	}
	for ctx.Err() == nil {
		response, err := http.Get("http://" + free + "/readyz")
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				took := time.Since(begun)
				cancel()
				_ = process.Wait() // interrupted
				return took
			}
		}
		time.Sleep(time.Millisecond)
	}
	b.Fatal("the server was not ready in time")
	return 0
}

// BenchmarkBinary says how large the program is, in MiB: as go build makes it; without
// symbols and debugging information; and without MessagePack besides, which gin
// has and nothing here speaks.
func BenchmarkBinary(b *testing.B) {
	for _, c := range []struct {
		name  string
		flags []string
	}{
		{"built", nil}, {"stripped", []string{"-ldflags=-s -w"}}, {"stripped,nomsgpack", []string{"-ldflags=-s -w", "-tags=nomsgpack"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			path := b.TempDir() + "/mianti"
			args := append([]string{"build", "-trimpath", "-o", path}, c.flags...)
			for b.Loop() {
				if out, err := exec.Command("go", append(args, "mianti/cmd/mianti")...).CombinedOutput(); err != nil {
					b.Fatalf("build: %v\n%s", err, out)
				}
			}
			info, err := os.Stat(path)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(info.Size())/(1<<20), "MiB")
		})
	}
}
