package store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gorm.io/gorm"

	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/internal/pgtest"
	"mianti/keyring"
	"mianti/ledger"
)

func TestOpen_RefusesAnAddressItCannotUse(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"", "mysql://root@localhost/mianti", "mianti.db", "sqlite:", "sqlite::memory:", "sqlite:file:x?mode=memory",
		"postgres://user:geheim@host:port/db", "postgres://user:geheim@host/db?sslmode=maybe",
	} {
		for name, use := range map[string]func() error{
			"Open": func() error {
				_, err := Open(t.Context(), Config{URL: url, Now: testClock})
				return err
			},
			"Migrate": func() error { return Migrate(t.Context(), url) },
		} {
			err := use()
			if !errors.Is(err, fault.Invalid) {
				t.Errorf("%s(%q): %v, want invalid", name, url, err)
				continue
			}
			if strings.Contains(err.Error(), "geheim") {
				t.Errorf("%s: the error holds the password", name)
			}
		}
	}
}

func TestOpen_NeedsAClock(t *testing.T) {
	t.Parallel()
	eachURL(t, func(t *testing.T, url string) {
		if _, err := Open(t.Context(), Config{URL: url}); err == nil {
			t.Error("opened without a clock")
		}
	})
}

func TestOpen_NeverMakesAFile(t *testing.T) {
	t.Parallel()
	url := newSQLiteURL(t)
	_, err := Open(t.Context(), Config{URL: url, Now: testClock})
	if !errors.Is(err, fault.NotFound) {
		t.Errorf("Open: %v, want not_found", err)
	}
}

func TestOpen_SaysThatTheServerIsAway(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	url := "postgres://user:geheim@" + address + "/mianti?sslmode=disable"
	_, err = Open(t.Context(), Config{URL: url, Now: testClock})
	if !errors.Is(err, fault.Unavailable) || strings.Contains(err.Error(), "geheim") {
		t.Errorf("Open: %v, want unavailable without the password", err)
	}
}

func TestStore_SaysThatItIsAwayAfterItsConnectionsWereCut(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		if err := s.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s.dialect != dialectPostgres {
			t.Skip("SQLite has no connection to cut")
		}
		// The session ends itself as an operator would end it.
		err := translate(s.db.Exec("SELECT pg_terminate_backend(pg_backend_pid())").Error, "end the session", things{})
		if !errors.Is(err, fault.Unavailable) {
			t.Errorf("cut statement: %v, want unavailable", err)
		}
		if _, err := s.LatestRevision(t.Context()); !errors.Is(err, fault.NotFound) {
			t.Errorf("next statement: %v, want it to find a new connection", err)
		}
	})
}

func TestStore_SaysThatItIsLocked(t *testing.T) {
	t.Parallel()
	url := newSQLiteURL(t)
	if err := Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	first, second := openStore(t, Config{URL: url, Now: testClock}), openStore(t, Config{URL: url, Now: testClock, MaxConnections: 1})
	if err := second.db.Exec("PRAGMA busy_timeout = 0").Error; err != nil {
		t.Fatal(err)
	}
	err := first.transact(t.Context(), func(*gorm.DB) error {
		return second.SaveSystem(t.Context(), exchange.System{ID: "spj-1", Department: "SPJ"})
	})
	if !errors.Is(err, fault.Unavailable) {
		t.Errorf("save beside a writer: %v, want unavailable", err)
	}
}

func TestStore_TellsACanceledCallFromAnOutage(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := s.System(ctx, "spj-1")
		if !errors.Is(err, context.Canceled) || errors.Is(err, fault.Unavailable) {
			t.Errorf("System: %v, want the cancellation alone", err)
		}
	})
}

func TestTransact_StoresAllOrNothing(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		refused := errors.New("refused")
		err := s.transact(t.Context(), func(tx *gorm.DB) error {
			row := systemRow{ID: "spj-1", Department: "SPJ"}
			if err := table[systemRow](tx).Create(t.Context(), &row); err != nil {
				t.Error(err)
			}
			return refused
		})
		if !errors.Is(err, refused) {
			t.Errorf("transact: %v, want the error of the work", err)
		}
		if _, err := s.System(t.Context(), "spj-1"); !errors.Is(err, fault.NotFound) {
			t.Errorf("System: %v, want not found", err)
		}
	})
}

