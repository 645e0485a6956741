package telemetry

import (
	"context"
	"database/sql"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mianti/ledger/anchor"
	"mianti/store"
)

// Database is what is asked about itself at a scrape.
type Database interface {
	Survey(ctx context.Context) (*store.Survey, error)
	AnchorStates(ctx context.Context) ([]anchor.State, error)
	PoolStats() sql.DBStats
}

const (
	// surveyEvery bounds what scrapes ask of the database, whoever scrapes how often.
	surveyEvery = 10 * time.Second
	// surveyTimeout keeps a scrape from hanging with the database.
	surveyTimeout = 3 * time.Second
)

// survey tells at a scrape what is known of the database. When the database does not
// answer it says that, and nothing else: an old value would look like a new one.
type survey struct {
	db       Database
	backup   func() time.Time // of a backup that the database knows nothing of
	revision func(context.Context) (int, error)
	now      func() time.Time
	about    descriptions

	mu      sync.Mutex
	taken   time.Time
	last    []prometheus.Metric
	seen    int // the revision that was seen last, since
	since   time.Time
	anchors []anchor.State
}

// descriptions are by name.
type descriptions map[string]*prometheus.Desc

// WatchDatabase has scrapes tell what is known of the database, and which revision of
// the catalog this node serves. Backup is when one was made of which the database knows
// nothing; a zero time for never.
func (m *Metrics) WatchDatabase(db Database, revision func(context.Context) (int, error), backup func() time.Time) {
	m.book.registry.MustRegister(&survey{db: db, backup: backup, revision: revision, now: m.now, about: surveyed(m.book)})
}

func surveyed(b *book) descriptions {
	d := descriptions{}
	add := func(name, help string, labels ...string) {
		kind := KindGauge
		if strings.HasSuffix(name, "_total") {
			kind = KindCounter
		}
		d[name] = b.desc(kind, name, help, labels...)
	}
	add("mianti_database_up", "1 when the database answered the last survey.")
	add("mianti_database_primary", "1 when the database takes writes.")
	add("mianti_database_size_bytes", "What the database takes on its disk.")
	add("mianti_database_replica_lag_bytes", "How far a replica is behind; needs the right pg_monitor.", "replica")
	add("mianti_database_replica_lag_seconds", "For how long what was written took to be seen at a replica.", "replica")
	add("mianti_database_connections_limit", "Connections that this node may open.")
	add("mianti_database_connections_open", "Connections that are open.")
	add("mianti_database_connections_used", "Connections that are in use.")
	add("mianti_database_connection_waits_total", "How often somebody waited for a connection.")
	add("mianti_database_connection_wait_seconds_total", "How long was waited for connections.")
	add("mianti_backup_timestamp_seconds", "When the last backup was made; 0 when there is none.")
	add("mianti_clock_offset_seconds", "By how much the database's clock is ahead of this node's.")
	add("mianti_jobs_due", "Jobs whose time has come, by kind.", "kind")
	add("mianti_jobs_later", "Jobs that wait for their time, or run.", "kind")
	add("mianti_jobs_failed", "Jobs that were given up, until somebody looks after them.", "kind")
	add("mianti_jobs_oldest_timestamp_seconds", "Since when the first of those that are due could have run.", "kind")
	add("mianti_ledger_unsealed_entries", "Entries that wait for their place in the ledger, counted up to 100000.")
	add("mianti_ledger_oldest_unsealed_timestamp_seconds", "When the first of them was made.")
	add("mianti_ledger_checkpoint_timestamp_seconds", "When the newest checkpoint was published.")
	add("mianti_ledger_size", "Entries of the newest checkpoint.")
	add("mianti_ledger_anchor_timestamp_seconds", "When a party outside last vouched for a checkpoint.", "kind", "anchor")
	add("mianti_ledger_anchor_size", "Entries of the checkpoint that it vouched for.", "kind", "anchor")
	add("mianti_ledger_anchor_failing", "1 when handing it a checkpoint failed since.", "kind", "anchor")
	add("mianti_alarms_open", "Alarms that nobody has acknowledged, by kind.", "kind")
	add("mianti_stops", "What is stopped, by kind.", "kind")
	add("mianti_credential_expiry_timestamp_seconds", "When the first system of a department will stand without any credential.", "department")
	add("mianti_catalog_revision", "The revision of the catalog that this node serves.")
	add("mianti_catalog_seen_timestamp_seconds", "Since when this node serves it.")
	return d
}

// Describe names the metrics.
func (s *survey) Describe(to chan<- *prometheus.Desc) {
	for _, d := range s.about {
		to <- d
	}
}

// Collect gives their values.
func (s *survey) Collect(to chan<- prometheus.Metric) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.now(); s.last == nil || now.Sub(s.taken) >= surveyEvery || now.Before(s.taken) {
		s.taken, s.last = now, s.take()
	}
	for _, m := range s.last {
		to <- m
	}
	for _, m := range s.connections() {
		to <- m
	}
}

func (s *survey) is(name string, value float64, labels ...string) prometheus.Metric {
	return gauge(s.about[name], value, labels...)
}

