package store

import (
	"context"
	"fmt"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"mianti/exchange"
	"mianti/figures"
	"mianti/internal/fault"
)

// materialCountRow is how often materials went one way on one day (材料计数).
type materialCountRow struct {
	Day        string `gorm:"column:day;primaryKey"`
	Department string `gorm:"column:department;primaryKey"`
	Matter     string `gorm:"column:matter;primaryKey"`
	OneThing   string `gorm:"column:one_thing;primaryKey"`
	Material   string `gorm:"column:material;primaryKey"`
	Way        string `gorm:"column:way;primaryKey"`
	Mode       string `gorm:"column:mode;primaryKey"`
	Reason     string `gorm:"column:reason;primaryKey"`
	N          int    `gorm:"column:n"`
}

// TableName names the table.
func (materialCountRow) TableName() string { return "material_counts" }

// caseCountRow is how many cases ended on one day (办件计数).
type caseCountRow struct {
	Day        string `gorm:"column:day;primaryKey"`
	Department string `gorm:"column:department;primaryKey"`
	Subject    string `gorm:"column:subject;primaryKey"`
	Finished   int    `gorm:"column:finished"`
	AtOnce     int    `gorm:"column:at_once"`
	Withdrawn  int    `gorm:"column:withdrawn"`
}

// TableName names the table.
func (caseCountRow) TableName() string { return "case_counts" }

// endedRow is a case that is to be counted.
type endedRow struct {
	ID         string
	Department string
	Subject    string
	Revision   int
	ClosedFor  string
	DoneAt     Timestamp
}

