package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"mianti/batch"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// batchRow is a list that is verified (批量核验).
type batchRow struct {
	ID         string     `gorm:"column:id;primaryKey"`
	Number     string     `gorm:"column:number"`
	Department string     `gorm:"column:department"`
	System     string     `gorm:"column:system"`
	Person     string     `gorm:"column:person"` // empty: the system itself
	Subject    string     `gorm:"column:subject"`
	Revision   int        `gorm:"column:revision"`
	Purpose    string     `gorm:"column:purpose"`
	Basis      string     `gorm:"column:basis"`
	PerDay     int        `gorm:"column:per_day"`
	State      string     `gorm:"column:state"`
	Note       string     `gorm:"column:note"` // JSON, or empty
	Wrong      int        `gorm:"column:wrong"`
	Todo       int        `gorm:"column:todo"`
	Waiting    int        `gorm:"column:waiting"`
	Done       int        `gorm:"column:done"`
	Lacking    int        `gorm:"column:lacking"`
	Failed     int        `gorm:"column:failed"`
	Submitted  Timestamp  `gorm:"column:submitted_at"`
	Started    *Timestamp `gorm:"column:started_at"`
	Ended      *Timestamp `gorm:"column:ended_at"`
	Touched    Timestamp  `gorm:"column:touched_at"` // when somebody last did something about it
	Version    int        `gorm:"column:version"`    // counts the changes, from 1
}

// TableName names the table.
func (batchRow) TableName() string { return "batches" }

func batches() things { return things{code: "batch", name: "批次"} }

// CreateBatch stores a batch that is being received, with a key of its own.
func (s *Store) CreateBatch(ctx context.Context, b *batch.Batch) error {
	key, err := s.newBatchKey(ctx, b.ID)
	if err != nil {
		return err
	}
	row := batchRow{
		ID: b.ID, Number: b.Number, Department: b.Department, System: b.System, Person: b.Person, Subject: b.Subject, Revision: b.Revision,
		Purpose: b.Purpose, Basis: b.Basis, PerDay: b.PerDay, State: string(b.State), Submitted: At(b.SubmittedAt), Touched: At(b.SubmittedAt), Version: b.Version,
	}
	return s.transact(ctx, func(tx *gorm.DB) error {
		if err := table[batchRow](tx).Create(ctx, &row); err != nil {
			return translate(err, "store a batch", batches())
		}
		return translate(table[batchKeyRow](tx).Create(ctx, key), "store the key of a batch", batches())
	})
}

// Batch gives a department's batch, or fault.NotFound.
func (s *Store) Batch(ctx context.Context, department, id string) (*batch.Batch, error) {
	row, err := table[batchRow](s.db).Where("id = ? AND department = ?", id, department).Take(ctx)
	if err != nil {
		return nil, translate(err, "read a batch", batches())
	}
	found, err := s.batchesFromRows(ctx, []batchRow{row})
	if err != nil {
		return nil, err
	}
	return &found[0], nil
}

// mostBatches bounds a list, whatever was asked for.
const mostBatches = 200

// Batches gives batches of a department, the newest first.
func (s *Store) Batches(ctx context.Context, f batch.Filter) ([]batch.Batch, error) {
	query := table[batchRow](s.db).Where("department = ?", f.Department)
	if f.State != "" {
		query = query.Where("state = ?", string(f.State))
	}
	if f.Before != "" {
		before, err := table[batchRow](s.db).Where("id = ? AND department = ?", f.Before, f.Department).Take(ctx)
		if err != nil {
			return nil, translate(err, "list batches", batches())
		}
		query = query.Where("(submitted_at < ? OR (submitted_at = ? AND id < ?))", before.Submitted, before.Submitted, before.ID)
	}
	rows, err := query.Order("submitted_at DESC, id DESC").Limit(min(f.Limit, mostBatches)).Find(ctx)
	if err != nil {
		return nil, translate(err, "list batches", batches())
	}
	return s.batchesFromRows(ctx, rows)
}

func (s *Store) batchesFromRows(ctx context.Context, rows []batchRow) ([]batch.Batch, error) {
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	keys, err := table[batchKeyRow](s.db).Where("batch_id IN ? AND destroyed_at IS NOT NULL", ids).Find(ctx)
	if err != nil {
		return nil, translate(err, "read the keys of batches", batches())
	}
	out := make([]batch.Batch, len(rows))
	for i, row := range rows {
		if out[i], err = row.batch(); err != nil {
			return nil, err
		}
		if at := slices.IndexFunc(keys, func(k batchKeyRow) bool { return k.BatchID == row.ID }); at >= 0 {
			out[i].DestroyedAt = timeOf(keys[at].Destroyed)
		}
	}
	return out, nil
}

func (row batchRow) batch() (batch.Batch, error) {
	b := batch.Batch{
		ID: row.ID, Number: row.Number, Department: row.Department, System: row.System, Person: row.Person, Subject: row.Subject,
		Revision: row.Revision, Purpose: row.Purpose, Basis: row.Basis, PerDay: row.PerDay, State: batch.State(row.State),
		Counts:      batch.Counts{Wrong: row.Wrong, Todo: row.Todo, Waiting: row.Waiting, Done: row.Done, Lacking: row.Lacking, Failed: row.Failed},
		SubmittedAt: row.Submitted.Time(), StartedAt: timeOf(row.Started), EndedAt: timeOf(row.Ended), Version: row.Version,
	}
	if row.Note == "" {
		return b, nil
	}
	b.Note = &batch.Hold{}
	if err := json.Unmarshal([]byte(row.Note), b.Note); err != nil {
		return b, fmt.Errorf("decode the note of batch %s: %w", row.ID, err)
	}
	return b, nil
}

