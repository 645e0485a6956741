package store

import (
	"context"
	"strings"
	"time"

	"gorm.io/gorm"

	"mianti/connectors/guard"
)

// callRow is a call to a source (调用记录).
type callRow struct {
	ID         int64     `gorm:"column:id;primaryKey;autoIncrement"`
	Source     string    `gorm:"column:source"`
	Dataset    string    `gorm:"column:dataset"`
	Department string    `gorm:"column:department"`
	In         Timestamp `gorm:"column:called_in"`
	Out        Timestamp `gorm:"column:called_out"`  // 0: the source was not called
	Back       Timestamp `gorm:"column:called_back"` // likewise
	Done       Timestamp `gorm:"column:done"`
	Bytes      int64     `gorm:"column:bytes"`
	Records    int       `gorm:"column:records"`
	Result     string    `gorm:"column:result"`
	Attempt    int       `gorm:"column:attempt"`
	Attempts   int       `gorm:"column:attempts"`
	Flags      int       `gorm:"column:flags"`
	Warnings   string    `gorm:"column:warnings"` // codes, separated by commas
}

// TableName names the table.
func (callRow) TableName() string { return "source_calls" }

// What flags is the sum of.
const (
	flagHedged = 1 << iota
	flagCoalesced
	flagProbe
)

// RecordCalls stores calls to sources, all of them or none.
func (s *Store) RecordCalls(ctx context.Context, calls []guard.Call) error {
	if len(calls) == 0 {
		return nil
	}
	return s.transact(ctx, func(tx *gorm.DB) error {
		if err := s.insertCalls(ctx, tx, calls); err != nil {
			return translate(err, "record calls to sources", things{})
		}
		return countCalls(ctx, tx, calls)
	})
}

func (s *Store) insertCalls(ctx context.Context, tx *gorm.DB, calls []guard.Call) error {
	n := len(calls)
	sources, datasets, departments, results, warnings := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	in, out, back, done := make([]Timestamp, n), make([]Timestamp, n), make([]Timestamp, n), make([]Timestamp, n)
	bytes, records, attempt, attempts, flags := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
	for i := range calls {
		row := callToRow(&calls[i])
		sources[i], datasets[i], departments[i], results[i], warnings[i] = row.Source, row.Dataset, row.Department, row.Result, row.Warnings
		in[i], out[i], back[i], done[i] = row.In, row.Out, row.Back, row.Done
		bytes[i], records[i], attempt[i], attempts[i], flags[i] = row.Bytes, int64(row.Records), int64(row.Attempt), int64(row.Attempts), int64(row.Flags)
	}
	return s.insertAll(ctx, tx, "source_calls", "", texts("source", sources), texts("dataset", datasets), texts("department", departments),
		ints("called_in", in), ints("called_out", out), ints("called_back", back), ints("done", done), ints("bytes", bytes), ints("records", records),
		texts("result", results), ints("attempt", attempt), ints("attempts", attempts), ints("flags", flags), texts("warnings", warnings))
}

// SourceCalls gives the calls to a source that came in at a time or later, the
// newest first.
func (s *Store) SourceCalls(ctx context.Context, source string, since time.Time, limit int) ([]guard.Call, error) {
	rows, err := table[callRow](s.db).Where("source = ? AND called_in >= ?", source, At(since)).
		Order("called_in DESC, id DESC").Limit(limit).Find(ctx)
	if err != nil {
		return nil, translate(err, "list the calls to a source", things{})
	}
	calls := make([]guard.Call, len(rows))
	for i := range rows {
		calls[i] = callFromRow(&rows[i])
	}
	return calls, nil
}

// PurgeCalls removes the calls that came in before a time, and says how many
// they were, those of whole months that went with their partition apart.
func (s *Store) PurgeCalls(ctx context.Context, before time.Time) (int, error) {
	s.dropMonths(ctx, before)
	n, err := table[callRow](s.db).Where("called_in < ?", At(before)).Delete(ctx)
	return n, translate(err, "remove old calls to sources", things{})
}

func callToRow(c *guard.Call) callRow {
	row := callRow{
		Source: c.Source, Dataset: c.Dataset, Department: c.Department, In: At(c.In), Out: atOrZero(c.Out), Back: atOrZero(c.Back),
		Done: At(c.Done), Bytes: c.Bytes, Records: c.Records, Result: c.Result, Attempt: c.Attempt, Attempts: c.Attempts,
		Warnings: strings.Join(c.Warnings, ","),
	}
	for flag, set := range map[int]bool{flagHedged: c.Hedged, flagCoalesced: c.Coalesced, flagProbe: c.Probe} {
		if set {
			row.Flags |= flag
		}
	}
	return row
}

func callFromRow(row *callRow) guard.Call {
	c := guard.Call{
		Source: row.Source, Dataset: row.Dataset, Department: row.Department, In: row.In.Time(), Out: timeOrZero(row.Out),
		Back: timeOrZero(row.Back), Done: row.Done.Time(), Bytes: row.Bytes, Records: row.Records, Result: row.Result,
		Attempt: row.Attempt, Attempts: row.Attempts, Hedged: row.Flags&flagHedged != 0,
		Coalesced: row.Flags&flagCoalesced != 0, Probe: row.Flags&flagProbe != 0,
	}
	if row.Warnings != "" {
		c.Warnings = strings.Split(row.Warnings, ",")
	}
	return c
}

// atOrZero gives 0 for the zero time, which reads better in a table than the
// microseconds from 1970 back to the year 1.
func atOrZero(t time.Time) Timestamp {
	if t.IsZero() {
		return 0
	}
	return At(t)
}

func timeOrZero(t Timestamp) time.Time {
	if t == 0 {
		return time.Time{}
	}
	return t.Time()
}
