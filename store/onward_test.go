package store

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"mianti/exchange"
	"mianti/internal/jobs"
	"mianti/ledger"
)

func TestCommitResolution_GoesOnAtOnceWhereAnAnswerHasComeMeanwhile(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		withCase(t, s)
		for _, id := range []string{"t1", "t2"} {
			if _, err := s.OpenAssist(t.Context(), newTask(id, id, testTime.Add(time.Hour)), nil); err != nil {
				t.Fatal(err)
			}
		}
		commit := func(id string) {
			t.Helper()
			err := s.CommitResolution(t.Context(), exchange.Commit{
				Resolution: newResolution(id, "c1"), Awaits: []string{"t1", "t2"},
				Jobs:     []jobs.Job{{Kind: "a", Key: "c1", RunAt: testTime.Add(time.Hour)}},
				Answered: jobs.Job{Kind: "a", Key: "c1", RunAt: testTime},
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		commit("r1")
		if claimed := claim(t, s, "me", 10); len(claimed) != 0 {
			t.Fatalf("%d jobs run at once, want none: nobody has answered", len(claimed))
		}
		answerTask(t, s, "t2", nil)
		commit("r2")
		if claimed := claim(t, s, "me", 10); len(claimed) != 1 {
			t.Errorf("%d jobs run at once, want one", len(claimed))
		}
	})
}

func answerTask(t *testing.T, s *Store, id string, more []jobs.Job) {
	t.Helper()
	answered := newTask(id, id, testTime.Add(time.Hour))
	answered.Answer = &exchange.AssistAnswer{Result: exchange.AssistConfirmed, Officer: "李明", At: testTime}
	err := s.AnswerAssist(t.Context(), exchange.AssistCommit{Task: answered, Entry: ledger.Entry{Kind: ledger.AssistAnswered, Case: "c1"}, Jobs: more})
	if err != nil {
		t.Error(err)
	}
}

func TestAnswerAssist_BesideAResolutionThatIsStoredBothAreStored(t *testing.T) {
	t.Parallel()
	const rounds = 20
	eachStore(t, func(t *testing.T, s *Store) {
		withCase(t, s)
		for i := range rounds {
			task, resolution := fmt.Sprintf("t%d", i), fmt.Sprintf("r%d", i)
			if _, err := s.OpenAssist(t.Context(), newTask(task, task, testTime.Add(time.Hour)), nil); err != nil {
				t.Fatal(err)
			}
			var both sync.WaitGroup
			both.Go(func() { answerTask(t, s, task, []jobs.Job{{Kind: "a", Key: "c1"}}) })
			both.Go(func() {
				retry := testTime.Add(time.Hour)
				r := newResolution(resolution, "c1")
				r.RetryAt = &retry
				err := s.CommitResolution(t.Context(), exchange.Commit{
					Resolution: r, Awaits: []string{task}, Jobs: []jobs.Job{{Kind: "a", Key: "c1", RunAt: retry}},
					Answered: jobs.Job{Kind: "a", Key: "c1"},
				})
				if err != nil {
					t.Error(err)
				}
			})
			both.Wait()
			claimed := claim(t, s, "me", 10)
			if len(claimed) != 1 {
				t.Fatalf("round %d: %d jobs run at once, want one", i, len(claimed))
			}
			if held, err := s.Finish(t.Context(), "me", claimed[0]); err != nil || !held {
				t.Fatal(held, err)
			}
		}
	})
}

func TestResolution_NoLongerGoesOnOnceItsCaseHasMovedOn(t *testing.T) {
	t.Parallel()
	for name, move := range map[string]func(t *testing.T, s *Store){
		"resolved again": func(t *testing.T, s *Store) {
			if err := s.CommitResolution(t.Context(), exchange.Commit{Resolution: newResolution("r2", "c1")}); err != nil {
				t.Fatal(err)
			}
		},
		"changed": func(t *testing.T, s *Store) {
			if err := s.UpdateCase(t.Context(), newCase("c1", "JN-1"), ledger.Entry{Kind: ledger.FactsChanged, Case: "c1"}); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachStore(t, func(t *testing.T, s *Store) {
				withCase(t, s)
				retry := testTime.Add(time.Minute)
				first := newResolution("r1", "c1")
				first.RetryAt = &retry
				if err := s.CommitResolution(t.Context(), exchange.Commit{Resolution: first}); err != nil {
					t.Fatal(err)
				}
				move(t, s)
				if read, err := s.Resolution(t.Context(), "SPJ", "r1"); err != nil || !read.Continues() {
					t.Errorf("what was answered has changed: %+v (%v)", read, err)
				}
				if state, err := s.ResolutionState(t.Context(), "SPJ", "r1"); err != nil || state.Continues {
					t.Errorf("state %+v (%v) says that it goes on", state, err)
				}
			})
		})
	}
}
