package store

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"mianti/batch"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/keyring"
)

// batchRowRow is one row of a list.
type batchRowRow struct {
	BatchID    string     `gorm:"column:batch_id;primaryKey"`
	Line       int        `gorm:"column:line;primaryKey"`
	State      string     `gorm:"column:state"`
	Number     string     `gorm:"column:number"` // of its case
	CaseID     string     `gorm:"column:case_id"`
	Resolution string     `gorm:"column:resolution"`
	Status     string     `gorm:"column:status"`
	Problems   string     `gorm:"column:problems"` // JSON; no personal data
	Body       string     `gorm:"column:body"`     // JSON, sealed; empty once it was destroyed
	Outcomes   string     `gorm:"column:outcomes"` // JSON, sealed; empty once it was destroyed
	Asked      *Timestamp `gorm:"column:asked_at"`
	Checked    *Timestamp `gorm:"column:checked_at"`
}

// TableName names the table.
func (batchRowRow) TableName() string { return "batch_rows" }

// batchKeyRow holds the key of a batch, wrapped.
type batchKeyRow struct {
	BatchID    string     `gorm:"column:batch_id;primaryKey"`
	KEK        string     `gorm:"column:kek"`
	PayloadKey []byte     `gorm:"column:payload_key"` // null once it was destroyed
	Destroyed  *Timestamp `gorm:"column:destroyed_at"`
}

// TableName names the table.
func (batchKeyRow) TableName() string { return "batch_keys" }

// The places of what is sealed of a batch.
func batchKeyPlace(id string) []byte { return place("batch_keys", id, "payload_key") }
func batchRowPlace(id string, line int, column string) []byte {
	return place("batch_rows", id, line, column)
}

// newBatchKey makes the key of a batch.
func (s *Store) newBatchKey(ctx context.Context, id string) (*batchKeyRow, error) {
	if s.keys == nil {
		return nil, keysMissing()
	}
	key := make([]byte, caseKeyLength)
	if _, err := rand.Read(key); err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	wrapped, err := s.keys.Wrap(ctx, key, batchKeyPlace(id))
	if err != nil {
		return nil, fmt.Errorf("wrap the key of batch %s: %w", id, err)
	}
	return &batchKeyRow{BatchID: id, KEK: wrapped.KEK, PayloadKey: wrapped.Bytes}, nil
}

// batchKey gives the key of a batch, as one of a case: it seals and opens alike.
func (s *Store) batchKey(ctx context.Context, db *gorm.DB, id string) (*caseKey, error) {
	row, err := table[batchKeyRow](db).Where("batch_id = ?", id).Take(ctx)
	if err != nil {
		return nil, translate(err, "read the key of a batch", batches())
	}
	if row.Destroyed != nil {
		return nil, fault.New(fault.Gone, "batch-destroyed", "名单与结果已按期销毁，只保留批次的记录。")
	}
	return s.unwrapBatch(ctx, row)
}

func (s *Store) unwrapBatch(ctx context.Context, row batchKeyRow) (*caseKey, error) {
	if s.keys == nil {
		return nil, keysMissing()
	}
	key, err := s.keys.Unwrap(ctx, keyring.Wrapped{KEK: row.KEK, Bytes: row.PayloadKey}, batchKeyPlace(row.BatchID))
	if err != nil {
		return nil, fmt.Errorf("unwrap the key of batch %s: %w", row.BatchID, err)
	}
	return &caseKey{caseID: row.BatchID, cipher: s.cipher, key: key, packer: s.sealed}, nil
}

// AddBatchRows adds rows to a batch that is being received, and counts them.
func (s *Store) AddBatchRows(ctx context.Context, id string, rows []batch.Row) error {
	key, err := s.batchKey(ctx, s.db, id)
	if err != nil {
		return err
	}
	stored := make([]batchRowRow, len(rows))
	counts := map[batch.RowState]int{}
	for i, row := range rows {
		if stored[i], err = batchRowToRow(id, row, key); err != nil {
			return err
		}
		counts[row.State]++
	}
	return s.transact(ctx, func(tx *gorm.DB) error {
		if err := table[batchRowRow](tx).CreateInBatches(ctx, &stored, 100); err != nil {
			return translate(err, "store the rows of a batch", batches())
		}
		for state, n := range counts {
			if err := recount(tx, id, state, n); err != nil {
				return err
			}
		}
		return nil
	})
}

