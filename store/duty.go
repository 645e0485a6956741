package store

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"mianti/identity"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// dutyRow is a duty of a person for a department (岗位分派).
type dutyRow struct {
	Person     string    `gorm:"column:person;primaryKey"`
	Department string    `gorm:"column:department;primaryKey"`
	Duty       string    `gorm:"column:duty;primaryKey"`
	By         string    `gorm:"column:assigned_by"`
	At         Timestamp `gorm:"column:assigned_at"`
}

// TableName names the table.
func (dutyRow) TableName() string { return "duty_assignments" }

// Assign gives a duty, and records it, unless the person has it.
func (s *Store) Assign(ctx context.Context, a identity.Assignment, e ledger.Entry) error {
	return s.transact(ctx, func(tx *gorm.DB) error {
		if err := s.lockTable(tx, "duty_assignments"); err != nil {
			return translate(err, "lock the duties", things{})
		}
		_, err := theDuty(tx, a).Take(ctx)
		if !errors.Is(err, gorm.ErrRecordNotFound) {
			return translate(err, "read a duty", things{})
		}
		row := dutyRow{Person: a.Person, Department: a.Department, Duty: string(a.Duty), By: a.By, At: At(a.At)}
		if err := table[dutyRow](tx).Create(ctx, &row); err != nil {
			return translate(err, "assign a duty", things{})
		}
		return s.appendEntries(ctx, tx, []ledger.Entry{e})
	})
}

func theDuty(tx *gorm.DB, a identity.Assignment) tableOf[dutyRow] {
	return table[dutyRow](tx).Where("person = ? AND department = ? AND duty = ?", a.Person, a.Department, a.Duty)
}

// Remove takes a duty away, and records it.
func (s *Store) Remove(ctx context.Context, a identity.Assignment, e ledger.Entry, keepAdmin bool) error {
	return s.transact(ctx, func(tx *gorm.DB) error {
		if err := s.lockTable(tx, "duty_assignments"); err != nil {
			return translate(err, "lock the duties", things{})
		}
		removed, err := theDuty(tx, a).Delete(ctx)
		if err != nil {
			return translate(err, "remove a duty", things{})
		}
		if removed == 0 {
			return fault.New(fault.NotFound, "unknown-person", "没有这个人员，或其在本部门没有这个岗位。")
		}
		if keepAdmin && a.Duty == policies.DutyDepartmentAdmin {
			if err := hasAdmin(ctx, tx, a.Department); err != nil {
				return err
			}
		}
		return s.appendEntries(ctx, tx, []ledger.Entry{e})
	})
}

// Deactivate ends a person's access, and records it.
func (s *Store) Deactivate(ctx context.Context, id string, e ledger.Entry, keepAdmin bool) error {
	return s.transact(ctx, func(tx *gorm.DB) error {
		if err := s.lockTable(tx, "duty_assignments"); err != nil { // so that no administrator goes meanwhile
			return translate(err, "lock the duties", things{})
		}
		changed, err := table[personRow](tx).Where("id = ? AND NOT deactivated", id).Update(ctx, "deactivated", true)
		if err != nil {
			return translate(err, "deactivate a person", people())
		}
		if changed == 0 {
			return fault.New(fault.NotFound, "unknown-person", "没有这个人员，或其已停用。")
		}
		if keepAdmin {
			if err := keepsAdmins(ctx, tx, id); err != nil {
				return err
			}
		}
		return s.appendEntries(ctx, tx, []ledger.Entry{e})
	})
}

// keepsAdmins refuses to leave a department that the person administers without
// another administrator.
func keepsAdmins(ctx context.Context, tx *gorm.DB, person string) error {
	administers, err := table[dutyRow](tx).Where("person = ? AND duty = ?", person, policies.DutyDepartmentAdmin).Order("department").Find(ctx)
	if err != nil {
		return translate(err, "read the duties of a person", things{})
	}
	for _, a := range administers {
		if err := hasAdmin(ctx, tx, a.Department); err != nil {
			return err
		}
	}
	return nil
}

// hasAdmin makes sure that a department has an administrator who may sign in.
func hasAdmin(ctx context.Context, tx *gorm.DB, department string) error {
	admins, err := table[dutyRow](tx).Where("department = ? AND duty = ?", department, policies.DutyDepartmentAdmin).
		Where("person IN (SELECT id FROM persons WHERE NOT deactivated)").Count(ctx, "person")
	if err != nil {
		return translate(err, "count the administrators", things{})
	}
	if admins == 0 {
		return fault.New(fault.Conflict, "last-admin", "这是本部门最后一名管理员。请先给另一人分派管理员岗位，或联系运维人员。")
	}
	return nil
}
