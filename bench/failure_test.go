package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"mianti/internal/pgtest"
)

// These are no figures but demands: each fails when its demand is not met. They are
// benchmarks because they take their time.

// served is a running exchange that a benchmark may end.
type served struct {
	process *exec.Cmd
	url     string
	ended   chan struct{}
}

// serve starts the exchange on a database, with sources that take so long.
func (p *program) serve(b *testing.B, database, sources string) *served {
	b.Helper()
	s := &served{ended: make(chan struct{})}
	s.process = exec.Command(p.binary, "serve", "--listen=127.0.0.1:0", "--issuer=https://mianti.test", "--sources-url="+sources+"/{department}", "--database="+database, p.key(b))
	errs, err := s.process.StderrPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := s.process.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.process.Process.Kill() })
	lines := bufio.NewScanner(errs)
	for lines.Scan() {
		if found := address.FindString(lines.Text()); found != "" {
			s.url = found
			break
		}
	}
	go func() {
		_, _ = io.Copy(io.Discard, errs)
		_ = s.process.Wait()
		close(s.ended)
	}()
	if s.url == "" {
		b.Fatal("the exchange did not start")
	}
	return s
}

// prepare fills a database, and gives the secret of its system and the address of the
// sources.
func (p *program) prepare(b *testing.B, database, latency string) (secret, sources string) {
	b.Helper()
	at := "--database=" + database
	p.command(b, "migrate", at)
	p.command(b, "catalog", "load", at)
	p.command(b, "grant", "from-catalog", at)
	found := secretLine.FindStringSubmatch(p.command(b, "system", "add", "bench", "--department=BDC", "--name=bench", at))
	if found == nil {
		b.Fatal("system add printed no secret")
	}
	sources, _ = p.start(b, "simulate", "--listen=127.0.0.1:0", "--listen-database=", "--listen-faults=", "--latency="+latency, "--people=10")
	return found[1], sources
}

// on gives a target at an exchange, with a case.
func (s *served) on(b *testing.B, database, secret string) *target {
	b.Helper()
	t := &target{url: s.url, database: database, pid: s.process.Process.Pid, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: time.Minute}}
	t.token = t.signInAs(b, "bench", secret)
	var opened struct{ ID string }
	t.post(b, "/v1/cases", eightMaterials(), &opened)
	t.resolutions = "/v1/cases/" + opened.ID + "/resolutions"
	return t
}

// crowd is callers who resolve and note what they are told.
type crowd struct {
	target *target
	over   chan struct{}
	all    sync.WaitGroup

	mu       sync.Mutex
	answered []string // resolutions
	statuses map[int]int
	wrong    []string // answers that are neither a resolution nor 503 with Retry-After
	broken   int      // requests that were sent and got no answer
	refused  int      // connections that were refused
	last     time.Time
}

func (t *target) crowd(callers int) *crowd {
	c := &crowd{target: t, over: make(chan struct{}), statuses: map[int]int{}}
	for i := range callers {
		c.all.Go(func() {
			client := &http.Client{Transport: &http.Transport{}, Timeout: 30 * time.Second}
			for n := 0; ; n++ {
				select {
				case <-c.over:
					return
				default:
				}
				if !c.ask(client, fmt.Sprintf("crowd-%d-%d", i, n)) {
					time.Sleep(50 * time.Millisecond)
				}
			}
		})
	}
	return c
}

func (c *crowd) end() { close(c.over); c.all.Wait() }

func (c *crowd) ask(client *http.Client, key string) bool {
	request, err := http.NewRequest(http.MethodPost, c.target.url+c.target.resolutions, bytes.NewReader([]byte("{}")))
	if err != nil {
		return false
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+c.target.token)
	request.Header.Set("Idempotency-Key", key)
	response, err := client.Do(request)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		if strings.Contains(err.Error(), "connection refused") {
			c.refused++
		} else {
			c.broken++
		}
		return false
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		c.broken++
		return false
	}
	c.statuses[response.StatusCode]++
	var answer struct{ ID, Code string }
	_ = json.Unmarshal(body, &answer) // looked at below
	switch {
	case response.StatusCode == http.StatusCreated && answer.ID != "":
		c.answered, c.last = append(c.answered, answer.ID), time.Now()
		return true
	case response.StatusCode == http.StatusServiceUnavailable && response.Header.Get("Retry-After") != "":
	default:
		c.wrong = append(c.wrong, fmt.Sprintf("%d %s", response.StatusCode, body))
	}
	return false
}

