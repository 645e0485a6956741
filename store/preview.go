package store

import (
	"context"
	"encoding/json"
	"fmt"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/internal/jobs"
	"mianti/ledger"
	"mianti/policies"
)

// releaseRow is what was found and is seen by the person first (先看后用).
type releaseRow struct {
	ID      string     `gorm:"column:id;primaryKey"`
	CaseID  string     `gorm:"column:case_id"`
	State   string     `gorm:"column:state"`
	Found   Timestamp  `gorm:"column:found_at"`
	Decided *Timestamp `gorm:"column:decided_at"` // null while nothing was said
	Version int        `gorm:"column:version"`    // counts what was said, from 1
	Body    string     `gorm:"column:body"`       // JSON: the whole of it
}

// TableName names the table.
func (releaseRow) TableName() string { return "releases" }

// viewerRow is who may see it.
type viewerRow struct {
	Subject string `gorm:"column:subject;primaryKey"` // keyed digest
	Release string `gorm:"column:release_id;primaryKey"`
}

// TableName names the table.
func (viewerRow) TableName() string { return "release_viewers" }

func previews() things { return things{code: "preview", name: "待看的内容"} }

// previewPlace is where what was found stands, sealed.
func previewPlace(id string) []byte { return place("releases", id, "body") }

// savePreviews stores what was found. One that is there already keeps what was said
// of it, and takes the answers.
func savePreviews(ctx context.Context, tx *gorm.DB, found []exchange.HeldPreview, key *caseKey) error {
	const doing = "save a preview"
	for i := range found {
		p := &found[i]
		plain, err := json.Marshal(p)
		if err != nil {
			return fmt.Errorf("encode a preview: %w", err)
		}
		body, err := key.seal(plain, previewPlace(p.ID))
		if err != nil {
			return err
		}
		row := releaseRow{ID: p.ID, CaseID: p.Case, State: string(p.State), Found: At(p.FoundAt), Version: p.Version, Body: body}
		known := clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoUpdates: clause.AssignmentColumns([]string{"body", "found_at"})}
		if err := table[releaseRow](tx, known).Create(ctx, &row); err != nil {
			return translate(err, doing, previews())
		}
		for _, subject := range p.Viewers {
			viewer := viewerRow{Subject: subject, Release: p.ID}
			if err := table[viewerRow](tx, clause.OnConflict{DoNothing: true}).Create(ctx, &viewer); err != nil {
				return translate(err, doing, previews())
			}
		}
	}
	return nil
}

// PreviewsOf gives the previews of a case.
func (s *Store) PreviewsOf(ctx context.Context, caseID string) ([]exchange.HeldPreview, error) {
	rows, err := table[releaseRow](s.db).Where("case_id = ?", caseID).Order("id").Find(ctx)
	if err != nil {
		return nil, translate(err, "read the previews of a case", previews())
	}
	return s.previewsFromRows(ctx, rows)
}

// ofViewer is the condition that somebody may see a preview.
const ofViewer = "id IN (SELECT release_id FROM release_viewers WHERE subject = ?)"

// MyPreview gives a preview that a person may see, or fault.NotFound.
func (s *Store) MyPreview(ctx context.Context, subject, id string) (*exchange.HeldPreview, error) {
	row, err := table[releaseRow](s.db).Where("id = ?", id).Where(ofViewer, subject).Take(ctx)
	if err != nil {
		return nil, translate(err, "read a preview", previews())
	}
	key, err := s.keyOf(ctx, s.db, row.CaseID)
	if err != nil {
		return nil, err
	}
	if key.destroyed != nil {
		return nil, exchange.CaseDestroyed(*key.destroyed)
	}
	return previewFromRow(row, key)
}

// MyPreviews lists the previews that a person may see, the newest first.
func (s *Store) MyPreviews(ctx context.Context, f exchange.ConsentFilter) ([]exchange.HeldPreview, error) {
	query := table[releaseRow](s.db).Where(ofViewer, f.Subject)
	if f.After != "" {
		after, err := table[releaseRow](s.db).Where("id = ?", f.After).Where(ofViewer, f.Subject).Take(ctx)
		if err != nil {
			return nil, translate(err, "list previews", previews())
		}
		query = query.Where("(found_at < ? OR (found_at = ? AND id < ?))", after.Found, after.Found, after.ID)
	}
	rows, err := query.Order("found_at DESC, id DESC").Limit(f.Limit).Find(ctx)
	if err != nil {
		return nil, translate(err, "list previews", previews())
	}
	return s.previewsFromRows(ctx, rows)
}

// DecidePreview stores what a person said, with its entry and its jobs, if the
// preview is still at the version before; it is a fault.Conflict if not.
func (s *Store) DecidePreview(ctx context.Context, p *exchange.HeldPreview, e ledger.Entry, more []jobs.Job) error {
	return s.transact(ctx, func(tx *gorm.DB) error {
		decided := tx.Model(&releaseRow{}).Where("id = ? AND version = ?", p.ID, p.Version-1).
			Updates(map[string]any{"state": string(p.State), "decided_at": atOrNull(p.DecidedAt), "version": p.Version})
		if decided.Error != nil {
			return translate(decided.Error, "decide a preview", previews())
		}
		if decided.RowsAffected == 0 {
			return fault.New(fault.Conflict, "preview-changed", "刚刚已有另一个决定。请重新查看后再决定。")
		}
		if err := s.appendEntries(ctx, tx, []ledger.Entry{e}); err != nil {
			return err
		}
		return s.enqueue(ctx, tx, more)
	})
}

// previewsFromRows leaves out those whose case was destroyed.
func (s *Store) previewsFromRows(ctx context.Context, rows []releaseRow) ([]exchange.HeldPreview, error) {
	ids := make([]string, len(rows))
	for i := range rows {
		ids[i] = rows[i].CaseID
	}
	keys, err := s.keysOf(ctx, s.db, ids)
	if err != nil {
		return nil, err
	}
	out := make([]exchange.HeldPreview, 0, len(rows))
	for _, row := range rows {
		key := keys[row.CaseID]
		if key.destroyed != nil {
			continue
		}
		p, err := previewFromRow(row, key)
		if err != nil {
			return nil, err
		}
		out = append(out, *p)
	}
	return out, nil
}

func previewFromRow(row releaseRow, key *caseKey) (*exchange.HeldPreview, error) {
	plain, err := key.open(row.Body, previewPlace(row.ID))
	if err != nil {
		return nil, err
	}
	var p exchange.HeldPreview
	if err := json.Unmarshal(plain, &p); err != nil {
		return nil, fmt.Errorf("decode preview %s: %w", row.ID, err)
	}
	p.State, p.Version, p.DecidedAt = policies.PreviewState(row.State), row.Version, nil
	if row.Decided != nil {
		decided := row.Decided.Time()
		p.DecidedAt = &decided
	}
	return &p, nil
}
