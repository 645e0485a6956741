package store

import (
	"context"
	"database/sql"
	"time"
)

// Survey (巡检) is how it stands with what waits and with what the database does. It
// holds nothing of a case or a person.
type Survey struct {
	// ClockOffset is by how much the database's clock is ahead of ours, to within
	// ClockDoubt, which is how long asking took.
	ClockOffset, ClockDoubt time.Duration
	// Primary says that the database takes writes.
	Primary bool
	Jobs    []JobCount
	// Unsealed are the entries that wait for their place in the ledger, counted up to
	// MostUnsealed; the oldest of them was made at OldestUnsealed.
	Unsealed       int64
	OldestUnsealed time.Time
	// Checkpoint is when the newest checkpoint was published, LedgerSize how many
	// entries it has.
	Checkpoint time.Time
	LedgerSize int64
	// Alarms are those that nobody has acknowledged, Stops those that are in force,
	// each by kind.
	Alarms, Stops map[string]int64
	// CredentialEnds is when the last credential of a system ends, the earliest of each
	// department's systems; those that never end are not in it.
	CredentialEnds map[string]time.Time
	// Size is what the database takes on its disk, in bytes.
	Size int64
	// Backup is when the last backup was made; zero for none.
	Backup time.Time
	// Replicas are those that stream from this database.
	Replicas []ReplicaLag
}

// JobCount counts the jobs of a kind.
type JobCount struct {
	Kind string
	// Due are those whose time has come, Later those that wait for theirs; Oldest is
	// since when the first of those that are due could have run.
	Due, Later, Failed int64
	Oldest             time.Time
}

// ReplicaLag says how far a replica is behind.
type ReplicaLag struct {
	Name  string
	Bytes int64
	Time  time.Duration
}

// MostUnsealed is how far entries that wait are counted: more are as bad.
const MostUnsealed = 100_000

// Survey takes one. It costs ten small statements, and is for whoever watches.
func (s *Store) Survey(ctx context.Context) (*Survey, error) {
	v := &Survey{Alarms: map[string]int64{}, Stops: map[string]int64{}, CredentialEnds: map[string]time.Time{}}
	for _, part := range []func(context.Context, *Survey) error{
		s.surveyClock, s.surveyJobs, s.surveyLedger, s.surveySafeguards, s.surveyCredentials, s.surveyReplicas,
	} {
		if err := part(ctx, v); err != nil {
			return nil, translate(err, "survey the database", things{})
		}
	}
	return v, nil
}

// PoolStats says how the connections to the database do.
func (s *Store) PoolStats() sql.DBStats { return s.pool.Stats() }

func (s *Store) surveyClock(ctx context.Context, v *Survey) error {
	if s.dialect == dialectSQLite {
		v.Primary = true
		return s.pool.QueryRowContext(ctx, "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()").Scan(&v.Size)
	}
	begun := s.now()
	var micros int64
	err := s.pool.QueryRowContext(ctx, "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, pg_database_size(current_database()), NOT pg_is_in_recovery()").
		Scan(&micros, &v.Size, &v.Primary)
	if err != nil {
		return err
	}
	v.ClockDoubt = s.now().Sub(begun)
	v.ClockOffset = time.UnixMicro(micros).Sub(begun.Add(v.ClockDoubt / 2))
	return nil
}

func (s *Store) surveyJobs(ctx context.Context, v *Survey) error {
	const statement = `SELECT kind,
    SUM(CASE WHEN state <> 'failed' AND claimable_at <= ? THEN 1 ELSE 0 END),
    SUM(CASE WHEN state <> 'failed' AND claimable_at > ? THEN 1 ELSE 0 END),
    SUM(CASE WHEN state = 'failed' THEN 1 ELSE 0 END),
    MIN(CASE WHEN state <> 'failed' AND claimable_at <= ? THEN claimable_at END)
FROM jobs GROUP BY kind ORDER BY kind`
	now := At(s.now())
	return s.each(ctx, func(scan func(...any) error) error {
		var c JobCount
		var oldest *Timestamp
		err := scan(&c.Kind, &c.Due, &c.Later, &c.Failed, &oldest)
		c.Oldest = momentOf(oldest)
		v.Jobs = append(v.Jobs, c)
		return err
	}, statement, now, now, now)
}

