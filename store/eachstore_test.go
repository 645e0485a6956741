package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mianti/exchange"
	"mianti/internal/keytest"
	"mianti/internal/pgtest"
)

// TestMain runs the tests, or, in a process that a test has started, what is to be
// killed.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == killable {
		fmt.Fprintln(os.Stderr, runKillable(os.Args[2:]))
		os.Exit(1)
	}
	if len(os.Args) > 1 && os.Args[1] == killablePublisher {
		fmt.Fprintln(os.Stderr, runKillablePublisher(os.Args[2:]))
		os.Exit(1)
	}
	os.Exit(pgtest.Main(m, Migrate))
}

// testTime is the stores' clock. It is finer than a second on purpose.
var testTime = time.Date(2026, 11, 23, 9, 30, 0, 123456000, time.UTC)

func testClock() time.Time { return testTime }

// eachStore runs a test on an empty store of each dialect.
func eachStore(t *testing.T, test func(t *testing.T, s *Store)) {
	t.Helper()
	eachURL(t, func(t *testing.T, url string) {
		test(t, openStore(t, Config{URL: url, Now: testClock}))
	})
}

// eachURL runs a test on a migrated, empty database of each dialect.
func eachURL(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		url := newSQLiteURL(t)
		if err := Migrate(t.Context(), url); err != nil {
			t.Fatal(err)
		}
		test(t, url)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, pgtest.Database(t))
	})
	if !throughPooler(t.Name()) {
		return
	}
	t.Run("pgbouncer", func(t *testing.T) {
		t.Parallel()
		test(t, pooledURL(t, pgtest.Database(t)))
	})
}

// pooledURL gives a database's address through a pooler in transaction mode.
func pooledURL(t *testing.T, database string) string {
	t.Helper()
	return pgtest.Pooled(t, database) + "&" + poolerParameter + "=" + poolerTransaction
}

// throughPooler chooses the tests that run through a pooler too: each kind of
// statement, transaction and lock that there is.
func throughPooler(name string) bool {
	for _, prefix := range []string{
		"TestMigrate_ChangesNothing", "TestCase_", "TestCommitResolution_", "TestAppendIntents_", "TestSeal_", "TestClaim_", "TestEnqueue_", "TestSessions_",
		"TestPublishDraft_", "TestPublishRevision_", "TestReplaceSnapshot_", "TestReserveKey_", "TestPutStop_", "TestDuties_", "TestRetention_", "TestTimestamp_",
		"TestAccessesOf_", "TestAddCounts_", "TestAnswerAssist_", "TestRevision_", "TestTransact_",
	} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// newSQLiteURL names a file that is not there yet, in a folder whose name
// needs escaping.
func newSQLiteURL(t *testing.T) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "库 #1?100%", "mianti.db")
}

func openStore(t *testing.T, cfg Config) *Store {
	t.Helper()
	if cfg.Keys == nil {
		cfg.Keys = keytest.Keys()
	}
	s, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// saveSystem registers a system for tests that need one.
func saveSystem(t *testing.T, s *Store, id string) {
	t.Helper()
	if err := s.SaveSystem(t.Context(), exchange.System{ID: id, Department: "SPJ", Name: "审批系统"}); err != nil {
		t.Fatal(err)
	}
}
