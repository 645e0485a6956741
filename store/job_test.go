package store

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/internal/jobs"
)

// The store is both ends of the queue.
var (
	_ jobs.Queue   = (*Store)(nil)
	_ jobs.Backlog = (*Store)(nil)
)

const lease = 30 * time.Second

// eachStoreAt runs a test on an empty store of each dialect, whose clock the
// test moves on.
func eachStoreAt(t *testing.T, test func(t *testing.T, s *Store, pass func(time.Duration))) {
	t.Helper()
	eachURL(t, func(t *testing.T, url string) {
		var passed atomic.Int64
		s := openStore(t, Config{URL: url, Now: func() time.Time { return testTime.Add(time.Duration(passed.Load())) }})
		test(t, s, func(d time.Duration) { passed.Add(int64(d)) })
	})
}

func enqueue(t *testing.T, s *Store, more ...jobs.Job) {
	t.Helper()
	if err := s.Enqueue(t.Context(), more...); err != nil {
		t.Fatal(err)
	}
}

func claim(t *testing.T, s *Store, owner string, limit int) []jobs.Job {
	t.Helper()
	out, err := s.Claim(t.Context(), owner, []string{"a", "b"}, limit, lease)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// claimOne claims the one job that there is to claim.
func claimOne(t *testing.T, s *Store, owner string) jobs.Job {
	t.Helper()
	out := claim(t, s, owner, 10)
	if len(out) != 1 {
		t.Fatalf("%s claimed %v, want one job", owner, out)
	}
	return out[0]
}

func ids(all []jobs.Job) []string {
	out := []string{}
	for _, job := range all {
		out = append(out, job.ID)
	}
	return out
}

func TestClaim_GivesWhatWasEnqueued(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		enqueue(t, s, jobs.Job{ID: "1", Kind: "a", Key: "k", Payload: `{"n":"一"}`, RunAt: testTime.Add(-time.Minute)})
		enqueue(t, s, jobs.Job{Kind: "b"}, jobs.Job{Kind: "b"})
		enqueue(t, s)
		got := claim(t, s, "x", 10)
		if len(got) != 3 || got[1].ID == "" || got[1].ID == got[2].ID {
			t.Fatalf("claimed %v, want three with ids of their own", got)
		}
		want := []jobs.Job{
			{ID: "1", Kind: "a", Key: "k", Payload: `{"n":"一"}`, RunAt: testTime.Add(-time.Minute), Attempts: 1},
			{ID: got[1].ID, Kind: "b", RunAt: testTime, Attempts: 1},
			{ID: got[2].ID, Kind: "b", RunAt: testTime, Attempts: 1},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("claimed (-want +got):\n%s", diff)
		}
	})
}

func TestClaim_TakesTheLongestWaitingFirstAndNothingBeforeItsTime(t *testing.T) {
	t.Parallel()
	eachStoreAt(t, func(t *testing.T, s *Store, pass func(time.Duration)) {
		at := func(id, kind string, after time.Duration) jobs.Job {
			return jobs.Job{ID: id, Kind: kind, RunAt: testTime.Add(after)}
		}
		enqueue(t, s, at("later", "a", time.Microsecond), at("second", "b", -time.Second), at("first", "a", -time.Minute),
			at("third", "a", 0), at("other kind", "c", -time.Hour))
		if diff := cmp.Diff([]string{"first", "second"}, ids(claim(t, s, "x", 2))); diff != "" {
			t.Errorf("claimed (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"third"}, ids(claim(t, s, "x", 10))); diff != "" {
			t.Errorf("then (-want +got):\n%s", diff)
		}
		pass(time.Microsecond)
		if diff := cmp.Diff([]string{"later"}, ids(claim(t, s, "x", 10))); diff != "" {
			t.Errorf("later (-want +got):\n%s", diff)
		}
		if none, err := s.Claim(t.Context(), "x", nil, 10, lease); err != nil || len(none) > 0 {
			t.Errorf("without kinds: %v, %v", none, err)
		}
	})
}

func TestClaim_GivesEachJobToOneWorker(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		const workers, all = 8, 500
		batch := make([]jobs.Job, all)
		for i := range batch {
			batch[i] = jobs.Job{ID: fmt.Sprintf("%03d", i), Kind: "a"}
		}
		enqueue(t, s, batch...)
		var mu sync.Mutex
		taken := map[string]int{}
		var group sync.WaitGroup
		for w := range workers {
			group.Go(func() {
				owner := fmt.Sprint("worker ", w)
				for {
					got, err := s.Claim(t.Context(), owner, []string{"a"}, 7, lease)
					if err != nil || len(got) > 7 {
						t.Errorf("claimed %d, %v", len(got), err)
						return
					}
					if len(got) == 0 {
						return
					}
					for _, job := range got {
						if held, err := s.Finish(t.Context(), owner, job); err != nil || !held {
							t.Errorf("finish: %v, %v", held, err)
						}
						mu.Lock()
						taken[job.ID]++
						mu.Unlock()
					}
				}
			})
		}
		group.Wait()
		// A worker whose look fell on rows that others held at the time may have
		// left, but never all of them before the last job was taken.
		if len(taken) != all {
			t.Errorf("%d jobs ran, want %d", len(taken), all)
		}
		for id, n := range taken {
			if n != 1 {
				t.Errorf("job %s ran %d times", id, n)
			}
		}
	})
}

