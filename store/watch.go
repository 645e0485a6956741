package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// lookEvery is how often the counters are looked at: the net under notifications,
// and all there is without them.
const lookEvery = time.Second

const (
	// listenProbe is how long a silent connection is listened to before it is asked
	// whether it is still there.
	listenProbe = 15 * time.Second
	// listenAgain is the pause before a lost connection is made anew.
	listenAgain = time.Second
)

// noticeChannel is what the triggers notify.
const noticeChannel = "mianti_notices"

// listening says how notifications are got: by a connection of its own, or, for nil,
// not at all.
type listening struct {
	address  address
	postgres *pgx.ConnConfig
	every    time.Duration // lookEvery
}

// listeningAt gives how to listen for changes of the database at an address. A pooler
// would take LISTEN without an error and never pass a notification on.
func listeningAt(at address, direct string) (listening, error) {
	l := listening{address: at, every: lookEvery}
	switch {
	case at.dialect != dialectPostgres:
		return l, nil
	case direct != "":
		past, err := parseAddress(direct)
		if err != nil || past.dialect != dialectPostgres {
			return l, errors.Join(err, invalidAddress("直连地址应为 postgres://用户:密码@主机/库名"))
		}
		l.postgres = past.postgres
	case at.preparesStatements():
		l.postgres = at.postgres
	}
	return l, nil
}

// Watch keeps the memory of the store true until ctx ends: what any other process
// changes is known here within two seconds, and mostly at once. While it does not run,
// every answer is asked of the database. It ends with ctx alone: what fails is tried
// again, and memory that cannot be vouched for is not used meanwhile.
func (s *Store) Watch(ctx context.Context) error {
	// A connection of its own, so that those who are waiting for one do not keep it
	// from looking.
	pool, err := s.listen.address.connect(existing)
	if err != nil {
		return err
	}
	pool.SetMaxOpenConns(1)
	told := make(chan struct{}, 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.listen.run(ctx, told)
	}()
	s.watch(ctx, pool, told)
	<-ended
	if err := pool.Close(); err != nil {
		return fmt.Errorf("close what watches the database: %w", err)
	}
	return nil
}

func (s *Store) watch(ctx context.Context, pool *sql.DB, told <-chan struct{}) {
	tick := time.NewTicker(s.listen.every)
	defer tick.Stop()
	s.notices.watching.Store(true)
	defer s.notices.watching.Store(false)
	for {
		s.notices.lookAgain(ctx, pool)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-told:
		}
	}
}

// lookAgain looks at the counters. One that fails is made up for by whoever needs an
// answer next.
func (n *notices) lookAgain(ctx context.Context, pool *sql.DB) {
	ctx, stop := context.WithTimeout(ctx, memoryLife)
	defer stop()
	select {
	case n.looking <- struct{}{}:
		defer func() { <-n.looking }()
		_, _ = n.look(ctx, pool)
	case <-ctx.Done():
	}
}

// run tells of every notification until ctx ends.
func (l *listening) run(ctx context.Context, told chan<- struct{}) {
	if l.postgres == nil {
		return
	}
	for ctx.Err() == nil {
		l.listen(ctx, told)
		select {
		case <-ctx.Done():
		case <-time.After(listenAgain):
		}
	}
}

// listen tells of every notification until the connection is lost.
func (l *listening) listen(ctx context.Context, told chan<- struct{}) {
	conn, err := pgx.ConnectConfig(ctx, l.postgres.Copy())
	if err != nil {
		return
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, "LISTEN "+noticeChannel); err != nil {
		return
	}
	for {
		select {
		case told <- struct{}{}: // at first for what has changed before it listened
		default: // somebody is about to look
		}
		if !l.wait(ctx, conn) {
			return
		}
	}
}

// wait waits for the next notification; false when the connection is lost.
func (l *listening) wait(ctx context.Context, conn *pgx.Conn) bool {
	for {
		waiting, stop := context.WithTimeout(ctx, listenProbe)
		_, err := conn.WaitForNotification(waiting)
		stop()
		if err == nil {
			return true
		}
		if ctx.Err() != nil || waiting.Err() == nil {
			return false
		}
		probing, stop := context.WithTimeout(ctx, listenProbe)
		err = conn.Ping(probing)
		stop()
		if err != nil {
			return false
		}
	}
}
