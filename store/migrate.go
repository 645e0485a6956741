package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pressly/goose/v3"

	"mianti/internal/fault"
)

//go:embed migrations
var migrationFiles embed.FS

// lockWait is how long an instance waits for another's migration.
const lockWait = 5 * time.Minute

// migrationLock names the advisory lock of PostgreSQL that who migrates holds.
const migrationLock = sealingLock + 2

// migrateCommand is what the operator is told to run.
const migrateCommand = "mianti migrate"

// Migrate brings the schema of the database at url to the version of this
// program, and creates a SQLite file that is not there. It only moves forward,
// does nothing when there is nothing to do, and lets several instances on one
// PostgreSQL call it at once.
func Migrate(ctx context.Context, url string) error {
	at, err := parseAddress(url)
	if err != nil {
		return err
	}
	pool, err := at.connect(maybeNew)
	if err != nil {
		return err
	}
	return errors.Join(migrate(ctx, at, pool), pool.Close())
}

func migrate(ctx context.Context, at address, pool *sql.DB) error {
	files, err := fs.Sub(migrationFiles, "migrations/"+string(at.dialect))
	if err != nil {
		return fmt.Errorf("open the migrations: %w", err)
	}
	kind, options := goose.DialectSQLite3, []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}
	if at.dialect == dialectPostgres {
		kind = goose.DialectPostgres
		release, err := lockMigration(ctx, pool)
		if err != nil {
			return err
		}
		defer release()
	}
	provider, err := goose.NewProvider(kind, pool, files, options...)
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	if done, err := refuseNewer(ctx, at, pool); err != nil || done {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return translate(err, "migrate the database", things{})
	}
	return unpackRevisions(ctx, at, pool)
}

// lockMigration waits until nobody else migrates, and keeps others from it until
// release. The lock is that of a transaction, in which nothing is done: one of a
// session would be left behind on a pooler's connection.
func lockMigration(ctx context.Context, pool *sql.DB) (release func(), err error) {
	const doing = "wait for another migration"
	tx, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return nil, translate(err, doing, things{})
	}
	release = func() { _ = tx.Rollback() } //nolint:errcheck // nothing was changed in it
	// A migration may take longer than anything else that is idle meanwhile.
	settings := fmt.Sprintf("SET LOCAL lock_timeout = '%ds'; SET LOCAL idle_in_transaction_session_timeout = 0", int(lockWait.Seconds()))
	if _, err := tx.ExecContext(ctx, settings); err != nil {
		release()
		return nil, translate(err, doing, things{})
	}
	if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", migrationLock); err != nil {
		release()
		return nil, translate(err, doing, things{})
	}
	return release, nil
}

// refuseNewer keeps an old program from calling a newer schema migrated, unless
// that schema bears it: then there is nothing to do, and done is true.
func refuseNewer(ctx context.Context, at address, pool *sql.DB) (done bool, err error) {
	found, err := schemaVersion(ctx, at, pool)
	if err != nil || found <= wantedVersion(at.dialect) {
		return false, err
	}
	return true, refuseUnborne(ctx, at, pool, found)
}

// checkSchema refuses a schema that this program cannot work with: an older one,
// and a newer one that does not bear it.
func checkSchema(ctx context.Context, at address, pool *sql.DB) error {
	found, err := schemaVersion(ctx, at, pool)
	if err != nil {
		return err
	}
	want := wantedVersion(at.dialect)
	switch {
	case found > want:
		return refuseUnborne(ctx, at, pool, found)
	case found < want:
		return fault.New(fault.Conflict, "schema-outdated",
			"数据库结构为第%d版，本程序需要第%d版：请先运行 %s", found, want, migrateCommand)
	default:
		return nil
	}
}

// refuseUnborne refuses a newer schema that does not bear this program.
func refuseUnborne(ctx context.Context, at address, pool *sql.DB, found int64) error {
	want := wantedVersion(at.dialect)
	borne, err := bears(ctx, at, pool, want)
	if err != nil || borne {
		return err
	}
	return fault.New(fault.Conflict, "schema-newer",
		"数据库结构为第%d版，本程序只认识到第%d版，新结构不兼容本程序，且结构不能退回：请换用不低于数据库的 mianti 版本，再运行 %s",
		found, want, migrateCommand)
}

// schemaVersion reads the version of the last migration, 0 for none. It
// creates nothing.
func schemaVersion(ctx context.Context, at address, pool *sql.DB) (int64, error) {
	const doing = "read the schema version"
	exists, err := hasTable(ctx, at, pool, "goose_db_version")
	if err != nil || !exists {
		return 0, err
	}
	var version int64
	const last = "SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version WHERE is_applied"
	if err := pool.QueryRowContext(ctx, last).Scan(&version); err != nil {
		return 0, translate(err, doing, things{})
	}
	return version, nil
}

// hasTable says whether a table is there.
func hasTable(ctx context.Context, at address, pool *sql.DB, name string) (bool, error) {
	exists := "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?"
	if at.dialect == dialectPostgres {
		exists = "SELECT count(*) FROM pg_catalog.pg_class WHERE oid = to_regclass($1)"
	}
	var tables int
	err := pool.QueryRowContext(ctx, exists, name).Scan(&tables)
	return tables > 0, translate(err, "look for a table", things{})
}

// wantedVersion is the number of the newest migration of this program.
func wantedVersion(d dialect) int64 {
	names, err := fs.Glob(migrationFiles, "migrations/"+string(d)+"/*.sql")
	if err != nil || len(names) == 0 {
		panic("store: the migrations were not built into the program")
	}
	newest := slices.Max(names)
	return migrationNumber(newest)
}

// migrationNumber is the 38 of migrations/postgres/00038_compatibility.sql.
func migrationNumber(file string) int64 {
	number, _, _ := strings.Cut(file[strings.LastIndexByte(file, '/')+1:], "_")
	version, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		panic("store: migration without a number: " + file)
	}
	return version
}
