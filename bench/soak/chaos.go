package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"mianti/bench/load"
)

// stopWindow is the time of a stop that was in force.
type stopWindow struct {
	dataset  string
	from, to time.Time // from when the command had ended until the next one began
}

// chaos is what is done to the parts, and by administrators, meanwhile.
type chaos struct {
	bed      *bed
	traffic  *traffic
	duration time.Duration
	random   *rand.Rand
	group    sync.WaitGroup
	end      context.CancelFunc

	mu        sync.Mutex
	troubles  []string // what could not be done in the end
	published int      // catalogs
	changed   int      // of grants and stops
	windows   []stopWindow
	kills     int
	cut       int // connections
}

func newChaos(b *bed, t *traffic, s settings) *chaos {
	return &chaos{bed: b, traffic: t, duration: s.Duration, random: rand.New(rand.NewPCG(s.Seed, 2)), end: func() {}}
}

// start begins everything that happens beside the load.
func (c *chaos) start(ctx context.Context) {
	ctx, c.end = context.WithCancel(ctx)
	begun := time.Now()
	for _, part := range []func(context.Context, time.Time){c.fail, c.administer, c.probe, c.illSources, c.tell} {
		c.group.Go(func() { part(ctx, begun) })
	}
}

// stop ends it, with everything healed and running.
func (c *chaos) stop() {
	c.end()
	c.group.Wait()
	c.bed.faulty.heal()
}

func (c *chaos) trouble(what string, err error) {
	if err == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.troubles = append(c.troubles, fmt.Sprintf("%s: %.600v", what, err))
}

// act is something that is done at a time.
type act struct {
	at   time.Duration
	what string
	do   func(ctx context.Context) error
}

// plan lays out what fails when. Nodes are killed by turns, one a minute and at least
// three; in the second half always the first, so that the other lives long enough for
// its memory to be judged.
func (c *chaos) plan() []act {
	part := func(of float64) time.Duration { return time.Duration(of * float64(c.duration)) }
	acts := []act{
		{part(0.15), "cut", c.cutConnections}, {part(0.30), "restart", c.restartDatabase}, {part(0.45), "pooler", c.restartPooler},
		{part(0.55), "cut", c.cutConnections}, {part(0.70), "restart", c.restartDatabase}, {part(0.88), "cut", c.cutConnections},
	}
	every := min(time.Minute, c.duration*3/13)
	for n, at := 0, every*3/4; at < c.duration-10*time.Second; n, at = n+1, at+every {
		whom := n % 2
		if at > c.duration*45/100 {
			whom = 0
		}
		acts = append(acts, act{at, "kill", func(ctx context.Context) error { return c.killNode(ctx, whom) }})
	}
	slices.SortStableFunc(acts, func(a, b act) int { return int(a.at - b.at) })
	return acts
}

func (c *chaos) fail(ctx context.Context, begun time.Time) {
	for _, a := range c.plan() {
		if !wait(ctx, time.Until(begun.Add(a.at))) {
			return
		}
		// What was begun is brought to its end, so that everything runs afterwards.
		c.trouble(a.what, a.do(context.WithoutCancel(ctx)))
	}
}

func (c *chaos) killNode(ctx context.Context, i int) error {
	if err := c.bed.kill(i); err != nil {
		return err
	}
	c.mu.Lock()
	c.kills++
	c.mu.Unlock()
	time.Sleep(2 * time.Second) // what a supervisor takes
	begun := time.Now()
	if err := c.bed.startNode(ctx, i); err != nil {
		return err
	}
	node, _ := c.bed.slots[i].current()
	c.bed.say("node %s runs again (process %d), ready after %s", c.bed.slots[i].name, node.PID, time.Since(begun).Round(10*time.Millisecond))
	return nil
}

func (c *chaos) restartDatabase(ctx context.Context) error {
	c.bed.event("PostgreSQL was restarted without a shutdown (immediate)")
	begun := time.Now()
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	err := c.bed.primary.Restart(ctx)
	c.bed.say("PostgreSQL takes connections again after %s", time.Since(begun).Round(10*time.Millisecond))
	return err
}

func (c *chaos) restartPooler(ctx context.Context) error {
	c.bed.event("the pooler was restarted")
	ctx, stop := context.WithTimeout(ctx, 30*time.Second)
	defer stop()
	return c.bed.pooler.Restart(ctx)
}

// cutConnections ends half of the sessions of the database.
func (c *chaos) cutConnections(ctx context.Context) error {
	ctx, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	conn, err := pgx.Connect(ctx, c.bed.direct)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	var n int
	err = conn.QueryRow(ctx, `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid() AND pid % 2 = 0`).Scan(&n)
	c.mu.Lock()
	c.cut += n
	c.mu.Unlock()
	c.bed.event("%d connections of the database were cut (pg_terminate_backend)", n)
	return err
}

