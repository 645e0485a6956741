package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"mianti/correction"
	"mianti/exchange"
	"mianti/internal/fault"
)

// correctionRow is what somebody says is wrong with a record (校核).
type correctionRow struct {
	ID       string     `gorm:"column:id;primaryKey"`
	Dataset  string     `gorm:"column:dataset"`
	Subject  string     `gorm:"column:subject"` // keyed digest of whose record it is
	Provider string     `gorm:"column:provider"`
	Receiver string     `gorm:"column:receiver"`
	CaseID   string     `gorm:"column:case_id"`
	Opener   string     `gorm:"column:opener"` // keyed digest of the citizen who opened it; empty for a department
	State    string     `gorm:"column:state"`
	Step     int        `gorm:"column:step"`
	Article  string     `gorm:"column:article"` // of the deadline
	Due      *Timestamp `gorm:"column:due_at"`  // null while nobody is awaited by a fixed day
	Opened   Timestamp  `gorm:"column:opened_at"`
	Version  int        `gorm:"column:version"` // counts the changes, from 1
	Body     string     `gorm:"column:body"`    // JSON: the whole of it
}

// TableName names the table.
func (correctionRow) TableName() string { return "corrections" }

// correctedFieldRow is a field of a record that is being corrected.
type correctedFieldRow struct {
	Dataset    string `gorm:"column:dataset;primaryKey"`
	Subject    string `gorm:"column:subject;primaryKey"`
	Field      string `gorm:"column:field;primaryKey"` // empty for a record that was not found
	Correction string `gorm:"column:correction_id"`
}

// TableName names the table.
func (correctedFieldRow) TableName() string { return "corrected_fields" }

func corrections() things { return things{code: "correction", name: "校核"} }

// Correction gives a correction, or fault.NotFound.
func (s *Store) Correction(ctx context.Context, id string) (*correction.Correction, error) {
	row, err := table[correctionRow](s.db).Where("id = ?", id).Take(ctx)
	if err != nil {
		return nil, translate(err, "read a correction", corrections())
	}
	key, err := s.keyOf(ctx, s.db, row.CaseID)
	if err != nil {
		return nil, err
	}
	return correctionFromRow(row, key)
}

// Corrections gives the corrections that a filter chooses, the oldest first.
func (s *Store) Corrections(ctx context.Context, f correction.Filter) ([]correction.Correction, error) {
	query := s.db.WithContext(ctx).Model(&correctionRow{})
	for _, part := range []struct{ column, value string }{
		{"provider", f.Provider}, {"receiver", f.Receiver}, {"opener", f.Subject}, {"state", string(f.State)}, {"case_id", f.Case},
	} {
		if part.value != "" {
			query = query.Where(part.column+" = ?", part.value)
		}
	}
	if f.Disputed {
		query = query.Where("step > 1")
	}
	if f.Overdue {
		query = query.Where("due_at <= ?", At(f.Now))
	}
	if f.After != "" {
		var after correctionRow
		if err := query.Session(&gorm.Session{}).Where("id = ?", f.After).Take(&after).Error; err != nil {
			return nil, translate(err, "list corrections", corrections())
		}
		query = query.Where("(opened_at > ? OR (opened_at = ? AND id > ?))", after.Opened, after.Opened, after.ID)
	}
	var rows []correctionRow
	if err := query.Order("opened_at, id").Limit(f.Limit).Find(&rows).Error; err != nil {
		return nil, translate(err, "list corrections", corrections())
	}
	ids := make([]string, len(rows))
	for i := range rows {
		ids[i] = rows[i].CaseID
	}
	keys, err := s.keysOf(ctx, s.db, ids)
	if err != nil {
		return nil, err
	}
	out := make([]correction.Correction, 0, len(rows))
	for _, row := range rows {
		c, err := correctionFromRow(row, keys[row.CaseID])
		if err != nil {
			return nil, err
		}
		out = append(out, *c)
	}
	return out, nil
}

// SaveCorrection stores a correction with its entries and its jobs, all or nothing.
// The first version is a new row; a later one is stored if the row is still at the
// version before, and is a fault.Conflict if not. Of two that are about the same
// field of the same record only one is open.
func (s *Store) SaveCorrection(ctx context.Context, c correction.Commit) error {
	return s.transact(ctx, func(tx *gorm.DB) error {
		key, err := s.keyToWrite(ctx, tx, c.Correction.Case)
		if err != nil {
			return err
		}
		row, err := correctionToRow(c.Correction, key)
		if err != nil {
			return err
		}
		if err := saveCorrectionRow(ctx, tx, row); err != nil {
			return err
		}
		if err := holdFields(ctx, tx, c.Correction); err != nil {
			return err
		}
		if err := s.appendEntries(ctx, tx, c.Entries); err != nil {
			return err
		}
		return s.enqueue(ctx, tx, c.Jobs)
	})
}

func saveCorrectionRow(ctx context.Context, tx *gorm.DB, row correctionRow) error {
	if row.Version == 1 {
		return translate(table[correctionRow](tx).Create(ctx, &row), "save a correction", corrections())
	}
	changed := tx.Model(&correctionRow{}).Where("id = ? AND version = ?", row.ID, row.Version-1).Updates(map[string]any{
		"provider": row.Provider, "state": row.State, "step": row.Step, "article": row.Article, "due_at": row.Due, "version": row.Version, "body": row.Body,
	})
	if changed.Error != nil {
		return translate(changed.Error, "save a correction", corrections())
	}
	if changed.RowsAffected == 0 {
		return fault.New(fault.Conflict, "correction-changed", "这项校核刚被其他人办理。请重新读取后再办理。")
	}
	return nil
}

