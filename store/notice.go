package store

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"gorm.io/gorm"
)

// topic is a part of the database of which answers are kept in memory.
type topic string

// The topics, by the names that the triggers give them.
const (
	aboutGrants      topic = "grants"      // by matter
	aboutStops       topic = "stops"       // as a whole
	aboutQuotas      topic = "quotas"      // as a whole
	aboutSystems     topic = "systems"     // by system
	aboutTokens      topic = "tokens"      // by the id of a token
	aboutCatalogs    topic = "catalogs"    // as a whole
	aboutCorrections topic = "corrections" // as a whole
)

// watchedTables are those whose triggers give notice.
func watchedTables() []string {
	return []string{
		"grants", "stops", "quotas", "systems", "system_credentials", "revoked_tokens", "catalog_revisions", "corrected_fields",
	}
}

// noticeRow says when an item of a topic was last changed (变更通知). The row without
// a topic is the counter.
type noticeRow struct {
	Topic  string `gorm:"column:topic;primaryKey"`
	Item   string `gorm:"column:item;primaryKey"`
	Serial int64  `gorm:"column:serial"`
	Tx     int64  `gorm:"column:tx"`
}

// TableName names the table.
func (noticeRow) TableName() string { return "notices" }

// memoryLife is how long memory is believed after the counters were looked at: what
// another node changes is known here within this time, whatever fails meanwhile.
const memoryLife = 2 * time.Second

// notices knows what has changed in the database, and with it how far the memory can
// be believed (docs/decisions/0036-notice-of-changes.md). What this store changes it
// knows at once. What others change it finds in the counters, which triggers keep in
// the transaction of each change: while Watch runs, they are looked at every second
// and at each notification, and memory is believed for memoryLife after a look;
// else they are looked at for each answer.
type notices struct {
	pool    gorm.ConnPool
	dialect dialect
	now     func() time.Time
	// marks counts the statements that changed something here, asked what makes
	// memory doubtful: these statements, and the ends of their transactions.
	marks, asked atomic.Int64
	watching     atomic.Bool
	looking      chan struct{} // held by who looks
	last         atomic.Pointer[look]

	mu     sync.Mutex // of serial, and of what is put into memory
	serial int64
	forget []func(changed map[topic][]string)
}

// look is a look at the counters.
type look struct {
	at     time.Time // when it began
	asked  int64     // what was doubtful then is doubtful no more
	serial int64     // memory holds all changes up to this one
}

// newNotices makes the notices of a store, and has its statements noted.
func newNotices(db *gorm.DB, d dialect, now func() time.Time) (*notices, error) {
	n := &notices{pool: db.Statement.ConnPool, dialect: d, now: now, looking: make(chan struct{}, 1)}
	watched := map[string]bool{}
	for _, table := range watchedTables() {
		watched[table] = true
	}
	mark := func(tx *gorm.DB) {
		if watched[tx.Statement.Table] {
			n.mark()
		}
	}
	const name = "mianti:notice"
	for _, register := range []func(string, func(*gorm.DB)) error{
		db.Callback().Create().Register, db.Callback().Update().Register, db.Callback().Delete().Register,
	} {
		if err := register(name, mark); err != nil {
			return nil, fmt.Errorf("note changes: %w", err)
		}
	}
	return n, nil
}

// mark notes that a statement has changed something that memory may hold.
func (n *notices) mark() {
	n.marks.Add(1)
	n.asked.Add(1)
}

// ended notes the end of a transaction that began when there were so many marks: what
// was looked at before it has not seen what it changed.
func (n *notices) ended(marks int64) {
	if n.marks.Load() != marks {
		n.asked.Add(1)
	}
}

// fresh looks at the counters, if that has to be, and gives the change up to which
// memory is complete.
func (n *notices) fresh(ctx context.Context) (serial int64, err error) {
	asked := n.asked.Load()
	if last := n.last.Load(); n.believable(last, asked) {
		return last.serial, nil
	}
	select {
	case n.looking <- struct{}{}:
		defer func() { <-n.looking }()
	case <-ctx.Done():
		return 0, translate(ctx.Err(), "wait for notices of changes", things{})
	}
	if last := n.last.Load(); n.believable(last, asked) { // somebody else has looked
		return last.serial, nil
	}
	return n.look(ctx, n.pool)
}

