package store

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"mianti/ledger"
	"mianti/safeguard"
)

// quotaRow is the limits of a meter that has its own (用量上限).
type quotaRow struct {
	Kind            string `gorm:"column:kind;primaryKey"`
	ID              string `gorm:"column:id;primaryKey"`
	CallsPerHour    int64  `gorm:"column:calls_per_hour"`
	CallsPerDay     int64  `gorm:"column:calls_per_day"`
	SubjectsPerHour int64  `gorm:"column:subjects_per_hour"`
	SubjectsPerDay  int64  `gorm:"column:subjects_per_day"`
}

// TableName names the table.
func (quotaRow) TableName() string { return "quotas" }

func quotas() things { return things{code: "quota", name: "用量上限"} }

// readQuotas gives the limits of all that have their own.
func (s *Store) readQuotas(ctx context.Context) (safeguard.Overrides, error) {
	var rows []quotaRow
	if err := s.db.WithContext(ctx).Order("kind, id").Find(&rows).Error; err != nil {
		return nil, translate(err, "read quotas", quotas())
	}
	out := make(safeguard.Overrides, len(rows))
	for _, row := range rows {
		out[safeguard.Meter{Kind: safeguard.Kind(row.Kind), ID: row.ID}] = safeguard.Limits{
			CallsPerHour: row.CallsPerHour, CallsPerDay: row.CallsPerDay, SubjectsPerHour: row.SubjectsPerHour, SubjectsPerDay: row.SubjectsPerDay,
		}
	}
	return out, nil
}

// SetQuota stores the limits of a meter, with their entry.
func (s *Store) SetQuota(ctx context.Context, m safeguard.Meter, l safeguard.Limits, e ledger.Entry) error {
	row := quotaRow{
		Kind: string(m.Kind), ID: m.ID, CallsPerHour: l.CallsPerHour, CallsPerDay: l.CallsPerDay,
		SubjectsPerHour: l.SubjectsPerHour, SubjectsPerDay: l.SubjectsPerDay,
	}
	replace := clause.OnConflict{
		Columns:   []clause.Column{{Name: "kind"}, {Name: "id"}},
		DoUpdates: clause.AssignmentColumns([]string{"calls_per_hour", "calls_per_day", "subjects_per_hour", "subjects_per_day"}),
	}
	return s.transact(ctx, func(tx *gorm.DB) error {
		if err := table[quotaRow](tx, replace).Create(ctx, &row); err != nil {
			return translate(err, "set a quota", quotas())
		}
		return s.appendEntries(ctx, tx, []ledger.Entry{e})
	})
}
