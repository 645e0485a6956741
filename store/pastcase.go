package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"mianti/exchange"
	"mianti/internal/fault"
)

// pastCaseRow is a case with when it was resolved last.
type pastCaseRow struct {
	ID           string
	Department   string
	Subject      string
	Revision     int
	ResolutionID string
	CreatedAt    Timestamp
	Destroyed    *Timestamp
}

// PastCases gives the cases that were resolved last, the latest first: at most
// limit of those before a case, nil for the first of them.
func (s *Store) PastCases(ctx context.Context, before *exchange.PastCase, limit int) ([]exchange.PastCase, error) {
	find := s.db.WithContext(ctx).Table("resolutions").
		Select("cases.id, cases.department, cases.subject, cases.revision, cases.resolution_id, resolutions.created_at, case_keys.destroyed_at AS destroyed").
		Joins("JOIN cases ON cases.id = resolutions.case_id AND cases.resolution_id = resolutions.id").
		Joins("LEFT JOIN case_keys ON case_keys.case_id = cases.id").
		Order("resolutions.created_at DESC, resolutions.id DESC").Limit(limit)
	if before != nil {
		at := At(before.ResolvedAt)
		find = find.Where("resolutions.created_at < ? OR (resolutions.created_at = ? AND resolutions.id < ?)", at, at, before.Resolution)
	}
	var rows []pastCaseRow
	if err := find.Scan(&rows).Error; err != nil {
		return nil, translate(err, "list past cases", cases())
	}
	out := make([]exchange.PastCase, len(rows))
	for i, row := range rows {
		out[i] = exchange.PastCase{
			ID: row.ID, Department: row.Department, Subject: row.Subject, Revision: row.Revision, Resolution: row.ResolutionID,
			ResolvedAt: row.CreatedAt.Time(), Destroyed: row.Destroyed != nil,
		}
	}
	return out, nil
}

// CaseInputs gives what the resolutions of a case followed from, in the order in
// which they were made; fault.NotFound when none of it was kept.
func (s *Store) CaseInputs(ctx context.Context, caseID string) ([]*exchange.Inputs, error) {
	key, err := s.keyOf(ctx, s.db, caseID)
	if err != nil {
		return nil, err
	}
	rows, err := table[inputsRow](s.db).Where("case_id = ?", caseID).Find(ctx)
	if err != nil {
		return nil, translate(err, "read the inputs of a case", cases())
	}
	if key.destroyed != nil {
		return nil, exchange.CaseDestroyed(*key.destroyed)
	}
	if len(rows) == 0 {
		return nil, fault.New(fault.NotFound, "no-inputs", "办件 %s 没有保存核验输入，无法重算：它是在开始保存之前核验的。", caseID)
	}
	out := make([]*exchange.Inputs, len(rows))
	for i, row := range rows {
		if out[i], err = s.openInputs(ctx, key, row); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out, func(a, b *exchange.Inputs) int {
		if order := a.Now.Compare(b.Now); order != 0 {
			return order
		}
		return a.Version - b.Version
	})
	return out, nil
}

func (s *Store) openInputs(ctx context.Context, key *caseKey, row inputsRow) (*exchange.Inputs, error) {
	plain, err := key.open(row.Body, inputsPlace(row.ResolutionID, row.Version))
	if err != nil {
		return nil, err
	}
	var in exchange.Inputs
	if err := json.Unmarshal(plain, &in); err != nil {
		return nil, fmt.Errorf("decode the inputs of resolution %s: %w", row.ResolutionID, err)
	}
	in.Facts = typedFacts(in.Facts)
	if in.GrantSet != "" {
		if in.Grants, err = s.grantSet(ctx, in.GrantSet); err != nil {
			return nil, err
		}
	}
	return &in, nil
}
