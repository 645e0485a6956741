package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"mianti/catalog"
	"mianti/figures"
	"mianti/ledger"
)

// useRow is a look-up in a dataset, beside its entry (使用记录).
type useRow struct {
	Entry      int64     `gorm:"column:entry_id;primaryKey;autoIncrement:false"`
	Dataset    string    `gorm:"column:dataset"`
	At         Timestamp `gorm:"column:at"`
	Department string    `gorm:"column:department"`
	Matter     string    `gorm:"column:matter"`
	Material   string    `gorm:"column:material"`
	Result     string    `gorm:"column:result"`
	CaseID     string    `gorm:"column:case_id"`
	Grant      string    `gorm:"column:grant_id"`
}

// TableName names the table.
func (useRow) TableName() string { return "dataset_uses" }

// useCountRow is how often a dataset was used on a day (使用计数).
type useCountRow struct {
	Dataset    string `gorm:"column:dataset;primaryKey"`
	Day        string `gorm:"column:day;primaryKey"`
	Department string `gorm:"column:department;primaryKey"`
	Matter     string `gorm:"column:matter;primaryKey"`
	Result     string `gorm:"column:result;primaryKey"`
	N          int    `gorm:"column:n"`
}

// TableName names the table.
func (useCountRow) TableName() string { return "dataset_use_counts" }

// indexUses notes which datasets the entries that are being sealed say were used.
// There is one sealer at a time, so nobody waits for the counts.
func (s *Store) indexUses(ctx context.Context, tx *gorm.DB, sealed []waitingRow) error {
	const doing = "note the uses of datasets"
	var uses []useRow
	for _, waiting := range sealed {
		row, used, err := useOf(waiting)
		if err != nil {
			return err
		}
		if used {
			uses = append(uses, row)
		}
	}
	if len(uses) == 0 {
		return nil
	}
	if err := s.insertUses(ctx, tx, uses); err != nil {
		return translate(err, doing, things{})
	}
	return translate(s.countUses(ctx, tx, uses), doing, things{})
}

func (s *Store) insertUses(ctx context.Context, tx *gorm.DB, uses []useRow) error {
	ids, ats := make([]int64, len(uses)), make([]Timestamp, len(uses))
	datasets, departments, matters, materials := make([]string, len(uses)), make([]string, len(uses)), make([]string, len(uses)), make([]string, len(uses))
	results, cases, grants := make([]string, len(uses)), make([]string, len(uses)), make([]string, len(uses))
	for i, u := range uses {
		ids[i], ats[i], datasets[i], departments[i], matters[i], materials[i] = u.Entry, u.At, u.Dataset, u.Department, u.Matter, u.Material
		results[i], cases[i], grants[i] = u.Result, u.CaseID, u.Grant
	}
	return s.insertAll(ctx, tx, "dataset_uses", "", ints("entry_id", ids), texts("dataset", datasets), ints("at", ats), texts("department", departments),
		texts("matter", matters), texts("material", materials), texts("result", results), texts("case_id", cases), texts("grant_id", grants))
}

// countUses adds uses to the counts of their days.
func (s *Store) countUses(ctx context.Context, tx *gorm.DB, uses []useRow) error {
	counts := map[useCountRow]int{}
	for _, u := range uses {
		day := u.At.Time().In(catalog.TimeZone()).Format(time.DateOnly)
		counts[useCountRow{Dataset: u.Dataset, Day: day, Department: u.Department, Matter: u.Matter, Result: u.Result}]++
	}
	rows := slices.SortedFunc(maps.Keys(counts), func(a, b useCountRow) int {
		return cmp.Or(strings.Compare(a.Dataset, b.Dataset), strings.Compare(a.Day, b.Day), strings.Compare(a.Department, b.Department), strings.Compare(a.Matter, b.Matter), strings.Compare(a.Result, b.Result))
	})
	for i := range rows {
		rows[i].N = counts[rows[i]]
	}
	adding := addingUp("dataset_use_counts", "dataset, day, department, matter, result", "n")
	return table[useCountRow](tx, adding).CreateInBatches(ctx, &rows, entryBatch)
}

// useOf reads the use that an entry is about, if it is about one: a look-up that
// was answered, or one that was denied.
func useOf(waiting waitingRow) (useRow, bool, error) {
	answered, denied := kindOf(waiting, ledger.Outcome), kindOf(waiting, ledger.Denied)
	if !answered && !denied {
		return useRow{}, false, nil
	}
	var e ledger.Entry
	if err := json.Unmarshal([]byte(waiting.Body), &e); err != nil {
		return useRow{}, false, fmt.Errorf("decode entry %d: %w", waiting.ID, err)
	}
	row := useRow{
		Entry: waiting.ID, Dataset: e.Dataset, At: At(e.At), Department: e.Department, Matter: e.Matter, Material: e.Material,
		Result: e.Result, CaseID: e.Case, Grant: e.Grant,
	}
	if denied {
		row.Result = figures.UseDenied
	}
	return row, e.Dataset != "", nil
}

// kindOf looks at the kind of an entry, which is the first thing that it says,
// without decoding it.
func kindOf(waiting waitingRow, kind ledger.Kind) bool {
	return strings.HasPrefix(waiting.Body, `{"kind":"`+string(kind)+`"`)
}

func useParts(f figures.UseFilter) []part {
	return []part{{"department", f.Department}, {"matter", f.Matter}, {"result", f.Result}}
}

// DatasetUses lists the uses that a filter chooses, the newest first.
func (s *Store) DatasetUses(ctx context.Context, f figures.UseFilter) ([]figures.Use, error) {
	return read(ctx, s, func(s *Store) ([]figures.Use, error) {
		query := whereGiven(s.db.WithContext(ctx).Where("dataset IN ? AND at >= ? AND at < ?", f.Datasets, At(f.From), At(f.Until)), useParts(f)...)
		if f.Before > 0 {
			var last useRow
			if err := s.db.WithContext(ctx).Where("entry_id = ?", f.Before).Take(&last).Error; err != nil {
				return nil, translate(err, "list uses", things{code: "use", name: "使用记录"})
			}
			query = query.Where("(at < ? OR (at = ? AND entry_id < ?))", last.At, last.At, last.Entry)
		}
		var rows []useRow
		if err := query.Order("at DESC, entry_id DESC").Limit(f.Limit).Find(&rows).Error; err != nil {
			return nil, translate(err, "list uses", things{})
		}
		out := make([]figures.Use, len(rows))
		for i, r := range rows {
			out[i] = figures.Use{
				Number: r.Entry, At: r.At.Time(), Dataset: r.Dataset, Department: r.Department, Matter: r.Matter, Material: r.Material,
				Result: r.Result, Case: r.CaseID, Grant: r.Grant,
			}
		}
		return out, nil
	})
}

// UseTotals adds up the uses that a filter chooses, the most first; whatever its
// page is.
func (s *Store) UseTotals(ctx context.Context, f figures.UseFilter) ([]figures.UseTotal, error) {
	return read(ctx, s, func(s *Store) ([]figures.UseTotal, error) {
		day := func(t time.Time) string { return t.In(catalog.TimeZone()).Format(time.DateOnly) }
		query := s.db.WithContext(ctx).Table("dataset_use_counts").Where("dataset IN ? AND day >= ? AND day < ?", f.Datasets, day(f.From), day(f.Until))
		query = whereGiven(query, useParts(f)...)
		const by = "dataset, department, matter, result"
		out := []figures.UseTotal{}
		err := query.Select(by + ", SUM(n) AS n").Group(by).Order("n DESC, " + by).Scan(&out).Error
		return out, translate(err, "count uses", things{})
	})
}
