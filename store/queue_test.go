package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gorm.io/gorm"

	"mianti/exchange"
	"mianti/internal/pgtest"
)

// queueOf opens cases of which each was opened an hour after the one before it. The
// last one's department is another.
func queueOf(t *testing.T, s *Store, n int) {
	t.Helper()
	ready(t, s)
	for i := 1; i <= n; i++ {
		c := newCase(fmt.Sprintf("c%d", i), fmt.Sprintf("JN-%02d", i))
		c.OpenedAt = testTime.Add(time.Duration(i) * time.Hour)
		if c.UpdatedAt = c.OpenedAt; i%2 == 0 {
			c.Subject = "S02"
		}
		open(t, s, c)
	}
	foreign := newCase("other", "JN-99")
	foreign.Department = "GA"
	open(t, s, foreign)
}

func briefs(t *testing.T, s *Store, f exchange.CaseFilter) (ids []string, page *exchange.CasePage) {
	t.Helper()
	f.Department = "SPJ"
	page, err := s.CaseBriefs(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range page.Items {
		ids = append(ids, c.ID)
	}
	return ids, page
}

func TestCaseBriefs_TurnsThePagesBothWays(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		queueOf(t, s, 7)
		for name, of := range map[string]struct {
			filter exchange.CaseFilter
			want   []string
		}{
			"newest first":    {exchange.CaseFilter{}, []string{"c7", "c6", "c5", "c4", "c3", "c2", "c1"}},
			"oldest first":    {exchange.CaseFilter{Oldest: true}, []string{"c1", "c2", "c3", "c4", "c5", "c6", "c7"}},
			"open ones":       {exchange.CaseFilter{State: exchange.CaseOpen}, []string{"c7", "c6", "c5", "c4", "c3", "c2", "c1"}},
			"of a subject":    {exchange.CaseFilter{Subject: "S02"}, []string{"c6", "c4", "c2"}},
			"by number":       {exchange.CaseFilter{Number: "JN-0", Oldest: true}, []string{"c1", "c2", "c3", "c4", "c5", "c6", "c7"}},
			"by whole number": {exchange.CaseFilter{Number: "JN-03"}, []string{"c3"}},
			"another's":       {exchange.CaseFilter{Number: "JN-99"}, nil},
		} {
			f := of.filter
			var forth, back []string
			var last *exchange.CasePage
			for f.Limit = 3; ; {
				ids, page := briefs(t, s, f)
				if forth, last = append(forth, ids...), page; page.Next == "" {
					break
				}
				f.After = page.Next
			}
			if diff := cmp.Diff(of.want, forth); diff != "" {
				t.Errorf("%s, forth (-want +got):\n%s", name, diff)
			}
			for _, c := range slices.Backward(last.Items) {
				back = append(back, c.ID)
			}
			for f.After = ""; last.Prev != ""; {
				f.Before = last.Prev
				ids, page := briefs(t, s, f)
				slices.Reverse(ids)
				back, last = append(back, ids...), page
			}
			slices.Reverse(back)
			if diff := cmp.Diff(of.want, back); diff != "" {
				t.Errorf("%s, back (-want +got):\n%s", name, diff)
			}
		}
	})
}

func TestCaseBriefs_SaysWhereACaseStandsByItsNewestResolution(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		queueOf(t, s, 5)
		for i, status := range []exchange.Status{exchange.StatusPending, exchange.StatusNeedsInput, exchange.StatusComplete, exchange.StatusComplete} {
			r := newResolution(fmt.Sprintf("r%d", i+1), fmt.Sprintf("c%d", i+1))
			r.Status, r.Summary = status, exchange.Summary{Settled: 4, Committed: 1, Verifying: 2, AwaitingPrior: 1, Upload: 3, Deferred: 1, NeedsFact: 7, NotApplicable: 9}
			if err := s.CommitResolution(t.Context(), exchange.Commit{Resolution: r}); err != nil {
				t.Fatal(err)
			}
		}
		c, err := s.Case(t.Context(), "SPJ", "c4")
		if err != nil {
			t.Fatal(err)
		}
		c.ClosedAt, c.ClosedFor = testTime, exchange.CaseFinished
		if err := s.UpdateCase(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		want := map[exchange.CaseState]string{
			exchange.CaseWaiting: "c1", exchange.CaseNeedsInput: "c2", exchange.CaseDone: "c3", exchange.CaseClosed: "c4", exchange.CaseNew: "c5",
		}
		for state, id := range want {
			ids, page := briefs(t, s, exchange.CaseFilter{State: state, Limit: 10})
			if len(ids) != 1 || ids[0] != id || page.Items[0].State != state {
				t.Errorf("%s: cases %v", state, ids)
				continue
			}
			counts := &exchange.CaseCounts{Settled: 5, Checking: 3, ToSubmit: 4}
			if state == exchange.CaseNew {
				counts = nil
			}
			if diff := cmp.Diff(counts, page.Items[0].Counts); diff != "" {
				t.Errorf("%s: counts (-want +got):\n%s", state, diff)
			}
		}
		if ids, _ := briefs(t, s, exchange.CaseFilter{State: exchange.CaseOpen, Limit: 10}); !slices.Equal(ids, []string{"c5", "c3", "c2", "c1"}) {
			t.Errorf("open: %v", ids)
		}
		counts, err := s.CaseStateCounts(t.Context(), "SPJ", 1000)
		if err != nil {
			t.Fatal(err)
		}
		for state := range want {
			if counts[state] != 1 {
				t.Errorf("%d cases in state %s, want 1", counts[state], state)
			}
		}
	})
}

// fillCases puts cases of one department into the tables, as many as a city has:
// most are closed, few wait.
func fillCases(t testing.TB, s *Store, n int) {
	t.Helper()
	if err := s.SaveSystem(t.Context(), exchange.System{ID: "spj", Department: "SPJ"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SaveRevision(t.Context(), map[string][]byte{"catalog.yaml": []byte("x")}, RevisionMeta{Title: "t", Version: "1"}); err != nil {
		t.Fatal(err)
	}
	fill := fmt.Sprintf(`INSERT INTO cases (id, system, department, number, body_digest, revision, subject, body, facts, created_at, updated_at, version, closed_at, closed_for, state)
		SELECT 'c' || lpad(i::text, 8, '0'), 'spj', 'SPJ', 'JN-2026-' || lpad(i::text, 8, '0'), 'd', 1, 'S' || lpad((i %% 40)::text, 2, '0'), repeat('x', 200), '{}', i * 1000, i * 1000, 1,
			CASE WHEN i %% 10 < 7 THEN i * 1000 END, CASE WHEN i %% 10 < 7 THEN 'finished' ELSE '' END,
			CASE WHEN i %% 10 < 7 THEN 'closed' WHEN i %% 10 = 7 THEN 'new' WHEN i %% 10 = 8 THEN 'done' WHEN i %% 100 = 9 THEN 'waiting' ELSE 'needs_input' END
		FROM generate_series(1, %d) AS n(i); ANALYZE cases`, n)
	if _, err := s.pool.ExecContext(t.Context(), fill); err != nil {
		t.Fatal(err)
	}
}

// pagesOf are pages as they are asked for: each filter, both orders, the first page and
// one in the middle of n cases.
func pagesOf(n int) map[string]exchange.CaseFilter {
	middle := fmt.Sprintf("c%08d", n/2)
	out := map[string]exchange.CaseFilter{}
	for name, f := range map[string]exchange.CaseFilter{
		"all": {}, "open": {State: exchange.CaseOpen}, "waiting": {State: exchange.CaseWaiting}, "closed": {State: exchange.CaseClosed},
		"subject": {Subject: "S19"}, "open subject": {State: exchange.CaseOpen, Subject: "S19"}, "waiting subject": {State: exchange.CaseWaiting, Subject: "S29"},
		"number": {Number: "JN-2026-0000"}, "open number": {Number: "JN-2026-00001", State: exchange.CaseOpen}, "one number": {Number: fmt.Sprintf("JN-2026-%08d", n/3)},
	} {
		for _, oldest := range []bool{false, true} {
			f.Department, f.Oldest, f.Limit, f.After, f.Before = "SPJ", oldest, 50, "", ""
			name := fmt.Sprintf("%s, oldest %t", name, oldest)
			out[name] = f
			f.After = middle
			out[name+", after"] = f
			f.After, f.Before = "", middle
			out[name+", before"] = f
		}
	}
	return out
}

func TestCaseBriefs_ReachesEveryPageByAnIndex(t *testing.T) {
	t.Parallel()
	s := openStore(t, Config{URL: pgtest.Database(t), Now: testClock})
	const n = 20_000
	fillCases(t, s, n)
	for name, f := range pagesOf(n) {
		q, err := s.queue(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		asked := q.Session(&gorm.Session{DryRun: true}).Select(briefColumns).Limit(f.Limit + 1).Find(&[]briefRow{}).Statement
		plan := explain(t, s, s.db.Dialector.Explain(asked.SQL.String(), asked.Vars...))
		if !strings.Contains(plan, "Index Scan") && !strings.Contains(plan, "Bitmap Index Scan") || strings.Contains(plan, "Seq Scan") {
			t.Errorf("%s: no index:\n%s", name, plan)
		}
	}
}

// explain gives the plan of a statement.
func explain(t *testing.T, s *Store, statement string) string {
	t.Helper()
	rows, err := s.pool.QueryContext(t.Context(), "EXPLAIN "+statement)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var plan []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		plan = append(plan, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(plan, "\n")
}

// BenchmarkCaseList asks for pages of the queue of a department with a million cases
// (fewer with -short). "ms/p99" is the 99th percentile of a page together with the
// counts of the states.
func BenchmarkCaseList(b *testing.B) {
	n := 1_000_000
	if testing.Short() {
		n = 20_000
	}
	s := benchStore(b, pgtest.Database(b))
	fillCases(b, s, n)
	pages := pagesOf(n)
	var took []time.Duration
	for b.Loop() {
		for _, f := range pages {
			begun := time.Now()
			if _, err := s.CaseBriefs(b.Context(), f); err != nil {
				b.Fatal(err)
			}
			if _, err := s.CaseStateCounts(b.Context(), "SPJ", exchange.CountedCases); err != nil {
				b.Fatal(err)
			}
			took = append(took, time.Since(begun))
		}
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms/p99")
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms/p50")
}