func TestClaim_TakesOverWhatACrashedProcessLeft(t *testing.T) {
	t.Parallel()
	eachStoreAt(t, func(t *testing.T, s *Store, pass func(time.Duration)) {
		enqueue(t, s, jobs.Job{ID: "1", Kind: "a", Payload: "p"})
		before := claimOne(t, s, "crashed")
		pass(lease - time.Microsecond)
		if early := claim(t, s, "next", 10); len(early) > 0 {
			t.Fatalf("claimed %v within the lease", early)
		}
		pass(time.Microsecond)
		after := claimOne(t, s, "next")
		if after.ID != "1" || after.Attempts != 2 || after.Payload != "p" {
			t.Errorf("took over %+v", after)
		}
		// The process was not dead after all: what it does now counts for nothing.
		if held, err := s.Extend(t.Context(), "crashed", before, time.Hour); err != nil || held {
			t.Errorf("Extend: %v, %v", held, err)
		}
		if held, err := s.Finish(t.Context(), "crashed", before); err != nil || held {
			t.Errorf("Finish: %v, %v", held, err)
		}
		for _, at := range []time.Time{testTime, {}} {
			if err := s.Retry(t.Context(), "crashed", before, at, "no"); err != nil {
				t.Error(err)
			}
		}
		if held, err := s.Finish(t.Context(), "next", after); err != nil || !held {
			t.Errorf("Finish of the new owner: %v, %v", held, err)
		}
	})
}

func TestFinish_OfAnEarlierClaimOfTheSameOwnerIsLost(t *testing.T) {
	t.Parallel()
	eachStoreAt(t, func(t *testing.T, s *Store, pass func(time.Duration)) {
		enqueue(t, s, jobs.Job{Kind: "a"})
		before := claimOne(t, s, "x")
		pass(lease)
		after := claimOne(t, s, "x")
		if held, err := s.Finish(t.Context(), "x", before); err != nil || held {
			t.Errorf("Finish of the earlier claim: %v, %v", held, err)
		}
		if held, err := s.Finish(t.Context(), "x", after); err != nil || !held {
			t.Errorf("Finish: %v, %v", held, err)
		}
	})
}

func TestExtend_MovesTheEndOfTheLease(t *testing.T) {
	t.Parallel()
	eachStoreAt(t, func(t *testing.T, s *Store, pass func(time.Duration)) {
		enqueue(t, s, jobs.Job{Kind: "a"})
		job := claimOne(t, s, "x")
		pass(20 * time.Second)
		if held, err := s.Extend(t.Context(), "x", job, lease); err != nil || !held {
			t.Fatalf("Extend: %v, %v", held, err)
		}
		pass(29 * time.Second)
		if early := claim(t, s, "y", 10); len(early) > 0 {
			t.Fatalf("claimed %v within the lease", early)
		}
		pass(time.Second)
		// A lease that has run out is its owner's until somebody takes the job.
		if held, err := s.Extend(t.Context(), "x", job, lease); err != nil || !held {
			t.Fatalf("Extend: %v, %v", held, err)
		}
		pass(lease)
		claimOne(t, s, "y")
	})
}

func TestRetry_PutsTheJobBackAtItsTime(t *testing.T) {
	t.Parallel()
	eachStoreAt(t, func(t *testing.T, s *Store, pass func(time.Duration)) {
		enqueue(t, s, jobs.Job{ID: "1", Kind: "a", Key: "k", Payload: "p"}, jobs.Job{ID: "2", Kind: "a", RunAt: testTime.Add(3 * time.Second)})
		job := claimOne(t, s, "x")
		if err := s.Retry(t.Context(), "x", job, testTime.Add(5*time.Second), "坏\xff\x00了"); err != nil {
			t.Fatal(err)
		}
		if early := claim(t, s, "x", 10); len(early) > 0 {
			t.Fatalf("claimed %v before its time", early)
		}
		pass(5 * time.Second)
		if diff := cmp.Diff([]string{"2", "1"}, ids(claim(t, s, "x", 10))); diff != "" {
			t.Errorf("claimed (-want +got):\n%s", diff)
		}
		row, err := table[jobRow](s.db).Where("id = ?", "1").Take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := jobRow{
			ID: "1", Kind: "a", Key: "k", Payload: "p", State: jobRunning, RunAt: At(testTime.Add(5 * time.Second)),
			Claimable: At(testTime.Add(5*time.Second + lease)), Owner: "x", Attempts: 2, Reason: "坏了", Created: At(testTime),
		}
		if diff := cmp.Diff(want, row); diff != "" {
			t.Errorf("row (-want +got):\n%s", diff)
		}
	})
}

func TestRetry_AtNoTimeKeepsTheJobAsFailed(t *testing.T) {
	t.Parallel()
	eachStoreAt(t, func(t *testing.T, s *Store, pass func(time.Duration)) {
		for _, id := range []string{"1", "2", "3"} {
			enqueue(t, s, jobs.Job{ID: id, Kind: "a", Key: "k", Payload: "p"})
			if err := s.Retry(t.Context(), "x", claimOne(t, s, "x"), time.Time{}, strings.Repeat("很", 999)); err != nil {
				t.Fatal(err)
			}
			pass(time.Second)
		}
		pass(24 * time.Hour)
		if got := claim(t, s, "x", 10); len(got) > 0 {
			t.Errorf("claimed %v, which failed", got)
		}
		got, err := s.FailedJobs(t.Context(), 2)
		if err != nil {
			t.Fatal(err)
		}
		// 1000 bytes are 333 characters of three bytes, and a part of one more.
		reason := strings.Repeat("很", 333)
		want := []jobs.Failed{
			{Job: jobs.Job{ID: "3", Kind: "a", Key: "k", Payload: "p", RunAt: testTime.Add(2 * time.Second), Attempts: 1}, Reason: reason, At: testTime.Add(2 * time.Second)},
			{Job: jobs.Job{ID: "2", Kind: "a", Key: "k", Payload: "p", RunAt: testTime.Add(time.Second), Attempts: 1}, Reason: reason, At: testTime.Add(time.Second)},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("failed (-want +got):\n%s", diff)
		}
	})
}
