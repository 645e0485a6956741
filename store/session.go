package store

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"mianti/ledger"
)

// sessionRow is a session of somebody who signs in (会话). Its token is a digest
// of the one in the cookie.
type sessionRow struct {
	Token   string    `gorm:"column:token;primaryKey"`
	Data    string    `gorm:"column:data"`
	Seen    Timestamp `gorm:"column:seen_at"`
	Expires Timestamp `gorm:"column:expires_at"`
	Ended   bool      `gorm:"column:ended"` // it stays, so that nothing brings it back
}

// TableName names the table.
func (sessionRow) TableName() string { return "sessions" }

// Sessions keeps sessions as the session library asks for them (scs.CtxStore).
type Sessions struct {
	store *Store
}

// Sessions gives the sessions of this database.
func (s *Store) Sessions() *Sessions { return &Sessions{s} }

// FindCtx gives what a session holds, unless it has ended or expired.
func (s *Sessions) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	row, err := s.live(s.store.db, token).Take(ctx)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, translate(err, "read a session", things{})
	}
	return []byte(row.Data), true, nil
}

func (s *Sessions) live(db *gorm.DB, token string) tableOf[sessionRow] {
	return table[sessionRow](db).Where("token = ? AND NOT ended AND expires_at > ?", token, At(s.store.now()))
}

// CommitCtx stores what a session holds. A session that has ended stays so.
func (s *Sessions) CommitCtx(ctx context.Context, token string, data []byte, expires time.Time) error {
	const upsert = `INSERT INTO sessions (token, data, seen_at, expires_at, ended) VALUES (?, ?, ?, ?, FALSE)
		ON CONFLICT (token) DO UPDATE SET data = excluded.data, expires_at = excluded.expires_at WHERE NOT sessions.ended`
	err := s.store.db.WithContext(ctx).Exec(upsert, token, string(data), At(s.store.now()), At(expires)).Error
	return translate(err, "store a session", things{})
}

// DeleteCtx ends a session, if there is one.
func (s *Sessions) DeleteCtx(ctx context.Context, token string) error {
	_, err := s.End(ctx, token)
	return err
}

// LastUse gives when a session was last used; the zero time when there is none.
func (s *Sessions) LastUse(ctx context.Context, token string) (time.Time, error) {
	row, err := s.live(s.store.db, token).Select("seen_at").Take(ctx)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return time.Time{}, nil
	}
	return row.Seen.Time(), translate(err, "read a session", things{})
}

// Touch remembers that a session was used. It changes nothing else of it.
func (s *Sessions) Touch(ctx context.Context, token string, at time.Time) error {
	_, err := s.live(s.store.db, token).Update(ctx, "seen_at", At(at))
	return translate(err, "touch a session", things{})
}

// End ends a session, together with the entries about that, and reports whether
// it was still there to be ended: of two who end it at once, one does.
func (s *Sessions) End(ctx context.Context, token string, entries ...ledger.Entry) (bool, error) {
	ended := 0
	err := s.store.transact(ctx, func(tx *gorm.DB) error {
		var err error
		if ended, err = s.live(tx, token).Select("data", "ended").Updates(ctx, sessionRow{Ended: true}); err != nil {
			return translate(err, "end a session", things{})
		}
		if ended == 0 {
			return nil
		}
		return s.store.appendEntries(ctx, tx, entries)
	})
	return ended == 1, err
}

// PurgeSessions drops the sessions that expired before a time, and gives how
// many.
func (s *Store) PurgeSessions(ctx context.Context, before time.Time) (int, error) {
	n, err := table[sessionRow](s.db).Where("expires_at < ?", At(before)).Delete(ctx)
	return n, translate(err, "drop expired sessions", things{})
}

// The three methods without a context are never called: the library prefers the
// others. They are what scs.Store asks for.

// Find is FindCtx without a context.
func (s *Sessions) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

// Commit is CommitCtx without a context.
func (s *Sessions) Commit(token string, data []byte, expires time.Time) error {
	return s.CommitCtx(context.Background(), token, data, expires)
}

// Delete is DeleteCtx without a context.
func (s *Sessions) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }
