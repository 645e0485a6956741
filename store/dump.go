package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"mianti/internal/fault"
)

// Contents (备份内容) say what a database held at a moment, so that a copy of it can
// be held against it.
type Contents struct {
	Dialect string           `json:"dialect"` // "postgres" or "sqlite"
	Server  string           `json:"server"`  // the database's version
	Schema  int64            `json:"schema"`
	Rows    map[string]int64 `json:"rows"` // by table
	// Catalog is the newest revision, 0 for none, and its digest.
	Catalog       int64  `json:"catalog"`
	CatalogDigest string `json:"catalog_digest"`
	// Checkpoint is the newest one of the ledger, signed, and Entries how many it
	// covers; Waiting are entries that had no place yet.
	Checkpoint string `json:"checkpoint"`
	Entries    int64  `json:"entries"`
	Waiting    int64  `json:"waiting"`
	// Keys are the identifiers of the key-encryption keys without which it is not read.
	Keys []string `json:"keys"`
	// Destroyed are all that were destroyed by then; it is kept in a file of its own.
	Destroyed []Destroyed `json:"-"`
}

// Destroyed (销毁记录) is a case or a batch whose content was destroyed, so that an
// older copy does not bring it back.
type Destroyed struct {
	Case   string     `json:"case,omitempty"`
	Batch  string     `json:"batch,omitempty"`
	At     time.Time  `json:"at"`
	Why    string     `json:"why,omitempty"`
	SaltAt *time.Time `json:"salt_at,omitempty"` // when its salt was destroyed too
}

// Dump is one moment of a database while it is copied.
type Dump struct {
	Contents Contents
	// Snapshot is the identifier under which pg_dump sees the same moment; empty for
	// SQLite.
	Snapshot string
}

// WithDump gives one moment of the database at url to copy, and holds it until copy
// returns. Of SQLite, file is where the copy is put; of PostgreSQL, copy has it made.
// begun is told when the database is counted, which may take a while.
func WithDump(ctx context.Context, rawURL, file string, begun func(), copy func(Dump) error) error {
	at, err := parseAddress(rawURL)
	if err != nil {
		return err
	}
	pool, err := at.connect(existing)
	if err != nil {
		return err
	}
	defer pool.Close() // nothing was written
	if err := checkSchema(ctx, at, pool); err != nil {
		return err
	}
	begun()
	if at.dialect == dialectSQLite {
		return dumpSQLite(ctx, pool, file, copy)
	}
	tx, err := pool.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return translate(err, "begin a backup", things{})
	}
	defer tx.Rollback() //nolint:errcheck // it only reads
	// It stands still while pg_dump reads, for as long as that takes.
	for _, limit := range []string{"idle_in_transaction_session_timeout", "statement_timeout"} {
		if _, err := tx.ExecContext(ctx, "SET LOCAL "+limit+" = 0"); err != nil {
			return translate(err, "begin a backup", things{})
		}
	}
	var d Dump
	if err := tx.QueryRowContext(ctx, "SELECT pg_export_snapshot()").Scan(&d.Snapshot); err != nil {
		return translate(err, "hold a moment of the database", things{})
	}
	if d.Contents, err = contentsOf(ctx, tx, at.dialect); err != nil {
		return err
	}
	return copy(d)
}

// dumpSQLite copies the file first: the copy is the moment.
func dumpSQLite(ctx context.Context, pool *sql.DB, file string, copy func(Dump) error) error {
	if _, err := pool.ExecContext(ctx, "VACUUM INTO ?", file); err != nil {
		return fmt.Errorf("copy the sqlite file: %w", err)
	}
	if err := os.Chmod(file, 0o600); err != nil {
		return fmt.Errorf("keep the copy to its owner: %w", err)
	}
	made, err := sqliteContents(ctx, file)
	if err != nil {
		return err
	}
	return copy(Dump{Contents: made})
}

