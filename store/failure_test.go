package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/internal/pgtest"
	"mianti/ledger"
)

func TestTranslate_TellsADatabaseThatIsAwayFromAStatementThatIsWrong(t *testing.T) {
	t.Parallel()
	for code, away := range map[string]bool{
		"53100": true, "53200": true, "53300": true, // disk full, out of memory, too many connections
		"57P01": true, "57P02": true, "57P03": true, // shut down, crashed, starting up
		"57014": true, "55P03": true, "25P03": true, // too slow, not locked in time, idle for too long
		"08000": true, "08003": true, "08006": true, "08P01": true, // connection
		"40001": true, "40P01": true, // may be tried again
		"25006": true, // read-only
		"58030": true, // cannot read or write its files
		"42601": false, "42P01": false, "23514": false, "22003": false, "XX000": false,
	} {
		err := translate(&pgconn.PgError{Code: code}, "try", things{})
		if got := errors.Is(err, fault.Unavailable); got != away {
			t.Errorf("%s: away is %v, want %v (%v)", code, got, away, err)
		}
	}
}

// answerOnce records and stores one answer as the exchange does.
func answerOnce(t *testing.T, s *Store, id string) error {
	t.Helper()
	if err := s.Append(t.Context(), []ledger.Entry{entry(ledger.Intent, "c1")}); err != nil {
		return err
	}
	return s.CommitResolution(t.Context(), exchange.Commit{
		Resolution: newResolution(id, "c1"), Entries: []ledger.Entry{entry(ledger.Outcome, "c1"), entry(ledger.Resolved, "c1")},
	})
}

