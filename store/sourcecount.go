package store

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/guard"
	"mianti/figures"
)

// callCountRow is how many calls to a source took how long on a day (调用计数).
type callCountRow struct {
	Day        string    `gorm:"column:day;primaryKey"`
	Source     string    `gorm:"column:source;primaryKey"`
	Dataset    string    `gorm:"column:dataset;primaryKey"`
	Department string    `gorm:"column:department;primaryKey"`
	Result     string    `gorm:"column:result;primaryKey"`
	Took       int64     `gorm:"column:took;primaryKey;autoIncrement:false"` // upper bound of the class, in milliseconds
	N          int       `gorm:"column:n"`
	Newest     Timestamp `gorm:"column:newest"`
}

// TableName names the table.
func (callCountRow) TableName() string { return "source_call_counts" }

// What took is of a call that did not come back, and of a question that was not
// put.
const (
	tookForEver = -1
	notPut      = -2
)

// tookClass gives the upper bound of the class of a time: each is a millisecond or
// a tenth wider than the one before.
func tookClass(took time.Duration) int64 {
	upper := int64(1)
	for time.Duration(upper)*time.Millisecond < took {
		upper = max(upper+1, upper*11/10)
	}
	return upper
}

// countCalls adds calls to the counts of their days. Replicas add in one order, so
// that none waits for another in a circle.
func countCalls(ctx context.Context, tx *gorm.DB, calls []guard.Call) error {
	found := map[callCountRow]*callCountRow{}
	for i := range calls {
		c := &calls[i]
		if c.Probe {
			continue
		}
		key := callCountRow{Day: c.In.In(catalog.TimeZone()).Format(time.DateOnly), Source: c.Source, Dataset: c.Dataset, Department: c.Department, Result: c.Result}
		switch {
		case c.Out.IsZero():
			key.Took = notPut
		case c.Back.IsZero():
			key.Took = tookForEver
		default:
			key.Took = tookClass(c.Back.Sub(c.Out))
		}
		if found[key] == nil {
			row := key
			found[key] = &row
		}
		found[key].N++
		found[key].Newest = max(found[key].Newest, At(c.Done))
	}
	if len(found) == 0 {
		return nil
	}
	rows := make([]callCountRow, 0, len(found))
	for _, key := range slices.SortedFunc(maps.Keys(found), compareCallCounts) {
		rows = append(rows, *found[key])
	}
	adding := addingUp("source_call_counts", "day, source, dataset, department, result, took", "n")
	adding.DoUpdates = append(adding.DoUpdates, clause.Assignment{
		Column: clause.Column{Name: "newest"},
		Value:  gorm.Expr("CASE WHEN excluded.newest > source_call_counts.newest THEN excluded.newest ELSE source_call_counts.newest END"),
	})
	return translate(table[callCountRow](tx, adding).CreateInBatches(ctx, &rows, entryBatch), "count calls to sources", things{})
}

func compareCallCounts(a, b callCountRow) int {
	return cmp.Or(strings.Compare(a.Day, b.Day), strings.Compare(a.Source, b.Source), strings.Compare(a.Dataset, b.Dataset),
		strings.Compare(a.Department, b.Department), strings.Compare(a.Result, b.Result), cmp.Compare(a.Took, b.Took))
}

// sourceKey tells sources apart.
type sourceKey struct{ source, dataset, department string }

// SourceTimes gives how sources answered on the days of a time; those of one
// department, or of all.
func (s *Store) SourceTimes(ctx context.Context, department string, from, until time.Time) ([]figures.SourceTime, error) {
	return read(ctx, s, func(s *Store) ([]figures.SourceTime, error) {
		const by = "source, dataset, department, result, took"
		day := func(t time.Time) string { return t.In(catalog.TimeZone()).Format(time.DateOnly) }
		query := s.db.WithContext(ctx).Where("day >= ? AND day <= ?", day(from), day(until.Add(-time.Microsecond)))
		var rows []callCountRow // in no order: to sort would cost more than to add up
		err := whereGiven(query, part{"department", department}).Select(by + ", SUM(n) AS n, MAX(newest) AS newest").Group(by).Find(&rows).Error
		if err != nil {
			return nil, translate(err, "count the calls to sources", things{})
		}
		of := map[sourceKey][]callCountRow{}
		for _, row := range rows {
			key := sourceKey{row.Source, row.Dataset, row.Department}
			of[key] = append(of[key], row)
		}
		out := make([]figures.SourceTime, 0, len(of))
		for key, rows := range of {
			out = append(out, sourceTime(key, rows))
		}
		slices.SortFunc(out, func(a, b figures.SourceTime) int {
			return cmp.Or(strings.Compare(a.Department, b.Department), strings.Compare(a.Dataset, b.Dataset), strings.Compare(a.Source, b.Source))
		})
		return out, nil
	})
}

// sourceTime adds up the counts of one source.
func sourceTime(key sourceKey, rows []callCountRow) figures.SourceTime {
	one := figures.SourceTime{Source: key.source, Dataset: key.dataset, Department: key.department, Results: []figures.Beside{}}
	results, took, back := map[string]int{}, map[int64]int{}, 0
	for _, row := range rows {
		results[row.Result] += row.N
		newest := row.Newest.Time()
		switch {
		case row.Took == notPut:
			one.Held += row.N
			continue
		case failed(row.Result):
			one.Failed += row.N
			one.LastFailure = later(one.LastFailure, newest)
		default:
			one.Answered += row.N
			one.LastSuccess = later(one.LastSuccess, newest)
		}
		one.Asked += row.N
		if row.Took >= 0 {
			took[row.Took] += row.N
			back += row.N
		}
	}
	one.P50, one.P95 = rank(took, back, 1, 2), rank(took, back, 19, 20)
	for _, result := range slices.Sorted(maps.Keys(results)) {
		one.Results = append(one.Results, figures.Beside{Name: result, N: results[result]})
	}
	slices.SortStableFunc(one.Results, func(a, b figures.Beside) int { return cmp.Compare(b.N, a.N) })
	return one
}

// rank gives the upper bound of the class in which the nearest rank of a part of
// all lies; 0 for none.
func rank(took map[int64]int, all, part, of int) int64 {
	seen := 0
	for _, upper := range slices.Sorted(maps.Keys(took)) {
		if seen += took[upper]; seen*of >= all*part {
			return upper
		}
	}
	return 0
}

func later(known *time.Time, at time.Time) *time.Time {
	if known != nil && known.After(at) {
		return known
	}
	return &at
}

// failed reports whether a result says that the source gave no good answer.
func failed(result string) bool {
	switch connectors.FaultKind(result) {
	case connectors.FaultDown, connectors.FaultTimeout, connectors.FaultRefused, connectors.FaultMalformed, connectors.FaultWrongSubject, connectors.FaultMisset:
		return true
	default:
		return false
	}
}
