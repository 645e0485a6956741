package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"gorm.io/gorm"

	"mianti/internal/jobs"
)

func TestEnqueue_KeepsOneWaitingJobOfAKey(t *testing.T) {
	t.Parallel()
	eachStoreAt(t, func(t *testing.T, s *Store, pass func(time.Duration)) {
		at := func(key, payload string, after time.Duration) jobs.Job {
			return jobs.Job{Kind: "a", Key: key, Payload: payload, RunAt: testTime.Add(after)}
		}
		enqueue(t, s, at("k", "1", time.Hour), at("l", "1", time.Minute), at("k", "2", time.Minute), at("l", "2", time.Hour),
			at("k", "3", time.Hour), jobs.Job{Kind: "b", Key: "k", Payload: "another kind", RunAt: testTime.Add(time.Minute)})
		pass(time.Minute)
		got := claim(t, s, "x", 10)
		slices.SortFunc(got, func(a, b jobs.Job) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Key, b.Key)) })
		for i := range got {
			got[i].ID = ""
		}
		due := testTime.Add(time.Minute)
		want := []jobs.Job{
			{Kind: "a", Key: "k", Payload: "3", RunAt: due, Attempts: 1},
			{Kind: "a", Key: "l", Payload: "2", RunAt: due, Attempts: 1},
			{Kind: "b", Key: "k", Payload: "another kind", RunAt: due, Attempts: 1},
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("claimed (-want +got):\n%s", diff)
		}
	})
}

func TestEnqueue_BesideARunningJobOfItsKeyAddsAnother(t *testing.T) {
	t.Parallel()
	eachStoreAt(t, func(t *testing.T, s *Store, pass func(time.Duration)) {
		enqueue(t, s, jobs.Job{ID: "1", Kind: "a", Key: "k", Payload: "old"})
		running := claimOne(t, s, "x")
		enqueue(t, s, jobs.Job{ID: "2", Kind: "a", Key: "k", Payload: "new", RunAt: testTime.Add(time.Minute)})
		// The running one comes back, at an earlier time: there is still one that
		// waits, and it is the newer.
		if err := s.Retry(t.Context(), "x", running, testTime.Add(time.Second), "no"); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		got := claimOne(t, s, "x")
		want := jobs.Job{ID: "2", Kind: "a", Key: "k", Payload: "new", RunAt: testTime.Add(time.Second), Attempts: 1}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("claimed (-want +got):\n%s", diff)
		}
		if held, err := s.Finish(t.Context(), "x", got); err != nil || !held {
			t.Errorf("Finish: %v, %v", held, err)
		}
		if rest := claim(t, s, "x", 10); len(rest) > 0 {
			t.Errorf("left over: %v", rest)
		}
	})
}

func TestEnqueue_BeginsToCountAnewForANewerPayload(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		enqueue(t, s, jobs.Job{ID: "1", Kind: "a", Key: "k", Payload: "old"})
		if err := s.Retry(t.Context(), "x", claimOne(t, s, "x"), testTime.Add(time.Hour), "no"); err != nil {
			t.Fatal(err)
		}
		enqueue(t, s, jobs.Job{Kind: "a", Key: "k", Payload: "new"})
		if got := claimOne(t, s, "x"); got.ID != "1" || got.Payload != "new" || got.Attempts != 1 {
			t.Errorf("claimed %+v", got)
		}
	})
}

func TestEnqueue_KeepsOneOfAKeyAmongManyAtOnce(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		var group sync.WaitGroup
		for w := range 8 {
			group.Go(func() {
				for i := range 10 {
					keys := []string{"k", "l", "m"}
					if w%2 == 0 {
						slices.Reverse(keys) // an order that could lock against the other
					}
					var more []jobs.Job
					for _, key := range keys {
						more = append(more, jobs.Job{Kind: "a", Key: key, RunAt: testTime.Add(-time.Duration(w*10+i) * time.Second)})
					}
					if err := s.Enqueue(t.Context(), more...); err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		got := claim(t, s, "x", 100)
		if len(got) != 3 {
			t.Fatalf("claimed %d jobs, want one of each key", len(got))
		}
		for _, job := range got {
			if want := testTime.Add(-79 * time.Second); !job.RunAt.Equal(want) {
				t.Errorf("key %s at %v, want the earliest, %v", job.Key, job.RunAt, want)
			}
		}
	})
}

func TestEnqueue_WhileOthersClaimLosesNothing(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ctx, cancel := context.WithCancel(t.Context())
		var producers, consumers sync.WaitGroup
		var mu sync.Mutex
		last := map[string]string{} // the newest payload that ran, by key
		for w := range 2 {
			producers.Go(func() {
				for i := range 50 {
					if err := s.Enqueue(t.Context(), jobs.Job{Kind: "a", Key: fmt.Sprint(w), Payload: fmt.Sprintf("%02d", i)}); err != nil {
						t.Error(err)
					}
				}
			})
			consumers.Go(func() {
				for owner := fmt.Sprint("worker ", w); ; {
					done := ctx.Err() != nil // looked at before the last claim
					got, err := s.Claim(t.Context(), owner, []string{"a"}, 2, lease)
					if err != nil {
						t.Error(err)
						return
					}
					for _, job := range got {
						mu.Lock()
						last[job.Key] = max(last[job.Key], job.Payload)
						mu.Unlock()
						if held, err := s.Finish(t.Context(), owner, job); err != nil || !held {
							t.Errorf("finish: %v, %v", held, err)
						}
					}
					if done && len(got) == 0 {
						return
					}
				}
			})
		}
		producers.Wait()
		cancel()
		consumers.Wait()
		if diff := gocmp.Diff(map[string]string{"0": "49", "1": "49"}, last); diff != "" {
			t.Errorf("last payloads (-want +got):\n%s", diff)
		}
	})
}

func TestEnqueue_OfATransactionThatFailsAddsNothing(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		no := errors.New("no")
		err := s.transact(t.Context(), func(tx *gorm.DB) error {
			if err := s.enqueue(t.Context(), tx, []jobs.Job{{Kind: "a"}}); err != nil {
				t.Error(err)
			}
			return no
		})
		if !errors.Is(err, no) {
			t.Fatal(err)
		}
		if err := s.Enqueue(t.Context(), jobs.Job{Kind: "a"}, jobs.Job{Kind: ""}); err == nil {
			t.Error("a job without a kind was taken")
		}
		if got := claim(t, s, "x", 10); len(got) > 0 {
			t.Errorf("claimed %v", got)
		}
	})
}