// UncountedCases gives finished cases that have not been counted, those that ended
// first.
func (s *Store) UncountedCases(ctx context.Context, limit int) ([]figures.Finished, error) {
	const doing = "look for cases to count"
	var ended []endedRow
	err := s.db.WithContext(ctx).Table("case_keys").Select("cases.id, cases.department, cases.subject, cases.revision, cases.closed_for, case_keys.done_at").
		Joins("JOIN cases ON cases.id = case_keys.case_id").Where("case_keys.counted_at IS NULL AND case_keys.done_at IS NOT NULL").
		Order("case_keys.done_at, case_keys.case_id").Limit(limit).Scan(&ended).Error
	if err != nil || len(ended) == 0 {
		return nil, translate(err, doing, cases())
	}
	ids := make([]string, len(ended))
	for i, row := range ended {
		ids[i] = row.ID
	}
	keys, err := s.keysOf(ctx, s.db, ids)
	if err != nil {
		return nil, err
	}
	rows, err := table[resolutionRow](s.db).Where("case_id IN ?", ids).Order("case_id, seq").Find(ctx)
	if err != nil {
		return nil, translate(err, doing, cases())
	}
	of := make(map[string][]resolutionRow, len(ids))
	for _, row := range rows {
		of[row.CaseID] = append(of[row.CaseID], row)
	}
	found := make([]figures.Finished, len(ended))
	for i, row := range ended {
		found[i] = figures.Finished{
			Case: row.ID, Department: row.Department, Subject: row.Subject, Revision: row.Revision, DoneAt: row.DoneAt.Time(),
			Withdrawn: row.ClosedFor == string(exchange.CaseWithdrawn),
		}
		if err := s.readFinished(ctx, &found[i], of[row.ID], keys[row.ID]); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// readFinished reads the resolutions of a finished case, or their outlines where
// the content was destroyed.
func (s *Store) readFinished(ctx context.Context, f *figures.Finished, rows []resolutionRow, key *caseKey) error {
	for i, row := range rows {
		r, err := readBody(row.ID, row.Version, row.Body, row.Outline, key)
		if err != nil {
			return err
		}
		f.Resolutions = append(f.Resolutions, r)
		if i > 0 {
			continue
		}
		if f.First = r; row.Version > 1 {
			first, err := table[versionRow](s.db).Where("resolution_id = ? AND version = 1", row.ID).Take(ctx)
			if err != nil {
				return translate(err, "look for cases to count", resolutions())
			}
			if f.First, err = readBody(row.ID, 1, first.Body, first.Outline, key); err != nil {
				return err
			}
		}
	}
	return nil
}

func readBody(id string, version int, body, outline string, key *caseKey) (*exchange.Resolution, error) {
	plain := []byte(outline)
	if outline == "" {
		var err error
		if plain, err = key.open(body, resolutionPlace(id, version)); err != nil {
			return nil, err
		}
	}
	return decodeResolution(id, plain)
}

// AddCounts adds what was counted of some cases, and notes that they are counted.
// It is a fault.Conflict when one of them was counted meanwhile: nothing is
// counted twice.
func (s *Store) AddCounts(ctx context.Context, b figures.Batch) error {
	const doing = "count cases"
	return s.transact(ctx, func(tx *gorm.DB) error {
		noted, err := table[caseKeyRow](tx).Where("case_id IN ? AND counted_at IS NULL", b.Cases).Update(ctx, "counted_at", At(b.At))
		if err != nil {
			return translate(err, doing, cases())
		}
		if noted != len(b.Cases) {
			return fault.New(fault.Conflict, "counted-meanwhile", "这些办件刚由另一个进程统计。")
		}
		if len(b.Materials) > 0 {
			rows := make([]materialCountRow, len(b.Materials))
			for i, c := range b.Materials {
				rows[i] = materialCountRow{c.Day, c.Department, c.Matter, c.OneThing, c.Material, string(c.Way), c.Mode, c.Reason, c.N}
			}
			if err := table[materialCountRow](tx, addingUp("material_counts", "day, department, matter, one_thing, material, way, mode, reason", "n")).CreateInBatches(ctx, &rows, entryBatch); err != nil {
				return translate(err, doing, things{})
			}
		}
		ended := make([]caseCountRow, len(b.Ended))
		for i, c := range b.Ended {
			ended[i] = caseCountRow{c.Day, c.Department, c.Subject, c.Finished, c.AtOnce, c.Withdrawn}
		}
		adding := addingUp("case_counts", "day, department, subject", "finished", "at_once", "withdrawn")
		return translate(table[caseCountRow](tx, adding).CreateInBatches(ctx, &ended, entryBatch), doing, things{})
	})
}

// counted narrows counts down to the days of a query, and what else it names.
func (s *Store) counted(ctx context.Context, q figures.Query, parts ...part) *gorm.DB {
	return whereGiven(s.db.WithContext(ctx).Where("day >= ? AND day <= ?", q.From, q.Until), parts...)
}

// part is a column that may be asked for.
type part struct{ column, value string }

// whereGiven narrows a query down by the columns for which a value is given.
func whereGiven(query *gorm.DB, parts ...part) *gorm.DB {
	for _, p := range parts {
		if p.value != "" {
			query = query.Where(p.column+" = ?", p.value)
		}
	}
	return query
}

func (s *Store) materialCounts(ctx context.Context, q figures.Query) *gorm.DB {
	return s.counted(ctx, q, part{"department", q.Department}, part{"matter", q.Matter}, part{"one_thing", q.OneThing}).Table("material_counts")
}

// MaterialCounts adds up by department, matter, one-thing, way and mode; in no
// order, as is what else is added up here: PostgreSQL would sort every row.
func (s *Store) MaterialCounts(ctx context.Context, q figures.Query) ([]figures.MaterialCount, error) {
	return read(ctx, s, func(s *Store) ([]figures.MaterialCount, error) {
		const by = "department, matter, one_thing, way, mode"
		return sumsOf(s.materialCounts(ctx, q).Select(by + ", SUM(n) AS n").Group(by))
	})
}

// DailyCounts adds up by day and way.
func (s *Store) DailyCounts(ctx context.Context, q figures.Query) ([]figures.MaterialCount, error) {
	return read(ctx, s, func(s *Store) ([]figures.MaterialCount, error) {
		return sumsOf(s.materialCounts(ctx, q).Select("day, way, SUM(n) AS n").Group("day, way"))
	})
}

// WayCounts adds up by material and way.
func (s *Store) WayCounts(ctx context.Context, q figures.Query) ([]figures.MaterialCount, error) {
	return read(ctx, s, func(s *Store) ([]figures.MaterialCount, error) {
		return sumsOf(s.materialCounts(ctx, q).Select("material, way, SUM(n) AS n").Group("material, way"))
	})
}

// UploadCounts adds up what was still uploaded by matter, material and reason, the
// most first.
func (s *Store) UploadCounts(ctx context.Context, q figures.Query, limit int) ([]figures.MaterialCount, error) {
	return read(ctx, s, func(s *Store) ([]figures.MaterialCount, error) {
		const by = "matter, material, reason"
		return sumsOf(s.materialCounts(ctx, q).Where("way = 'upload'").Select(by + ", SUM(n) AS n").Group(by).Order("n DESC, " + by).Limit(limit))
	})
}

func sumsOf(query *gorm.DB) ([]figures.MaterialCount, error) {
	var rows []materialCountRow
	if err := query.Find(&rows).Error; err != nil {
		return nil, translate(err, "read counts of materials", things{})
	}
	out := make([]figures.MaterialCount, len(rows))
	for i, r := range rows {
		out[i] = figures.MaterialCount{
			Day: r.Day, Department: r.Department, Matter: r.Matter, OneThing: r.OneThing, Material: r.Material,
			Way: figures.Way(r.Way), Mode: r.Mode, Reason: r.Reason, N: r.N,
		}
	}
	return out, nil
}

// CaseCounts adds up by department and subject. A case is asked for by its own
// subject, be that a one-thing or a matter.
func (s *Store) CaseCounts(ctx context.Context, q figures.Query) ([]figures.CaseCount, error) {
	return read(ctx, s, func(s *Store) ([]figures.CaseCount, error) {
		const by = "department, subject"
		query := s.counted(ctx, q, part{"department", q.Department}, part{"subject", q.Matter}, part{"subject", q.OneThing}).Table("case_counts")
		var rows []caseCountRow
		err := query.Select(by + ", SUM(finished) AS finished, SUM(at_once) AS at_once, SUM(withdrawn) AS withdrawn").Group(by).Order(by).Find(&rows).Error
		if err != nil {
			return nil, translate(err, "read counts of cases", things{})
		}
		out := make([]figures.CaseCount, len(rows))
		for i, r := range rows {
			out[i] = figures.CaseCount{Department: r.Department, Subject: r.Subject, Finished: r.Finished, AtOnce: r.AtOnce, Withdrawn: r.Withdrawn}
		}
		return out, nil
	})
}

// addingUp adds columns of new rows to those that are there. All names are this
// package's.
func addingUp(to, key string, columns ...string) clause.OnConflict {
	sums := clause.Set{}
	for _, column := range columns {
		sums = append(sums, clause.Assignment{Column: clause.Column{Name: column}, Value: gorm.Expr(fmt.Sprintf("%s.%s + excluded.%s", to, column, column))})
	}
	return clause.OnConflict{Columns: keyColumns(key), DoUpdates: sums}
}

// keyColumns names the columns of a key.
func keyColumns(key string) []clause.Column {
	var columns []clause.Column
	for name := range strings.SplitSeq(key, ", ") {
		columns = append(columns, clause.Column{Name: name})
	}
	return columns
}
