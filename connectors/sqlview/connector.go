// Package sqlview asks departments that let the exchange read a view in their
// database (库表交换): PostgreSQL and what speaks its protocol, MySQL and
// MariaDB.
//
// Only the columns that are needed are read, of the rows whose number is the
// subject's:
//
//	SELECT "姓名", "证号", "有效期止" FROM "share"."v_card" WHERE "证号" = $1 LIMIT 101
//
// The names are those of the catalog, quoted, so that they count in the
// spelling that they have there; the number is bound, never part of the text. It
// is read in a transaction that can write nothing, under a limit that the
// server keeps by itself when the exchange is gone.
package sqlview

import (
	"context"
	"sync"
	"time"

	"mianti/catalog"
	"mianti/connectors"
)

// Kind is the name of this connector in a catalog's sources.
const Kind = catalog.SourceSQLView

// Options are the settings of a Connector.
type Options struct {
	// Secrets gives the passwords and certificates.
	Secrets connectors.Secrets
	Now     func() time.Time
}

// Connector keeps the contract of connectors.Connector. It has a small pool of
// connections for each source, and is safe for use by many goroutines.
type Connector struct {
	secrets connectors.Secrets
	now     func() time.Time

	mu    sync.Mutex
	pools map[string]*pool // by code of the source
}

// New returns a Connector. It connects to nothing before it is asked.
func New(o Options) *Connector {
	return &Connector{secrets: o.Secrets, now: o.Now, pools: map[string]*pool{}}
}

// Close closes all connections; those in use when their question is answered.
// The Connector can be used on.
func (c *Connector) Close() {
	c.mu.Lock()
	all := c.pools
	c.pools = map[string]*pool{}
	var idle []*pool
	for _, p := range all {
		if p.retire() {
			idle = append(idle, p)
		}
	}
	c.mu.Unlock()
	closeAll(idle)
}

// Ask puts the question to the source.
func (c *Connector) Ask(ctx context.Context, q connectors.Query) (connectors.Reply, error) {
	s, err := c.settings(&q)
	if err != nil {
		return connectors.Reply{}, err
	}
	wanted, err := newSelection(&q)
	if err != nil {
		return connectors.Reply{}, err
	}
	p, err := c.take(q.Source.Code, s)
	if err != nil {
		return connectors.Reply{}, err
	}
	defer c.release(p)
	return c.ask(ctx, p, wanted)
}

// ask waits for one of the source's connections and reads.
func (c *Connector) ask(ctx context.Context, p *pool, wanted *selection) (connectors.Reply, error) {
	ctx, limit, cancel := c.within(ctx, wanted.query.Source.TimeoutMillis)
	defer cancel()
	if err := p.enter(ctx); err != nil {
		return connectors.Reply{}, err
	}
	defer p.leave()
	r := reading{pool: p, wanted: wanted, limit: limit, now: c.now()}
	reply, err := r.run(ctx)
	if err != nil {
		return connectors.Reply{}, r.fault(ctx, err)
	}
	return reply, nil
}

const (
	// longest bounds a call that has no deadline, and what a server is told.
	longest = time.Minute
	// grace is what is kept of the deadline to end a statement in.
	grace = 50 * time.Millisecond
)

// within shortens ctx to the source's own limit and to what is needed to end a
// statement in time. It gives the limit for the server too, which is a second
// guard: ctx ends the call whatever the clock says.
func (c *Connector) within(ctx context.Context, millis int) (context.Context, time.Duration, context.CancelFunc) {
	allowed := longest
	if millis > 0 {
		allowed = time.Duration(millis) * time.Millisecond
	}
	ctx, cancel := context.WithTimeout(ctx, allowed)
	deadline, _ := ctx.Deadline()
	left := deadline.Sub(c.now())
	if left <= 0 || left > allowed {
		left = allowed
	}
	keep := min(grace, left/4)
	shorter, cancelShorter := context.WithDeadline(ctx, deadline.Add(-keep))
	return shorter, left - keep, func() { cancelShorter(); cancel() }
}