// recount adds to the count of a state of rows. States are the names of columns.
func recount(tx *gorm.DB, id string, state batch.RowState, by int) error {
	switch state {
	case batch.RowWrong, batch.RowTodo, batch.RowWaiting, batch.RowDone, batch.RowLacking, batch.RowFailed:
	default:
		return fmt.Errorf("count the rows of a batch: no state %q", state)
	}
	column := string(state)
	changed := tx.Model(&batchRow{}).Where("id = ?", id).Update(column, gorm.Expr(column+" + ?", by))
	return translate(changed.Error, "count the rows of a batch", batches())
}

func batchRowToRow(id string, row batch.Row, key *caseKey) (batchRowRow, error) {
	problems, err := json.Marshal(append([]fault.Detail{}, row.Problems...))
	if err != nil {
		return batchRowRow{}, fmt.Errorf("encode the problems of a row: %w", err)
	}
	out := batchRowRow{
		BatchID: id, Line: row.Line, State: string(row.State), Number: row.Number, CaseID: row.Case, Resolution: row.Resolution,
		Status: string(row.Status), Problems: string(problems), Asked: timestampOf(row.AskedAt), Checked: timestampOf(row.CheckedAt),
	}
	if row.Opening != nil {
		if out.Body, err = sealJSON(key, row.Opening, batchRowPlace(id, row.Line, "body")); err != nil {
			return out, err
		}
	}
	if row.Outcomes != nil {
		out.Outcomes, err = sealJSON(key, row.Outcomes, batchRowPlace(id, row.Line, "outcomes"))
	}
	return out, err
}

func sealJSON(key *caseKey, value any, where []byte) (string, error) {
	plain, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("encode %s: %w", where, err)
	}
	return key.seal(plain, where)
}

func openJSON(key *caseKey, sealed string, where []byte, to any) error {
	if sealed == "" {
		return nil
	}
	plain, err := key.open(sealed, where)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(plain, to); err != nil {
		return fmt.Errorf("decode %s: %w", where, err)
	}
	return nil
}

func batchRowFromRow(row batchRowRow, key *caseKey) (batch.Row, error) {
	out := batch.Row{
		Line: row.Line, State: batch.RowState(row.State), Number: row.Number, Case: row.CaseID, Resolution: row.Resolution,
		Status: exchange.Status(row.Status), AskedAt: timeOf(row.Asked), CheckedAt: timeOf(row.Checked),
		Problems: []fault.Detail{}, Outcomes: []batch.Outcome{},
	}
	if err := json.Unmarshal([]byte(row.Problems), &out.Problems); err != nil {
		return out, fmt.Errorf("decode the problems of a row: %w", err)
	}
	if row.Body != "" {
		out.Opening = &exchange.Opening{}
		if err := openJSON(key, row.Body, batchRowPlace(row.BatchID, row.Line, "body"), out.Opening); err != nil {
			return out, err
		}
	}
	return out, openJSON(key, row.Outcomes, batchRowPlace(row.BatchID, row.Line, "outcomes"), &out.Outcomes)
}

// mostBatchRows bounds a list, whatever was asked for.
const mostBatchRows = 1000

