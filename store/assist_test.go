package store

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/internal/jobs"
	"mianti/ledger"
)

func newTask(id, key string, due time.Time) *exchange.AssistTask {
	return &exchange.AssistTask{
		ID: id, Key: key, Department: "GA", Receiver: "SPJ", Case: "c1", CaseNumber: "JN-1", Party: "p1", Matter: "S01.M1", Material: "S01.M1.b",
		Fields: []string{}, Purpose: "核验", AskedAt: testTime, DueAt: due, State: exchange.AssistOpen,
	}
}

// withCase registers a case and what it refers to.
func withCase(t *testing.T, s *Store) {
	t.Helper()
	ready(t, s)
	open(t, s, newCase("c1", "JN-1"))
}

func TestOpenAssist_GivesTheTaskThatIsThereUnderItsKey(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		withCase(t, s)
		ids := make(chan string, 8)
		var all sync.WaitGroup
		for i := range cap(ids) {
			all.Go(func() {
				got, err := s.OpenAssist(t.Context(), newTask(fmt.Sprintf("t%d", i), "k", testTime.Add(time.Hour)), []jobs.Job{{Kind: "x", Key: fmt.Sprint(i)}})
				if err != nil {
					t.Error(err)
					return
				}
				ids <- got.ID
			})
		}
		all.Wait()
		close(ids)
		first := <-ids
		for id := range ids {
			if id != first {
				t.Errorf("tasks %s and %s for one key", first, id)
			}
		}
		claimed, err := s.Claim(t.Context(), "me", []string{"x"}, 10, time.Minute)
		if err != nil || len(claimed) != 1 {
			t.Errorf("%d jobs (%v), want those of the one task", len(claimed), err)
		}
	})
}

func TestAssistTask_IsOfTheDepartmentThatIsAsked(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		withCase(t, s)
		want := newTask("t1", "k", testTime.Add(time.Hour))
		if _, err := s.OpenAssist(t.Context(), want, nil); err != nil {
			t.Fatal(err)
		}
		got, err := s.AssistTask(t.Context(), "GA", "t1")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("task (-stored +read):\n%s", diff)
		}
		if _, err := s.AssistTask(t.Context(), "SPJ", "t1"); fault.As(err) == nil || fault.As(err).Code != "unknown-assist-task" {
			t.Errorf("the department that asks reads it: %v", err)
		}
	})
}

func TestAssistTasks_ListsWhatIsDueFirstPageByPage(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		withCase(t, s)
		// Two are due at once: their ids decide.
		for id, hours := range map[string]time.Duration{"t1": 3, "t2": 1, "t4": 2, "t3": 2} {
			if _, err := s.OpenAssist(t.Context(), newTask(id, id, testTime.Add(hours*time.Hour)), nil); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		for after, more := "", true; more; {
			page, err := s.AssistTasks(t.Context(), exchange.AssistFilter{Department: "GA", State: exchange.AssistOpen, After: after, Limit: 2})
			if err != nil {
				t.Fatal(err)
			}
			for _, task := range page {
				got = append(got, task.ID)
				after = task.ID
			}
			more = len(page) > 0
		}
		if diff := cmp.Diff([]string{"t2", "t3", "t4", "t1"}, got); diff != "" {
			t.Errorf("tasks (-want +got):\n%s", diff)
		}
	})
}

func TestAnswerAssist_StoresOneAnswerWithItsEntryAndItsJobs(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		withCase(t, s)
		task := newTask("t1", "k", testTime.Add(time.Hour))
		if _, err := s.OpenAssist(t.Context(), task, nil); err != nil {
			t.Fatal(err)
		}
		failed := make(chan error, 4)
		for i := range cap(failed) {
			go func() {
				answered := *task
				answered.Answer = &exchange.AssistAnswer{Result: exchange.AssistConfirmed, Officer: fmt.Sprint(i), At: testTime}
				failed <- s.AnswerAssist(t.Context(), exchange.AssistCommit{
					Task: &answered, Entry: ledger.Entry{Kind: ledger.AssistAnswered, Case: "c1"}, Jobs: []jobs.Job{{Kind: "x"}},
				})
			}()
		}
		stored := 0
		for range cap(failed) {
			err := <-failed
			if err == nil {
				stored++
			} else if f := fault.As(err); f == nil || f.Code != "assist-answered" {
				t.Errorf("error = %v, want assist-answered", err)
			}
		}
		entries, err := s.Entries(t.Context(), "c1")
		if err != nil {
			t.Fatal(err)
		}
		claimed, err := s.Claim(t.Context(), "me", []string{"x"}, 10, time.Minute)
		if err != nil || stored != 1 || len(entries) != 2 || len(claimed) != 1 {
			t.Errorf("%d answers, %d entries, %d jobs (%v), want one of each, besides the entry of the case", stored, len(entries), len(claimed), err)
		}
		got, err := s.AssistTask(t.Context(), "GA", "t1")
		if err != nil || got.State != exchange.AssistAnswered || got.Answer == nil {
			t.Errorf("task %+v (%v), want answered", got, err)
		}
	})
}

func TestCommitResolution_PutsTheNextVersionInThePlaceOfTheOneBefore(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		withCase(t, s)
		retry := testTime.Add(time.Minute)
		first, second := newResolution("r1", "c1"), newResolution("r1", "c1")
		first.RetryAt, second.Version = &retry, 2
		commit := func(r *exchange.Resolution) error {
			return s.CommitResolution(t.Context(), exchange.Commit{Resolution: r, Jobs: []jobs.Job{{Kind: "x", Key: "k"}}})
		}
		if err := commit(first); err != nil {
			t.Fatal(err)
		}
		state, err := s.ResolutionState(t.Context(), "SPJ", "r1")
		if want := (exchange.ResolutionState{Version: 1, Status: exchange.StatusComplete, Continues: true}); err != nil || state != want {
			t.Errorf("state %+v (%v), want %+v", state, err, want)
		}
		if err := commit(second); err != nil {
			t.Fatal(err)
		}
		if f := fault.As(commit(second)); f == nil || f.Code != "resolution-superseded" {
			t.Error("version 2 was stored twice")
		}
		got, err := s.LastResolution(t.Context(), "SPJ", "c1")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(second, got); diff != "" {
			t.Errorf("resolution (-stored +read):\n%s", diff)
		}
		if _, err := s.LastResolution(t.Context(), "GA", "c1"); fault.As(err) == nil || fault.As(err).Kind != fault.NotFound {
			t.Errorf("another department reads it: %v", err)
		}
		var kept versionRow
		if err := s.db.Take(&kept).Error; err != nil || kept.Version != 1 || kept.ResolutionID != "r1" {
			t.Errorf("kept %+v (%v), want version 1 of r1", kept, err)
		}
		for version := range 4 {
			r, department, last, err := s.SheetVersion(t.Context(), "r1", version)
			there := version == 1 || version == 2
			if there && (err != nil || r.Version != version || department != "SPJ" || last != 2) || !there && !errors.Is(err, fault.NotFound) {
				t.Errorf("for a sheet of version %d: %+v of %q, last %d, %v", version, r, department, last, err)
			}
		}
		if err := commit(newResolution("r2", "c1")); err != nil {
			t.Fatal(err)
		}
		third := newResolution("r1", "c1")
		third.Version = 3
		if f := fault.As(commit(third)); f == nil || f.Code != "resolution-superseded" {
			t.Error("a resolution went on after another one of its case")
		}
	})
}
