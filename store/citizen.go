package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"mianti/citizen"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
)

// of narrows accesses down to those of a filter. An outcome comes with its intent.
func (f accessFilter) of(db *gorm.DB) *gorm.DB {
	q := db.Table("accesses").Where("subject = ? AND kind <> ?", f.Subject, string(ledger.Outcome))
	if f.Department != "" {
		q = q.Where("department = ?", f.Department)
	}
	if f.Case != "" {
		q = q.Where("case_id = ?", f.Case)
	}
	if !f.From.IsZero() {
		q = q.Where("at >= ?", At(f.From))
	}
	if !f.Until.IsZero() {
		q = q.Where("at < ?", At(f.Until))
	}
	if len(f.Without) > 0 {
		q = q.Where("kind NOT IN ?", f.Without)
	}
	return q
}

type accessFilter citizen.Filter

// AccessesOf lists the accesses of a filter, newest first. An intent comes with
// its outcome, if there is one.
func (s *Store) AccessesOf(ctx context.Context, f citizen.Filter) ([]citizen.Recorded, error) {
	const doing = "list accesses"
	q := accessFilter(f).of(s.db.WithContext(ctx))
	if f.Before > 0 {
		q = q.Where("entry_id < ?", f.Before)
	}
	var rows []accessRow
	if err := q.Order("entry_id DESC").Offset(f.Skip).Limit(f.Limit).Find(&rows).Error; err != nil {
		return nil, translate(err, doing, things{})
	}
	outcomes, err := s.outcomesOf(ctx, f.Subject, rows)
	if err != nil {
		return nil, err
	}
	entries, err := s.entriesByID(ctx, slices.Concat(rows, outcomes))
	if err != nil {
		return nil, err
	}
	for _, some := range [][]accessRow{rows, outcomes} {
		if err := s.findLinks(ctx, f.Subject, some); err != nil {
			return nil, err
		}
	}
	ended := make(map[string]*citizen.Recorded, len(outcomes))
	for _, row := range outcomes {
		outcome := recorded(row, entries)
		ended[row.Ask] = &outcome
	}
	found := make([]citizen.Recorded, len(rows))
	for i, row := range rows {
		found[i] = recorded(row, entries)
		if row.Kind == string(ledger.Intent) && row.Ask != "" {
			found[i].Outcome = ended[row.Ask]
		}
	}
	return found, nil
}

// outcomesOf are the outcomes of those rows that are intents.
func (s *Store) outcomesOf(ctx context.Context, subject string, rows []accessRow) ([]accessRow, error) {
	var asks []string
	for _, row := range rows {
		if row.Kind == string(ledger.Intent) && row.Ask != "" {
			asks = append(asks, row.Ask)
		}
	}
	var outcomes []accessRow
	for batch := range slices.Chunk(asks, entryBatch) {
		var some []accessRow
		err := s.db.WithContext(ctx).Where("kind = 'outcome' AND ask <> '' AND ask IN ? AND subject = ?", batch, subject).Order("entry_id").Find(&some).Error
		if err != nil {
			return nil, translate(err, "find outcomes", things{})
		}
		outcomes = append(outcomes, some...)
	}
	return outcomes, nil
}

// entriesByID gives the entries of accesses.
func (s *Store) entriesByID(ctx context.Context, rows []accessRow) (map[int64]ledger.Entry, error) {
	entries := make(map[int64]ledger.Entry, len(rows))
	for batch := range slices.Chunk(rows, entryBatch) {
		ids := make([]int64, len(batch))
		for i, row := range batch {
			ids[i] = row.Entry
		}
		least, most := spanOf(ids)
		found, err := table[entryRow](s.db).Where("id >= ? AND id <= ? AND id IN ?", least, most, ids).Find(ctx)
		if err != nil {
			return nil, translate(err, "read the ledger", things{})
		}
		for _, row := range found {
			var e ledger.Entry
			if err := json.Unmarshal([]byte(row.Body), &e); err != nil {
				return nil, fmt.Errorf("decode entry %d: %w", row.ID, err)
			}
			entries[row.ID] = e
		}
	}
	return entries, nil
}

func recorded(row accessRow, entries map[int64]ledger.Entry) citizen.Recorded {
	r := citizen.Recorded{Number: row.Entry, Entry: entries[row.Entry], Link: row.Link}
	if row.Nth != nil {
		r.Nth = *row.Nth
	}
	return r
}

// CountAccesses counts the accesses of a filter, whatever its page is.
func (s *Store) CountAccesses(ctx context.Context, f citizen.Filter) (int, error) {
	var n int64
	err := accessFilter(f).of(s.db.WithContext(ctx)).Count(&n).Error
	return int(n), translate(err, "count accesses", things{})
}

