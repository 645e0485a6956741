package store

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"mianti/connectors"
	"mianti/correction"
	"mianti/figures"
	"mianti/ledger"
	"mianti/sharing"
)

// mostClocks bounds what is read of requests and corrections for figures.
const mostClocks = 20000

// SharingReceived gives the sharing requests that were received in a time.
func (s *Store) SharingReceived(ctx context.Context, from, until time.Time) ([]sharing.Request, error) {
	rows, err := table[sharingRow](s.db).Where("received_at >= ? AND received_at < ?", At(from), At(until)).Order("received_at, id").Limit(mostClocks).Find(ctx)
	if err != nil {
		return nil, translate(err, "list sharing requests", sharingRequests())
	}
	out := make([]sharing.Request, 0, len(rows))
	for _, row := range rows {
		r, err := sharingFromRow(row)
		if err != nil {
			return nil, err
		}
		out = append(out, *r)
	}
	return out, nil
}

// CorrectionsOpened gives when the corrections that were opened in a time were
// answered, by the entries of what was done: the corrections themselves stay
// sealed.
func (s *Store) CorrectionsOpened(ctx context.Context, from, until time.Time) ([]figures.Answered, error) {
	const doing = "read when corrections were answered"
	var rows []correctionRow
	err := s.db.WithContext(ctx).Select("id", "provider", "case_id", "state", "opened_at").
		Where("opened_at >= ? AND opened_at < ?", At(from), At(until)).Order("opened_at, id").Limit(mostClocks).Find(&rows).Error
	if err != nil {
		return nil, translate(err, doing, corrections())
	}
	out, at := make([]figures.Answered, len(rows)), make(map[string]*figures.Answered, len(rows))
	for i, row := range rows {
		out[i] = figures.Answered{Provider: row.Provider, OpenedAt: row.Opened.Time(), Withdrawn: row.State == string(correction.Withdrawn)}
		at["correction:"+row.ID] = &out[i]
	}
	for batch := range slices.Chunk(rows, entryBatch) {
		ids := make([]string, len(batch))
		for i, row := range batch {
			ids[i] = row.CaseID
		}
		kinds := []string{string(ledger.CorrectionPassedOn), string(ledger.CorrectionAnswered)}
		entries, err := entriesOf(table[entryRow](s.db).Where("case_id IN ? AND kind IN ?", ids, kinds).Order("id").Find(ctx))
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			answered := at[e.Object]
			switch {
			case answered == nil || !answered.AnsweredAt.IsZero(): // of another time, or answered again in a dispute
			case e.Kind == ledger.CorrectionPassedOn:
				answered.OpenedAt = e.At
			default:
				answered.AnsweredAt = e.At
			}
		}
	}
	return out, nil
}

// sourceKey tells sources apart.
type sourceKey struct{ Source, Dataset, Department string }

// SourceTimes gives how sources answered in a time; those of one department, or of
// all.
func (s *Store) SourceTimes(ctx context.Context, department string, from, until time.Time) ([]figures.SourceTime, error) {
	found := map[sourceKey]*figures.SourceTime{}
	if err := s.sourceResults(ctx, department, from, until, found); err != nil {
		return nil, err
	}
	if err := s.sourcePercentiles(ctx, department, from, until, found); err != nil {
		return nil, err
	}
	out := make([]figures.SourceTime, 0, len(found))
	for _, one := range found {
		slices.SortFunc(one.Results, func(a, b figures.Beside) int { return cmp.Or(cmp.Compare(b.N, a.N), strings.Compare(a.Name, b.Name)) })
		out = append(out, *one)
	}
	slices.SortFunc(out, func(a, b figures.SourceTime) int {
		return cmp.Or(strings.Compare(a.Department, b.Department), strings.Compare(a.Dataset, b.Dataset), strings.Compare(a.Source, b.Source))
	})
	return out, nil
}

// calls are those of a time that were not probes.
func (s *Store) calls(ctx context.Context, department string, from, until time.Time) *gorm.DB {
	query := s.db.WithContext(ctx).Table("source_calls").Where("called_in >= ? AND called_in < ? AND (flags & ?) = 0", At(from), At(until), flagProbe)
	if department != "" {
		query = query.Where("department = ?", department)
	}
	return query
}

func (s *Store) sourceResults(ctx context.Context, department string, from, until time.Time, found map[sourceKey]*figures.SourceTime) error {
	var rows []struct {
		sourceKey `gorm:"embedded"`
		Result    string
		Called    bool
		N         int
		Newest    Timestamp
	}
	const by = "source, dataset, department, result, attempt > 0"
	err := s.calls(ctx, department, from, until).Select("source, dataset, department, result, attempt > 0 AS called, COUNT(*) AS n, MAX(done) AS newest").Group(by).Scan(&rows).Error
	if err != nil {
		return translate(err, "count the calls to sources", things{})
	}
	for _, row := range rows {
		one := found[row.sourceKey]
		if one == nil {
			one = &figures.SourceTime{Source: row.Source, Dataset: row.Dataset, Department: row.Department, Results: []figures.Beside{}}
			found[row.sourceKey] = one
		}
		one.Results = append(one.Results, figures.Beside{Name: row.Result, N: row.N})
		newest := row.Newest.Time()
		switch {
		case !row.Called:
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
	}
	return nil
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

// sourcePercentiles adds the times of the calls that came back, by nearest rank.
func (s *Store) sourcePercentiles(ctx context.Context, department string, from, until time.Time, found map[sourceKey]*figures.SourceTime) error {
	const of = "source, dataset, department"
	ranked := s.calls(ctx, department, from, until).Where("called_back > 0 AND called_out > 0").
		Select(of + ", called_back - called_out AS took, ROW_NUMBER() OVER (PARTITION BY " + of + " ORDER BY called_back - called_out) AS nth, COUNT(*) OVER (PARTITION BY " + of + ") AS n")
	var rows []struct {
		sourceKey `gorm:"embedded"`
		P50, P95  int64
	}
	err := s.db.WithContext(ctx).Table("(?) AS ranked", ranked).
		Select(of + ", MIN(CASE WHEN nth * 2 >= n THEN took END) AS p50, MIN(CASE WHEN nth * 20 >= n * 19 THEN took END) AS p95").Group(of).Scan(&rows).Error
	if err != nil {
		return translate(err, "measure the calls to sources", things{})
	}
	for _, row := range rows {
		if one := found[row.sourceKey]; one != nil {
			one.P50, one.P95 = row.P50/1000, row.P95/1000
		}
	}
	return nil
}
