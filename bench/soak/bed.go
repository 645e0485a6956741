package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"mianti/bench/load"
	"mianti/internal/pgtest"
)

// diary is what is printed: what happened, and when.
type diary struct {
	out   io.Writer
	begun time.Time

	mu     sync.Mutex
	events []string // what was done to the parts
}

func newDiary(out io.Writer) *diary { return &diary{out: out, begun: time.Now()} }

func (d *diary) say(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	fmt.Fprintf(d.out, "%s  %s\n", d.at(), fmt.Sprintf(format, args...))
}

// event is something that is named again in the verdict.
func (d *diary) event(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	line := d.at() + "  " + fmt.Sprintf(format, args...)
	d.events = append(d.events, line)
	fmt.Fprintln(d.out, line)
}

func (d *diary) at() string {
	since := time.Since(d.begun)
	return fmt.Sprintf("%02d:%04.1f", int(since.Minutes()), (since % time.Minute).Seconds())
}

// databaseName is that of the one database.
const databaseName = "mianti"

// poolSize is how many connections the pooler has to the server.
const poolSize = 24

// bed is everything that runs.
type bed struct {
	*diary
	folder  string
	tools   load.Tools
	sources *load.RunningSources
	faulty  *faultySources
	staff   *provider
	primary *pgtest.Cluster
	replica *pgtest.Cluster
	pooler  *pgtest.Pooler
	direct  string // address of the database past the pooler
	pooled  string // and through it

	exchange *load.Exchange
	slots    [2]*slot
	next     atomic.Uint32
}

// slot is the place of a node, which may be killed and started again.
type slot struct {
	name string
	mu   sync.Mutex
	node *load.Node // nil: it is down
	born time.Time  // when the present node was started
	// ready is what /readyz said last.
	ready atomic.Bool
}

func (s *slot) current() (*load.Node, time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.node, s.born
}

func (s *slot) set(n *load.Node) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.node, s.born = n, time.Now()
}

// newBed starts everything. What it gives is to be closed, with an error too.
func newBed(ctx context.Context, folder string, d *diary) (*bed, error) {
	b := &bed{diary: d, folder: folder, slots: [2]*slot{{name: "A"}, {name: "B"}}}
	d.say("the programs are built")
	var err error
	if b.tools, err = load.Build(folder); err != nil {
		return b, err
	}
	if err := b.startSources(); err != nil {
		return b, err
	}
	if err := b.startDatabase(ctx); err != nil {
		return b, err
	}
	if b.staff, err = newProvider(); err != nil {
		return b, err
	}
	b.exchange, err = load.PrepareExchange(ctx, load.ExchangeConfig{
		Tools: b.tools, Folder: folder, Sources: b.sources, Database: b.pooled, Systems: 1, Cases: startCases,
		Arguments: []string{
			"--database-direct=" + b.direct, "--database-read=" + b.replica.URL(databaseName),
			"--staff-issuer=" + b.staff.issuer, "--staff-client-id=" + staffClient,
		},
	})
	if err != nil {
		return b, err
	}
	for i := range b.slots {
		if err := b.startNode(ctx, i); err != nil {
			return b, err
		}
	}
	d.say("two nodes, a primary with a replica, a pooler in transaction mode and five sources run")
	return b, nil
}

// startSources starts the departments, and before each the place where it fails.
func (b *bed) startSources() error {
	var err error
	if b.sources, err = load.StartSources(b.tools); err != nil {
		return err
	}
	if b.faulty, err = newFaultySources(b.sources.Addresses); err != nil {
		return err
	}
	b.sources.Addresses = b.faulty.addresses
	return nil
}

func (b *bed) startDatabase(ctx context.Context) error {
	var err error
	if b.primary, err = load.StartPostgres(ctx, "shared_buffers=128MB", "max_wal_size=1GB", "wal_keep_size=256MB"); err != nil {
		return err
	}
	if b.direct, err = b.primary.CreateDatabase(ctx, databaseName); err != nil {
		return err
	}
	if b.replica, err = b.primary.Follow(ctx); err != nil {
		return err
	}
	if b.pooler, err = b.primary.StartPooler(ctx, poolSize); err != nil {
		return err
	}
	pooled, err := b.pooler.URL(databaseName)
	b.pooled = pooled + "&pooler=transaction"
	return err
}

// startNode starts the node of a slot and waits until it is ready. The database may
// be away meanwhile, so it is tried again.
func (b *bed) startNode(ctx context.Context, i int) error {
	const most = 90 * time.Second
	var node *load.Node
	var err error
	for begun := time.Now(); time.Since(begun) < most && ctx.Err() == nil; time.Sleep(500 * time.Millisecond) {
		if node, err = b.exchange.StartNode(); err == nil {
			break
		}
	}
	if node == nil {
		return fmt.Errorf("node %s does not start: %w", b.slots[i].name, err)
	}
	b.slots[i].set(node)
	for begun := time.Now(); time.Since(begun) < most && ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
		if b.probe(i) {
			return nil
		}
	}
	return errors.Join(fmt.Errorf("node %s does not get ready", b.slots[i].name), ctx.Err())
}

// probe asks a node whether it is ready, and keeps the answer.
func (b *bed) probe(i int) bool {
	s := b.slots[i]
	node, _ := s.current()
	ready := node != nil && readyAt(node.URL)
	s.ready.Store(ready)
	return ready
}

func readyAt(url string) bool {
	client := http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get(url + "/readyz")
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// pick chooses a node for a request as a balancer does that looks at /readyz: by
// turns among those that are ready, else any that runs; nil when none does.
func (b *bed) pick() (*load.Node, string) {
	turn := int(b.next.Add(1))
	for _, needed := range []bool{true, false} {
		for i := range b.slots {
			s := b.slots[(turn+i)%len(b.slots)]
			if node, _ := s.current(); node != nil && (s.ready.Load() || !needed) {
				return node, s.name
			}
		}
	}
	return nil, ""
}

// kill ends a node as a machine that loses its power does.
func (b *bed) kill(i int) error {
	s := b.slots[i]
	node, born := s.current()
	if node == nil {
		return nil
	}
	s.ready.Store(false)
	if err := node.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	s.set(nil)
	b.event("node %s (process %d) was killed with SIGKILL after %s", s.name, node.PID, time.Since(born).Round(time.Second))
	_ = node.Stop() // it has been killed: this waits for it
	return nil
}

// close ends everything that was started.
func (b *bed) close() error {
	var errs []error
	for _, s := range b.slots {
		if node, _ := s.current(); node != nil {
			errs = append(errs, node.Stop())
		}
	}
	if b.pooler != nil {
		errs = append(errs, b.pooler.Close())
	}
	if b.replica != nil {
		errs = append(errs, b.replica.Close())
	}
	if b.primary != nil {
		errs = append(errs, b.primary.Close())
	}
	if b.staff != nil {
		errs = append(errs, b.staff.server.Close())
	}
	if b.faulty != nil {
		errs = append(errs, b.faulty.close())
	}
	if b.sources != nil {
		errs = append(errs, b.sources.Stop())
	}
	return errors.Join(errs...)
}
