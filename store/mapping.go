package store

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"mianti/catalog"
	"mianti/catalog/suggest"
	"mianti/ledger"
)

// mappingRow is what was said last of a name and a candidate (映射决定).
type mappingRow struct {
	Key        string    `gorm:"column:name_key;primaryKey"`
	Kind       string    `gorm:"column:kind;primaryKey"`
	Code       string    `gorm:"column:code;primaryKey"`
	Name       string    `gorm:"column:name"`
	Accepted   bool      `gorm:"column:accepted"`
	Department string    `gorm:"column:department"`
	Person     string    `gorm:"column:person"`
	At         Timestamp `gorm:"column:at"`
}

// TableName names the table.
func (mappingRow) TableName() string { return "mapping_decisions" }

func mappings() things { return things{code: "mapping", name: "映射决定"} }

// mostMappings bounds how many decisions are read: those made last.
const mostMappings = 50_000

// MappingDecisions gives the decisions that hold, the oldest first.
func (s *Store) MappingDecisions(ctx context.Context) ([]suggest.MappingDecision, error) {
	rows, err := table[mappingRow](s.db).Order("at DESC, name_key DESC, kind DESC, code DESC").Limit(mostMappings).Find(ctx)
	if err != nil {
		return nil, translate(err, "list mappings", mappings())
	}
	out := make([]suggest.MappingDecision, len(rows))
	for i, row := range rows {
		out[len(rows)-1-i] = suggest.MappingDecision{
			Name: row.Name, Kind: catalog.ThingKind(row.Kind), Code: row.Code, Accepted: row.Accepted,
			Department: row.Department, By: row.Person, At: row.At.Time(),
		}
	}
	return out, nil
}

// KeepMappingDecision keeps a decision with its entry, in the place of what was decided
// about the same key and candidate.
func (s *Store) KeepMappingDecision(ctx context.Context, key string, d suggest.MappingDecision, e ledger.Entry) error {
	row := mappingRow{
		Key: key, Kind: string(d.Kind), Code: d.Code, Name: d.Name, Accepted: d.Accepted, Department: d.Department, Person: d.By, At: At(d.At),
	}
	replace := clause.OnConflict{
		Columns:   []clause.Column{{Name: "name_key"}, {Name: "kind"}, {Name: "code"}},
		DoUpdates: clause.AssignmentColumns([]string{"name", "accepted", "department", "person", "at"}),
	}
	return s.transact(ctx, func(tx *gorm.DB) error {
		if err := table[mappingRow](tx, replace).Create(ctx, &row); err != nil {
			return translate(err, "keep a mapping", mappings())
		}
		return s.appendEntries(ctx, tx, []ledger.Entry{e})
	})
}
