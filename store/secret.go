package store

import (
	"context"

	"gorm.io/gorm"

	"mianti/keyring"
)

// secretRow is a secret under a key-encryption key.
type secretRow struct {
	Purpose string    `gorm:"column:purpose;primaryKey"`
	Number  int       `gorm:"column:number;primaryKey"`
	KEK     string    `gorm:"column:kek"`
	Wrapped []byte    `gorm:"column:wrapped"`
	Created Timestamp `gorm:"column:created_at"`
}

// TableName names the table.
func (secretRow) TableName() string { return "secrets" }

func secrets() things { return things{code: "secret", name: "密钥"} }

// SecretsOf gives the secrets of a purpose, newest first.
func (s *Store) SecretsOf(ctx context.Context, p keyring.Purpose) ([]keyring.Stored, error) {
	rows, err := table[secretRow](s.db).Where("purpose = ?", string(p)).Order("number DESC").Find(ctx)
	if err != nil {
		return nil, translate(err, "read secrets", secrets())
	}
	out := make([]keyring.Stored, len(rows))
	for i, row := range rows {
		out[i] = keyring.Stored{
			Purpose: p, Number: row.Number, Created: row.Created.Time(), Wrapped: keyring.Wrapped{KEK: row.KEK, Bytes: row.Wrapped},
		}
	}
	return out, nil
}

// AddSecret adds one; a fault.Conflict when there is one of that number.
func (s *Store) AddSecret(ctx context.Context, secret keyring.Stored) error {
	row := secretRow{
		Purpose: string(secret.Purpose), Number: secret.Number, KEK: secret.Wrapped.KEK, Wrapped: secret.Wrapped.Bytes, Created: At(secret.Created),
	}
	return translate(table[secretRow](s.db).Create(ctx, &row), "add a secret", secrets())
}

// RewrapSecret puts another wrapping in the place of a secret's present one.
func (s *Store) RewrapSecret(ctx context.Context, secret keyring.Stored) error {
	changed := s.db.WithContext(ctx).Model(&secretRow{}).Where("purpose = ? AND number = ?", string(secret.Purpose), secret.Number).
		Updates(map[string]any{"kek": secret.Wrapped.KEK, "wrapped": secret.Wrapped.Bytes})
	if changed.Error == nil && changed.RowsAffected == 0 {
		changed.Error = gorm.ErrRecordNotFound
	}
	return translate(changed.Error, "rewrap a secret", secrets())
}
