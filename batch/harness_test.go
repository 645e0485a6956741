package batch_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mianti/batch"
	"mianti/catalog"
	"mianti/connectors"
	"mianti/examples/jinan"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/internal/keytest"
	"mianti/internal/pgtest"
	"mianti/ledger"
	"mianti/policies"
	"mianti/store"
)

// clock is the time of a test; it goes on when it is told to.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at.After(c.at) {
		c.at = at
	}
}

// sources answers for the tax office: whoever is asked about may move.
type sources struct {
	mu    sync.Mutex
	asked map[string]int // by number of the subject
	away  bool
}

// Ask gives the record of whom it is asked about.
func (s *sources) Ask(_ context.Context, q connectors.Query) (connectors.Reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked[q.Subject.Number]++
	if s.away {
		return connectors.Reply{}, &connectors.Fault{Kind: connectors.FaultDown}
	}
	record := connectors.Record{Subject: q.Subject, Fields: map[string]any{"may_move_or_deregister": true, "open_categories": 0.0}}
	return connectors.Reply{Records: []connectors.Record{record}, Reference: "应答"}, nil
}

func (s *sources) total() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, times := range s.asked {
		n += times
	}
	return n
}

// bench is an exchange on a database of its own, with a system of the tax office and
// one of the police.
type bench struct {
	t       testing.TB
	store   *store.Store
	clock   *clock
	sources *sources
	x       *exchange.Exchange
	config  batch.Config
	log     bytes.Buffer
}

// eachDatabase runs a test on both.
func eachDatabase(t *testing.T, test func(t *testing.T, b *bench)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); test(t, newBench(t, sqlite(t))) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); test(t, newBench(t, pgtest.Database(t))) })
}

func sqlite(t testing.TB) string {
	t.Helper()
	url := "sqlite:" + filepath.Join(t.TempDir(), "mianti.db")
	if err := store.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	return url
}

func newBench(t testing.TB, url string) *bench {
	t.Helper()
	return newBenchWith(t, url, &sources{asked: map[string]int{}})
}

