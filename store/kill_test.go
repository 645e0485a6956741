package store

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	programs "os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"mianti/exchange"
	"mianti/ledger"
)

// takeover is how long sealing may rest when the process that did it is gone.
const takeover = 5 * time.Second

// answerForEver does what the exchange does for one answer after another: it
// records the intents, stores the resolution with its outcomes, and answers; and
// seals. An answer is a line of its output.
func answerForEver(ctx context.Context, s *Store) error {
	signer, err := ledger.NewSigner(testOrigin, bytes.Repeat([]byte{7}, 32))
	if err != nil {
		return err
	}
	for {
		id := rand.Text()
		of := func(kind ledger.Kind) ledger.Entry {
			e := entry(kind, "c1")
			e.Resolution, e.Concerns = id, []string{"somebody", "everybody"}
			return e
		}
		if err := s.Append(ctx, []ledger.Entry{of(ledger.Intent), of(ledger.Intent)}); err != nil {
			return err
		}
		commit := exchange.Commit{Resolution: newResolution(id, "c1"), Entries: []ledger.Entry{of(ledger.Outcome), of(ledger.Outcome), of(ledger.Resolved)}}
		if err := s.CommitResolution(ctx, commit); err != nil {
			return err
		}
		fmt.Println(id)
		if _, err := NewLog(s).Seal(ctx, signer, 100); err != nil {
			return err
		}
	}
}

// startKillable starts the process that ends at a point, and gives the answers
// that it gave.
func startKillable(t *testing.T, url string, point, nth int, signal syscall.Signal) (*programs.Cmd, *bufio.Scanner, *bytes.Buffer) {
	t.Helper()
	process := programs.Command(os.Args[0], killable, url, strconv.Itoa(point), strconv.Itoa(nth), strconv.Itoa(int(signal)))
	var errs bytes.Buffer
	process.Stderr = &errs
	out, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	return process, bufio.NewScanner(out), &errs
}

// sealAfter seals what the process that is gone has left, and wants to be let
// within the time that a takeover may take.
func sealAfter(t *testing.T, s *Store, gone time.Time) {
	t.Helper()
	for {
		done, err := NewLog(s).Seal(t.Context(), testSigner(t), 1000)
		if err != nil {
			t.Fatal(err)
		}
		if !done.Elsewhere {
			return
		}
		if time.Since(gone) > takeover {
			t.Fatalf("nobody could seal for %s", time.Since(gone))
		}
		time.Sleep(20 * time.Millisecond) // the other may still hold the lock
	}
}

// TestKill_AtTwentyPointsLeavesNoGapAndNoFork kills, with SIGKILL, a process that
// records, answers and seals, a hundred times, at each of twenty points; another
// process then seals what it left, and verifies the whole log.
func TestKill_AtTwentyPointsLeavesNoGapAndNoFork(t *testing.T) {
	if testing.Short() {
		t.Skip("kills two hundred processes")
	}
	t.Parallel()
	if n := len(killPoints()); n != 20 {
		t.Fatalf("%d points, want 20", n)
	}
	eachURL(t, func(t *testing.T, url string) {
		s := openStore(t, Config{URL: url, Now: testClock})
		ready(t, s)
		open(t, s, newCase("c1", "JN-1"))
		answered, kills, longest := 0, 0, time.Duration(0)
		for nth := 1; nth <= 5; nth++ {
			for point, p := range killPoints() {
				process, lines, errs := startKillable(t, url, point, nth, syscall.SIGKILL)
				var ids []string
				for lines.Scan() {
					ids = append(ids, lines.Text())
				}
				err := process.Wait()
				gone := time.Now()
				var ended *programs.ExitError
				if !errors.As(err, &ended) || ended.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
					t.Fatalf("%s, time %d: it was not killed there: %v\n%s", p.name, nth, err, errs)
				}
				kills++
				sealAfter(t, s, gone)
				longest = max(longest, time.Since(gone))
				wantRecorded(t, s, ids)
				answered += len(ids)
				if report := verify(t, s); len(report.Faults) > 0 {
					t.Fatalf("%s, time %d: %v", p.name, nth, report.Faults)
				}
			}
		}
		if waiting, err := NewLog(s).Waiting(t.Context()); err != nil || waiting != 0 {
			t.Errorf("%d entries still wait, %v", waiting, err)
		}
		if kills != 100 || answered == 0 {
			t.Errorf("%d kills and %d answers", kills, answered)
		}
		t.Logf("%d kills, %d answers, all on record; the longest takeover took %s", kills, answered, longest)
	})
}

// wantRecorded wants the entries of every answer that was given, sealed.
func wantRecorded(t *testing.T, s *Store, answers []string) {
	t.Helper()
	for _, id := range answers {
		var got []string
		err := s.db.Raw("SELECT e.kind FROM ledger_entries e JOIN ledger_leaves l ON l.entry_id = e.id WHERE e.case_id = 'c1' AND e.resolution_id = ? ORDER BY l.place", id).Scan(&got).Error
		if err != nil {
			t.Fatal(err)
		}
		if want := "intent intent outcome outcome resolved"; strings.Join(got, " ") != want {
			t.Errorf("answer %s was given; in the log of it: %v, want %s", id, got, want)
		}
	}
}

// A sealer whose machine is cut off, so that nobody tells the database that it is
// gone, is no longer waited for either; and when it comes back, it does no harm.
func TestKill_SealerThatStandsStillIsOvertaken(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for several seconds")
	}
	t.Parallel()
	eachURL(t, func(t *testing.T, url string) {
		s := openStore(t, Config{URL: url, Now: testClock})
		if s.dialect == dialectSQLite {
			t.Skip("one machine: who holds the lock of the file holds up all writing, not the sealing alone")
		}
		ready(t, s)
		open(t, s, newCase("c1", "JN-1"))
		inTheLeaves := 15
		process, lines, errs := startKillable(t, url, inTheLeaves, 2, syscall.SIGSTOP)
		t.Cleanup(func() { _ = process.Process.Kill() })
		for range 2 { // it stands still in the second seal
			if !lines.Scan() {
				t.Fatalf("it gave no answer\n%s", errs)
			}
		}
		var status syscall.WaitStatus
		if _, err := syscall.Wait4(process.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
			t.Fatalf("it does not stand still: %v, %v", status, err)
		}
		stopped := time.Now()
		sealAfter(t, s, stopped)
		took := time.Since(stopped)
		before := verify(t, s)
		if len(before.Faults) > 0 || before.Size != 11 {
			t.Errorf("%d entries, %v; want the eleven", before.Size, before.Faults)
		}
		if err := process.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		if err := process.Wait(); err == nil || !strings.Contains(errs.String(), "idle-in-transaction") {
			t.Errorf("it went on: %v\n%s", err, errs)
		}
		if after := verify(t, s); len(after.Faults) > 0 || after.Size != before.Size {
			t.Errorf("after it came back: %d entries, %v", after.Size, after.Faults)
		}
		t.Logf("taken over after %s", took)
	})
}