func TestTransact_LosesNoUpdateUnderConcurrency(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		const writers, rounds = 6, 15
		if err := s.SaveSystem(t.Context(), exchange.System{ID: "spj-1", Department: "SPJ"}); err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		for range writers {
			group.Go(func() {
				for range rounds {
					if err := addLetter(t.Context(), s); err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		got, err := s.System(t.Context(), "spj-1")
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Name) != writers*rounds {
			t.Errorf("%d of %d updates are left", len(got.Name), writers*rounds)
		}
	})
}

// addLetter reads and then writes in one transaction.
func addLetter(ctx context.Context, s *Store) error {
	return s.transact(ctx, func(tx *gorm.DB) error {
		if err := s.lockTable(tx, "systems"); err != nil {
			return fmt.Errorf("lock: %w", err)
		}
		row, err := table[systemRow](tx).Where("id = ?", "spj-1").Take(ctx)
		if err != nil {
			return err
		}
		_, err = table[systemRow](tx).Where("id = ?", "spj-1").Update(ctx, "name", row.Name+"x")
		return err
	})
}

func TestSchema_RefusesRowsThatBreakItsRules(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, statement string }{
		{"case of an unknown system", "INSERT INTO cases VALUES ('c2', 'nobody', 'SPJ', '2', '', 1, '', '', '', 0, 0, 1, NULL, '', 'new', '', NULL, NULL, NULL)"},
		{"case at an unknown revision", "INSERT INTO cases VALUES ('c2', 'spj-1', 'SPJ', '2', '', 9, '', '', '', 0, 0, 1, NULL, '', 'new', '', NULL, NULL, NULL)"},
		{"number used twice in a department", "INSERT INTO cases VALUES ('c2', 'spj-1', 'SPJ', '1', '', 1, '', '', '', 0, 0, 1, NULL, '', 'new', '', NULL, NULL, NULL)"},
		{"case in an unknown state", "INSERT INTO cases VALUES ('c2', 'spj-1', 'SPJ', '2', '', 1, '', '', '', 0, 0, 1, NULL, '', 'lost', '', NULL, NULL, NULL)"},
		{"grant of an unknown state", "INSERT INTO grants VALUES ('g', 'SPJ', 'm', 'd', '[]', '', 0, 1, 'open', 0, '', '', '', '', '', '[]', 1)"},
		{"grant that ends before it starts", "INSERT INTO grants VALUES ('g', 'SPJ', 'm', 'd', '[]', '', 1, 1, 'active', 0, '', '', '', '', '', '[]', 1)"},
		{"grant of version none", "INSERT INTO grants VALUES ('g', 'SPJ', 'm', 'd', '[]', '', 0, 1, 'active', 0, '', '', '', '', '', '[]', 0)"},
		{"result of an unknown outcome", "INSERT INTO case_results VALUES ('c1', 'm', 'maybe', '', 0)"},
		{"resolution of an unknown status", "INSERT INTO resolutions VALUES ('r', 'c1', 1, 'done', '', 0, 1, 1, NULL, '')"},
		{"resolution of an unknown case", "INSERT INTO resolutions VALUES ('r', 'c9', 1, 'complete', '', 0, 1, 1, NULL, '')"},
		{"submission to an unknown case", "INSERT INTO submissions VALUES ('c9', 'm', '', '', '', 0)"},
		{"key of an unknown system", "INSERT INTO idempotency_keys VALUES ('nobody', 'k', '', '', 0)"},
		{"assertion of an unknown system", "INSERT INTO used_assertions VALUES ('j', 'nobody', 0)"},
	}
	eachStore(t, func(t *testing.T, s *Store) {
		saveSystem(t, s, "spj-1")
		saveRevision(t, s, sampleFiles())
		if err := s.db.Exec("INSERT INTO cases VALUES ('c1', 'spj-1', 'SPJ', '1', '', 1, '', '', '', 0, 0, 1, NULL, '', 'new', '', NULL, NULL, NULL)").Error; err != nil {
			t.Fatal(err)
		}
		for _, tt := range tests {
			// Straight at the database: GORM renames some of these errors.
			_, err := s.pool.ExecContext(t.Context(), tt.statement)
			if err == nil || !strings.Contains(strings.ToLower(err.Error()), "constraint") {
				t.Errorf("%s: %v, want a broken constraint", tt.name, err)
			}
		}
	})
}

