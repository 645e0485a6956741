package store

import (
	"context"
	"errors"
	"slices"

	"gorm.io/gorm"

	"mianti/identity"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// personRow is somebody who signs in (人员).
type personRow struct {
	ID          string    `gorm:"column:id;primaryKey"`
	Kind        string    `gorm:"column:kind"`
	Issuer      string    `gorm:"column:issuer"`
	Subject     string    `gorm:"column:subject"`
	Name        string    `gorm:"column:name"`
	Deactivated bool      `gorm:"column:deactivated"`
	Created     Timestamp `gorm:"column:created_at"`
}

// TableName names the table.
func (personRow) TableName() string { return "persons" }

func people() things { return things{code: "person", name: "人员"} }

// SignIn finds or stores a person, and records that he signed in.
func (s *Store) SignIn(ctx context.Context, p *identity.Person, e ledger.Entry) (*identity.Person, error) {
	var row personRow
	err := s.transact(ctx, func(tx *gorm.DB) error {
		if err := s.lockTable(tx, "persons"); err != nil {
			return translate(err, "lock the persons", things{})
		}
		var err error
		if row, err = s.findOrStore(ctx, tx, p); err != nil {
			return err
		}
		if row.Deactivated {
			return fault.New(fault.Denied, "person-deactivated", "这个账号已停用。请联系本部门管理员。")
		}
		e.Person = row.ID
		return s.appendEntries(ctx, tx, []ledger.Entry{e})
	})
	if err != nil {
		return nil, err
	}
	return s.Person(ctx, row.ID)
}

// findOrStore gives the row of a person, with his present name.
func (s *Store) findOrStore(ctx context.Context, tx *gorm.DB, p *identity.Person) (personRow, error) {
	row, err := table[personRow](tx).Where("kind = ? AND issuer = ? AND subject = ?", p.Kind, p.Issuer, p.Subject).Take(ctx)
	switch {
	case errors.Is(err, gorm.ErrRecordNotFound):
		row = personToRow(p)
		return row, translate(table[personRow](tx).Create(ctx, &row), "store a person", people())
	case err != nil:
		return row, translate(err, "read a person", people())
	case row.Name == p.Name || row.Deactivated:
		return row, nil
	}
	_, err = table[personRow](tx).Where("id = ?", row.ID).Update(ctx, "name", p.Name)
	return row, translate(err, "rename a person", people())
}

func personToRow(p *identity.Person) personRow {
	return personRow{
		ID: p.ID, Kind: string(p.Kind), Issuer: p.Issuer, Subject: p.Subject, Name: p.Name, Deactivated: p.Deactivated, Created: At(p.CreatedAt),
	}
}

// Register stores a person who has not signed in yet.
func (s *Store) Register(ctx context.Context, p *identity.Person, e ledger.Entry) error {
	return s.transact(ctx, func(tx *gorm.DB) error {
		row := personToRow(p)
		if err := table[personRow](tx).Create(ctx, &row); err != nil {
			return translate(err, "register a person", people())
		}
		return s.appendEntries(ctx, tx, []ledger.Entry{e})
	})
}

// Person gives a person with all his duties.
func (s *Store) Person(ctx context.Context, id string) (*identity.Person, error) {
	row, err := table[personRow](s.db).Where("id = ?", id).Take(ctx)
	if err != nil {
		return nil, translate(err, "read a person", people())
	}
	found, err := s.withDuties(ctx, []personRow{row})
	if err != nil {
		return nil, err
	}
	return &found[0], nil
}

// mostPersons bounds a list, whatever was asked for.
const mostPersons = 500

// Persons lists people by their ids.
func (s *Store) Persons(ctx context.Context, f identity.Filter) ([]identity.Person, error) {
	query := table[personRow](s.db).Where("id > ?", f.After)
	if f.Department != "" {
		query = query.Where(`kind = 'staff' AND NOT deactivated
			AND (id IN (SELECT person FROM duty_assignments WHERE department = ?) OR id NOT IN (SELECT person FROM duty_assignments))`, f.Department)
	}
	rows, err := query.Order("id").Limit(min(f.Limit, mostPersons)).Find(ctx)
	if err != nil {
		return nil, translate(err, "list people", things{})
	}
	return s.withDuties(ctx, rows)
}

func (s *Store) withDuties(ctx context.Context, rows []personRow) ([]identity.Person, error) {
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	assigned, err := table[dutyRow](s.db).Where("person IN ?", ids).Order("person, department, duty").Find(ctx)
	if err != nil {
		return nil, translate(err, "read the duties of people", things{})
	}
	out := make([]identity.Person, len(rows))
	for i, row := range rows {
		out[i] = identity.Person{
			ID: row.ID, Kind: identity.Kind(row.Kind), Issuer: row.Issuer, Subject: row.Subject, Name: row.Name,
			Deactivated: row.Deactivated, CreatedAt: row.Created.Time(),
		}
		for _, a := range assigned {
			if a.Person == row.ID {
				out[i].Duties = append(out[i].Duties, assignmentOf(a))
			}
		}
	}
	return slices.Clip(out), nil
}

func assignmentOf(a dutyRow) identity.Assignment {
	return identity.Assignment{Person: a.Person, Department: a.Department, Duty: policies.Duty(a.Duty), By: a.By, At: a.At.Time()}
}