func sqliteContents(ctx context.Context, file string) (c Contents, err error) {
	// immutable: looking at it leaves no journal beside it.
	pool, err := sql.Open("sqlite", "file:"+(&url.URL{Path: file}).EscapedPath()+"?mode=ro&immutable=1")
	if err != nil {
		return c, fmt.Errorf("open the copy: %w", err)
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	return contentsOf(ctx, pool, dialectSQLite)
}

// ContentsOf says what the database at url holds.
func ContentsOf(ctx context.Context, rawURL string) (c Contents, err error) {
	at, err := parseAddress(rawURL)
	if err != nil {
		return c, err
	}
	pool, err := at.connect(existing)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	return contentsOf(ctx, pool, at.dialect)
}

// querier is a pool, or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func contentsOf(ctx context.Context, q querier, d dialect) (Contents, error) {
	c := Contents{Dialect: string(d), Rows: map[string]int64{}}
	version := "SELECT sqlite_version()"
	if d == dialectPostgres {
		version = "SHOW server_version"
	}
	tables, err := tablesOf(ctx, q, d)
	if err != nil {
		return c, err
	}
	if !slices.Contains(tables, "ledger_checkpoints") {
		return c, fault.New(fault.NotFound, "empty-database", "数据库里没有免提的表。")
	}
	for _, name := range tables {
		var n int64
		// The names are those of our own migrations.
		if err := q.QueryRowContext(ctx, `SELECT count(*) FROM "`+name+`"`).Scan(&n); err != nil {
			return c, translate(err, "count the rows of a table", things{})
		}
		c.Rows[name] = n
	}
	for _, one := range []struct {
		statement string
		into      []any
	}{
		{version, []any{&c.Server}},
		{"SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version WHERE is_applied", []any{&c.Schema}},
		{"SELECT number, digest FROM catalog_revisions ORDER BY number DESC LIMIT 1", []any{&c.Catalog, &c.CatalogDigest}},
		{"SELECT size, note FROM ledger_checkpoints ORDER BY number DESC LIMIT 1", []any{&c.Entries, &c.Checkpoint}},
		{"SELECT count(*) FROM ledger_waiting", []any{&c.Waiting}},
	} {
		if err := q.QueryRowContext(ctx, one.statement).Scan(one.into...); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return c, translate(err, "look what the database holds", things{})
		}
	}
	if c.Keys, err = textsOf(ctx, q, `SELECT kek FROM case_keys WHERE salt_destroyed_at IS NULL
		UNION SELECT kek FROM batch_keys WHERE destroyed_at IS NULL UNION SELECT kek FROM secrets ORDER BY kek`); err != nil {
		return c, err
	}
	c.Destroyed, err = destroyedIn(ctx, q)
	return c, err
}

func tablesOf(ctx context.Context, q querier, d dialect) ([]string, error) {
	statement := "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name"
	if d == dialectPostgres {
		statement = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename"
	}
	return textsOf(ctx, q, statement)
}

func textsOf(ctx context.Context, q querier, statement string) (out []string, err error) {
	const doing = "look what the database holds"
	rows, err := q.QueryContext(ctx, statement)
	if err != nil {
		return nil, translate(err, doing, things{})
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, translate(err, doing, things{})
		}
		out = append(out, text)
	}
	return out, translate(rows.Err(), doing, things{})
}

// ServerVersion is the version of the PostgreSQL at url; empty for SQLite.
func ServerVersion(ctx context.Context, rawURL string) (version string, err error) {
	at, err := parseAddress(rawURL)
	if err != nil || at.dialect == dialectSQLite {
		return "", err
	}
	pool, err := at.connect(existing)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	err = pool.QueryRowContext(ctx, "SHOW server_version").Scan(&version)
	return version, translate(err, "ask the database for its version", things{})
}

// Emptiness says whether a database has no table; of SQLite, whether there is no file.
func Emptiness(ctx context.Context, rawURL string) (empty bool, err error) {
	at, err := parseAddress(rawURL)
	if err != nil {
		return false, err
	}
	if at.dialect == dialectSQLite {
		_, err := os.Stat(at.path)
		return errors.Is(err, os.ErrNotExist), nil
	}
	pool, err := at.connect(existing)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	tables, err := tablesOf(ctx, pool, at.dialect)
	return len(tables) == 0, err
}

// Clear takes everything out of a database, for good. Of SQLite it takes the file
// with its journals.
func Clear(ctx context.Context, rawURL string) (err error) {
	at, err := parseAddress(rawURL)
	if err != nil {
		return err
	}
	if at.dialect == dialectSQLite {
		for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
			if err := os.Remove(at.path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("remove the sqlite file: %w", err)
			}
		}
		return nil
	}
	pool, err := at.connect(existing)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	_, err = pool.ExecContext(ctx, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
	return translate(err, "clear the database", things{})
}

// PostgresAddress gives an address of PostgreSQL without its password, in the form
// that PostgreSQL's own programs take, and the password. ok is false for SQLite.
func PostgresAddress(rawURL string) (address, password string, ok bool, err error) {
	at, err := parseAddress(rawURL)
	if err != nil || at.dialect != dialectPostgres {
		return "", "", false, err
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return "", "", false, invalidAddress("postgres 地址无法解析，请检查主机、端口和参数")
	}
	if u.User != nil {
		u.User = url.User(u.User.Username())
	}
	query := u.Query()
	for name := range query {
		// What the driver of this program understands alone, and what a process list
		// must not show.
		if name == "password" || name == "sslpassword" || strings.HasPrefix(name, "default_query") || strings.HasPrefix(name, "pool_") ||
			strings.HasSuffix(name, "_cache_capacity") || name == "min_protocol_version" || name == "max_protocol_version" {
			query.Del(name)
		}
	}
	u.RawQuery = query.Encode()
	return u.String(), at.postgres.Password, true, nil
}

// SQLitePath gives the file of a SQLite address, and empty for PostgreSQL.
func SQLitePath(rawURL string) (string, error) {
	at, err := parseAddress(rawURL)
	return at.path, err
}
