package store

import "time"

// Timestamp is a moment as both dialects keep it: microseconds since 1970 in
// UTC, in a BIGINT column.
//
// A time.Time is never handed to the database. SQLite would keep it as text
// together with its zone, so that moments of two zones sort wrong, and
// PostgreSQL would give it back in the session's zone.
//
// To read an aggregate such as MAX(at), use Row(ctx).Scan: GORM's own Scan
// takes no named integer.
type Timestamp int64

// At gives the timestamp of t; what is finer than a microsecond is cut off.
func At(t time.Time) Timestamp { return Timestamp(t.UnixMicro()) }

// Time gives the moment, in UTC. The zero time survives the way there and back.
func (t Timestamp) Time() time.Time { return time.UnixMicro(int64(t)).UTC() }
