package store

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
)

type systemRow struct {
	ID         string    `gorm:"column:id;primaryKey"`
	Department string    `gorm:"column:department"`
	Name       string    `gorm:"column:name"`
	Requires   string    `gorm:"column:requires"`
	Disabled   bool      `gorm:"column:disabled"`
	Created    Timestamp `gorm:"column:created_at"`
}

// TableName names the table.
func (systemRow) TableName() string { return "systems" }

func systems() things { return things{code: "system", name: "接入系统"} }

// maxSystems bounds the list of systems.
const maxSystems = 1000

// SaveSystem registers a system without an entry, in a database that is being
// made up for a trial; see RegisterSystem for the act.
func (s *Store) SaveSystem(ctx context.Context, system exchange.System) error {
	return s.register(ctx, system, nil)
}

// RegisterSystem registers a system, or replaces everything of a registered one
// but its ID and the moment it was registered: the credentials that it had are
// revoked. A zero CreatedAt means now.
func (s *Store) RegisterSystem(ctx context.Context, system exchange.System, e ledger.Entry) error {
	return s.register(ctx, system, []ledger.Entry{e})
}

func (s *Store) register(ctx context.Context, system exchange.System, entries []ledger.Entry) error {
	if system.CreatedAt.IsZero() {
		system.CreatedAt = s.now()
	}
	row := systemRow{
		ID: system.ID, Department: system.Department, Name: system.Name, Requires: string(system.Requires),
		Disabled: system.Disabled, Created: At(system.CreatedAt),
	}
	replace := clause.OnConflict{
		Columns:   []clause.Column{{Name: "id"}},
		DoUpdates: clause.AssignmentColumns([]string{"department", "name", "requires", "disabled"}),
	}
	return s.transact(ctx, func(tx *gorm.DB) error {
		if err := table[systemRow](tx, replace).Create(ctx, &row); err != nil {
			return translate(err, "save a system", systems())
		}
		if err := s.revokeCredentials(ctx, tx, system.ID); err != nil {
			return err
		}
		if err := s.addCredentials(ctx, tx, system.ID, system.Credentials); err != nil {
			return err
		}
		return s.appendEntries(ctx, tx, entries)
	})
}

// System gives a registered system with its credentials, a disabled one too, or
// fault.NotFound.
func (s *Store) System(ctx context.Context, id string) (*exchange.System, error) {
	const doing = "read a system"
	row, err := table[systemRow](s.db).Where("id = ?", id).Take(ctx)
	if err != nil {
		return nil, translate(err, doing, systems())
	}
	credentials, err := table[credentialRow](s.db).Where("system = ?", id).Order("created_at, id").Find(ctx)
	if err != nil {
		return nil, translate(err, doing, systems())
	}
	system := row.system(credentials)
	return &system, nil
}

// Systems gives all registered systems with their credentials.
func (s *Store) Systems(ctx context.Context) ([]exchange.System, error) {
	const doing = "list the systems"
	rows, err := table[systemRow](s.db).Order("id").Limit(maxSystems).Find(ctx)
	if err != nil {
		return nil, translate(err, doing, things{})
	}
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	credentials, err := table[credentialRow](s.db).Where("system IN ?", ids).Order("created_at, id").Find(ctx)
	if err != nil {
		return nil, translate(err, doing, things{})
	}
	of := map[string][]credentialRow{}
	for _, c := range credentials {
		of[c.System] = append(of[c.System], c)
	}
	list := make([]exchange.System, len(rows))
	for i, row := range rows {
		list[i] = row.system(of[row.ID])
	}
	return list, nil
}

// RevokeSystem ends a system and all of its credentials. To end one that has
// ended is a fault.Conflict.
func (s *Store) RevokeSystem(ctx context.Context, id string, e ledger.Entry) error {
	return s.transact(ctx, func(tx *gorm.DB) error {
		row, err := s.lockSystem(ctx, tx, id)
		if err != nil {
			return err
		}
		if row.Disabled {
			return fault.New(fault.Conflict, "system-revoked", "系统已经停用。")
		}
		if _, err := table[systemRow](tx).Where("id = ?", id).Update(ctx, "disabled", true); err != nil {
			return translate(err, "revoke a system", systems())
		}
		if err := s.revokeCredentials(ctx, tx, id); err != nil {
			return err
		}
		return s.appendEntries(ctx, tx, []ledger.Entry{e})
	})
}

// lockSystem reads a system and makes other changes of it wait until tx ends.
// SQLite has one writer at a time anyway.
func (s *Store) lockSystem(ctx context.Context, tx *gorm.DB, id string) (*systemRow, error) {
	var lock []clause.Expression
	if s.dialect == dialectPostgres {
		lock = append(lock, clause.Locking{Strength: "UPDATE"})
	}
	row, err := table[systemRow](tx, lock...).Where("id = ?", id).Take(ctx)
	if err != nil {
		return nil, translate(err, "lock a system", systems())
	}
	return &row, nil
}

func (r systemRow) system(credentials []credentialRow) exchange.System {
	out := exchange.System{
		ID: r.ID, Department: r.Department, Name: r.Name, Requires: exchange.Binding(r.Requires),
		Disabled: r.Disabled, CreatedAt: r.Created.Time(),
	}
	for _, c := range credentials {
		out.Credentials = append(out.Credentials, c.credential())
	}
	return out
}

// SystemsOf gives the ids of the systems of a department that are in use.
func (s *Store) SystemsOf(ctx context.Context, department string) ([]string, error) {
	rows, err := table[systemRow](s.db).Select("id").Where("department = ? AND NOT disabled", department).Order("id").Find(ctx)
	if err != nil {
		return nil, translate(err, "list the systems of a department", things{})
	}
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	return ids, nil
}
