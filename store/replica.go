package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mianti/internal/fault"
)

// Position (位置) is how far the primary had written at some moment: what a replica
// must have applied to show it. Empty is before everything.
type Position string

// nowhere is a position that no replica reaches: what is read after it comes from the
// primary.
const nowhere Position = "FFFFFFFF/FFFFFFFF"

// Valid says whether a position is one, as it may come back from outside.
func (p Position) Valid() bool {
	_, err := p.number()
	return err == nil
}

// number gives the position as PostgreSQL counts it.
func (p Position) number() (uint64, error) {
	if p == "" {
		return 0, nil
	}
	high, low, found := strings.Cut(string(p), "/")
	if !found || len(high) > 8 || len(low) > 8 {
		return 0, errors.New("not a position in the log of PostgreSQL")
	}
	h, err := strconv.ParseUint(high, 16, 32)
	if err != nil {
		return 0, errors.New("not a position in the log of PostgreSQL")
	}
	l, err := strconv.ParseUint(low, 16, 32)
	if err != nil {
		return 0, errors.New("not a position in the log of PostgreSQL")
	}
	return h<<32 | l, nil
}

const (
	// defaultReadLag is how far a replica may be behind.
	defaultReadLag = 10 * time.Second
	// watchReplicaEvery is how often it is looked how far a replica is, while it is asked.
	watchReplicaEvery = time.Second
	// watchReplicaTimeout bounds that look, and so what a replica that hangs costs a page.
	watchReplicaTimeout = 500 * time.Millisecond
	// awayFor is how long a replica that failed is left alone.
	awayFor = 2 * time.Second
	// mostSamples bounds what is remembered of a replica that does not get on.
	mostSamples = 64
)

// readingKey is where a context says from which position on may be read.
type readingKey struct{}

// ReadingAfter lets what is done with a context read pages and reports from a
// replica that has applied a position, and shows so what its person has written.
// Without it everything is read from the primary, and so are, with it, rights,
// revocations, sessions and lists of accesses: only the methods of a Store that say
// so look at it. A position that is not Valid stands for the primary.
func ReadingAfter(ctx context.Context, p Position) context.Context {
	if !p.Valid() {
		p = nowhere
	}
	return context.WithValue(ctx, readingKey{}, p)
}

// HasReplicas says whether there are any, so that a position is of use.
func (s *Store) HasReplicas() bool { return len(s.replicas) > 0 }

// Position gives how far the primary has written: what was committed before is
// shown by every replica that has come so far.
func (s *Store) Position(ctx context.Context) (Position, error) {
	var p Position
	err := s.pool.QueryRowContext(ctx, "SELECT pg_current_wal_insert_lsn()::text").Scan(&p)
	return p, translate(err, "read how far the database has written", things{})
}

// replica is a database that follows the primary.
type replica struct {
	reader *Store
	pool   *sql.DB
	host   string

	looking sync.Mutex // held by who looks how far it is
	state   atomic.Pointer[replicaState]
}

// replicaState is how far a replica was when it was looked at.
type replicaState struct {
	at      time.Time // of the look
	applied uint64
	usable  bool
	// waiting are the positions of the primary that it has not applied yet, the oldest
	// first, and since when they were there: its lag, by one clock, and none while the
	// primary is idle. known says that it has applied one.
	waiting []sample
	known   bool
}

type sample struct {
	position uint64
	at       time.Time
}

// openReplicas opens the replicas of a configuration. They may be away.
func (s *Store) openReplicas(cfg Config) error {
	for _, url := range cfg.Read {
		at, err := parseAddress(url)
		if err != nil {
			return err
		}
		if at.dialect != dialectPostgres || s.dialect != dialectPostgres {
			return fault.New(fault.Invalid, "database-read", "只读副本须是 PostgreSQL 的流复制备库，主库也须是 PostgreSQL")
		}
		at.postgres.ConnectTimeout = watchReplicaTimeout
		pool, err := at.connect(existing)
		if err != nil {
			return err
		}
		limitConnections(pool, cfg.MaxConnections)
		db, err := openGorm(at, pool, s.now)
		if err != nil {
			return errors.Join(err, pool.Close())
		}
		r := &replica{pool: pool, host: net.JoinHostPort(at.postgres.Host, strconv.Itoa(int(at.postgres.Port))), reader: &Store{db: db, pool: pool, dialect: s.dialect, now: s.now}}
		r.state.Store(&replicaState{})
		s.replicas = append(s.replicas, r)
	}
	if s.readLag = cfg.ReadLag; s.readLag <= 0 {
		s.readLag = defaultReadLag
	}
	return nil
}

