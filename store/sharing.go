package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"gorm.io/gorm"

	"mianti/internal/fault"
	"mianti/sharing"
)

func sharingRequests() things { return things{code: "sharing-request", name: "共享申请"} }

// SharingRequest gives a sharing request, or fault.NotFound.
func (s *Store) SharingRequest(ctx context.Context, id string) (*sharing.Request, error) {
	row, err := table[sharingRow](s.db).Where("id = ?", id).Take(ctx)
	if err != nil {
		return nil, translate(err, "read a sharing request", sharingRequests())
	}
	return sharingFromRow(row)
}

// SharingRequests gives the sharing requests that a filter chooses, in the order
// in which they were received.
func (s *Store) SharingRequests(ctx context.Context, f sharing.Filter) ([]sharing.Request, error) {
	query := s.db.WithContext(ctx).Model(&sharingRow{})
	switch {
	case f.Applicant != "" && f.Provider != "":
		query = query.Where("(applicant = ? OR provider = ?)", f.Applicant, f.Provider)
	case f.Applicant != "":
		query = query.Where("applicant = ?", f.Applicant)
	case f.Provider != "":
		query = query.Where("provider = ?", f.Provider)
	}
	query = inState(query, f)
	if f.Overdue {
		query = query.Where("due_at <= ?", At(f.Now))
	}
	if f.After != "" {
		var after sharingRow
		if err := query.Session(&gorm.Session{}).Where("id = ?", f.After).Take(&after).Error; err != nil {
			return nil, translate(err, "read a sharing request", sharingRequests())
		}
		query = query.Where("(received_at > ? OR (received_at = ? AND id > ?))", after.Received, after.Received, after.ID)
	}
	var rows []sharingRow
	if err := query.Order("received_at, id").Limit(f.Limit).Find(&rows).Error; err != nil {
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

// inState chooses by the state as it is at the filter's moment: an expired
// request is stored in the state in which its term ended.
func inState(query *gorm.DB, f sharing.Filter) *gorm.DB {
	never := []string{string(sharing.Withdrawn), string(sharing.Refused)}
	switch f.State {
	case "":
		return query
	case sharing.Expired:
		return query.Where("state NOT IN ? AND valid_until <= ?", never, At(f.Now))
	case sharing.Withdrawn, sharing.Refused:
		return query.Where("state = ?", string(f.State))
	default:
		return query.Where("state = ? AND valid_until > ?", string(f.State), At(f.Now))
	}
}

// SaveSharingRequest stores a sharing request with its grants and its entries,
// all or nothing. The first version is a new row; a later one is stored if the
// row is still at the version before, and is a fault.Conflict if not.
func (s *Store) SaveSharingRequest(ctx context.Context, c sharing.Commit) error {
	row, err := sharingToRow(c.Request)
	if err != nil {
		return err
	}
	return s.transact(ctx, func(tx *gorm.DB) error {
		if err := saveSharingRow(ctx, tx, row); err != nil {
			return err
		}
		if err := s.addSharingGrants(ctx, tx, c.Grants); err != nil {
			return err
		}
		return s.appendEntries(ctx, tx, c.Entries)
	})
}

func saveSharingRow(ctx context.Context, tx *gorm.DB, row sharingRow) error {
	if row.Version == 1 {
		return translate(table[sharingRow](tx).Create(ctx, &row), "save a sharing request", sharingRequests())
	}
	changed := tx.Model(&sharingRow{}).Where("id = ? AND version = ?", row.ID, row.Version-1).Updates(map[string]any{
		"state": row.State, "article": row.Article, "due_at": row.Due, "valid_until": row.Until, "version": row.Version, "body": row.Body,
	})
	if changed.Error != nil {
		return translate(changed.Error, "save a sharing request", sharingRequests())
	}
	if changed.RowsAffected == 0 {
		return fault.New(fault.Conflict, "sharing-request-changed", "这项申请刚被其他人办理。请重新读取后再办理。")
	}
	return nil
}

// OverdueSharing counts the sharing requests whose deadline is gone, by provider
// and article.
func (s *Store) OverdueSharing(ctx context.Context, provider string, now time.Time) ([]sharing.Overdue, error) {
	query := s.db.WithContext(ctx).Model(&sharingRow{}).Where("due_at <= ?", At(now))
	if provider != "" {
		query = query.Where("provider = ?", provider)
	}
	rows, err := query.Select("provider, article, COUNT(*), MIN(due_at)").Group("provider, article").Order("provider, article").Rows()
	if err != nil {
		return nil, translate(err, "count what is overdue", things{})
	}
	defer rows.Close()
	out := []sharing.Overdue{}
	for rows.Next() {
		var one sharing.Overdue
		var oldest int64
		if err := rows.Scan(&one.Department, &one.Article, &one.Count, &oldest); err != nil {
			return nil, translate(err, "count what is overdue", things{})
		}
		one.OldestDue = Timestamp(oldest).Time()
		out = append(out, one)
	}
	return out, translate(rows.Err(), "count what is overdue", things{})
}

func sharingToRow(r *sharing.Request) (sharingRow, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return sharingRow{}, fmt.Errorf("encode a sharing request: %w", err)
	}
	row := sharingRow{
		ID: r.ID, Applicant: r.Applicant, Provider: r.Provider, State: string(r.State), Received: At(r.ReceivedAt),
		Until: At(r.Until()), Version: r.Version, Body: string(body),
	}
	if r.Deadline != nil {
		due := At(r.Deadline.DueAt)
		row.Article, row.Due = r.Deadline.Article, &due
	}
	return row, nil
}

func sharingFromRow(row sharingRow) (*sharing.Request, error) {
	var r sharing.Request
	if err := json.Unmarshal([]byte(row.Body), &r); err != nil {
		return nil, fmt.Errorf("decode sharing request %s: %w", row.ID, err)
	}
	return &r, nil
}