// A disk is full when SQLite may add no page: it says the same.
func TestStore_OnAFullDiskStoresAllOfAnAnswerOrNothing(t *testing.T) {
	t.Parallel()
	at := newSQLiteURL(t)
	if err := Migrate(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	s := openStore(t, Config{URL: at, Now: testClock, MaxConnections: 1}) // the bound is a connection's
	ready(t, s)
	open(t, s, newCase("c1", "JN-1"))
	limit := func(pages string) {
		t.Helper()
		if _, err := s.pool.ExecContext(t.Context(), "PRAGMA max_page_count = "+pages); err != nil {
			t.Fatal(err)
		}
	}
	limit("1") // as many as there are
	stored, failed := 0, ""
	for ; failed == "" && stored < 1000; stored++ {
		id := fmt.Sprintf("r%d", stored)
		if err := answerOnce(t, s, id); err != nil {
			if failed = id; !errors.Is(err, fault.Unavailable) {
				t.Fatalf("a full disk is %v, want unavailable", err)
			}
			break
		}
	}
	if failed == "" {
		t.Fatal("the disk was never full")
	}
	if _, err := s.Resolution(t.Context(), "SPJ", failed); !errors.Is(err, fault.NotFound) {
		t.Errorf("the resolution that failed: %v", err)
	}
	entries, whole := kinds(t, s, "c1"), 0
	for _, kind := range entries {
		if kind == ledger.Resolved {
			whole++
		}
	}
	if whole != stored {
		t.Errorf("%d entries of whole resolutions, %d were stored", whole, stored)
	}
	limit("1000000")
	if err := answerOnce(t, s, failed); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

// between is a connection to a database that does as it is told.
type between struct {
	listener net.Listener
	to       string
	// seen is called with each piece that a client sends. It may answer instead of the
	// server (in place of passing it on), and end the connection after it was passed on.
	seen func(piece []byte) (answer []byte, cut bool)
	all  sync.WaitGroup
}

// newBetween gives the address of a database by way of a between.
func newBetween(t *testing.T, database string, seen func([]byte) ([]byte, bool)) string {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	b := &between{to: u.Host, seen: seen}
	if b.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	b.all.Go(func() {
		for {
			client, err := b.listener.Accept()
			if err != nil {
				return
			}
			b.all.Go(func() { b.carry(client) })
		}
	})
	t.Cleanup(func() { _ = b.listener.Close() })
	u.Host = b.listener.Addr().String()
	return u.String()
}

func (b *between) carry(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", b.to)
	if err != nil {
		return
	}
	defer server.Close()
	var cut atomic.Bool
	go func() {
		piece := make([]byte, 32<<10)
		for {
			n, err := server.Read(piece)
			if cut.Load() || err != nil {
				_ = client.Close()
				return
			}
			if _, err := client.Write(piece[:n]); err != nil {
				return
			}
		}
	}()
	piece := make([]byte, 32<<10)
	for {
		n, err := client.Read(piece)
		if err != nil {
			return
		}
		answer, end := b.seen(piece[:n])
		if answer != nil {
			_, _ = client.Write(answer)
			return
		}
		cut.Store(end)
		if _, err := server.Write(piece[:n]); err != nil {
			return
		}
		if end { // the server goes on with what it has; its answer is lost
			_, _ = io.Copy(io.Discard, server)
			return
		}
	}
}

func TestCommitResolution_WhoseAnswerIsLostIsFoundByItsKey(t *testing.T) {
	t.Parallel()
	database := pgtest.Database(t)
	var armed atomic.Bool
	through := newBetween(t, database, func(piece []byte) ([]byte, bool) {
		return nil, bytes.Contains(bytes.ToLower(piece), []byte("commit\x00")) && armed.CompareAndSwap(true, false)
	})
	s := openStore(t, Config{URL: through, Now: testClock})
	ready(t, s)
	open(t, s, newCase("c1", "JN-1"))
	key := &exchange.Key{System: "spj", Value: "k1", Request: "sha256:1", At: testTime}
	if _, err := s.ReserveKey(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	armed.Store(true)
	err := s.CommitResolution(t.Context(), exchange.Commit{Resolution: newResolution("r1", "c1"), Entries: []ledger.Entry{entry(ledger.Resolved, "c1")}, Key: key})
	if !errors.Is(err, fault.Unavailable) || armed.Load() {
		t.Fatalf("a commit whose answer is lost: %v, want unavailable", err)
	}
	if err := s.ReleaseKey(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	if got, err := s.ReserveKey(t.Context(), key); got != "r1" || err != nil {
		t.Errorf("asked again with its key: %q, %v; want the resolution that was stored", got, err)
	}
}

func TestOpen_BoundsWhatIsWaitedForInTheDatabase(t *testing.T) {
	t.Parallel()
	database := pgtest.Database(t)
	s := openStore(t, Config{URL: database, Now: testClock, Bounded: true})
	for setting, want := range map[string]string{"statement_timeout": "30s", "lock_timeout": "10s", "idle_in_transaction_session_timeout": "2min"} {
		var got string
		if err := s.pool.QueryRowContext(t.Context(), "SELECT current_setting($1)", setting).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q, want %q (%v)", setting, got, want, err)
		}
	}
	own := openStore(t, Config{URL: database + "&statement_timeout=20", Now: testClock, Bounded: true})
	_, err := own.pool.ExecContext(t.Context(), "SELECT pg_sleep(10)")
	if got := translate(err, "sleep", things{}); !errors.Is(got, fault.Unavailable) {
		t.Errorf("a statement that takes too long: %v", got)
	}
}

func TestOpen_GoesWithoutBoundsBehindAPoolerThatTakesNone(t *testing.T) {
	t.Parallel()
	refusal, err := (&pgproto3.ErrorResponse{Severity: "FATAL", Code: "08P01", Message: "unsupported startup parameter: statement_timeout"}).Encode(nil)
	if err != nil {
		t.Fatal(err)
	}
	pooler := newBetween(t, pgtest.Database(t), func(piece []byte) ([]byte, bool) {
		if bytes.Contains(piece, []byte("statement_timeout")) {
			return refusal, true
		}
		return nil, false
	})
	s := openStore(t, Config{URL: pooler, Now: testClock, Bounded: true})
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := Open(t.Context(), Config{URL: strings.Replace(pooler, "/test_", "/none_", 1), Now: testClock, Bounded: true}); err == nil {
		t.Error("a database that is not there was opened")
	}
}
