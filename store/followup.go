package store

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"mianti/exchange"
)

// followUpRow is a paper that may follow later (容缺后补). It names nobody.
type followUpRow struct {
	CaseID     string    `gorm:"column:case_id;primaryKey"`
	Material   string    `gorm:"column:material;primaryKey"`
	Party      string    `gorm:"column:party;primaryKey"` // its id within the case
	Department string    `gorm:"column:department"`       // whose case it is
	Since      Timestamp `gorm:"column:since"`
	Due        Timestamp `gorm:"column:due_at"`
}

// TableName names the table.
func (followUpRow) TableName() string { return "follow_ups" }

// forgetFollowUps forgets what may follow later in a case: it is over.
func forgetFollowUps(ctx context.Context, tx *gorm.DB, caseID string) error {
	_, err := table[followUpRow](tx).Where("case_id = ?", caseID).Delete(ctx)
	return translate(err, "forget what may follow later", things{})
}

// FollowUps lists the papers of a department's open cases that may follow later,
// what is due first first.
func (s *Store) FollowUps(ctx context.Context, f exchange.FollowUpFilter) ([]exchange.FollowUp, error) {
	const doing = "list what may follow later"
	q := s.db.WithContext(ctx).Table("follow_ups").Joins("JOIN cases ON cases.id = follow_ups.case_id").
		Where("follow_ups.department = ?", f.Department)
	if !f.DueBefore.IsZero() {
		q = q.Where("due_at < ?", At(f.DueBefore))
	}
	if f.After != (exchange.FollowUpKey{}) {
		from, err := table[followUpRow](s.db).
			Where("case_id = ? AND material = ? AND party = ? AND department = ?", f.After.Case, f.After.Material, f.After.Party, f.Department).Take(ctx)
		if errors.Is(err, gorm.ErrRecordNotFound) { // it has been handed in meanwhile
			return nil, badPage()
		}
		if err != nil {
			return nil, translate(err, doing, things{})
		}
		q = q.Where("(due_at, case_id, material, party) > (?, ?, ?, ?)", from.Due, from.CaseID, from.Material, from.Party)
	}
	var rows []struct {
		Row      followUpRow `gorm:"embedded"`
		Number   string
		Revision int
	}
	err := q.Select("follow_ups.*, cases.number, cases.revision").Order("due_at, case_id, material, party").Limit(f.Limit).Find(&rows).Error
	if err != nil {
		return nil, translate(err, doing, things{})
	}
	out := make([]exchange.FollowUp, len(rows))
	for i, found := range rows {
		row := found.Row
		out[i] = exchange.FollowUp{
			FollowUpKey: exchange.FollowUpKey{Case: row.CaseID, Material: row.Material, Party: row.Party},
			CaseNumber:  found.Number, Revision: found.Revision, Department: row.Department, Since: row.Since.Time(), DueAt: row.Due.Time(),
		}
	}
	return out, nil
}