func (n *notices) believable(last *look, asked int64) bool {
	return last != nil && last.asked >= asked && n.watching.Load() && n.now().Before(last.at.Add(memoryLife))
}

// look reads the counters over a connection and forgets what has changed. It is
// called by whoever holds n.looking.
func (n *notices) look(ctx context.Context, pool gorm.ConnPool) (int64, error) {
	seen := look{at: n.now(), asked: n.asked.Load()}
	n.mu.Lock()
	before := n.serial
	n.mu.Unlock()
	after := before
	if before == 0 { // nothing is held yet
		after = math.MaxInt64
	}
	rows, err := pool.QueryContext(ctx, n.changesAfter(), after)
	if err != nil {
		return 0, translate(err, "read notices of changes", things{})
	}
	changed := map[topic][]string{}
	for rows.Next() {
		var of, item string
		var serial int64
		if err := rows.Scan(&of, &item, &serial); err != nil {
			return 0, translate(closing(rows, err), "read notices of changes", things{})
		}
		if of == "" {
			seen.serial = serial
			continue
		}
		changed[topic(of)] = append(changed[topic(of)], item)
	}
	if err := closing(rows, rows.Err()); err != nil {
		return 0, translate(err, "read notices of changes", things{})
	}
	n.apply(before, seen.serial, changed)
	n.last.Store(&seen)
	return seen.serial, nil
}

// changesAfter asks for the counter and for what has changed after a serial.
func (n *notices) changesAfter() string {
	parameter := "?"
	if n.dialect == dialectPostgres {
		parameter = "$1"
	}
	return "SELECT topic, item, serial FROM notices WHERE topic = '' UNION ALL SELECT topic, item, serial FROM notices WHERE serial > " + parameter + " AND topic <> ''"
}

// apply forgets what has changed. A database that has gone back, as after it was
// restored, has nothing to do with what is held: all of it is forgotten.
func (n *notices) apply(before, serial int64, changed map[topic][]string) {
	if serial == before {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.serial = serial
	if serial < before || before == 0 {
		changed = nil
	}
	for _, forget := range n.forget {
		forget(changed)
	}
}

// keep puts an answer into memory which was read when memory was complete up to a
// change; not when it has changed since, because then the answer may be older.
func (n *notices) keep(serial int64, put func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.serial == serial {
		put()
	}
}

// memory holds answers of the database about a topic by key, up to a weight, until
// they are changed. Nobody changes what it gives.
type memory[K comparable, V any] struct {
	notices *notices
	held    *recent[K, V]
}

// newMemory makes one. Drop lets go of what is about changed items; nil is for a topic
// that changes as a whole.
func newMemory[K comparable, V any](n *notices, about topic, bound int, drop func(held *recent[K, V], items []string)) *memory[K, V] {
	m := &memory[K, V]{notices: n, held: newRecent[K, V](bound)}
	n.forget = append(n.forget, func(changed map[topic][]string) {
		items, isAbout := changed[about]
		switch {
		case changed == nil, isAbout && drop == nil:
			m.held.remove(func(K, V) bool { return true })
		case isAbout:
			drop(m.held, items)
		}
	})
	return m
}

// byItem is drop for answers whose key is the item.
func byItem[V any](held *recent[string, V], items []string) {
	for _, item := range items {
		held.forget(item)
	}
}

// recall gives the answer to a key: from memory, or from the database by read, which
// gives its weight besides; an answer of the weight 0 is not kept.
func (m *memory[K, V]) recall(ctx context.Context, key K, read func(context.Context) (V, int, error)) (V, error) {
	serial, err := m.notices.fresh(ctx)
	if err != nil {
		var none V
		return none, err
	}
	if known, ok := m.held.get(key); ok {
		return known, nil
	}
	value, weight, err := read(ctx)
	if err == nil && weight > 0 {
		m.notices.keep(serial, func() { m.held.put(key, value, weight) })
	}
	return value, err
}