func TestOpen_WorksBehindAPooler(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"exec", "simple_protocol"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			url := pgtest.Database(t) + "&default_query_exec_mode=" + mode
			s := openStore(t, Config{URL: url, Now: testClock})
			saveSystem(t, s, "spj-1")
			number := saveRevision(t, s, sampleFiles())
			if _, err := s.Files(t.Context(), number); err != nil {
				t.Error(err)
			}
			if err := s.UseAssertion(t.Context(), "spj-1", "a", testTime); err != nil {
				t.Error(err)
			}
			if got := namedStatements(t, s); got != 0 {
				t.Errorf("%d prepared statements are left on the server, want none", got)
			}
		})
	}
}

// namedStatements counts those that the server keeps for this store's
// connections, of which there is one.
func namedStatements(t *testing.T, s *Store) int {
	t.Helper()
	var count int
	err := s.pool.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_prepared_statements WHERE name <> ''").Scan(&count)
	if err != nil {
		t.Fatal(err)
	}
	return count
}

func TestSecrets_AreKeptByPurposeAndNumber(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		first := keyring.Stored{Purpose: keyring.Subjects, Number: 1, Wrapped: keyring.Wrapped{KEK: "k1", Bytes: []byte{0, 255, 7}}, Created: testTime}
		second := keyring.Stored{Purpose: keyring.Subjects, Number: 2, Wrapped: keyring.Wrapped{KEK: "k1", Bytes: []byte{8}}, Created: testTime}
		other := keyring.Stored{Purpose: keyring.Webhooks, Number: 1, Wrapped: keyring.Wrapped{KEK: "k1", Bytes: []byte{9}}, Created: testTime}
		for _, secret := range []keyring.Stored{first, second, other} {
			if err := s.AddSecret(t.Context(), secret); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.AddSecret(t.Context(), second); !errors.Is(err, fault.Conflict) {
			t.Errorf("the same number again: %v, want a conflict", err)
		}
		first.Wrapped = keyring.Wrapped{KEK: "k2", Bytes: []byte{10}}
		if err := s.RewrapSecret(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		got, err := s.SecretsOf(t.Context(), keyring.Subjects)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]keyring.Stored{second, first}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		first.Number = 9
		if err := s.RewrapSecret(t.Context(), first); !errors.Is(err, fault.NotFound) {
			t.Errorf("rewrapping one that is not there: %v", err)
		}
	})
}

func TestAppend_NotesWhomAnEntryIsAbout(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		entries := []ledger.Entry{
			{Kind: ledger.Intent, At: testTime, Case: "c1", Concerns: []string{"b", "a", "b"}},
			{Kind: ledger.SignedIn, At: testTime},
			{Kind: ledger.Outcome, At: testTime, Case: "c1", Concerns: []string{"a"}},
		}
		if err := s.Append(t.Context(), entries); err != nil {
			t.Fatal(err)
		}
		var got []accessRow
		if err := s.db.Order("entry_id, subject").Find(&got).Error; err != nil {
			t.Fatal(err)
		}
		want := []accessRow{
			{Subject: "a", Entry: 1, Case: "c1", Kind: "intent", At: At(testTime)}, {Subject: "b", Entry: 1, Case: "c1", Kind: "intent", At: At(testTime)},
			{Subject: "a", Entry: 3, Case: "c1", Kind: "outcome", At: At(testTime)},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("accesses (-want +got):\n%s", diff)
		}
		stored, err := s.Entries(t.Context(), "c1")
		if err != nil || len(stored) != 2 || stored[0].Concerns != nil {
			t.Errorf("entries = %+v, %v; want two that name nobody", stored, err)
		}
	})
}
