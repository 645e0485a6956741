// Command soak runs two nodes of the built program on a PostgreSQL with a streaming
// replica and a pooler, under mixed load, while their parts fail; and then holds every
// answer that was given against the record. docs/soak.md says how to read it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

type settings struct {
	Duration time.Duration `default:"10m" help:"How long the load lasts; at least 30s."`
	Rate     float64       `default:"25" help:"Requests a second, of all kinds."`
	Seed     uint64        `default:"1" help:"What is drawn at random is drawn from it."`
	Log      string        `help:"Write what was answered and what was found on record into this file, as JSON."`
}

var errFound = errors.New("the verdict is not clean")

func main() {
	var s settings
	kong.Parse(&s, kong.Name("soak"), kong.UsageOnError())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, s)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

// run does all of it, in order; the error is nil when every line of the verdict is well.
func run(ctx context.Context, s settings) (err error) {
	if s.Duration < 30*time.Second || s.Rate <= 0 {
		return errors.New("give at least 30s and a rate above 0")
	}
	folder, err := os.MkdirTemp("", "mianti-soak-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	d := newDiary(os.Stdout)
	b, err := newBed(ctx, folder, d)
	defer func() { err = errors.Join(err, b.close()) }()
	if err != nil {
		return err
	}
	t, err := newTraffic(ctx, b, s)
	if err != nil {
		return err
	}
	if err := t.warmUp(ctx); err != nil {
		return err
	}
	base := b.usages()
	w := watch(ctx, b)
	d.say("load of %g requests a second for %s", s.Rate, s.Duration)
	c := newChaos(b, t, s)
	c.start(ctx)
	t.run(ctx, s.Duration)
	c.stop()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	d.say("the load has ended")
	v := &verdict{}
	v.judge(ctx, b, t, c, base, w.end(), s)
	v.print(os.Stdout, d, t)
	if v.failed() {
		return errFound
	}
	return nil
}
