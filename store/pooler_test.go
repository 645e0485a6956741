package store

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"mianti/exchange"
	"mianti/internal/pgtest"
)

// atOnce uses a store from many places at once, as a node does.
func atOnce(t *testing.T, s *Store, name string) []error {
	t.Helper()
	failed := make([]error, 64)
	var group sync.WaitGroup
	for i := range failed {
		group.Go(func() {
			for n := range 8 {
				id := fmt.Sprintf("%s-%d-%d", name, i, n)
				if _, err := s.OpenCase(t.Context(), newCase(id, "JN-"+id)); err != nil {
					failed[i] = err
					return
				}
				if _, err := s.Case(t.Context(), "SPJ", id); err != nil {
					failed[i] = err
					return
				}
				if _, err := s.CaseBriefs(t.Context(), exchange.CaseFilter{Department: "SPJ", Limit: 1 + n}); err != nil {
					failed[i] = err
					return
				}
			}
		})
	}
	group.Wait()
	return failed
}

// TestPooler_SharesConnectionsBetweenTwoNodes has two nodes do more at once than the
// pooler has connections.
func TestPooler_SharesConnectionsBetweenTwoNodes(t *testing.T) {
	t.Parallel()
	url := pooledURL(t, pgtest.Database(t))
	nodes := []*Store{openStore(t, Config{URL: url, Now: testClock}), openStore(t, Config{URL: url, Now: testClock})}
	ready(t, nodes[0])
	var group sync.WaitGroup
	for i, s := range nodes {
		group.Go(func() {
			for _, err := range atOnce(t, s, fmt.Sprintf("node%d", i)) {
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	var cases int64
	if err := nodes[1].db.Model(&caseRow{}).Count(&cases).Error; err != nil || cases != 2*64*8 {
		t.Errorf("the other node sees %d cases, %v", cases, err)
	}
}

// TestPooler_WithoutItsParameterFails shows that the pooler of the tests is one that
// statements under a name do not survive: else the tests above would show nothing.
func TestPooler_WithoutItsParameterFails(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), Config{URL: pgtest.Pooled(t, pgtest.Database(t)), Now: testClock})
	if err != nil {
		return // it failed at once
	}
	t.Cleanup(func() { _ = s.Close() })
	var broken atomic.Bool
	var group sync.WaitGroup
	for range 64 {
		group.Go(func() {
			for n := range 8 {
				_, err := s.CaseBriefs(t.Context(), exchange.CaseFilter{Department: "SPJ", Number: "JN", Oldest: n%2 == 0, Limit: 1})
				if err != nil && strings.Contains(err.Error(), "prepared statement") {
					broken.Store(true)
				}
			}
		})
	}
	group.Wait()
	if !broken.Load() {
		t.Error("statements that were prepared under a name worked in transaction mode")
	}
}

func TestOpen_RefusesAPoolerThatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"postgres://u@localhost/db?pooler=session", "postgres://u@localhost/db?pooler="} {
		_, err := Open(t.Context(), Config{URL: url, Now: testClock})
		wantCode(t, err, "database-url")
	}
}
