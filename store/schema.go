package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// An upgrade without a pause goes in three steps, each its own release: expand
// (add what the new program needs), migrate (fill it), contract (drop what no
// running program uses). Programs of before and after an expansion run side by
// side; a migration says in table schema_compatibility which may.

// compatibilityRow says which programs a version of the schema bears.
type compatibilityRow struct {
	Version int64 `gorm:"column:version;primaryKey"`
	Oldest  int64 `gorm:"column:oldest"`
}

// TableName names the table.
func (compatibilityRow) TableName() string { return "schema_compatibility" }

// SchemaVersion is the schema that this program was made for. It works with that
// one, and with every later one that bears it.
func SchemaVersion() int64 { return wantedVersion(dialectPostgres) }

// Migration is a step of the schema that has not been taken yet.
type Migration struct {
	Version int64  `json:"version"`
	Name    string `json:"name"`
	// Oldest is the earliest schema whose programs go on under it; Version itself
	// when none of before does.
	Oldest int64 `json:"oldest"`
}

// Running are programs that are connected to the database.
type Running struct {
	Schema      int64 `json:"schema"` // that they were made for
	Connections int   `json:"connections"`
}

// MigrationPlan says what Migrate would do, and whom it would strand.
type MigrationPlan struct {
	Found   int64       `json:"found"`   // the database's schema; 0 for an empty one
	Wanted  int64       `json:"wanted"`  // this program's
	Pending []Migration `json:"pending"` // in their order
	Running []Running   `json:"running"` // of PostgreSQL; a program that names itself otherwise is not seen
}

// Bears says whether a program that was made for a schema may go on once the plan
// was carried out.
func (p MigrationPlan) Bears(schema int64) bool {
	return !slices.ContainsFunc(p.Pending, func(m Migration) bool { return m.Version > schema && m.Oldest > schema })
}

// Stranded are the connected programs that may not go on.
func (p MigrationPlan) Stranded() []Running {
	var out []Running
	for _, r := range p.Running {
		if !p.Bears(r.Schema) {
			out = append(out, r)
		}
	}
	return out
}

// PlanMigration looks at the database at url and changes nothing. A database that
// is not there yet has everything pending.
func PlanMigration(ctx context.Context, url string) (MigrationPlan, error) {
	at, err := parseAddress(url)
	if err != nil {
		return MigrationPlan{}, err
	}
	p := MigrationPlan{Wanted: wantedVersion(at.dialect)}
	pool, err := at.connect(existing)
	if at.dialect == dialectSQLite && err != nil {
		p.Pending, err = migrationsAfter(at.dialect, 0)
		return p, err
	}
	if err != nil {
		return p, err
	}
	return p, errors.Join(p.look(ctx, at, pool), pool.Close())
}

func (p *MigrationPlan) look(ctx context.Context, at address, pool *sql.DB) (err error) {
	if p.Found, err = schemaVersion(ctx, at, pool); err != nil {
		return err
	}
	if p.Pending, err = migrationsAfter(at.dialect, p.Found); err != nil {
		return err
	}
	p.Running, err = runningPrograms(ctx, at, pool)
	return err
}

// saysCompatibility is how a migration says which programs it bears.
var saysCompatibility = regexp.MustCompile(`INSERT INTO schema_compatibility \(version, oldest\) VALUES \((\d+), (\d+)\);`)

// migrationsAfter gives the migrations of this program after a version.
func migrationsAfter(d dialect, version int64) ([]Migration, error) {
	names, err := fs.Glob(migrationFiles, "migrations/"+string(d)+"/*.sql")
	if err != nil {
		return nil, fmt.Errorf("list the migrations: %w", err)
	}
	slices.Sort(names)
	var out []Migration
	for _, name := range names {
		m := Migration{Version: migrationNumber(name), Name: strings.TrimSuffix(name[strings.LastIndexByte(name, '/')+1:], ".sql")}
		if m.Version <= version {
			continue
		}
		text, err := fs.ReadFile(migrationFiles, name)
		if err != nil {
			return nil, fmt.Errorf("read a migration: %w", err)
		}
		m.Oldest = oldestBorne(string(text), m.Version)
		out = append(out, m)
	}
	return out, nil
}

// oldestBorne reads from a migration which programs it bears.
func oldestBorne(text string, version int64) int64 {
	for _, found := range saysCompatibility.FindAllStringSubmatch(text, -1) {
		if found[1] != strconv.FormatInt(version, 10) {
			continue
		}
		if oldest, err := strconv.ParseInt(found[2], 10, 64); err == nil {
			return oldest
		}
	}
	return version
}

// bears says whether every migration beyond a program's schema bears it. What says
// nothing does not.
func bears(ctx context.Context, at address, pool *sql.DB, schema int64) (bool, error) {
	known, err := hasTable(ctx, at, pool, "schema_compatibility")
	if err != nil || !known {
		return false, err
	}
	statement := `SELECT count(*) FROM goose_db_version AS g LEFT JOIN schema_compatibility AS c ON c.version = g.version_id
		WHERE g.is_applied AND g.version_id > ? AND (c.oldest IS NULL OR c.oldest > ?)`
	if at.dialect == dialectPostgres {
		statement = strings.Replace(strings.Replace(statement, "?", "$1", 1), "?", "$2", 1)
	}
	var against int
	err = pool.QueryRowContext(ctx, statement, schema, schema).Scan(&against)
	return against == 0, translate(err, "look whether the schema bears this program", things{})
}

// programName begins the name under which a program is connected; the schema that
// it was made for follows, so that a migration sees whom it would strand.
const programName = "mianti/"

// nameProgram names this program to the server, unless its address names it.
func nameProgram(config *pgx.ConnConfig) {
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = programName + strconv.FormatInt(wantedVersion(dialectPostgres), 10)
	}
}

// runningPrograms gives the programs that are connected besides this one, by the
// schema that they were made for.
func runningPrograms(ctx context.Context, at address, pool *sql.DB) (out []Running, err error) {
	if at.dialect != dialectPostgres {
		return nil, nil
	}
	const doing = "look which programs are connected"
	rows, err := pool.QueryContext(ctx, `SELECT application_name, count(*) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE 'mianti/%'
		GROUP BY application_name ORDER BY application_name`)
	if err != nil {
		return nil, translate(err, doing, things{})
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var name string
		var r Running
		if err := rows.Scan(&name, &r.Connections); err != nil {
			return nil, translate(err, doing, things{})
		}
		if r.Schema, err = strconv.ParseInt(strings.TrimPrefix(name, programName), 10, 64); err == nil {
			out = append(out, r)
		}
	}
	return out, translate(rows.Err(), doing, things{})
}
