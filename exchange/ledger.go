package exchange

import (
	"context"
	"fmt"

	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// Ledger (存证日志) is the sealed ledger, to read.
type Ledger interface {
	ledger.Tiles
	// Checkpoint gives the newest checkpoint; fault.Unavailable before the first.
	Checkpoint(ctx context.Context) (ledger.Checkpoint, error)
	// Rows gives what stands at the places from one on, in their order.
	Rows(ctx context.Context, from int64, limit int) ([]ledger.Row, error)
	// RowsOfCase gives the entries of a case, those after an entry's number, in
	// their order. Index is -1 where one has no place yet.
	RowsOfCase(ctx context.Context, caseID string, after int64, limit int) ([]ledger.Row, error)
}

// LogEntry is an entry of a case as its department sees it: where it is, not
// what it says; the receipt says that.
type LogEntry struct {
	// Number orders the entries of a case.
	Number int64
	// Index is the place in the log; -1 while it is being sealed.
	Index      int64
	Kind       string
	Resolution string
	Hash       ledger.Hash
}

// logPage bounds what is read of the log at once.
const logPage = 256

// CaseLog gives the entries of a case of the caller's department, those after a
// number. The reading is an entry itself.
func (x *Exchange) CaseLog(ctx context.Context, by policies.Caller, id string, after int64) ([]LogEntry, error) {
	rows, err := x.caseRows(ctx, by, id, after, logPage)
	if err != nil {
		return nil, err
	}
	out := make([]LogEntry, len(rows))
	for i, row := range rows {
		out[i] = LogEntry{Number: row.EntryID, Index: row.Index, Hash: row.Hash}
		if row.Columns != nil {
			out[i].Kind, out[i].Resolution = row.Columns.Kind, row.Columns.Resolution
		}
	}
	return out, nil
}

// caseRows records the reading, and then reads.
func (x *Exchange) caseRows(ctx context.Context, by policies.Caller, id string, after int64, limit int) ([]ledger.Row, error) {
	c, err := x.Cases.Case(ctx, by.Department, id)
	if err != nil {
		return nil, fmt.Errorf("read the entries of a case: %w", err)
	}
	// As they are before this reading.
	rows, err := x.Ledger.RowsOfCase(ctx, c.ID, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read the entries of a case: %w", err)
	}
	if err := x.recordLogReading(ctx, x.entry(ledger.LogRead, by, c)); err != nil {
		return nil, err
	}
	return rows, nil
}

func (x *Exchange) recordLogReading(ctx context.Context, e ledger.Entry) error {
	if err := x.Journal.Append(ctx, []ledger.Entry{e}); err != nil {
		return notRecorded(err)
	}
	return nil
}

// EntryReceipt gives the receipt of an entry of a case of the caller's department, by
// the entry's number. One that is being sealed is a fault.Unavailable.
func (x *Exchange) EntryReceipt(ctx context.Context, by policies.Caller, caseID string, number int64) (ledger.Receipt, error) {
	rows, err := x.caseRows(ctx, by, caseID, number-1, 1)
	if err != nil {
		return ledger.Receipt{}, err
	}
	if len(rows) == 0 || rows[0].EntryID != number {
		return ledger.Receipt{}, fault.New(fault.NotFound, "unknown-entry", "这个办件没有这个编号的存证。")
	}
	return x.receipt(ctx, rows[0])
}

// ResolutionReceipt gives the receipt of the entry that the newest version of a
// resolution was stored with.
func (x *Exchange) ResolutionReceipt(ctx context.Context, by policies.Caller, id string) (ledger.Receipt, error) {
	r, err := x.Resolutions.Resolution(ctx, by.Department, id)
	if err != nil {
		return ledger.Receipt{}, fmt.Errorf("make a receipt: %w", err)
	}
	var newest *ledger.Row
	for after := int64(0); ; {
		rows, err := x.Ledger.RowsOfCase(ctx, r.Case, after, logPage)
		if err != nil {
			return ledger.Receipt{}, fmt.Errorf("make a receipt: %w", err)
		}
		for i, row := range rows {
			if after = row.EntryID; row.Columns != nil && row.Columns.Resolution == id && row.Columns.Kind == string(ledger.Resolved) {
				newest = &rows[i]
			}
		}
		if len(rows) < logPage {
			break
		}
	}
	read := ledger.Entry{
		Kind: ledger.LogRead, At: x.Now().UTC(), System: by.System, Person: by.Person, Department: by.Department,
		Case: r.Case, Resolution: r.ID, Revision: r.Revision,
	}
	if err := x.recordLogReading(ctx, read); err != nil {
		return ledger.Receipt{}, err
	}
	if newest == nil {
		return ledger.Receipt{}, fault.New(fault.NotFound, "unknown-entry", "这个核验结果没有存证。")
	}
	return x.receipt(ctx, *newest)
}

func (x *Exchange) receipt(ctx context.Context, row ledger.Row) (ledger.Receipt, error) {
	c, err := x.Ledger.Checkpoint(ctx)
	if err != nil {
		return ledger.Receipt{}, err
	}
	if row.Index < 0 {
		return ledger.Receipt{}, ledger.NotSealedYet()
	}
	proof, err := ledger.ProveInclusion(ctx, x.Ledger, c, row.Index)
	if err != nil {
		return ledger.Receipt{}, err
	}
	return ledger.NewReceipt(row.Leaf(), proof), nil
}

// LogEntries gives leaves of the log as they were sealed, from a place on, to
// somebody who audits it. The reading is an entry itself.
func (x *Exchange) LogEntries(ctx context.Context, by policies.Caller, from int64, limit int) ([]ledger.Leaf, error) {
	c, err := x.Ledger.Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	limit = int(min(int64(limit), logPage, max(0, c.Size-from)))
	if from < 0 || limit <= 0 {
		return []ledger.Leaf{}, nil
	}
	rows, err := x.Ledger.Rows(ctx, from, limit)
	if err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	read := ledger.Entry{
		Kind: ledger.LogRead, At: x.Now().UTC(), System: by.System, Person: by.Person, Department: by.Department,
		Object: fmt.Sprintf("log:%d-%d", from, from+int64(len(rows))-1),
	}
	if err := x.recordLogReading(ctx, read); err != nil {
		return nil, err
	}
	leaves := make([]ledger.Leaf, len(rows))
	for i, row := range rows {
		leaves[i] = row.Leaf()
	}
	return leaves, nil
}