func (s *Store) surveyLedger(ctx context.Context, v *Survey) error {
	const statement = `SELECT
    (SELECT COUNT(*) FROM (SELECT 1 FROM ledger_waiting LIMIT ?) AS counted),
    (SELECT e.at FROM ledger_entries e WHERE e.id = (SELECT MIN(entry_id) FROM ledger_pending)),
    (SELECT published_at FROM ledger_checkpoints ORDER BY number DESC LIMIT 1),
    COALESCE((SELECT size FROM ledger_checkpoints ORDER BY number DESC LIMIT 1), 0),
    (SELECT MAX(made_at) FROM backups)`
	return s.each(ctx, func(scan func(...any) error) error {
		var oldest, published, backup *Timestamp
		err := scan(&v.Unsealed, &oldest, &published, &v.LedgerSize, &backup)
		v.OldestUnsealed, v.Checkpoint, v.Backup = momentOf(oldest), momentOf(published), momentOf(backup)
		return err
	}, statement, MostUnsealed)
}

func (s *Store) surveySafeguards(ctx context.Context, v *Survey) error {
	const statement = `SELECT 'alarm', kind, COUNT(*) FROM alarms WHERE acknowledged_at IS NULL GROUP BY kind
UNION ALL SELECT 'stop', kind, COUNT(*) FROM stops GROUP BY kind`
	return s.each(ctx, func(scan func(...any) error) error {
		var what, kind string
		var n int64
		err := scan(&what, &kind, &n)
		if what == "alarm" {
			v.Alarms[kind] = n
			return err
		}
		v.Stops[kind] = n
		return err
	}, statement)
}

// surveyCredentials looks for systems that will soon stand without any credential. One
// that never ends keeps its system out.
func (s *Store) surveyCredentials(ctx context.Context, v *Survey) error {
	const statement = `SELECT department, MIN(ends) FROM (
    SELECT s.department, MAX(c.not_after) AS ends FROM systems s JOIN system_credentials c ON c.system = s.id
    WHERE NOT s.disabled AND c.revoked_at IS NULL
    GROUP BY s.id, s.department HAVING COUNT(*) = COUNT(c.not_after)
) AS last GROUP BY department`
	return s.each(ctx, func(scan func(...any) error) error {
		var department string
		var ends Timestamp
		err := scan(&department, &ends)
		v.CredentialEnds[department] = ends.Time()
		return err
	}, statement)
}

// surveyReplicas asks what streams from here. Who may not see it is told of none.
func (s *Store) surveyReplicas(ctx context.Context, v *Survey) error {
	if s.dialect == dialectSQLite || !v.Primary {
		return nil
	}
	const statement = `SELECT application_name, COALESCE(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn), 0)::bigint,
    (COALESCE(extract(epoch FROM replay_lag), 0) * 1000000)::bigint
FROM pg_stat_replication WHERE replay_lsn IS NOT NULL ORDER BY application_name`
	return s.each(ctx, func(scan func(...any) error) error {
		var r ReplicaLag
		var micros int64
		err := scan(&r.Name, &r.Bytes, &micros)
		r.Time = time.Duration(micros) * time.Microsecond
		v.Replicas = append(v.Replicas, r)
		return err
	}, statement)
}

// each reads the rows of a statement, one after the other.
func (s *Store) each(ctx context.Context, read func(scan func(...any) error) error, statement string, args ...any) error {
	rows, err := s.db.WithContext(ctx).Raw(statement, args...).Rows()
	if err != nil {
		return err
	}
	for rows.Next() {
		if err := read(rows.Scan); err != nil {
			return closing(rows, err)
		}
	}
	return closing(rows, rows.Err())
}