func (s *survey) take() []prometheus.Metric {
	ctx, stop := context.WithTimeout(context.Background(), surveyTimeout)
	defer stop()
	v, err := s.db.Survey(ctx)
	if err != nil {
		return []prometheus.Metric{s.is("mianti_database_up", 0)}
	}
	if s.anchors, err = s.db.AnchorStates(ctx); err != nil {
		return []prometheus.Metric{s.is("mianti_database_up", 0)}
	}
	out := []prometheus.Metric{
		s.is("mianti_database_up", 1), s.is("mianti_database_primary", truth(v.Primary)), s.is("mianti_database_size_bytes", float64(v.Size)),
		s.is("mianti_clock_offset_seconds", certain(v.ClockOffset, v.ClockDoubt).Seconds()),
	}
	out = append(out, s.is("mianti_backup_timestamp_seconds", newest(v.Backup, s.backup())))
	for _, r := range v.Replicas {
		out = append(out, s.is("mianti_database_replica_lag_bytes", float64(r.Bytes), r.Name), s.is("mianti_database_replica_lag_seconds", r.Time.Seconds(), r.Name))
	}
	out = append(out, s.jobs(v)...)
	out = append(out, s.ledger(v)...)
	for kind, n := range v.Alarms {
		out = append(out, s.is("mianti_alarms_open", float64(n), kind))
	}
	for kind, n := range v.Stops {
		out = append(out, s.is("mianti_stops", float64(n), kind))
	}
	for department, ends := range v.CredentialEnds {
		out = s.moment(out, "mianti_credential_expiry_timestamp_seconds", ends, department)
	}
	return append(out, s.catalog(ctx)...)
}

// newest is the later of two moments; 0 when neither ever was.
func newest(a, b time.Time) float64 {
	if b.After(a) {
		a = b
	}
	if a.IsZero() {
		return 0
	}
	return seconds(a)
}

// certain is by how much two clocks differ at least.
func certain(offset, doubt time.Duration) time.Duration {
	switch half := doubt / 2; {
	case offset > half:
		return offset - half
	case offset < -half:
		return offset + half
	default:
		return 0
	}
}

func (s *survey) moment(to []prometheus.Metric, name string, at time.Time, labels ...string) []prometheus.Metric {
	if at.IsZero() {
		return to
	}
	return append(to, s.is(name, seconds(at), labels...))
}

func (s *survey) jobs(v *store.Survey) (out []prometheus.Metric) {
	for _, j := range v.Jobs {
		out = append(out, s.is("mianti_jobs_due", float64(j.Due), j.Kind), s.is("mianti_jobs_later", float64(j.Later), j.Kind),
			s.is("mianti_jobs_failed", float64(j.Failed), j.Kind))
		out = s.moment(out, "mianti_jobs_oldest_timestamp_seconds", j.Oldest, j.Kind)
	}
	return out
}

func (s *survey) ledger(v *store.Survey) []prometheus.Metric {
	out := []prometheus.Metric{s.is("mianti_ledger_unsealed_entries", float64(v.Unsealed)), s.is("mianti_ledger_size", float64(v.LedgerSize))}
	out = s.moment(out, "mianti_ledger_oldest_unsealed_timestamp_seconds", v.OldestUnsealed)
	out = s.moment(out, "mianti_ledger_checkpoint_timestamp_seconds", v.Checkpoint)
	for _, a := range s.anchors {
		kind := string(a.Kind)
		out = append(out, s.is("mianti_ledger_anchor_size", float64(a.Size), kind, a.Name), s.is("mianti_ledger_anchor_failing", truth(a.Trouble != ""), kind, a.Name))
		out = s.moment(out, "mianti_ledger_anchor_timestamp_seconds", a.Kept, kind, a.Name)
	}
	return out
}

// catalog says which revision is served; none before one was loaded.
func (s *survey) catalog(ctx context.Context) []prometheus.Metric {
	number, err := s.revision(ctx)
	if err != nil {
		return nil
	}
	if number != s.seen {
		s.seen, s.since = number, s.now()
	}
	return []prometheus.Metric{s.is("mianti_catalog_revision", float64(number)), s.is("mianti_catalog_seen_timestamp_seconds", seconds(s.since))}
}

// connections are told anew each time: they cost nothing.
func (s *survey) connections() []prometheus.Metric {
	stats := s.db.PoolStats()
	counter := func(name string, value float64) prometheus.Metric {
		return prometheus.MustNewConstMetric(s.about[name], prometheus.CounterValue, value)
	}
	return []prometheus.Metric{
		s.is("mianti_database_connections_limit", float64(stats.MaxOpenConnections)),
		s.is("mianti_database_connections_open", float64(stats.OpenConnections)),
		s.is("mianti_database_connections_used", float64(stats.InUse)),
		counter("mianti_database_connection_waits_total", float64(stats.WaitCount)),
		counter("mianti_database_connection_wait_seconds_total", stats.WaitDuration.Seconds()),
	}
}
