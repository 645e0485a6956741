package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/stdlib"

	"mianti/internal/keytest"
)

// A killPoint is a place in what a store does at which its process ends, by a
// signal that it cannot catch: before or after a statement, or the end of a
// transaction.
type killPoint struct {
	name string
	// within names the transaction: append, resolution or seal.
	within string
	after  bool
	// statement is the beginning of one, without quotes; "commit" is the end.
	statement string
}

// killPoints are twenty: each step of the two writings that an answer needs, and
// each of sealing.
func killPoints() []killPoint {
	return []killPoint{
		{"before the intents", "append", false, "INSERT INTO ledger_entries"},
		{"after the intents", "append", true, "INSERT INTO ledger_entries"},
		{"after whom they are about", "append", true, "INSERT INTO accesses"},
		{"before the intents are durable", "append", false, "commit"},
		{"when the intents are durable", "append", true, "commit"},
		{"when the case is locked", "resolution", true, "UPDATE cases"},
		{"before the resolution", "resolution", false, "INSERT INTO resolutions"},
		{"after the resolution", "resolution", true, "INSERT INTO resolutions"},
		{"after the outcomes", "resolution", true, "INSERT INTO ledger_entries"},
		{"before the resolution is durable", "resolution", false, "commit"},
		{"when it is durable, before the answer", "resolution", true, "commit"},
		{"when the last checkpoint is read", "seal", true, "SELECT ledger_checkpoints.number"},
		{"when it is known what waits", "seal", true, "SELECT id, body FROM ledger_entries"},
		{"when links are given", "seal", true, "INSERT INTO access_heads"},
		{"before the leaves", "seal", false, "INSERT INTO ledger_leaves"},
		{"after the leaves", "seal", true, "INSERT INTO ledger_leaves"},
		{"when they wait no more", "seal", true, "DELETE FROM ledger_pending"},
		{"after the checkpoint", "seal", true, "INSERT INTO ledger_checkpoints"},
		{"before the seal is durable", "seal", false, "commit"},
		{"when the seal is durable", "seal", true, "commit"},
	}
}

// killer ends this process at the nth time that it comes to a point, or has it
// stand still there.
type killer struct {
	point  killPoint
	nth    int
	signal syscall.Signal
}

// reached is told of every statement, and of every end of a transaction.
func (k *killer) reached(within string, after bool, statement string) {
	statement = strings.NewReplacer(`"`, "", "`", "").Replace(statement)
	if after != k.point.after || within != k.point.within || !strings.HasPrefix(statement, k.point.statement) {
		return
	}
	if k.nth--; k.nth == 0 {
		if err := syscall.Kill(os.Getpid(), k.signal); err != nil {
			panic(err)
		}
	}
}

// openKillable opens a store whose process ends at a point. The driver is
// wrapped, so that what is tried is what runs.
func openKillable(ctx context.Context, url string, k *killer) (*Store, error) {
	at, err := parseAddress(url)
	if err != nil {
		return nil, err
	}
	connector := &killConnector{killer: k}
	if at.dialect == dialectPostgres {
		connector.open = stdlib.GetConnector(*at.postgres).Connect
	} else {
		pool, err := at.connect(existing)
		if err != nil {
			return nil, err
		}
		connector.open = func(context.Context) (driver.Conn, error) { return pool.Driver().Open(at.sqliteDSN()) }
	}
	pool := sql.OpenDB(connector)
	limitConnections(pool, 1) // one after the other, so that the nth time is the same each time
	s, err := newStore(ctx, at, pool, testClock)
	if err != nil {
		return nil, err
	}
	return s, s.Unlock(ctx, keytest.Keys(), "")
}

type killConnector struct {
	killer *killer
	open   func(context.Context) (driver.Conn, error)
}

func (c *killConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	return &killConn{Conn: conn, killer: c.killer}, nil
}

func (c *killConnector) Driver() driver.Driver { return nil }

// killConn passes everything on to a connection.
type killConn struct {
	driver.Conn
	killer *killer
	within string // what the present transaction is for
}

// purpose tells what a transaction is for by a statement of it.
func (c *killConn) purpose(statement string) {
	switch {
	case strings.Contains(statement, "catalog_revisions"):
		c.within = "publish"
	case strings.Contains(statement, "ledger_checkpoints"):
		c.within = "seal"
	case strings.HasPrefix(statement, "UPDATE cases"):
		c.within = "resolution"
	case c.within == "":
		c.within = "append"
	}
}

// behindRowset is a statement without the rowset that it begins with.
func behindRowset(statement string) string {
	if !strings.HasPrefix(statement, "WITH v ") {
		return statement
	}
	for _, verb := range []string{") INSERT INTO", ") UPDATE", ") DELETE", ") SELECT"} {
		if _, rest, found := strings.Cut(statement, verb); found {
			return strings.TrimPrefix(verb, ") ") + rest
		}
	}
	return statement
}

func watched[T any](c *killConn, statement string, do func() (T, error)) (T, error) {
	statement = behindRowset(statement)
	c.purpose(statement)
	c.killer.reached(c.within, false, statement)
	out, err := do()
	c.killer.reached(c.within, true, statement)
	return out, err
}

func (c *killConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	tx, err := c.Conn.(driver.ConnBeginTx).BeginTx(ctx, opts)
	c.within = ""
	return &killTx{tx, c}, err
}

func (c *killConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	stmt, err := c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return &killStmt{stmt, c, query}, nil
}

func (c *killConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return watched(c, query, func() (driver.Result, error) { return c.Conn.(driver.ExecerContext).ExecContext(ctx, query, args) })
}

func (c *killConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return watched(c, query, func() (driver.Rows, error) { return c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args) })
}

func (c *killConn) CheckNamedValue(v *driver.NamedValue) error {
	if checker, ok := c.Conn.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

type killStmt struct {
	driver.Stmt
	conn  *killConn
	query string
}

func (s *killStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return watched(s.conn, s.query, func() (driver.Result, error) { return s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args) })
}

func (s *killStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return watched(s.conn, s.query, func() (driver.Rows, error) { return s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args) })
}

type killTx struct {
	driver.Tx
	conn *killConn
}

func (t *killTx) Commit() error {
	_, err := watched(t.conn, "commit", func() (any, error) { return nil, t.Tx.Commit() })
	return err
}

// killable is the first word of the command line of a process that is to be
// killed; its database, point, time and signal follow.
const killable = "killable"

// runKillable is the process that is killed: it records, answers and seals until
// it ends.
func runKillable(args []string) error {
	var point, nth int
	var signal syscall.Signal
	if _, err := fmt.Sscan(strings.Join(args[1:], " "), &point, &nth, &signal); err != nil {
		return err
	}
	ctx := context.Background()
	s, err := openKillable(ctx, args[0], &killer{killPoints()[point], nth, signal})
	if err != nil {
		return err
	}
	// A point that is never reached ends the process otherwise, and fails the test.
	go func() {
		time.Sleep(time.Minute)
		fmt.Fprintln(os.Stderr, "the point was not reached within a minute")
		os.Exit(1)
	}()
	return answerForEver(ctx, s)
}