// timeOf is a moment that may not have come.
func timeOf(t *Timestamp) *time.Time {
	if t == nil {
		return nil
	}
	at := t.Time()
	return &at
}

func timestampOf(t *time.Time) *Timestamp {
	if t == nil {
		return nil
	}
	at := At(*t)
	return &at
}

// UpdateBatch stores where a batch stands, with entries and jobs. It is a
// fault.Conflict when the batch has been changed since it was read.
func (s *Store) UpdateBatch(ctx context.Context, b *batch.Batch, act batch.Act) error {
	note := ""
	if b.Note != nil {
		text, err := json.Marshal(b.Note)
		if err != nil {
			return fmt.Errorf("encode a note: %w", err)
		}
		note = string(text)
	}
	values := map[string]any{
		"state": string(b.State), "note": note, "started_at": timestampOf(b.StartedAt), "ended_at": timestampOf(b.EndedAt), "version": b.Version + 1,
	}
	if len(act.Entries) > 0 {
		values["touched_at"] = At(s.now())
	}
	err := s.transact(ctx, func(tx *gorm.DB) error {
		changed := tx.Model(&batchRow{}).Where("id = ? AND version = ?", b.ID, b.Version).Updates(values)
		switch {
		case changed.Error != nil:
			return translate(changed.Error, "change a batch", batches())
		case changed.RowsAffected == 0:
			return fault.New(fault.Conflict, batch.Changed, "批次刚刚被改动。请刷新后重试。")
		}
		if err := s.appendEntries(ctx, tx, act.Entries); err != nil {
			return err
		}
		return s.enqueue(ctx, tx, act.Jobs)
	})
	if err == nil {
		b.Version++
	}
	return err
}

// NumbersTaken gives those of the numbers that cases of a department have.
func (s *Store) NumbersTaken(ctx context.Context, department string, numbers []string) ([]string, error) {
	var taken []string
	if len(numbers) == 0 {
		return nil, nil
	}
	err := s.db.WithContext(ctx).Model(&caseRow{}).Where("department = ? AND number IN ?", department, numbers).Pluck("number", &taken).Error
	return taken, translate(err, "look for numbers of cases", cases())
}

// StillMay reports whether who handed a batch in may still ask: the system is in
// use, and the person has a duty for which cases are resolved.
func (s *Store) StillMay(ctx context.Context, by policies.Caller) (bool, error) {
	systems, err := s.SystemsOf(ctx, by.Department)
	if err != nil || !slices.Contains(systems, by.System) {
		return false, err
	}
	if by.Person == "" {
		return true, nil
	}
	person, err := s.Person(ctx, by.Person)
	if errors.Is(err, fault.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if person.Deactivated {
		return false, nil
	}
	for _, duty := range person.Duties {
		if duty.Department == by.Department && duty.Duty == policies.DutyClerk {
			return true, nil
		}
	}
	return false, nil
}

// DueBatches gives some of the batches whose content was left alone since then: they
// ended, were never started, or stand still.
func (s *Store) DueBatches(ctx context.Context, before time.Time, limit int) ([]batch.Batch, error) {
	const kept = "EXISTS (SELECT 1 FROM batch_keys WHERE batch_keys.batch_id = batches.id AND destroyed_at IS NULL)"
	rows, err := table[batchRow](s.db).Where(kept).Where("state <> 'running' AND touched_at <= ?", At(before)).Order("touched_at, id").Limit(limit).Find(ctx)
	if err != nil {
		return nil, translate(err, "look for batches that are due", batches())
	}
	return s.batchesFromRows(ctx, rows)
}

// DestroyBatch destroys the key of a batch's rows and takes their content out, with
// its entry. One that is not ended is cancelled by it.
func (s *Store) DestroyBatch(ctx context.Context, b *batch.Batch, e ledger.Entry) (bool, error) {
	now, done := At(s.now()), false
	err := s.transact(ctx, func(tx *gorm.DB) error {
		destroyed := tx.Model(&batchKeyRow{}).Where("batch_id = ? AND destroyed_at IS NULL", b.ID).
			Updates(map[string]any{"payload_key": nil, "destroyed_at": now})
		if destroyed.Error != nil {
			return translate(destroyed.Error, "destroy a batch", batches())
		}
		if done = destroyed.RowsAffected == 1; !done {
			return nil
		}
		emptied := tx.Model(&batchRowRow{}).Where("batch_id = ?", b.ID).Updates(map[string]any{"body": "", "outcomes": ""})
		if emptied.Error != nil {
			return translate(emptied.Error, "destroy a batch", batches())
		}
		ended := tx.Model(&batchRow{}).Where("id = ? AND ended_at IS NULL", b.ID).
			Updates(map[string]any{"state": string(batch.Cancelled), "note": "", "ended_at": now, "version": gorm.Expr("version + 1")})
		if ended.Error != nil {
			return translate(ended.Error, "destroy a batch", batches())
		}
		return s.appendEntries(ctx, tx, []ledger.Entry{e})
	})
	if done = done && err == nil; done {
		s.destroyed.Store(true)
	}
	return done, err
}
