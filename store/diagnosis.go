package store

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"time"
)

// Diagnosis (诊断) is what a database says of itself, and what in it says how the
// exchange does. What the role may not see is empty.
type Diagnosis struct {
	SQLite  bool
	Path    string // of the SQLite file's folder, or of PostgreSQL's data where it is told
	Version string
	Number  int // of the version, such as 150007
	// Ahead is how far our clock is ahead of the server's; 0 for SQLite, which has ours.
	Ahead time.Duration
	Bytes int64 // of the database
	// Durability: what is not as it must be, as "fsync=off".
	Undurable []string
	Isolation string
	// The role: whether it may do what a running exchange must not.
	Superuser, MayCreate, MayChangeLedger bool
	// Lacking are tables that the role cannot change, and has to.
	Lacking []string
	// Unguarded are tables of the ledger whose triggers are switched off.
	Unguarded                   []string
	Encrypted                   bool // the connection
	Connections, MaxConnections int
	Recovering                  bool // it is a replica
	Replicas                    []Follower
	ArchiveFailed               bool // the write-ahead log is not archived any more

	Entries, Waiting int64
	OldestWaiting    time.Time // zero for none
	JobsOverdue      int
	OldestJob        time.Time
	JobsFailed       int
	OpenAlarms       int
	LastBackup       time.Time            // zero for none
	Secrets          map[string]time.Time // when the present one of each purpose was made
}

// Follower is a replica that follows.
type Follower struct {
	Name  string
	State string
	Lag   time.Duration
}

// Diagnose looks; it changes nothing, and asks nothing that takes long.
func (s *Store) Diagnose(ctx context.Context) (Diagnosis, error) {
	d := Diagnosis{SQLite: s.dialect == dialectSQLite, Secrets: map[string]time.Time{}}
	look := s.lookPostgres
	if d.SQLite {
		look = s.lookSQLite
	}
	if err := look(ctx, &d); err != nil {
		return d, translate(err, "look how the database does", things{})
	}
	return d, translate(s.lookWork(ctx, &d), "look how the exchange does", things{})
}

// scan reads one row; nothing is no failure.
func (s *Store) scan(ctx context.Context, statement string, into ...any) error {
	err := s.pool.QueryRowContext(ctx, statement).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

func (s *Store) lookSQLite(ctx context.Context, d *Diagnosis) error {
	var synchronous int
	var journal string
	var pages, size int64
	err := errors.Join(
		s.scan(ctx, "SELECT sqlite_version()", &d.Version), s.scan(ctx, "PRAGMA synchronous", &synchronous),
		s.scan(ctx, "PRAGMA journal_mode", &journal), s.scan(ctx, "PRAGMA page_count", &pages), s.scan(ctx, "PRAGMA page_size", &size),
		s.scan(ctx, "SELECT file FROM pragma_database_list WHERE name = 'main'", &d.Path))
	d.Bytes, d.Path, d.Isolation = pages*size, filepath.Dir(d.Path), "serializable"
	const full = 2
	if synchronous < full {
		d.Undurable = append(d.Undurable, "synchronous")
	}
	return err
}

func (s *Store) lookPostgres(ctx context.Context, d *Diagnosis) error {
	var seconds float64
	asked := s.now()
	err := s.scan(ctx, "SELECT extract(epoch FROM clock_timestamp())::float8", &seconds)
	// The answer was made somewhere between the question and now: take the middle.
	middle := asked.Add(s.now().Sub(asked) / 2)
	d.Ahead = middle.Sub(time.UnixMicro(int64(seconds * 1e6)))
	err = errors.Join(err,
		s.scan(ctx, "SELECT current_setting('server_version'), current_setting('server_version_num')::int, pg_database_size(current_database())", &d.Version, &d.Number, &d.Bytes),
		s.scan(ctx, "SELECT current_setting('default_transaction_isolation'), pg_is_in_recovery(), current_setting('max_connections')::int", &d.Isolation, &d.Recovering, &d.MaxConnections),
		// Not every role sees the sessions of others, but all see how many there are.
		s.scan(ctx, "SELECT COALESCE(sum(numbackends), 0) FROM pg_stat_database", &d.Connections),
		s.scan(ctx, "SELECT COALESCE((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) OR inet_server_addr() IS NULL", &d.Encrypted),
		s.scan(ctx, `SELECT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user), has_schema_privilege(current_schema(), 'CREATE'),
			has_table_privilege('ledger_entries', 'UPDATE') OR has_table_privilege('ledger_entries', 'DELETE') OR has_table_privilege('ledger_entries', 'TRUNCATE')`,
			&d.Superuser, &d.MayCreate, &d.MayChangeLedger),
		s.scan(ctx, "SELECT COALESCE(last_failed_time > COALESCE(last_archived_time, 'epoch'), false) FROM pg_stat_archiver", &d.ArchiveFailed))
	// Not every role may see it.
	_ = s.scan(ctx, "SELECT setting FROM pg_settings WHERE name = 'data_directory'", &d.Path)
	if err != nil {
		return err
	}
	if d.Undurable, err = textsOf(ctx, s.pool, `SELECT name || '=' || setting FROM pg_settings
		WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off' ORDER BY name`); err != nil {
		return err
	}
	if d.Unguarded, err = textsOf(ctx, s.pool, `SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger
		WHERE NOT tgisinternal AND tgrelid::regclass::text LIKE 'ledger%' AND tgenabled <> 'A' AND tgparentid = 0 ORDER BY 1`); err != nil {
		return err
	}
	if d.Lacking, err = textsOf(ctx, s.pool, `SELECT oid::regclass::text FROM pg_class
		WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
		AND relname NOT IN ('goose_db_version', 'schema_compatibility') AND (NOT has_table_privilege(oid, 'SELECT') OR NOT has_table_privilege(oid, 'INSERT')
		OR relname !~ '^ledger_(entries|leaves|nodes|checkpoints|keys)' AND NOT (has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE')))
		ORDER BY 1`); err != nil {
		return err
	}
	return s.lookReplicas(ctx, d)
}

func (s *Store) lookReplicas(ctx context.Context, d *Diagnosis) (err error) {
	rows, err := s.pool.QueryContext(ctx, `SELECT application_name, COALESCE(state, ''), COALESCE(extract(epoch FROM replay_lag), 0)::float8
		FROM pg_stat_replication ORDER BY application_name`)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var r Follower
		var lag float64
		if err := rows.Scan(&r.Name, &r.State, &lag); err != nil {
			return err
		}
		r.Lag = time.Duration(lag * float64(time.Second))
		d.Replicas = append(d.Replicas, r)
	}
	return rows.Err()
}

