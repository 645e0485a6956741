package store

import (
	"context"
	"time"

	"gorm.io/gorm/clause"
)

// revokedRow is an access token that was revoked before its time.
type revokedRow struct {
	JTI     string    `gorm:"column:jti;primaryKey"`
	Expires Timestamp `gorm:"column:expires_at"`
}

// TableName names the table.
func (revokedRow) TableName() string { return "revoked_tokens" }

// RevokeToken ends the token of that id, which would end by itself at expires.
// To revoke it again changes nothing. It forgets those that have ended.
func (s *Store) RevokeToken(ctx context.Context, jti string, expires time.Time) error {
	limit := At(s.now().Add(-assertionKeep))
	if _, err := table[revokedRow](s.db).Where("expires_at < ?", limit).Delete(ctx); err != nil {
		return translate(err, "forget tokens that have ended", things{})
	}
	row := revokedRow{JTI: jti, Expires: At(expires)}
	err := table[revokedRow](s.db, clause.OnConflict{DoNothing: true}).Create(ctx, &row)
	return translate(err, "revoke a token", things{})
}

// readRevoked looks whether a token was revoked.
func (s *Store) readRevoked(ctx context.Context, jti string) (bool, error) {
	found, err := table[revokedRow](s.db).Where("jti = ?", jti).Limit(1).Find(ctx)
	if err != nil {
		return false, translate(err, "look for a revoked token", things{})
	}
	return len(found) > 0, nil
}