// newBenchWith fills a database, and opens it with sources of the test's own.
func newBenchWith(t testing.TB, url string, answering connectors.Connector) *bench {
	t.Helper()
	b, err := openBench(t.Context(), url, answering)
	if err != nil {
		t.Fatal(err)
	}
	b.t = t
	t.Cleanup(func() {
		if err := b.store.Close(); err != nil {
			t.Error(err)
		}
	})
	files, err := catalog.Files(jinan.Files)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.store.SaveRevision(t.Context(), files, store.RevisionMeta{Title: "济南"}); err != nil {
		t.Fatal(err)
	}
	for _, department := range []string{"SW", "GA"} {
		if err := b.store.SaveSystem(t.Context(), exchange.System{ID: department + "-1", Department: department}); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// takeover is how long a job stays taken when its process is gone.
const takeover = time.Minute

// openBench opens a database that is migrated.
func openBench(ctx context.Context, url string, answering connectors.Connector) (*bench, error) {
	b := &bench{clock: &clock{at: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}}
	b.sources, _ = answering.(*sources)
	var err error
	if b.store, err = store.Open(ctx, store.Config{URL: url, Keys: keytest.Keys(), Now: b.clock.now}); err != nil {
		return nil, err
	}
	run := rand.Text()[:8] // ids of two processes differ
	var ids atomic.Int64
	newID := func() string { return fmt.Sprintf("%s%06d", run, ids.Add(1)) }
	log := slog.New(slog.NewJSONHandler(&b.log, nil))
	catalogs := store.NewCatalogs(b.store)
	b.x = exchange.New(exchange.Config{
		Catalogs: catalogs, Cases: b.store, Resolutions: b.store, Submissions: b.store, Journal: b.store, Grants: b.store,
		Consents: b.store, Records: b.store, Previews: b.store, Keys: b.store, Queue: b.store, Systems: b.store, Sources: answering,
		Locate: func(string, *catalog.Source) (string, catalog.Network) {
			return "http://127.0.0.1:1/", catalog.NetworkLocal
		},
		SubjectKey: bytes.Repeat([]byte{7}, 32), Now: b.clock.now, NewID: newID, Log: log,
	})
	b.config = batch.Config{
		Store: b.store, Rows: b.store, Register: b.store, Endings: b.store, Cases: b.x, Catalogs: catalogs,
		Now: b.clock.now, NewID: newID, Log: log, Parallel: 1,
	}
	return b, nil
}

func (b *bench) desk() *batch.Desk { return batch.New(b.config) }

// taxOffice is the system of the tax office, police that of the police.
func taxOffice() policies.Caller { return policies.Caller{System: "SW-1", Department: "SW"} }
func police() policies.Caller    { return policies.Caller{System: "GA-1", Department: "GA"} }

// creditCode is a code of a made-up company, with its check characters.
func creditCode(n int) string {
	const letters = "0123456789ABCDEFGHJKLMNPQRTUWXY"
	body := fmt.Sprintf("MA%06d", n)
	sum, weights := 0, []int{3, 7, 9, 10, 5, 8, 4, 2}
	for i, r := range body {
		value := strings.IndexRune("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", r)
		sum += value * weights[i]
	}
	check := (11 - sum%11) % 11
	code := "91370199" + body + "0123456789X"[check:check+1]
	total, weight := 0, 1
	for _, r := range code {
		total += strings.IndexRune(letters, r) * weight
		weight = weight * 3 % 31
	}
	return code + letters[(31-total%31)%31:][:1]
}

// list is a list of so many companies, as CSV.
func list(n int) []byte {
	var out strings.Builder
	out.WriteString("申请人姓名或名称,申请人号码\n")
	for i := range n {
		fmt.Fprintf(&out, "济南示例%05d有限公司,%s\n", i, creditCode(i))
	}
	return []byte(out.String())
}

// submission is one that is right.
func submission(file []byte) batch.Submission {
	return batch.Submission{
		Subject: "S02.M1", Purpose: "年度跨区迁移企业涉税状态核查", Basis: "《税收征收管理法实施细则》第十五条", PerDay: batch.MaxRows, File: file,
	}
}

func (b *bench) submit(d *batch.Desk, in batch.Submission) *batch.Batch {
	b.t.Helper()
	got, err := d.Submit(b.t.Context(), taxOffice(), in)
	if err != nil {
		b.t.Fatal(describe(err))
	}
	return got
}

func (b *bench) start(d *batch.Desk, id string) {
	b.t.Helper()
	if _, err := d.Start(b.t.Context(), taxOffice(), id, false); err != nil {
		b.t.Fatal(describe(err))
	}
}

func (b *bench) batch(id string) *batch.Batch {
	b.t.Helper()
	got, err := b.desk().Batch(b.t.Context(), taxOffice(), id)
	if err != nil {
		b.t.Fatal(describe(err))
	}
	return got
}

func (b *bench) rows(id string) []batch.Row {
	b.t.Helper()
	rows, err := b.desk().List(b.t.Context(), taxOffice(), batch.RowFilter{Batch: id, Limit: 1000})
	if err != nil {
		b.t.Fatal(describe(err))
	}
	return rows
}

// step runs the next job of a batch, at its time, as a runner does; false when
// there is none.
func (b *bench) step(d *batch.Desk) (bool, error) {
	b.t.Helper()
	for _, ahead := range []time.Duration{0, time.Minute, 10 * time.Minute, time.Hour, 24 * time.Hour} {
		b.clock.set(b.clock.now().Add(ahead))
		claimed, err := b.store.Claim(b.t.Context(), "test", []string{batch.JobRun}, 1, takeover)
		if err != nil {
			b.t.Fatal(err)
		}
		if len(claimed) == 0 {
			continue
		}
		err = d.Job(b.t.Context(), claimed[0])
		if err == nil {
			if _, err := b.store.Finish(b.t.Context(), "test", claimed[0]); err != nil {
				b.t.Fatal(err)
			}
		}
		return true, err
	}
	return false, nil
}

// run runs the jobs of a batch until there are none.
func (b *bench) run(d *batch.Desk) {
	b.t.Helper()
	for range 1000 {
		more, err := b.step(d)
		if err != nil {
			b.t.Fatal(describe(err))
		}
		if !more {
			return
		}
	}
	b.t.Fatal("the jobs do not end")
}

// entries are those of a kind, of a case; of no case for those of batches.
func (b *bench) entries(id string, kind ledger.Kind) []ledger.Entry {
	b.t.Helper()
	all, err := b.store.Entries(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(e ledger.Entry) bool { return e.Kind != kind })
}

func describe(err error) string {
	if f := fault.As(err); f != nil {
		return fmt.Sprintf("%v: %s %s %v", err, f.Kind, f.Code, f.Details)
	}
	return err.Error()
}

func wantFault(t *testing.T, err error, kind fault.Kind, code string) *fault.Error {
	t.Helper()
	f := fault.As(err)
	if f == nil || f.Kind != kind || f.Code != code {
		t.Fatalf("%v, want %s %s", err, kind, code)
	}
	return f
}
