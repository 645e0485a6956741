// Package store keeps the exchange's state in a database. It is the only
// package that knows GORM, and it speaks two dialects: SQLite in one file, for
// a first run, and PostgreSQL, which production runs.
//
// Its rows are its own: it converts them to and from the types of the packages
// that use it. Errors carry a kind of package fault where the caller can act
// on it; everything else is internal. No error and no log line of this package
// holds a stored value.
package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"mianti/keyring"
	"mianti/policies"
	"mianti/safeguard"
)

// Config says which database to use.
type Config struct {
	// URL is "sqlite:PATH" or "postgres://…". It may hold a password.
	URL string
	// Direct is a PostgreSQL address that leads past a pooler, for notifications;
	// empty for the URL's own. Behind a pooler without it there are none, and changes
	// are found by looking (Watch).
	Direct string
	// Now is the clock. It MUST be set.
	Now func() time.Time
	// MaxConnections bounds the open connections; 0 means 16.
	MaxConnections int
	// Bounded has the server end statements that take too long, wait too long for a lock,
	// or leave a transaction idle. It is for a program that answers requests, not for one
	// that works through a whole database.
	Bounded bool
	// Read are the URLs of streaming replicas, from which pages and reports are read; see
	// ReadingAfter. ReadLag is how far one may be behind; 0 means 10 s.
	Read    []string
	ReadLag time.Duration
	// Safeguard are the rules by which uses are counted; nil means the defaults.
	Safeguard *safeguard.Rules
	// Keys wraps the keys of cases; nil for a program that reads nothing of what is
	// kept of them, or calls Unlock. Cipher encrypts what is new; empty means AES-256-GCM.
	Keys   keyring.Wrapper
	Cipher keyring.Cipher
	// Alarmed is told of each new alarm, once it is stored; nil for nobody.
	Alarmed func(ctx context.Context, a safeguard.Alarm)
	// Observe is told of the commits that resolutions wait for; nil for nobody. It
	// returns at once.
	Observe func(Committed)
}

const (
	defaultMaxConnections = 16
	// connectionLifetime lets a pool follow a database that moved to another host.
	connectionLifetime = 30 * time.Minute
)

// Store is an open database. It is safe for concurrent use.
type Store struct {
	db      *gorm.DB
	pool    *sql.DB
	dialect dialect
	now     func() time.Time
	rules   safeguard.Rules
	alarmed func(context.Context, safeguard.Alarm)
	observe func(Committed)
	keys    keyring.Wrapper // nil for none
	// destroyed says that something was, since the files were last cleaned of it.
	destroyed atomic.Bool
	cipher    keyring.Cipher
	packer    *packer
	sealed    *sealedPacker
	committer *committer
	// writing is held by the one transaction that writes to SQLite; see transact.
	writing chan struct{}
	// replicas are what pages may be read from, in turn; see read.
	replicas    []*replica
	readLag     time.Duration
	nextReplica atomic.Uint32
	notices     *notices
	caseQueries caseQueries
	known       known
	// grantSets are those that were read for replays, by digest.
	grantSets *recent[string, []policies.Grant]
	listen    listening
	abandoned abandonedKeys
}

// Open connects to the database and checks that its schema is the one that
// this program was made for; see Migrate. It never changes the schema.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.Now == nil {
		return nil, errors.New("open store: Config.Now is not set")
	}
	at, err := parseAddress(cfg.URL)
	if err != nil {
		return nil, err
	}
	listen, err := listeningAt(at, cfg.Direct)
	if err != nil {
		return nil, err
	}
	s, err := openAt(ctx, at, cfg)
	if err != nil {
		return nil, err
	}
	if err := s.openReplicas(cfg); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.rules, s.alarmed, s.observe, s.listen = safeguard.Defaults(), cfg.Alarmed, cfg.Observe, listen
	if cfg.Safeguard != nil {
		s.rules = *cfg.Safeguard
	}
	if cfg.Keys == nil {
		return s, nil
	}
	if err := s.Unlock(ctx, cfg.Keys, cfg.Cipher); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// openAt opens the database at an address; with bounds, if they are wanted and a pooler