// read runs a page's or a report's look at the database: at a replica where the
// context lets it and one is far enough, else at the primary; again at the primary
// when the replica fails. work uses nothing but the store that it is given.
func read[T any](ctx context.Context, s *Store, work func(*Store) (T, error)) (T, error) {
	after, allowed := ctx.Value(readingKey{}).(Position)
	if !allowed || len(s.replicas) == 0 {
		return work(s)
	}
	r := s.chooseReplica(ctx, after)
	if r == nil {
		return work(s)
	}
	found, err := work(r.reader)
	if err == nil || ctx.Err() != nil {
		return found, err
	}
	if errors.Is(err, fault.Unavailable) {
		r.state.Store(&replicaState{at: s.now().Add(awayFor)})
	}
	return work(s)
}

// chooseReplica gives a replica that shows a position and is not far behind; nil for
// none.
func (s *Store) chooseReplica(ctx context.Context, after Position) *replica {
	want, err := after.number()
	if err != nil || after == nowhere {
		return nil
	}
	first := int(s.nextReplica.Add(1))
	for i := range s.replicas {
		r := s.replicas[(first+i)%len(s.replicas)]
		if r.shows(ctx, s, want) {
			return r
		}
	}
	return nil
}

// shows says whether a replica has applied a position, and all that is older than
// the lag allowed. Who comes while another looks takes what was seen before.
func (r *replica) shows(ctx context.Context, s *Store, want uint64) bool {
	state := r.state.Load()
	old := s.now().Sub(state.at) >= watchReplicaEvery
	if old || state.usable && state.applied < want {
		if r.looking.TryLock() {
			state = r.look(ctx, s, state)
			r.looking.Unlock()
		}
	}
	if !state.usable || !state.known || state.applied < want || s.now().Sub(state.at) > s.readLag {
		return false
	}
	return len(state.waiting) == 0 || s.now().Sub(state.waiting[0].at) <= s.readLag
}

// look sees how far the primary and a replica are.
func (r *replica) look(ctx context.Context, s *Store, before *replicaState) *replicaState {
	ctx, stop := context.WithTimeout(ctx, watchReplicaTimeout)
	defer stop()
	next := &replicaState{at: s.now(), known: before.known, waiting: before.waiting}
	written, applied, err := r.positions(ctx, s)
	if err != nil {
		// Away, or the primary is: then the look at it says so.
		next.at, next.waiting, next.known = s.now().Add(awayFor), nil, false
		r.state.Store(next)
		return next
	}
	next.usable, next.applied = true, applied
	if len(next.waiting) < mostSamples {
		next.waiting = append(next.waiting[:len(next.waiting):len(next.waiting)], sample{written, next.at})
	}
	for len(next.waiting) > 0 && next.waiting[0].position <= applied {
		next.waiting, next.known = next.waiting[1:], true
	}
	r.state.Store(next)
	return next
}

// positions gives how far the primary had written, and then how far the replica has
// applied.
func (r *replica) positions(ctx context.Context, s *Store) (written, applied uint64, err error) {
	primary, err := s.Position(ctx)
	if err != nil {
		return 0, 0, err
	}
	if written, err = primary.number(); err != nil {
		return 0, 0, err
	}
	var follows bool
	var at Position
	const statement = "SELECT pg_is_in_recovery(), COALESCE(pg_last_wal_replay_lsn()::text, '')"
	if err := r.pool.QueryRowContext(ctx, statement).Scan(&follows, &at); err != nil {
		return 0, 0, fmt.Errorf("ask a replica how far it is: %w", err)
	}
	if !follows {
		return 0, 0, errors.New("a database that is set as a replica follows nobody")
	}
	applied, err = at.number()
	return written, applied, err
}

// Replica (只读副本) is how a replica is doing.
type Replica struct {
	// Host is where it is, without name and password.
	Host string
	// Usable says that pages are read from it.
	Usable bool
	// Lag is how far it is behind at most.
	Lag time.Duration
}

// Replicas says how the replicas are doing, by a look at each.
func (s *Store) Replicas(ctx context.Context) []Replica {
	out := make([]Replica, len(s.replicas))
	for i, r := range s.replicas {
		r.looking.Lock()
		state := r.look(ctx, s, r.state.Load())
		r.looking.Unlock()
		out[i] = Replica{Host: r.host, Usable: r.shows(ctx, s, 0)}
		if len(state.waiting) > 0 {
			out[i].Lag = s.now().Sub(state.waiting[0].at)
		}
	}
	return out
}

// closeReplicas gives up the connections to them.
func (s *Store) closeReplicas() error {
	var failed []error
	for _, r := range s.replicas {
		failed = append(failed, r.pool.Close())
	}
	return errors.Join(failed...)
}
