package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"mianti/internal/pgtest"
	"mianti/store"
)

// upgradeUnderLoad is set by make upgrade-test: the test builds the program twice and
// takes the better part of a minute.
var upgradeUnderLoad = flag.Bool("upgrade", false, "run the upgrade under load, which takes a while")

// TestUpgrade_FailsNoRequest upgrades two nodes behind a balancer from one program to
// a later one with a later schema, while systems ask, and wants every request
// answered.
func TestUpgrade_FailsNoRequest(t *testing.T) {
	if !*upgradeUnderLoad {
		t.Skip("make upgrade-test runs it: it builds the program twice and takes the better part of a minute")
	}
	k := newKilling(t, t.Context(), pgtest.Database(t))
	later := *k
	later.binary = buildLater(t, k.dir)
	b := &balancer{}
	front := httptest.NewServer(b)
	defer front.Close()
	for range 2 {
		b.add(t, k.startServer(t))
	}
	load := startLoad(t, k, front.URL)
	load.await(t, 60)

	migrate := func(args ...string) string {
		out, err := exec.CommandContext(t.Context(), later.binary, append([]string{"migrate", "--database", k.database}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("migrate %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	if plan := migrate("--plan"); !strings.Contains(plan, "可以不停机") {
		t.Fatalf("the plan does not promise to go on:\n%s", plan)
	}
	migrate()
	load.await(t, 60) // the earlier program under the later schema
	for i := range 2 {
		b.replace(t, i, func() *killable { return later.startServer(t) })
		load.await(t, 60) // and both programs beside each other
	}
	done, failed := load.stop()
	b.stop(t)
	t.Logf("%d requests were answered during the upgrade, %d failed", done, len(failed))
	for _, f := range failed {
		t.Error(f)
	}
	if plan := migrate("--plan"); !strings.Contains(plan, "数据库结构第 999 版") {
		t.Errorf("after the upgrade:\n%s", plan)
	}
	wantCommand(t, 0, "没有发现改动", "ledger", "verify", "--database", k.database)
}

// buildLater builds the same program with a migration more, that widens a table which
// every request reads.
func buildLater(t *testing.T, dir string) string {
	t.Helper()
	statement := fmt.Sprintf("-- +goose Up\nALTER TABLE cases ADD COLUMN later TEXT NOT NULL DEFAULT '';\n"+
		"INSERT INTO schema_compatibility (version, oldest) VALUES (999, %d);\n", store.SchemaVersion())
	file := filepath.Join(dir, "00999_later.sql")
	if err := os.WriteFile(file, []byte(statement), 0o600); err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	replaced := map[string]string{}
	for _, dialect := range []string{"postgres", "sqlite"} {
		replaced[filepath.Join(root, "store", "migrations", dialect, "00999_later.sql")] = file
	}
	text, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		t.Fatal(err)
	}
	overlay, binary := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "later")
	if err := os.WriteFile(overlay, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-overlay", overlay, "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return binary
}

// balancer hands requests to nodes in turn that are not being taken out.
type balancer struct {
	mu    sync.Mutex
	nodes []*balanced
	next  int
}

type balanced struct {
	server   *killable
	proxy    *httputil.ReverseProxy
	out      bool
	underWay sync.WaitGroup
}

func newBalanced(t *testing.T, server *killable) *balanced {
	t.Helper()
	target, err := url.Parse(server.url)
	if err != nil {
		t.Fatal(err)
	}
	n := &balanced{server: server, proxy: httputil.NewSingleHostReverseProxy(target)}
	within(t, 10*time.Second, func() error {
		answer, err := http.Get(server.url + "/readyz")
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("readyz: %s", answer.Status)
		}
		return nil
	})
	return n
}

func (b *balancer) add(t *testing.T, server *killable) {
	t.Helper()
	b.nodes = append(b.nodes, newBalanced(t, server))
}

// ServeHTTP hands a request on.
func (b *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := b.pick()
	defer n.underWay.Done()
	n.proxy.ServeHTTP(w, r)
}

func (b *balancer) pick() *balanced {
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		b.next++
		if n := b.nodes[b.next%len(b.nodes)]; !n.out {
			n.underWay.Add(1)
			return n
		}
	}
}

// replace takes a node out, ends it as an operator does, and puts another in.
func (b *balancer) replace(t *testing.T, i int, start func() *killable) {
	t.Helper()
	old := b.nodes[i]
	b.mu.Lock()
	old.out = true
	b.mu.Unlock()
	old.underWay.Wait()
	old.server.terminate(t)
	fresh := newBalanced(t, start())
	b.mu.Lock()
	b.nodes[i] = fresh
	b.mu.Unlock()
}

func (b *balancer) stop(t *testing.T) {
	t.Helper()
	for _, n := range b.nodes {
		n.server.terminate(t)
	}
}

// terminate ends a server as an operator does.
func (s *killable) terminate(t *testing.T) {
	t.Helper()
	if err := s.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = s.process.Wait()
}

// load asks until it is told to stop.
type load struct {
	answered atomic.Int64
	mu       sync.Mutex
	failed   []string
	cancel   context.CancelFunc
	group    sync.WaitGroup
}

func startLoad(t *testing.T, k *killing, front string) *load {
	t.Helper()
	c := newClient(front, demoSystem+"SPJ", k.secret)
	if err := c.signIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	l := &load{cancel: cancel}
	for worker := range 4 {
		l.group.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				l.note(upgradeCase(context.WithoutCancel(ctx), k, c, fmt.Sprintf("UPGRADE-%d-%d", worker, i)))
			}
		})
	}
	return l
}

// upgradeCase opens a case, resolves it and reads the resolution again.
func upgradeCase(ctx context.Context, k *killing, c *client, number string) (answered int64, err error) {
	body := map[string]any{}
	for _, file := range k.cases {
		if file.Case["one_thing"] == "S01" {
			for key, value := range file.Case {
				body[key] = value
			}
			break
		}
	}
	body["number"] = number
	var opened, resolved struct {
		ID string `json:"id"`
	}
	if err := c.call(ctx, http.MethodPost, "/v1/cases", body, &opened); err != nil {
		return 0, fmt.Errorf("open: %w", err)
	}
	if err := c.call(ctx, http.MethodPost, "/v1/cases/"+opened.ID+"/resolutions", struct{}{}, &resolved); err != nil {
		return 1, fmt.Errorf("resolve: %w", err)
	}
	if err := c.call(ctx, http.MethodGet, "/v1/resolutions/"+resolved.ID, nil, &resolved); err != nil {
		return 2, fmt.Errorf("read: %w", err)
	}
	return 3, nil
}

func (l *load) note(answered int64, err error) {
	l.answered.Add(answered)
	if err != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.failed = append(l.failed, err.Error())
	}
}

// await waits until so many more requests were answered.
func (l *load) await(t *testing.T, more int64) {
	t.Helper()
	until := l.answered.Load() + more
	within(t, 2*time.Minute, func() error {
		if now := l.answered.Load(); now < until {
			return fmt.Errorf("%d more", until-now)
		}
		return nil
	})
}

func (l *load) stop() (int64, []string) {
	l.cancel()
	l.group.Wait()
	return l.answered.Load(), l.failed
}