// AccessKey gives the key of a person's links, or fault.NotFound while none of his
// entries is sealed.
func (s *Store) AccessKey(ctx context.Context, subject string) (citizen.Key, error) {
	row, err := table[accessHeadRow](s.db).Where("subject = ?", subject).Take(ctx)
	if err != nil {
		return citizen.Key{}, translate(err, "read the key of an access list", things{code: "access-key", name: "查阅密钥"})
	}
	return citizen.Key{Key: row.Key, Count: row.Count}, nil
}

// FirstAccess is since when accesses are recorded, of anybody; zero for never.
func (s *Store) FirstAccess(ctx context.Context) (time.Time, error) {
	row, err := table[accessRow](s.db).Order("entry_id").Take(ctx)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, translate(err, "read since when accesses are recorded", things{})
	}
	return row.At.Time(), nil
}

// CasesConcerning lists the cases that concern or concerned somebody, those that
// came to concern him last first, and after which place the next page begins; 0
// when there is none.
func (s *Store) CasesConcerning(ctx context.Context, subject string, after int64, limit int) ([]exchange.Case, int64, error) {
	const doing = "list the cases of a person"
	var found []struct {
		CaseID string
		First  int64
	}
	q := s.db.WithContext(ctx).Table("accesses").Select("case_id, MIN(entry_id) AS first").
		Where("subject = ? AND case_id <> ''", subject).Group("case_id")
	if after > 0 {
		q = q.Having("MIN(entry_id) < ?", after)
	}
	if err := q.Order("first DESC").Limit(limit + 1).Scan(&found).Error; err != nil {
		return nil, 0, translate(err, doing, things{})
	}
	next := int64(0)
	if len(found) > limit {
		found = found[:limit]
		next = found[limit-1].First
	}
	list := []exchange.Case{}
	for _, f := range found {
		c, err := s.CaseByID(ctx, f.CaseID)
		if errors.Is(err, fault.NotFound) {
			continue // the record outlives what it is about
		}
		if err != nil {
			return nil, 0, err
		}
		list = append(list, *c)
	}
	return list, next, nil
}

// CaseConcerning gives a case that concerns or concerned somebody, or
// fault.NotFound.
func (s *Store) CaseConcerning(ctx context.Context, subject, id string) (*exchange.Case, error) {
	const doing = "read a case of a person"
	var n int64
	if err := s.db.WithContext(ctx).Table("accesses").Where("subject = ? AND case_id = ?", subject, id).Limit(1).Count(&n).Error; err != nil {
		return nil, translate(err, doing, things{})
	}
	if n == 0 {
		return nil, fault.New(fault.NotFound, "unknown-case", "没有这个办件")
	}
	return s.CaseByID(ctx, id)
}

// ConcernsOf are whom the entries of a resolution concern.
func (s *Store) ConcernsOf(ctx context.Context, resolution string) ([]string, error) {
	const ofItsCase = "entry_id IN (SELECT id FROM ledger_entries WHERE case_id IN (SELECT case_id FROM resolutions WHERE id = ?) AND resolution_id = ?)"
	var subjects []string
	err := s.db.WithContext(ctx).Table("accesses").Where(ofItsCase, resolution, resolution).Distinct().Order("subject").Pluck("subject", &subjects).Error
	return subjects, translate(err, "find whom a resolution concerns", things{})
}

// SystemNames gives the names of systems by their ids.
func (s *Store) SystemNames(ctx context.Context, ids []string) (map[string]string, error) {
	return s.namesOf(ctx, "systems", "name", ids)
}

// GrantBases gives what grants rest on, by their ids.
func (s *Store) GrantBases(ctx context.Context, ids []string) (map[string]string, error) {
	return s.namesOf(ctx, "grants", "basis", ids)
}

// CaseNumbers gives the departments' own numbers of cases, by their ids.
func (s *Store) CaseNumbers(ctx context.Context, ids []string) (map[string]string, error) {
	return s.namesOf(ctx, "cases", "number", ids)
}

// namesOf reads one column of a table by id. Both names are this file's.
func (s *Store) namesOf(ctx context.Context, table, column string, ids []string) (map[string]string, error) {
	names := make(map[string]string, len(ids))
	for batch := range slices.Chunk(ids, entryBatch) {
		var rows []struct{ ID, Name string }
		err := s.db.WithContext(ctx).Table(table).Select("id, "+column+" AS name").Where("id IN ?", batch).Scan(&rows).Error
		if err != nil {
			return nil, translate(err, "read names of "+table, things{})
		}
		for _, row := range rows {
			names[row.ID] = row.Name
		}
	}
	return names, nil
}
