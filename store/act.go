package store

import (
	"context"
	"maps"
	"slices"

	"gorm.io/gorm"

	"mianti/exchange"
	"mianti/ledger"
)

// actRow is an entry of what somebody did in person. It is found by him, and holds
// nothing that the entry does not.
type actRow struct {
	Person string `gorm:"column:person;primaryKey"`
	Entry  int64  `gorm:"column:entry_id;primaryKey;autoIncrement:false"`
	Kind   string `gorm:"column:kind"`
	Ask    string `gorm:"column:ask"`
}

// TableName names the table.
func (actRow) TableName() string { return "acts" }

// addActs notes who did in person what new entries record.
func (s *Store) addActs(ctx context.Context, tx *gorm.DB, ids []int64, entries []ledger.Entry) error {
	var persons, kinds, asks []string
	var numbers []int64
	for i := range entries {
		if e := &entries[i]; e.Person != "" {
			persons, numbers, kinds, asks = append(persons, e.Person), append(numbers, ids[i]), append(kinds, string(e.Kind)), append(asks, e.Ask)
		}
	}
	return s.insertAll(ctx, tx, "acts", "", texts("person", persons), ints("entry_id", numbers), texts("kind", kinds), texts("ask", asks))
}

// Acts lists what somebody did in person, newest first. A question comes with what
// came of it, as far as that is recorded.
func (s *Store) Acts(ctx context.Context, f exchange.ActFilter) ([]exchange.Act, error) {
	const doing = "list what somebody did"
	q := table[actRow](s.db).Where("person = ? AND kind IN ?", f.Person, f.Kinds)
	if f.Before > 0 {
		q = q.Where("entry_id < ?", f.Before)
	}
	rows, err := q.Order("entry_id DESC").Limit(f.Limit).Find(ctx)
	if err != nil {
		return nil, translate(err, doing, things{})
	}
	outcomes, err := s.outcomesOfActs(ctx, rows)
	if err != nil {
		return nil, err
	}
	entries, err := s.entriesOfActs(ctx, slices.Concat(rows, outcomes))
	if err != nil {
		return nil, err
	}
	results := make(map[string]string, len(outcomes))
	for _, row := range outcomes {
		results[row.Ask] = entries[row.Entry].Result
	}
	ids := map[string]bool{}
	acts := make([]exchange.Act, len(rows))
	for i, row := range rows {
		acts[i] = exchange.Act{Number: row.Entry, Entry: entries[row.Entry]}
		if row.Kind == string(ledger.Intent) {
			acts[i].Entry.Result = results[row.Ask]
		}
		ids[acts[i].Entry.Case] = true
	}
	numbers, err := s.CaseNumbers(ctx, slices.Sorted(maps.Keys(ids)))
	if err != nil {
		return nil, err
	}
	for i := range acts {
		acts[i].CaseNumber = numbers[acts[i].Entry.Case]
	}
	return acts, nil
}

// outcomesOfActs are the outcomes of those acts that are questions.
func (s *Store) outcomesOfActs(ctx context.Context, rows []actRow) ([]actRow, error) {
	var asks []string
	for _, row := range rows {
		if row.Kind == string(ledger.Intent) && row.Ask != "" {
			asks = append(asks, row.Ask)
		}
	}
	if len(asks) == 0 {
		return nil, nil
	}
	found, err := table[actRow](s.db).Where("kind = 'outcome' AND ask <> '' AND ask IN ?", asks).Find(ctx)
	return found, translate(err, "find outcomes", things{})
}

func (s *Store) entriesOfActs(ctx context.Context, rows []actRow) (map[int64]ledger.Entry, error) {
	accesses := make([]accessRow, len(rows))
	for i, row := range rows {
		accesses[i].Entry = row.Entry
	}
	return s.entriesByID(ctx, accesses)
}
