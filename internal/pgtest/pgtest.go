// Package pgtest gives every test a PostgreSQL database of its own, on a real
// server that it starts from the binaries installed on this machine.
//
// One server runs per test binary, started when the first test asks for it
// and gone with the binary, however that ends. Everything is migrated once,
// into a template that each test's database is copied from. A package uses it
// from its TestMain:
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Main(m, store.Migrate)) }
//
// It is for tests alone: the server gives up durability for speed, unless it
// was asked to measure with it (MainDurable).
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"
)

// Migrate lays the schema into the database at url. It must leave no
// connection open.
type Migrate = func(ctx context.Context, url string) error

const (
	startTimeout  = 60 * time.Second
	tenantTimeout = 30 * time.Second
)

// current is the one piece of package state: the tests of a binary share a
// server, and the testing package offers no other place to hand it down.
// Main sets it before any test runs.
var current *shared

// shared is a server that starts when it is first asked for.
type shared struct {
	migrate Migrate
	durable bool

	once   sync.Once
	server *server
	err    error

	poolerOnce sync.Once
	pooler     *process
	poolerPort int
	poolerErr  error
}

// Main runs the tests of m and returns their exit code. The server that they
// asked for, if any, is stopped and its files are removed before it returns.
func Main(m *testing.M, migrate Migrate) int {
	return runWith(m, &shared{migrate: migrate})
}

// MainDurable is Main with a server that commits as one in service does, for
// benchmarks.
func MainDurable(m *testing.M, migrate Migrate) int {
	return runWith(m, &shared{migrate: migrate, durable: true})
}

func runWith(m *testing.M, s *shared) int {
	current = s
	code := m.Run()
	if err := current.stop(); err != nil {
		fmt.Fprintln(os.Stderr, "pgtest:", err)
		return max(code, 1)
	}
	return code
}

// Database gives the URL of a new, migrated, empty database that is dropped
// when t ends. Without PostgreSQL on the machine the test fails; with -short
// it is skipped.
func Database(t testing.TB) string {
	t.Helper()
	if current == nil {
		t.Fatal("pgtest.Database needs a TestMain that calls pgtest.Main")
	}
	running, err := current.start()
	if errors.Is(err, errNotInstalled) && testing.Short() {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), tenantTimeout)
	defer cancel()
	name, err := running.createDatabase(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// t's own context is cancelled by now.
		ctx, cancel := context.WithTimeout(context.Background(), tenantTimeout)
		defer cancel()
		if err := running.dropDatabase(ctx, name); err != nil {
			t.Error(err)
		}
	})
	return running.url(name)
}

func (s *shared) start() (*server, error) {
	s.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
		defer cancel()
		s.server, s.err = start(ctx, s.durable)
		if s.err != nil {
			return
		}
		s.err = s.server.prepareTemplate(ctx, s.migrate)
	})
	return s.server, s.err
}

func (s *shared) stop() error {
	// Whoever comes first wins: after this, nothing starts a server any more.
	s.once.Do(func() { s.err = errors.New("the tests are over") })
	if s.server == nil {
		return nil
	}
	s.poolerOnce.Do(func() { s.poolerErr = errors.New("the tests are over") })
	var poolerErr error
	if s.pooler != nil {
		poolerErr = s.pooler.halt()
	}
	return errors.Join(poolerErr, s.server.stop())
}
