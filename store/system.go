package store

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"mianti/exchange"
)

type systemRow struct {
	ID         string    `gorm:"column:id;primaryKey"`
	Department string    `gorm:"column:department"`
	Name       string    `gorm:"column:name"`
	SecretHash string    `gorm:"column:secret_hash"`
	JWKS       string    `gorm:"column:jwks"`
	Disabled   bool      `gorm:"column:disabled"`
	Created    Timestamp `gorm:"column:created_at"`
}

// TableName names the table.
func (systemRow) TableName() string { return "systems" }

func systems() things { return things{code: "system", name: "接入系统"} }

// SaveSystem registers a system, or replaces everything of a registered one
// but its ID and the moment it was registered. A zero CreatedAt means now.
func (s *Store) SaveSystem(ctx context.Context, system exchange.System) error {
	if system.CreatedAt.IsZero() {
		system.CreatedAt = s.now()
	}
	row := systemRow{
		ID: system.ID, Department: system.Department, Name: system.Name,
		SecretHash: system.SecretHash, JWKS: system.JWKS, Disabled: system.Disabled,
		Created: At(system.CreatedAt),
	}
	replace := clause.OnConflict{
		Columns:   []clause.Column{{Name: "id"}},
		DoUpdates: clause.AssignmentColumns([]string{"department", "name", "secret_hash", "jwks", "disabled"}),
	}
	err := gorm.G[systemRow](s.db, replace).Create(ctx, &row)
	return translate(err, "save a system", systems())
}

// System gives a registered system, a disabled one too, or fault.NotFound.
func (s *Store) System(ctx context.Context, id string) (*exchange.System, error) {
	row, err := gorm.G[systemRow](s.db).Where("id = ?", id).Take(ctx)
	if err != nil {
		return nil, translate(err, "read a system", systems())
	}
	return &exchange.System{
		ID: row.ID, Department: row.Department, Name: row.Name,
		SecretHash: row.SecretHash, JWKS: row.JWKS, Disabled: row.Disabled,
		CreatedAt: row.Created.Time(),
	}, nil
}

// SystemsOf gives the ids of the systems of a department that are in use.
func (s *Store) SystemsOf(ctx context.Context, department string) ([]string, error) {
	rows, err := gorm.G[systemRow](s.db).Select("id").Where("department = ? AND NOT disabled", department).Order("id").Find(ctx)
	if err != nil {
		return nil, translate(err, "list the systems of a department", things{})
	}
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	return ids, nil
}