// in front takes them.
func openAt(ctx context.Context, at address, cfg Config) (*Store, error) {
	bounded := at
	if cfg.Bounded {
		bounded = at.bounded()
	}
	pool, err := bounded.connect(existing)
	if err != nil {
		return nil, err
	}
	limitConnections(pool, cfg.MaxConnections)
	s, err := newStore(ctx, at, pool, cfg.Now)
	if err == nil {
		return s, nil
	}
	err = errors.Join(err, pool.Close())
	if cfg.Bounded && takesNoBounds(err) {
		cfg.Bounded = false
		return openAt(ctx, at, cfg)
	}
	return nil, err
}

// Unlock gives an open store the key-encryption key, when it could not come with
// the Config, and empty for the cipher means AES-256-GCM. It MUST be called before
// the store is used for anything else, and refuses a key without which something of
// what is stored cannot be read.
func (s *Store) Unlock(ctx context.Context, keys keyring.Wrapper, cipher keyring.Cipher) error {
	s.keys, s.cipher = keys, cmp.Or(cipher, keyring.AES256GCM)
	return s.checkKeys(ctx)
}

func newStore(ctx context.Context, at address, pool *sql.DB, now func() time.Time) (*Store, error) {
	if err := checkSchema(ctx, at, pool); err != nil {
		return nil, err
	}
	db, err := openGorm(at, pool, now)
	if err != nil {
		return nil, err
	}
	packer, err := newPacker()
	if err != nil {
		return nil, err
	}
	sealed, err := newSealedPacker()
	if err != nil {
		return nil, err
	}
	s := &Store{db: db, pool: pool, packer: packer, sealed: sealed, dialect: at.dialect, now: now, writing: make(chan struct{}, 1), caseQueries: newCaseQueries(at.dialect)}
	s.committer = &committer{run: s.storeRound}
	if s.notices, err = newNotices(db, at.dialect, now); err != nil {
		return nil, err
	}
	s.known = newKnown(s.notices)
	s.grantSets = newRecent[string, []policies.Grant](heldGrants)
	return s, nil
}

func openGorm(at address, pool *sql.DB, now func() time.Time) (*gorm.DB, error) {
	db, err := gorm.Open(at.dialector(pool), &gorm.Config{
		TranslateError:         true,
		SkipDefaultTransaction: true, // every use case names its own
		PrepareStmt:            at.preparesStatements(),
		DisableAutomaticPing:   true,
		// Columns are named, never *: PostgreSQL refuses to run a prepared SELECT * once
		// a later program has added a column to the table.
		QueryFields: true,
		// Errors are returned, never logged here as well; statements hold
		// personal data and are not logged at all.
		Logger:  logger.Discard,
		NowFunc: func() time.Time { return now().UTC() },
	})
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	return db, nil
}

func limitConnections(pool *sql.DB, limit int) {
	if limit <= 0 {
		limit = defaultMaxConnections
	}
	pool.SetMaxOpenConns(limit)
	// Idle connections are kept: on SQLite, opening one runs all its pragmas.
	pool.SetMaxIdleConns(limit)
	pool.SetConnMaxLifetime(connectionLifetime)
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	return translate(s.pool.PingContext(ctx), "ping the database", things{})
}

// Close waits for running statements and closes all connections.
func (s *Store) Close() error {
	if err := errors.Join(s.closeReplicas(), s.pool.Close()); err != nil {
		return fmt.Errorf("close store: %w", err)
	}
	return nil
}

// transact runs work in one transaction: all of it is stored, or nothing.
// On SQLite it holds the write lock from the start. An error of work comes
// back as it is. It is never called within work.
func (s *Store) transact(ctx context.Context, work func(tx *gorm.DB) error) error {
	if s.dialect == dialectSQLite {
		// SQLite lets whoever finds it locked sleep and look again, longer each time.
		// Those of this process wait for each other here instead, in their order.
		select {
		case s.writing <- struct{}{}:
			defer func() { <-s.writing }()
		case <-ctx.Done():
			return translate(ctx.Err(), "wait to write", things{})
		}
	}
	marks := s.notices.marks.Load()
	defer func() { s.notices.ended(marks) }()
	var workErr error
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		workErr = work(tx)
		return workErr
	})
	if workErr != nil {
		return workErr
	}
	return translate(err, "run a transaction", things{})
}

// lockTable makes other transactions that call it for this table wait until tx
// ends. SQLite has one writer at a time anyway.
func (s *Store) lockTable(tx *gorm.DB, table string) error {
	if s.dialect != dialectPostgres {
		return nil
	}
	return tx.Exec("LOCK TABLE " + table + " IN SHARE ROW EXCLUSIVE MODE").Error
}