// count is how many were answered so far, and when the last one was.
func (c *crowd) count() (int, time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.answered), c.last
}

// await waits until there are so many answers more, and gives how long it took.
func (c *crowd) await(b *testing.B, more int, long time.Duration) time.Duration {
	b.Helper()
	begun := time.Now()
	before, _ := c.count()
	for time.Since(begun) < long {
		if now, _ := c.count(); now >= before+more {
			return time.Since(begun)
		}
		time.Sleep(20 * time.Millisecond)
	}
	b.Fatalf("no %d answers within %v: %v %v", more, long, c.statuses, c.wrong)
	return 0
}

// checkRecord wants every resolution that was answered to be stored, and the ledger to
// be whole.
func (c *crowd) checkRecord(b *testing.B, p *program) {
	b.Helper()
	if len(c.wrong) > 0 {
		b.Errorf("%d answers that are neither good nor 503 with Retry-After, such as %s", len(c.wrong), c.wrong[0])
	}
	for _, id := range c.answered {
		var r struct{ ID string }
		request, err := http.NewRequest(http.MethodGet, c.target.url+"/v1/resolutions/"+id, nil)
		if err != nil {
			b.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+c.target.token)
		if c.target.do(b, request, &r); r.ID != id {
			b.Fatalf("%s was answered and is not stored", id)
		}
	}
	time.Sleep(3 * time.Second) // what is recorded is sealed
	p.command(b, "ledger", "verify", "--database="+c.target.database)
}

