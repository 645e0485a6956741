package store

import (
	"context"
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
	var alarms []safeguard.Alarm
	err := s.transact(ctx, func(tx *gorm.DB) (err error) {
		if err := appendEntries(ctx, tx, entries); err != nil {
			return err
		}
		alarms, err = s.countOutcomes(ctx, tx, entries)
		return err
	})
	s.tell(ctx, err, alarms)
	return err
}

// appendEntries adds entries in the caller's transaction.
func appendEntries(ctx context.Context, tx *gorm.DB, entries []ledger.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	rows := make([]entryRow, len(entries))
	for i, e := range entries {
		body, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("encode an entry: %w", err)
		}
		if !ledger.Fits(body, len(e.Concerns)) {
			return fault.New(fault.TooLarge, "entry-too-long", "这一步涉及的当事人或数据项太多，一条存证记不下，因此没有办理。请分成几个办件。")
		}
		rows[i] = entryRow{Kind: string(e.Kind), CaseID: e.Case, ResolutionID: e.Resolution, At: At(e.At), Body: string(body)}
	}
	if err := table[entryRow](tx).CreateInBatches(ctx, &rows, entryBatch); err != nil {
		return translate(err, "append to the ledger", things{})
	}
	if err := addActs(ctx, tx, rows, entries); err != nil {
		return err
	}
	return addAccesses(ctx, tx, rows, entries)
}

// addAccesses notes whom new entries are about.
func addAccesses(ctx context.Context, tx *gorm.DB, rows []entryRow, entries []ledger.Entry) error {
	var accesses []accessRow
	for i, e := range entries {
		for _, subject := range slices.Compact(slices.Sorted(slices.Values(e.Concerns))) {
			accesses = append(accesses, accessRow{
				Entry: rows[i].ID, Subject: subject, Case: e.Case, Kind: string(e.Kind), Department: e.Department, At: At(e.At), Ask: e.Ask,
			})
		}
	}
	if len(accesses) == 0 {
		return nil
	}
	return translate(table[accessRow](tx).CreateInBatches(ctx, &accesses, entryBatch), "note whom entries are about", things{})
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