// holdFields keeps others from correcting the same while a correction is open.
func holdFields(ctx context.Context, tx *gorm.DB, c *correction.Correction) error {
	const doing = "hold the fields of a correction"
	if _, err := table[correctedFieldRow](tx).Where("correction_id = ?", c.ID).Delete(ctx); err != nil {
		return translate(err, doing, corrections())
	}
	if c.State.Closed() {
		return nil
	}
	fields := c.Fields
	if len(fields) == 0 {
		fields = []string{""}
	}
	for _, field := range fields {
		row := correctedFieldRow{Dataset: c.Dataset, Subject: c.Subject, Field: field, Correction: c.ID}
		err := table[correctedFieldRow](tx).Create(ctx, &row)
		if errors.Is(err, gorm.ErrDuplicatedKey) {
			return fault.New(fault.Conflict, "correction-open", "同一记录的同一数据项正在校核，请等待答复。")
		}
		if err != nil {
			return translate(err, doing, corrections())
		}
	}
	return nil
}

// OverdueCorrections counts the corrections whose deadline is gone, by provider and
// article.
func (s *Store) OverdueCorrections(ctx context.Context, provider string, now time.Time) ([]correction.Overdue, error) {
	query := s.db.WithContext(ctx).Model(&correctionRow{}).Where("due_at <= ?", At(now))
	if provider != "" {
		query = query.Where("provider = ?", provider)
	}
	rows, err := query.Select("provider, article, COUNT(*), MIN(due_at)").Group("provider, article").Order("provider, article").Rows()
	if err != nil {
		return nil, translate(err, "count overdue corrections", things{})
	}
	defer rows.Close()
	var out []correction.Overdue
	for rows.Next() {
		var one correction.Overdue
		var oldest int64
		if err := rows.Scan(&one.Department, &one.Article, &one.Count, &oldest); err != nil {
			return nil, translate(err, "count overdue corrections", things{})
		}
		one.OldestDue = Timestamp(oldest).Time()
		out = append(out, one)
	}
	return out, translate(rows.Err(), "count overdue corrections", things{})
}

// readOpenCorrections reads the records of these subjects whose correction is open.
func (s *Store) readOpenCorrections(ctx context.Context, subjects []string) ([]exchange.RecordRef, error) {
	return s.openCorrections(ctx, func(query *gorm.DB) *gorm.DB { return query.Where("subject IN ?", subjects) })
}

// openCorrections gives those of the records whose correction is open that are chosen.
func (s *Store) openCorrections(ctx context.Context, choose func(*gorm.DB) *gorm.DB) ([]exchange.RecordRef, error) {
	var rows []correctedFieldRow
	query := choose(s.db.WithContext(ctx).Model(&correctedFieldRow{}).Distinct("dataset", "subject"))
	if err := query.Order("dataset, subject").Find(&rows).Error; err != nil {
		return nil, translate(err, "read open corrections", corrections())
	}
	out := make([]exchange.RecordRef, len(rows))
	for i, row := range rows {
		out[i] = exchange.RecordRef{Dataset: row.Dataset, Subject: row.Subject}
	}
	return out, nil
}

// CaseByID gives a case of whichever department, or fault.NotFound.
func (s *Store) CaseByID(ctx context.Context, id string) (*exchange.Case, error) {
	return s.readCase(ctx, s.caseQueries.byID, id)
}

// correctionPlace is where the content of a correction stands, sealed.
func correctionPlace(id string, version int) []byte { return place("corrections", id, version, "body") }

func correctionToRow(c *correction.Correction, key *caseKey) (correctionRow, error) {
	plain, err := json.Marshal(c)
	if err != nil {
		return correctionRow{}, fmt.Errorf("encode a correction: %w", err)
	}
	body, err := key.seal(plain, correctionPlace(c.ID, c.Version))
	if err != nil {
		return correctionRow{}, err
	}
	row := correctionRow{
		ID: c.ID, Dataset: c.Dataset, Subject: c.Subject, Provider: c.Provider, Receiver: c.Receiver, CaseID: c.Case, Opener: c.Opener.Subject,
		State: string(c.State), Step: c.Step, Opened: At(c.OpenedAt), Version: c.Version, Body: body,
	}
	if c.Deadline != nil {
		due := At(c.Deadline.DueAt)
		row.Article, row.Due = c.Deadline.Article, &due
	}
	return row, nil
}

// correctionFromRow gives a correction; of one whose case was destroyed what does
// not come from it.
func correctionFromRow(row correctionRow, key *caseKey) (*correction.Correction, error) {
	c := correction.Correction{
		ID: row.ID, Provider: row.Provider, Receiver: row.Receiver, Case: row.CaseID, State: correction.State(row.State), Step: row.Step,
		OpenedAt: row.Opened.Time(), Version: row.Version, Fields: []string{}, History: []correction.Trace{},
	}
	if key.destroyed == nil {
		plain, err := key.open(row.Body, correctionPlace(row.ID, row.Version))
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(plain, &c); err != nil {
			return nil, fmt.Errorf("decode correction %s: %w", row.ID, err)
		}
	}
	c.Dataset, c.Subject, c.Opener.Subject = row.Dataset, row.Subject, row.Opener
	return &c, nil
}

// CasesAbout gives the open cases in which anything was asked about a subject, by
// id, after the one of that id.
func (s *Store) CasesAbout(ctx context.Context, subject, after string, limit int) ([]exchange.CaseRef, error) {
	var out []exchange.CaseRef
	err := s.db.WithContext(ctx).Table("cases").Select("department", `id AS "case"`).
		Where("id IN (SELECT case_id FROM accesses WHERE subject = ? AND case_id > ?)", subject, after).
		Where("closed_at IS NULL").Order("id").Limit(limit).Scan(&out).Error
	if err != nil {
		return nil, translate(err, "find the cases of a subject", cases())
	}
	return out, nil
}
