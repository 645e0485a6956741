package batch_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	programs "os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"mianti/batch"
	"mianti/connectors"
	"mianti/exchange"
	"mianti/internal/pgtest"
	"mianti/ledger"
	"mianti/policies"
	"mianti/store"
)

// killable is the argument of a process that a test starts in order to kill it.
const killable = "killable-batch"

// TestMain runs the tests, or, in a process that a test has started, what is to be
// killed.
func TestMain(m *testing.M) {
	if len(os.Args) == 5 && os.Args[1] == killable {
		fmt.Fprintln(os.Stderr, runKillable(os.Args[2], os.Args[3], os.Args[4]))
		os.Exit(1)
	}
	os.Exit(pgtest.Main(m, store.Migrate))
}

// notedSources note whom they are asked about in a file, before they answer.
type notedSources struct {
	sources
	file string
}

func (s *notedSources) Ask(ctx context.Context, q connectors.Query) (connectors.Reply, error) {
	f, err := os.OpenFile(s.file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = fmt.Fprintln(f, q.Subject.Number)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return connectors.Reply{}, err
	}
	return s.sources.Ask(ctx, q)
}

// killing ends the process itself, with SIGKILL, after so many rows have come to a
// point.
type killing struct {
	batch.Cases
	batch.Rows
	point string
	left  int
}

func (k *killing) at(point string) {
	if k.point != point {
		return
	}
	if k.left--; k.left < 0 {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL) // nothing comes after it
		select {}
	}
}

func (k *killing) OpenCase(ctx context.Context, by policies.Caller, in exchange.Opening) (*exchange.Case, bool, error) {
	c, created, err := k.Cases.OpenCase(ctx, by, in)
	k.at("opened")
	return c, created, err
}

func (k *killing) Resolve(ctx context.Context, by policies.Caller, id string, key *exchange.Key) (*exchange.Resolution, error) {
	r, err := k.Cases.Resolve(ctx, by, id, key)
	k.at("resolved")
	return r, err
}

func (k *killing) SettleBatchRow(ctx context.Context, id string, from batch.RowState, row batch.Row) (bool, error) {
	ok, err := k.Rows.SettleBatchRow(ctx, id, from, row)
	k.at("settled")
	return ok, err
}

// runKillable runs the batch of a database until the process is killed.
func runKillable(url, point, file string) error {
	b, err := openBench(context.Background(), url, &notedSources{sources: sources{asked: map[string]int{}}, file: file})
	if err != nil {
		return err
	}
	killed := &killing{Cases: b.x, Rows: b.store, point: point, left: 2}
	b.config.Cases, b.config.Rows = killed, killed
	claimed, err := b.store.Claim(context.Background(), "killed", []string{batch.JobRun}, 1, takeover)
	if err != nil || len(claimed) != 1 {
		return fmt.Errorf("%d jobs, %w", len(claimed), err)
	}
	return errors.Join(b.desk().Job(context.Background(), claimed[0]), errors.New("it was not killed"))
}

func TestRun_GoesOnAfterSIGKILLAndAsksNobodyTwice(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts and kills processes")
	}
	for _, point := range []string{"opened", "resolved", "settled"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			t.Run("sqlite", func(t *testing.T) { t.Parallel(); killAt(t, sqlite(t), point) })
			t.Run("postgres", func(t *testing.T) { t.Parallel(); killAt(t, pgtest.Database(t), point) })
		})
	}
}

// killAt kills a process that runs a batch at a point, and goes on with the batch in
// this one.
func killAt(t *testing.T, url, point string) {
	file := filepath.Join(t.TempDir(), "asked")
	b := newBenchWith(t, url, &notedSources{sources: sources{asked: map[string]int{}}, file: file})
	got := b.submit(b.desk(), submission(list(6)))
	b.start(b.desk(), got.ID)
	process := programs.Command(os.Args[0], killable, url, point, file)
	var said bytes.Buffer
	process.Stderr = &said
	var ended *programs.ExitError
	if err := process.Run(); !errors.As(err, &ended) || ended.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("%v, want it killed: %s", err, said.String())
	}
	if after := b.batch(got.ID); after.State != batch.Running || after.Counts.Todo == 0 {
		t.Fatalf("then it was %s, %+v", after.State, after.Counts)
	}
	b.run(b.desk())
	if after := b.batch(got.ID); after.State != batch.Finished || after.Counts != (batch.Counts{Done: 6}) {
		t.Errorf("%s %+v", after.State, after.Counts)
	}
	asked, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	times := map[string]int{}
	for _, number := range strings.Fields(string(asked)) {
		times[number]++
	}
	for i := range 6 {
		if n := times[creditCode(i)]; n != 1 {
			t.Errorf("company %d was asked about %d times", i, n)
		}
	}
	for _, row := range b.rows(got.ID) {
		if n := len(b.entries(row.Case, ledger.Intent)); n != 1 {
			t.Errorf("line %d: %d intents", row.Line, n)
		}
	}
}
