package store

import (
	"context"
	"errors"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

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

// saveFollowUps makes these the papers of a case that may follow later. One that
// is there already keeps its day.
func saveFollowUps(ctx context.Context, tx *gorm.DB, caseID string, all []exchange.FollowUp) error {
	const doing = "save what may follow later"
	there, err := table[followUpRow](tx).Where("case_id = ?", caseID).Find(ctx)
	if err != nil {
		return translate(err, doing, things{})
	}
	type paper struct{ material, party string }
	wanted := make(map[paper]bool, len(all))
	rows := make([]followUpRow, 0, len(all))
	for _, f := range all {
		wanted[paper{f.Material, f.Party}] = true
		rows = append(rows, followUpRow{
			CaseID: caseID, Material: f.Material, Party: f.Party, Department: f.Department, Since: At(f.Since), Due: At(f.DueAt),
		})
	}
	for _, row := range there {
		if wanted[paper{row.Material, row.Party}] {
			continue
		}
		if _, err := table[followUpRow](tx).Where("case_id = ? AND material = ? AND party = ?", caseID, row.Material, row.Party).Delete(ctx); err != nil {
			return translate(err, doing, things{})
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return translate(table[followUpRow](tx, clause.OnConflict{DoNothing: true}).CreateInBatches(ctx, &rows, entryBatch), doing, things{})
}

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