func (t *target) status(path string) int {
	request, err := http.NewRequest(http.MethodGet, t.url+path, nil)
	if err != nil {
		return 0
	}
	request.Header.Set("Authorization", "Bearer "+t.token)
	response, err := t.client.Do(request)
	if err != nil {
		return 0
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// BenchmarkDrain ends the exchange while it is asked: it ends with status 0 within 15 s, and
// every request that it took is answered. A second signal ends it at once.
func BenchmarkDrain(b *testing.B) {
	p := build(b)
	database := pgtest.Database(b)
	secret, sources := p.prepare(b, database, "200ms")
	s := p.serve(b, database, sources)
	c := s.on(b, database, secret).crowd(8)
	c.await(b, 20, time.Minute)
	begun := time.Now()
	if err := s.process.Process.Signal(syscall.SIGTERM); err != nil {
		b.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond)
	if got := c.target.status("/readyz"); got != http.StatusServiceUnavailable {
		b.Errorf("ready while it ends: %d", got)
	}
	<-s.ended
	took := time.Since(begun)
	c.end()
	if code := s.process.ProcessState.ExitCode(); code != 0 || took > 16*time.Second || c.broken > 0 || len(c.wrong) > 0 {
		b.Errorf("status %d after %v, %d dropped, %v", code, took, c.broken, c.wrong)
	}
	b.ReportMetric(took.Seconds(), "end-s")
	b.ReportMetric(float64(c.broken), "dropped")
	b.ReportMetric(float64(len(c.answered)), "answered")

	s = p.serve(b, database, sources)
	c = s.on(b, database, secret).crowd(8)
	c.await(b, 1, time.Minute)
	begun = time.Now()
	for range 2 {
		_ = s.process.Process.Signal(syscall.SIGTERM)
		time.Sleep(20 * time.Millisecond)
	}
	<-s.ended
	c.end()
	b.ReportMetric(time.Since(begun).Seconds(), "second-signal-s")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkOutage crashes PostgreSQL under load and starts it again after two seconds, three times.
// Meanwhile resolutions are 503 and the catalog is read on; afterwards resolutions come
// again by themselves, and all that was answered is on record.
func BenchmarkOutage(b *testing.B) {
	p, postgres := build(b), pgtest.StartOwn(b, "")
	database := postgres.Database(b)
	secret, sources := p.prepare(b, database, "5ms")
	c := p.serve(b, database, sources).on(b, database, secret).crowd(8)
	if got := c.target.status("/v1/matters/S06.M1"); got != http.StatusOK {
		b.Fatalf("the catalog: %d", got)
	}
	slowest := time.Duration(0)
	for range 3 {
		c.await(b, 20, time.Minute)
		postgres.Crash(b)
		time.Sleep(time.Second)
		for path, want := range map[string]int{"/v1/matters/S06.M1": 200, "/healthz": 200, "/readyz": 503, "/v1/resolutions/none": 503} {
			if got := c.target.status(path); got != want {
				b.Errorf("%s while the database is away: %d, want %d", path, got, want)
			}
		}
		time.Sleep(time.Second)
		postgres.Start(b)
		slowest = max(slowest, c.await(b, 1, 15*time.Second))
	}
	c.end()
	c.checkRecord(b, p)
	b.ReportMetric(slowest.Seconds(), "back-s")
	b.ReportMetric(float64(c.broken), "dropped")
	b.ReportMetric(float64(len(c.answered)), "answered")
	b.ReportMetric(float64(c.statuses[503]), "refused")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkDiskFull fills the disk of PostgreSQL under load. Resolutions are 503, the
// catalog is read on, and when there is room again resolutions come by themselves, or
// when the server has been started again if it gave up.
func BenchmarkDiskFull(b *testing.B) {
	if os.Geteuid() != 0 {
		b.Skip("a disk that can be filled takes root, to mount one")
	}
	disk, err := os.MkdirTemp("", "mianti-disk-")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = os.Remove(disk) })
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=300m,mode=755", "tmpfs", disk).CombinedOutput(); err != nil {
		b.Skipf("no disk can be mounted here: %s", out)
	}
	b.Cleanup(func() { _ = exec.Command("umount", "--lazy", disk).Run() })
	p, postgres := build(b), pgtest.StartOwn(b, disk)
	database := postgres.Database(b)
	secret, sources := p.prepare(b, database, "5ms")
	s := p.serve(b, database, sources)
	c := s.on(b, database, secret).crowd(8)
	c.await(b, 20, time.Minute)
	if got := c.target.status("/v1/matters/S06.M1"); got != http.StatusOK {
		b.Fatalf("the catalog: %d", got)
	}
	filler := filepath.Join(disk, "filler")
	fill(b, filler)
	untilQuiet(b, c)
	for path, want := range map[string]int{"/v1/matters/S06.M1": 200, "/healthz": 200} {
		if got := c.target.status(path); got != want {
			b.Errorf("%s while the disk is full: %d, want %d", path, got, want)
		}
	}
	if err := os.Remove(filler); err != nil {
		b.Fatal(err)
	}
	gaveUp := 0.0
	if !postgres.Running() {
		gaveUp = 1
		postgres.Start(b)
	}
	back := c.await(b, 1, 30*time.Second)
	c.await(b, 20, time.Minute)
	c.end()
	c.checkRecord(b, p)
	b.ReportMetric(back.Seconds(), "back-s")
	b.ReportMetric(gaveUp, "postgres-gave-up")
	b.ReportMetric(float64(len(c.answered)), "answered")
	b.ReportMetric(float64(c.statuses[503]), "refused")
	b.ReportMetric(0, "ns/op")
}

// fill writes a file until there is no room any more.
func fill(b *testing.B, path string) {
	b.Helper()
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	for _, piece := range []int{1 << 20, 4 << 10} {
		for {
			if _, err := f.Write(make([]byte, piece)); err != nil {
				break
			}
		}
	}
}

// untilQuiet waits until nothing was answered for two seconds.
func untilQuiet(b *testing.B, c *crowd) {
	b.Helper()
	ctx, stop := context.WithTimeout(context.Background(), 2*time.Minute)
	defer stop()
	for ctx.Err() == nil {
		if _, last := c.count(); time.Since(last) > 2*time.Second {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	b.Fatal("the disk was filled, and resolutions went on")
}