// overdue is how long a job may be due before nobody seems to do it.
const overdue = 2 * time.Minute

func (s *Store) lookWork(ctx context.Context, d *Diagnosis) error {
	var waiting, job, made sql.NullInt64
	late := int64(At(s.now().Add(-overdue)))
	err := errors.Join(
		s.scan(ctx, "SELECT COALESCE(MAX(size), 0) FROM ledger_checkpoints", &d.Entries),
		s.scan(ctx, "SELECT count(*), MIN(e.at) FROM ledger_pending AS p JOIN ledger_entries AS e ON e.id = p.entry_id", &d.Waiting, &waiting),
		s.scan(ctx, "SELECT count(*) FROM jobs WHERE state = 'failed'", &d.JobsFailed),
		s.scan(ctx, "SELECT count(*) FROM alarms WHERE acknowledged_at IS NULL", &d.OpenAlarms),
		s.scan(ctx, "SELECT MAX(made_at) FROM backups", &made))
	if err != nil {
		return err
	}
	statement := "SELECT count(*), MIN(claimable_at) FROM jobs WHERE state IN ('waiting', 'running') AND claimable_at < ?"
	if s.dialect == dialectPostgres {
		statement = "SELECT count(*), MIN(claimable_at) FROM jobs WHERE state IN ('waiting', 'running') AND claimable_at < $1"
	}
	if err := s.pool.QueryRowContext(ctx, statement, late).Scan(&d.JobsOverdue, &job); err != nil {
		return err
	}
	for _, one := range []struct {
		from sql.NullInt64
		into *time.Time
	}{{waiting, &d.OldestWaiting}, {job, &d.OldestJob}, {made, &d.LastBackup}} {
		if one.from.Valid {
			*one.into = Timestamp(one.from.Int64).Time()
		}
	}
	return s.lookSecrets(ctx, d)
}

func (s *Store) lookSecrets(ctx context.Context, d *Diagnosis) (err error) {
	rows, err := s.pool.QueryContext(ctx, "SELECT purpose, MAX(created_at) FROM secrets GROUP BY purpose")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var purpose string
		var made int64
		if err := rows.Scan(&purpose, &made); err != nil {
			return err
		}
		d.Secrets[purpose] = Timestamp(made).Time()
	}
	return rows.Err()
}