// probe looks at /readyz, as a balancer does.
func (c *chaos) probe(ctx context.Context, _ time.Time) {
	for wait(ctx, 500*time.Millisecond) {
		for i := range c.bed.slots {
			c.bed.probe(i)
		}
	}
}

// illSources has one or two sources at a time fail, each in its way.
func (c *chaos) illSources(ctx context.Context, _ time.Time) {
	random := rand.New(rand.NewPCG(uint64(c.duration), 3))
	departments := load.Departments()
	for wait(ctx, 4*time.Second) {
		c.bed.faulty.heal()
		if random.IntN(3) == 0 {
			continue // all are well for a while
		}
		for range 1 + random.IntN(2) {
			department, way := departments[random.IntN(len(departments))], 1+random.Int32N(failings-1)
			c.bed.faulty.way[department].Store(way)
			c.bed.say("source %s %s", department, failingName(way))
		}
	}
	c.bed.faulty.heal()
}

func (c *chaos) tell(ctx context.Context, _ time.Time) {
	for wait(ctx, 5*time.Second) {
		c.bed.say("%s", c.traffic.state())
	}
}

// administer publishes catalogs, and gives and takes rights, one act every few seconds.
func (c *chaos) administer(ctx context.Context, _ time.Time) {
	grants, err := c.grants(ctx)
	if err != nil {
		c.trouble("grants", err)
		return
	}
	every := max(3*time.Second, c.duration/60)
	for n := 0; wait(ctx, every); n++ {
		undo := func(context.Context) error { return nil }
		switch n % 3 {
		case 0:
			err = c.publish(ctx, n)
		case 1:
			id := grants[c.random.IntN(len(grants))]
			err = c.insist(context.WithoutCancel(ctx), "grant", "suspend", id, "--reason=试验")
			undo = func(ctx context.Context) error { return c.insist(ctx, "grant", "resume", id, "--reason=试验") }
		case 2:
			undo, err = c.stopDataset(ctx)
		}
		c.trouble("administration", err)
		wait(ctx, every)
		// A right that was taken is given back in any case.
		c.trouble("administration", undo(context.WithoutCancel(ctx)))
	}
}

// stopDataset stops the use of a dataset, and gives what lifts that.
func (c *chaos) stopDataset(ctx context.Context) (func(context.Context) error, error) {
	dataset := "D-" + load.Departments()[c.random.IntN(5)] + "01"
	err := c.insist(context.WithoutCancel(ctx), "stop", "add", "dataset", dataset, "--reason=试验")
	from := time.Now()
	return func(ctx context.Context) error {
		if err == nil {
			c.mu.Lock()
			c.windows = append(c.windows, stopWindow{dataset, from, time.Now()})
			c.mu.Unlock()
		}
		return c.insist(ctx, "stop", "lift", "dataset", dataset)
	}, err
}

func (c *chaos) grants(ctx context.Context) ([]string, error) {
	conn, err := pgx.Connect(ctx, c.bed.direct)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, "SELECT id FROM grants ORDER BY id")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// publish changes a word of the catalog and loads it. The same one twice is one
// revision, so it is tried until it is there.
func (c *chaos) publish(ctx context.Context, n int) error {
	path := filepath.Join(c.bed.folder, "catalog", "catalog.yaml")
	text := fmt.Sprintf("format: mianti-catalog/1\nkind: catalog\ntitle: 测量用目录\nversion: \"%d\"\n", n+2)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return err
	}
	if err := c.insist(context.WithoutCancel(ctx), "catalog", "load", filepath.Dir(path)); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.published++
	return nil
}

// insist has a command done, and tries again while the database is away. Done already
// is done.
func (c *chaos) insist(ctx context.Context, args ...string) error {
	var err error
	for begun := time.Now(); time.Since(begun) < time.Minute; time.Sleep(time.Second) {
		once, stop := context.WithTimeout(ctx, 20*time.Second)
		cmd := exec.CommandContext(once, c.bed.tools.Mianti, append(args, "--database="+c.bed.pooled)...)
		said, failed := cmd.CombinedOutput()
		stop()
		if failed == nil || bytes.Contains(said, []byte("已经")) {
			c.mu.Lock()
			c.changed++
			c.mu.Unlock()
			return nil
		}
		err = fmt.Errorf("%s: %w: %s", strings.Join(args, " "), failed, said)
	}
	return err
}

// wait waits, and reports whether ctx has not ended.
func wait(ctx context.Context, span time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(max(span, 0)):
		return true
	}
}
