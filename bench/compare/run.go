package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"mianti/bench/load"
	"mianti/bench/report"
)

type runCommand struct {
	Rounds int    `default:"5" help:"How many rounds; every target has its turn in each."`
	Short  bool   `help:"Short turns and few rounds, to see where one is; writes nothing."`
	Docs   string `default:"docs" type:"existingdir" help:"The folder of performance.md."`
	Only   string `enum:",floor,gin,nginx,usual,mianti" default:"" help:"Measure this beside the floor alone; writes nothing."`
}

// setting is under what a target is measured.
type setting struct {
	Delay   string // of the sources
	Callers int    // 0: a fixed rate
}

// fixedRate is the rate of the settings without callers, in requests a second.
const fixedRate = 300

// settings are all, in the order of the tables.
func settings() []setting {
	var all []setting
	for _, delay := range []string{"0ms", "20ms"} {
		for _, callers := range []int{1, 32, 128} {
			all = append(all, setting{delay, callers})
		}
	}
	return append(all, setting{"20ms", 0})
}

// few are those that a short run is content with: where there are goals, and the
// largest number of callers.
func few() []setting { return []setting{{"0ms", 32}, {"0ms", 128}, {"20ms", 0}} }

// applies says whether a target is measured there: the evidence is one more
// question to the exchange, and is priced at the two settings that have targets.
func (s setting) applies(name string) bool {
	return name != nameEvidence || s == setting{"0ms", 32} || s.Callers == 0
}

// measured is one turn of a target.
type measured struct {
	Round       int
	Target      string
	Delay       string
	Callers     int // 0: fixedRate
	Requests    int
	Failed      int
	PerSecond   float64
	P50, P99    float64 // milliseconds
	CPU         float64 // microseconds for one request
	DatabaseCPU float64 // microseconds for one request
	Allocations float64 // for one request; 0 when not told
}

// results are a whole run.
type results struct {
	Machine machine
	Rounds  int
	Turns   []measured
}

// Run measures and writes.
func (c *runCommand) Run(ctx context.Context) (err error) {
	span, rounds, cases := 2*time.Second, c.Rounds, 1024
	if c.Short {
		span, rounds, cases = 700*time.Millisecond, min(c.Rounds, 2), 256
	}
	b, err := newBed(ctx, cases)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	if err := b.checkCalls(); err != nil {
		return err
	}
	r := results{Machine: describe(b), Rounds: rounds}
	for _, name := range names() { // nothing is cold when it is measured
		if _, err := load.Closed(ctx, b.targets[name], 32, span/2); err != nil {
			return err
		}
	}
	for round := range rounds {
		if err := b.signIn(ctx); err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, rounds)
		if err := c.round(ctx, b, &r, round, span); err != nil {
			return err
		}
	}
	r.Machine.FsyncAfter = fsync(b)
	fmt.Println(r.text())
	if c.Short || c.Only != "" {
		return nil
	}
	return r.write(c.Docs)
}

// round gives every target its turn in every setting. Who is first changes from
// round to round.
func (c *runCommand) round(ctx context.Context, b *bed, r *results, round int, span time.Duration) error {
	all := names()
	under := settings()
	if c.Short {
		under = few()
	}
	for _, s := range under {
		if err := b.sources.SetDelay(s.Delay); err != nil {
			return err
		}
		for i := range all {
			name := all[(i+round)%len(all)]
			if !s.applies(name) || (c.Only != "" && name != c.Only && name != nameFloor) {
				continue
			}
			result, err := turn(ctx, b.targets[name], s, span)
			if err != nil {
				return err
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if result.Failed > 0 {
				fmt.Fprintf(os.Stderr, "%s, sources at %s: %d of %d requests failed, the first: %v\n", name, s.text(), result.Failed, result.Failed+result.Requests, result.FirstError)
			}
			if result.Requests == 0 && name == nameFloor {
				return fmt.Errorf("%s, sources at %s: no request was answered well: %w", name, s.text(), result.FirstError)
			}
			r.Turns = append(r.Turns, measured{
				Round: round, Target: name, Delay: s.Delay, Callers: s.Callers, Requests: result.Requests, Failed: result.Failed, PerSecond: result.PerSecond,
				P50: millis(result.P50), P99: millis(result.P99), CPU: micros(result.CPU), DatabaseCPU: micros(result.DatabaseCPU), Allocations: result.Allocations,
			})
		}
	}
	return nil
}

// rest is between two turns, so that what one leaves to do besides is not in the
// next one's.
const rest = 300 * time.Millisecond

func turn(ctx context.Context, t *load.Target, s setting, span time.Duration) (load.Result, error) {
	time.Sleep(rest)
	if s.Callers == 0 {
		return load.Fixed(ctx, t, fixedRate, 128, span*3/2)
	}
	return load.Closed(ctx, t, s.Callers, span)
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }

// write puts the figures, the charts and the page into the folder of documents.
func (r *results) write(docs string) error {
	folder := filepath.Join(docs, "performance")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	content, err := json.MarshalIndent(r.summary(), "", " ")
	if err != nil {
		return err
	}
	files := r.charts()
	files["compare.json"] = append(content, '\n')
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil {
			return err
		}
	}
	return report.ReplaceSection(filepath.Join(docs, "performance.md"), "compare", r.text())
}
