package store

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
)

// credentialRow is a credential of a system (凭据).
type credentialRow struct {
	ID        string     `gorm:"column:id;primaryKey"`
	System    string     `gorm:"column:system"`
	Kind      string     `gorm:"column:kind"`
	KeyID     string     `gorm:"column:key_id"`
	Content   string     `gorm:"column:content"` // digest of a secret, or a public key
	NotBefore Timestamp  `gorm:"column:not_before"`
	NotAfter  *Timestamp `gorm:"column:not_after"`
	Revoked   *Timestamp `gorm:"column:revoked_at"`
	Created   Timestamp  `gorm:"column:created_at"`
	CreatedBy string     `gorm:"column:created_by"`
}

// TableName names the table.
func (credentialRow) TableName() string { return "system_credentials" }

func credentialThings() things { return things{code: "credential", name: "凭据"} }

// Rotate adds credentials to a system, and lets the others end. It is a
// fault.Conflict when the system has ended, when it has a key of that id
// already, or when it would have too many that are good at once.
func (s *Store) Rotate(ctx context.Context, r exchange.Rotation) error {
	return s.transact(ctx, func(tx *gorm.DB) error {
		system, err := s.lockSystem(ctx, tx, r.System)
		if err != nil {
			return err
		}
		if system.Disabled {
			return fault.New(fault.Conflict, "system-revoked", "系统已经停用。")
		}
		if err := s.checkRoom(ctx, tx, r); err != nil {
			return err
		}
		if !r.EndOthers.IsZero() {
			end := At(r.EndOthers)
			_, err := table[credentialRow](tx).Where("system = ? AND revoked_at IS NULL AND (not_after IS NULL OR not_after > ?)", r.System, end).
				Update(ctx, "not_after", end)
			if err != nil {
				return translate(err, "end the other credentials", credentialThings())
			}
		}
		if err := s.addCredentials(ctx, tx, r.System, r.Add); err != nil {
			return err
		}
		return s.appendEntries(ctx, tx, r.Entries)
	})
}

// checkRoom looks at what the system has that has not ended.
func (s *Store) checkRoom(ctx context.Context, tx *gorm.DB, r exchange.Rotation) error {
	rows, err := table[credentialRow](tx).
		Where("system = ? AND revoked_at IS NULL AND (not_after IS NULL OR not_after > ?)", r.System, At(s.now())).Find(ctx)
	if err != nil {
		return translate(err, "read the credentials of a system", credentialThings())
	}
	if len(rows)+len(r.Add) > exchange.MaxCredentials {
		return fault.New(fault.Conflict, "too-many-credentials", "一个系统最多同时有 %d 个有效的凭据，请先停用不再使用的。", exchange.MaxCredentials)
	}
	for _, row := range rows {
		for _, c := range r.Add {
			if c.Kind == exchange.CredentialJWK && row.Kind == string(c.Kind) && row.KeyID == c.KeyID {
				return fault.New(fault.Conflict, "key-exists", "系统已有编号（kid）相同的公钥，请换一个新的密钥。")
			}
		}
	}
	return nil
}

// RevokeCredential ends one credential of a system at once. To end one that was
// revoked is a fault.Conflict.
func (s *Store) RevokeCredential(ctx context.Context, system, id string, e ledger.Entry) error {
	return s.transact(ctx, func(tx *gorm.DB) error {
		if _, err := s.lockSystem(ctx, tx, system); err != nil {
			return err
		}
		row, err := table[credentialRow](tx).Where("system = ? AND id = ?", system, id).Take(ctx)
		if err != nil {
			return translate(err, "read a credential", credentialThings())
		}
		if row.Revoked != nil {
			return fault.New(fault.Conflict, "credential-revoked", "这个凭据已经停用。")
		}
		if _, err := table[credentialRow](tx).Where("id = ?", id).Update(ctx, "revoked_at", At(s.now())); err != nil {
			return translate(err, "revoke a credential", credentialThings())
		}
		return s.appendEntries(ctx, tx, []ledger.Entry{e})
	})
}

// revokeCredentials ends all credentials of a system.
func (s *Store) revokeCredentials(ctx context.Context, tx *gorm.DB, system string) error {
	_, err := table[credentialRow](tx).Where("system = ? AND revoked_at IS NULL", system).
		Set(ctx, clause.Assignments(map[string]any{"revoked_at": At(s.now())}))
	return translate(err, "revoke the credentials of a system", credentialThings())
}

func (s *Store) addCredentials(ctx context.Context, tx *gorm.DB, system string, added []exchange.Credential) error {
	if len(added) == 0 {
		return nil
	}
	rows := make([]credentialRow, len(added))
	for i, c := range added {
		rows[i] = credentialRow{
			ID: c.ID, System: system, Kind: string(c.Kind), KeyID: c.KeyID, Content: c.Content,
			NotBefore: At(c.NotBefore), NotAfter: momentOrNull(c.NotAfter), Revoked: momentOrNull(c.RevokedAt),
			Created: At(c.CreatedAt), CreatedBy: c.CreatedBy,
		}
	}
	return translate(table[credentialRow](tx).CreateInBatches(ctx, &rows, entryBatch), "add credentials", credentialThings())
}

func (r credentialRow) credential() exchange.Credential {
	return exchange.Credential{
		ID: r.ID, Kind: exchange.CredentialKind(r.Kind), KeyID: r.KeyID, Content: r.Content,
		NotBefore: r.NotBefore.Time(), NotAfter: momentOf(r.NotAfter), RevokedAt: momentOf(r.Revoked),
		CreatedAt: r.Created.Time(), CreatedBy: r.CreatedBy,
	}
}

func momentOrNull(t time.Time) *Timestamp {
	if t.IsZero() {
		return nil
	}
	at := At(t)
	return &at
}

func momentOf(t *Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.Time()
}
