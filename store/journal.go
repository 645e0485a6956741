package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/safeguard"
)

// Append adds entries to the ledger, and counts the outcomes among them. They
// are durable when it returns.
func (s *Store) Append(ctx context.Context, entries []ledger.Entry) error {
	w, err := newWrite(entries)
	if err != nil || len(entries) == 0 {
		return err
	}
	w.tallies = safeguard.CountOutcomes(entries)
	return s.store(ctx, w)
}

// encodedEntries are entries as they are stored, and what is found by them.
type encodedEntries struct {
	entries []ledger.Entry
	bodies  []string
}

func encodeEntries(entries []ledger.Entry) (encodedEntries, error) {
	bodies := make([]string, len(entries))
	for i := range entries {
		body, err := json.Marshal(&entries[i])
		if err != nil {
			return encodedEntries{}, fmt.Errorf("encode an entry: %w", err)
		}
		if !ledger.Fits(body, len(entries[i].Concerns)) {
			return encodedEntries{}, fault.New(fault.TooLarge, "entry-too-long", "这一步涉及的当事人或数据项太多，一条存证记不下，因此没有办理。请分成几个办件。")
		}
		bodies[i] = string(body)
	}
	return encodedEntries{entries, bodies}, nil
}

// appendEntries adds entries in the caller's transaction.
func (s *Store) appendEntries(ctx context.Context, tx *gorm.DB, entries []ledger.Entry) error {
	encoded, err := encodeEntries(entries)
	if err != nil {
		return err
	}
	return s.appendEncoded(ctx, tx, encoded)
}

// appendEncoded adds entries, with who is found by them, in three statements.
func (s *Store) appendEncoded(ctx context.Context, tx *gorm.DB, all ...encodedEntries) error {
	var entries []ledger.Entry
	var bodies []string
	for _, some := range all {
		entries, bodies = append(entries, some.entries...), append(bodies, some.bodies...)
	}
	if len(entries) == 0 {
		return nil
	}
	ids, err := s.insertEntries(ctx, tx, entries, bodies)
	if err != nil {
		return translate(err, "append to the ledger", things{})
	}
	if err := s.addActs(ctx, tx, ids, entries); err != nil {
		return translate(err, "note who did what", things{})
	}
	return translate(s.addAccesses(ctx, tx, ids, entries), "note whom entries are about", things{})
}

// insertEntries gives the numbers of the entries, in their order.
func (s *Store) insertEntries(ctx context.Context, tx *gorm.DB, entries []ledger.Entry, bodies []string) ([]int64, error) {
	kinds, cases, resolutions, ats := make([]string, len(entries)), make([]string, len(entries)), make([]string, len(entries)), make([]Timestamp, len(entries))
	for i := range entries {
		e := &entries[i]
		kinds[i], cases[i], resolutions[i], ats[i] = string(e.Kind), e.Case, e.Resolution, At(e.At)
	}
	ids := make([]int64, 0, len(entries))
	err := s.eachPart([]column{texts("kind", kinds), texts("case_id", cases), texts("resolution_id", resolutions), ints("at", ats), texts("body", bodies)}, func(part []column) error {
		const insert = "INSERT INTO ledger_entries (kind, case_id, resolution_id, at, body) SELECT kind, case_id, resolution_id, at, body FROM v RETURNING id"
		return s.query(ctx, tx, insert, func(rows *sql.Rows) error {
			ids = append(ids, 0)
			return rows.Scan(&ids[len(ids)-1])
		}, part...)
	})
	if err == nil && len(ids) != len(entries) {
		err = fmt.Errorf("%d of %d entries were stored", len(ids), len(entries))
	}
	return ids, err
}

// addAccesses notes whom new entries are about.
func (s *Store) addAccesses(ctx context.Context, tx *gorm.DB, ids []int64, entries []ledger.Entry) error {
	var subjects, cases, kinds, departments, asks []string
	var numbers []int64
	var ats []Timestamp
	for i := range entries {
		e := &entries[i]
		for _, subject := range slices.Compact(slices.Sorted(slices.Values(e.Concerns))) {
			subjects, numbers, cases, kinds = append(subjects, subject), append(numbers, ids[i]), append(cases, e.Case), append(kinds, string(e.Kind))
			departments, ats, asks = append(departments, e.Department), append(ats, At(e.At)), append(asks, e.Ask)
		}
	}
	return s.insertAll(ctx, tx, "accesses", "", texts("subject", subjects), ints("entry_id", numbers), texts("case_id", cases), texts("kind", kinds),
		texts("department", departments), ints("at", ats), texts("ask", asks))
}

// entryBatch keeps a statement under SQLite's limit of parameters.
const entryBatch = 500

// Entries gives the entries of a case, in the order in which they were made.
func (s *Store) Entries(ctx context.Context, caseID string) ([]ledger.Entry, error) {
	return entriesOf(table[entryRow](s.db).Where("case_id = ?", caseID).Order("id").Find(ctx))
}

// EntriesOfResolution gives the entries of one resolution, in their order.
func (s *Store) EntriesOfResolution(ctx context.Context, id string) ([]ledger.Entry, error) {
	const ofItsCase = "case_id IN (SELECT case_id FROM resolutions WHERE id = ?)" // by which the entries are found
	return entriesOf(table[entryRow](s.db).Where(ofItsCase, id).Where("resolution_id = ?", id).Order("id").Find(ctx))
}

func entriesOf(rows []entryRow, err error) ([]ledger.Entry, error) {
	if err != nil {
		return nil, translate(err, "read the ledger", things{})
	}
	entries := make([]ledger.Entry, len(rows))
	for i, row := range rows {
		if err := json.Unmarshal([]byte(row.Body), &entries[i]); err != nil {
			return nil, fmt.Errorf("decode entry %d: %w", row.ID, err)
		}
	}
	return entries, nil
}