// BatchRows gives rows of a batch with their content.
func (s *Store) BatchRows(ctx context.Context, f batch.RowFilter) ([]batch.Row, error) {
	key, err := s.batchKey(ctx, s.db, f.Batch)
	if err != nil {
		return nil, err
	}
	query := table[batchRowRow](s.db).Where("batch_id = ? AND line > ?", f.Batch, f.After)
	if len(f.States) > 0 {
		query = query.Where("state IN ?", f.States)
	}
	order := "line"
	if !f.CheckedBefore.IsZero() {
		query, order = query.Where("checked_at <= ?", At(f.CheckedBefore)), "checked_at, line"
	}
	rows, err := query.Order(order).Limit(min(f.Limit, mostBatchRows)).Find(ctx)
	if err != nil {
		return nil, translate(err, "list the rows of a batch", batches())
	}
	out := make([]batch.Row, len(rows))
	for i, row := range rows {
		if out[i], err = batchRowFromRow(row, key); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// SettleBatchRow stores what came of a row that is in a state, and counts it there.
// It says whether the row still was in it.
func (s *Store) SettleBatchRow(ctx context.Context, id string, from batch.RowState, row batch.Row) (bool, error) {
	key, err := s.batchKey(ctx, s.db, id)
	if err != nil {
		return false, err
	}
	to, err := batchRowToRow(id, row, key)
	if err != nil {
		return false, err
	}
	settled := false
	err = s.transact(ctx, func(tx *gorm.DB) error {
		changed := tx.Model(&batchRowRow{}).Where("batch_id = ? AND line = ? AND state = ?", id, row.Line, string(from)).Updates(map[string]any{
			"state": to.State, "case_id": to.CaseID, "resolution": to.Resolution, "status": to.Status, "problems": to.Problems,
			"outcomes": to.Outcomes, "asked_at": to.Asked, "checked_at": to.Checked,
		})
		if changed.Error != nil {
			return translate(changed.Error, "settle a row of a batch", batches())
		}
		if settled = changed.RowsAffected == 1; !settled || from == row.State {
			return nil
		}
		if err := recount(tx, id, from, -1); err != nil {
			return err
		}
		return recount(tx, id, row.State, 1)
	})
	return settled, err
}

// AskedSince counts the rows of a batch that were asked about since then.
func (s *Store) AskedSince(ctx context.Context, id string, since time.Time) (int, error) {
	n, err := table[batchRowRow](s.db).Where("batch_id = ? AND asked_at >= ?", id, At(since)).Count(ctx, "line")
	return int(n), translate(err, "count the rows of a day", batches())
}

// rewrapBatches puts the keys of some batches under the present key-encryption key,
// and gives how many.
func (s *Store) rewrapBatches(ctx context.Context, kek string, limit int) (int, error) {
	rows, err := table[batchKeyRow](s.db).Where(earlierBatchKEK, kek).Order("batch_id").Limit(limit).Find(ctx)
	if err != nil {
		return 0, translate(err, "look for keys to rewrap", batches())
	}
	for n, row := range rows {
		key, err := s.unwrapBatch(ctx, row)
		if err != nil {
			return n, err
		}
		wrapped, err := s.keys.Wrap(ctx, key.key, batchKeyPlace(row.BatchID))
		if err != nil {
			return n, fmt.Errorf("wrap the key of batch %s: %w", row.BatchID, err)
		}
		changed := s.db.WithContext(ctx).Model(&batchKeyRow{}).Where("batch_id = ? AND kek = ? AND destroyed_at IS NULL", row.BatchID, row.KEK).
			Updates(map[string]any{"kek": wrapped.KEK, "payload_key": wrapped.Bytes})
		if changed.Error != nil {
			return n, translate(changed.Error, "rewrap the key of a batch", batches())
		}
	}
	return len(rows), nil
}

// earlierBatchKEK is the condition that the key of a batch is under another key than
// this one.
const earlierBatchKEK = "kek <> ? AND destroyed_at IS NULL"

// checkBatchKeys tries one key of each key-encryption key in use.
func (s *Store) checkBatchKeys(ctx context.Context) error {
	var keks []string
	err := s.db.WithContext(ctx).Model(&batchKeyRow{}).Where("destroyed_at IS NULL").Distinct().Order("kek").Pluck("kek", &keks).Error
	if err != nil {
		return translate(err, "look for the key-encryption keys in use", things{})
	}
	for _, kek := range keks {
		row, err := table[batchKeyRow](s.db).Where("kek = ? AND destroyed_at IS NULL", kek).Limit(1).Take(ctx)
		if errors.Is(err, gorm.ErrRecordNotFound) { // rewrapped just now
			continue
		}
		if err != nil {
			return translate(err, "read the key of a batch", batches())
		}
		if _, err := s.unwrapBatch(ctx, row); err != nil {
			return err
		}
	}
	return nil
}
