package store

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/glebarez/sqlite"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"

	"mianti/internal/fault"
)

// dialect is a kind of database. Its text is the folder of its migrations.
type dialect string

const (
	dialectSQLite   dialect = "sqlite"
	dialectPostgres dialect = "postgres"
)

// address is where a database is.
type address struct {
	dialect  dialect
	path     string          // of the SQLite file
	postgres *pgx.ConnConfig // of the PostgreSQL server
}

// presence says whether the database must be there already.
type presence bool

const (
	existing presence = true
	maybeNew presence = false
)

func parseAddress(raw string) (address, error) {
	if path, found := strings.CutPrefix(raw, "sqlite:"); found {
		return sqliteAddress(path)
	}
	if strings.HasPrefix(raw, "postgres://") || strings.HasPrefix(raw, "postgresql://") {
		return postgresAddress(raw)
	}
	return address{}, invalidAddress("数据库地址应为 sqlite:文件路径 或 postgres://用户:密码@主机/库名")
}

// poolerParameter says, in the address, that what is there is a pooler, and how it
// shares the server's connections out.
const (
	poolerParameter   = "pooler"
	poolerTransaction = "transaction"
)

func postgresAddress(raw string) (address, error) {
	plain, pooler, err := takeParameter(raw, poolerParameter)
	if err != nil {
		return address{}, err
	}
	config, err := pgx.ParseConfig(plain)
	if err != nil {
		// The cause repeats the address; the driver hides the password in
		// most forms, not in all.
		return address{}, unreadableAddress()
	}
	nameProgram(config)
	switch pooler {
	case "":
	case poolerTransaction:
		// A statement that is prepared under a name stays behind on a connection that is
		// somebody else's after the transaction. The types of parameters follow from
		// those of Go instead, and a statement takes one round trip all the same.
		config.DefaultQueryExecMode = pgx.QueryExecModeExec
		config.StatementCacheCapacity, config.DescriptionCacheCapacity = 0, 0
	default:
		return address{}, invalidAddress("数据库地址中的 pooler 只能是 transaction")
	}
	return address{dialect: dialectPostgres, postgres: config}, nil
}

// takeParameter takes a parameter that is ours out of an address: the server would
// refuse it.
func takeParameter(raw, name string) (plain, value string, err error) {
	at, err := url.Parse(raw)
	if err != nil {
		return "", "", unreadableAddress()
	}
	query := at.Query()
	if !query.Has(name) {
		return raw, "", nil
	}
	value = query.Get(name)
	query.Del(name)
	at.RawQuery = query.Encode()
	if value == "" {
		return "", "", invalidAddress("数据库地址中的 pooler 只能是 transaction")
	}
	return at.String(), value, nil
}

func unreadableAddress() error {
	return invalidAddress("postgres 地址无法解析，请检查主机、端口和参数")
}

func sqliteAddress(path string) (address, error) {
	// An in-memory database is another one on every connection.
	if path == "" || strings.Contains(path, ":memory:") || strings.HasPrefix(path, "file:") {
		return address{}, invalidAddress("sqlite: 后面应为文件路径，例如 sqlite:data/mianti.db")
	}
	return address{dialect: dialectSQLite, path: filepath.Clean(path)}, nil
}

func invalidAddress(message string) error {
	return fault.New(fault.Invalid, "database-url", "%s", message)
}

// The bounds of what this program waits for in the database, where the address names
// none. They are the server's to keep, so that a statement whose caller has gone, or a
// transaction whose program stands still, holds no lock for long.
const (
	connectTimeout   = 5 * time.Second
	statementTimeout = 30 * time.Second
	lockTimeout      = 10 * time.Second
	// idleTimeout is for a transaction in which nothing is asked. Work that counts much
	// between its statements, such as checking a catalog, has its time.
	idleTimeout = 2 * time.Minute
)

// bounded gives an address whose connections have these bounds.
func (a address) bounded() address {
	if a.dialect != dialectPostgres {
		return a
	}
	a.postgres = a.postgres.Copy()
	if unset := 2 * time.Minute; a.postgres.ConnectTimeout == 0 || a.postgres.ConnectTimeout == unset { // what the driver has by itself
		a.postgres.ConnectTimeout = connectTimeout
	}
	for name, bound := range map[string]time.Duration{
		"statement_timeout": statementTimeout, "lock_timeout": lockTimeout, "idle_in_transaction_session_timeout": idleTimeout,
	} {
		if _, given := a.postgres.RuntimeParams[name]; !given {
			a.postgres.RuntimeParams[name] = strconv.FormatInt(bound.Milliseconds(), 10)
		}
	}
	return a
}

// takesNoBounds reports that a pooler refused a connection for its bounds. Then it is
// for the role to have them (ALTER ROLE … SET statement_timeout).
func takesNoBounds(err error) bool {
	var reported *pgconn.PgError
	return errors.As(err, &reported) && reported.Code == "08P01" && strings.Contains(reported.Message, "startup parameter")
}

// connect opens a pool; for PostgreSQL no connection is made yet.
func (a address) connect(p presence) (*sql.DB, error) {
	if a.dialect == dialectPostgres {
		return stdlib.OpenDB(*a.postgres), nil
	}
	if p == maybeNew {
		if err := a.createPrivately(); err != nil {
			return nil, err
		}
	}
	if _, err := os.Stat(a.path); errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.NotFound, "unknown-database", "没有数据库文件 %s：请先运行 %s", a.path, migrateCommand)
	}
	pool, err := sql.Open(sqlite.DriverName, a.sqliteDSN())
	if err != nil {
		return nil, fmt.Errorf("open the sqlite file: %w", err)
	}
	return pool, nil
}

// createPrivately makes the file, if it is missing, readable by its owner
// alone; SQLite gives its journals the same rights.
func (a address) createPrivately() error {
	if err := os.MkdirAll(filepath.Dir(a.path), 0o700); err != nil {
		return fmt.Errorf("create the folder of the sqlite file: %w", err)
	}
	file, err := os.OpenFile(a.path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("create the sqlite file: %w", err)
	}
	return file.Close()
}

// sqliteDSN never creates the file: mode=rw. The lock of a transaction is
// taken at its start (_txlock), because a reader that turns writer midway
// fails at once instead of waiting.
func (a address) sqliteDSN() string {
	query := url.Values{
		"mode":    {"rw"},
		"_txlock": {"immediate"},
		"_pragma": {
			"busy_timeout(10000)", // first: the next one may have to wait
			"journal_mode(WAL)",
			"synchronous(FULL)", // what was answered survives a power failure
			"foreign_keys(1)",
			"secure_delete(1)", // what is deleted is overwritten: a destroyed key is gone
			// Without it, REPLACE deletes rows past their triggers.
			"recursive_triggers(1)",
		},
	}
	return "file:" + (&url.URL{Path: a.path}).EscapedPath() + "?" + query.Encode()
}

func (a address) dialector(pool *sql.DB) gorm.Dialector {
	if a.dialect == dialectPostgres {
		return postgres.New(postgres.Config{Conn: pool})
	}
	return &sqlite.Dialector{Conn: pool}
}

// preparesStatements is false where the address asks the driver not to, which
// is how one runs behind a pooler that hands a server connection to somebody
// else after every transaction.
func (a address) preparesStatements() bool {
	if a.dialect == dialectSQLite {
		return true
	}
	switch a.postgres.DefaultQueryExecMode {
	case pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol:
		return false
	default:
		return true
	}
}
