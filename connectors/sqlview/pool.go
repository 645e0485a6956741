package sqlview

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"mianti/connectors"
)

const (
	// idleTime is how long a connection is kept that nobody uses.
	idleTime = 5 * time.Minute
	// lifetime makes a source that has moved be found at its new address.
	lifetime = 30 * time.Minute
)

// pool is the connections to one source under one setting.
type pool struct {
	settings settings
	dialect  dialect
	db       *sql.DB
	slots    chan struct{} // one for each connection that may be in use

	// These belong to the Connector and its lock.
	users   int
	used    time.Time
	retired bool
}

func newPool(s settings) (*pool, error) {
	d, err := s.dialect()
	if err != nil {
		return nil, err
	}
	open, err := d.prepare(&s)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(&opener{network: s.network, open: open})
	db.SetMaxOpenConns(s.connections)
	db.SetMaxIdleConns(s.connections)
	db.SetConnMaxIdleTime(idleTime)
	db.SetConnMaxLifetime(lifetime)
	return &pool{settings: s, dialect: d, db: db, slots: make(chan struct{}, s.connections)}, nil
}

// take gives the source's pool, a new one when its settings or its secrets
// have changed, and drops those of sources that nobody asks any more.
func (c *Connector) take(source string, s settings) (*pool, error) {
	c.mu.Lock()
	var idle []*pool
	defer func() { closeAll(idle) }()
	defer c.mu.Unlock()
	now := c.now()
	p := c.pools[source]
	if p == nil || p.settings != s {
		fresh, err := newPool(s)
		if err != nil {
			return nil, err
		}
		if p != nil && p.retire() {
			idle = append(idle, p)
		}
		p = fresh
		c.pools[source] = p
	}
	p.users++
	p.used = now
	for code, other := range c.pools {
		if other.users == 0 && now.Sub(other.used) > idleTime && other.retire() {
			delete(c.pools, code)
			idle = append(idle, other)
		}
	}
	return p, nil
}

// release gives a pool back that take gave.
func (c *Connector) release(p *pool) {
	c.mu.Lock()
	p.users--
	last := p.retired && p.users == 0
	c.mu.Unlock()
	if last {
		closeAll([]*pool{p})
	}
}

// retire marks a pool as one that nobody takes any more, and reports whether it
// can be closed now. If not, its last user closes it. The Connector's lock is
// held.
func (p *pool) retire() bool {
	p.retired = true
	return p.users == 0
}

func closeAll(pools []*pool) {
	for _, p := range pools {
		_ = p.db.Close() // nothing was written: its error says nothing
	}
}

// enter waits for a connection that may be used.
func (p *pool) enter(ctx context.Context) error {
	select {
	case p.slots <- struct{}{}:
		return nil
	default:
	}
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.Canceled) {
			return &connectors.Fault{Kind: connectors.FaultDown, Cause: ctx.Err()}
		}
		return fail(connectors.FaultBusy, "all connections to the source are in use")
	}
}

func (p *pool) leave() { <-p.slots }
