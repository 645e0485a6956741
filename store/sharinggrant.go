package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
	"mianti/sharing"
)

func sharingGrants() things { return things{code: "grant", name: "共享授权"} }

// SharingGrant gives a grant with where it comes from, or fault.NotFound.
func (s *Store) SharingGrant(ctx context.Context, id string) (*sharing.Grant, error) {
	row, err := table[grantRow](s.db).Where("id = ?", id).Take(ctx)
	if err != nil {
		return nil, translate(err, "read a grant", sharingGrants())
	}
	return sharingGrantFromRow(row)
}

// SharingGrants gives the grants that a filter chooses, by id.
func (s *Store) SharingGrants(ctx context.Context, f sharing.GrantFilter) ([]sharing.Grant, error) {
	query := s.db.WithContext(ctx).Model(&grantRow{})
	switch {
	case f.Department != "" && len(f.Datasets) > 0:
		query = query.Where("(department = ? OR dataset IN ?)", f.Department, f.Datasets)
	case f.Department != "":
		query = query.Where("department = ?", f.Department)
	case len(f.Datasets) > 0:
		query = query.Where("dataset IN ?", f.Datasets)
	}
	for _, equal := range []struct{ clause, value string }{
		{"state = ?", string(f.State)}, {"matter = ?", f.Matter}, {"dataset = ?", f.Dataset},
	} {
		if equal.value != "" {
			query = query.Where(equal.clause, equal.value)
		}
	}
	var rows []grantRow
	if err := query.Where("id > ?", f.After).Order("id").Limit(f.Limit).Find(&rows).Error; err != nil {
		return nil, translate(err, "list grants", sharingGrants())
	}
	return sharingGrantsFromRows(rows)
}

// SaveSharingGrant stores what was changed of a grant, with its entry, if the
// grant is still at the version before; it is a fault.Conflict if not.
func (s *Store) SaveSharingGrant(ctx context.Context, g *sharing.Grant, e ledger.Entry) error {
	row, err := sharingGrantToRow(g)
	if err != nil {
		return err
	}
	return s.transact(ctx, func(tx *gorm.DB) error {
		changed := tx.Model(&grantRow{}).Where("id = ? AND version = ?", row.ID, row.Version-1).Updates(map[string]any{
			"state": row.State, "fields": row.Fields, "correct_by": row.CorrectBy, "history": row.History, "version": row.Version,
		})
		if changed.Error != nil {
			return translate(changed.Error, "save a grant", sharingGrants())
		}
		if changed.RowsAffected == 0 {
			return fault.New(fault.Conflict, "grant-changed", "这项授权刚被其他人办理。请重新读取后再办理。")
		}
		return s.appendEntries(ctx, tx, []ledger.Entry{e})
	})
}

// OverlappingGrant gives a grant that has not ended and that lets the same
// department use one of the same fields for one of the same matters at the same
// time; nil for none.
func (s *Store) OverlappingGrant(ctx context.Context, u sharing.Use) (*sharing.Grant, error) {
	return overlappingGrant(s.db.WithContext(ctx), u)
}

func overlappingGrant(tx *gorm.DB, u sharing.Use) (*sharing.Grant, error) {
	var rows []grantRow
	err := tx.Where("department = ? AND dataset = ? AND matter IN ? AND state <> ? AND valid_from < ? AND valid_until > ?",
		u.Department, u.Dataset, u.Matters, string(policies.GrantTerminated), At(u.Until), At(u.From)).Order("id").Find(&rows).Error
	if err != nil {
		return nil, translate(err, "look for overlapping grants", sharingGrants())
	}
	grants, err := sharingGrantsFromRows(rows)
	if err != nil {
		return nil, err
	}
	for i := range grants {
		if slices.ContainsFunc(grants[i].Fields, func(field string) bool { return slices.Contains(u.Fields, field) }) {
			return &grants[i], nil
		}
	}
	return nil, nil
}

// GiveGrants stores new grants with their entries, all or nothing.
func (s *Store) GiveGrants(ctx context.Context, grants []sharing.Grant, entries []ledger.Entry) error {
	return s.transact(ctx, func(tx *gorm.DB) error {
		if err := s.addSharingGrants(ctx, tx, grants); err != nil {
			return err
		}
		return s.appendEntries(ctx, tx, entries)
	})
}

// addSharingGrants adds the grants of a delivery. Two deliveries wait for each
// other, so that neither misses the other's grants.
func (s *Store) addSharingGrants(ctx context.Context, tx *gorm.DB, grants []sharing.Grant) error {
	if len(grants) == 0 {
		return nil
	}
	if err := s.lockTable(tx, "grants"); err != nil {
		return translate(err, "add grants", sharingGrants())
	}
	rows := make([]grantRow, len(grants))
	for i := range grants {
		g := &grants[i]
		found, err := overlappingGrant(tx, sharing.Use{
			Department: g.Department, Dataset: g.Dataset, Fields: g.Fields, Matters: []string{g.Matter}, From: g.From, Until: g.Until,
		})
		if err != nil {
			return err
		}
		if found != nil {
			return sharing.Overlaps(found)
		}
		if rows[i], err = sharingGrantToRow(g); err != nil {
			return err
		}
		rows[i].Created = At(s.now())
	}
	return translate(table[grantRow](tx).CreateInBatches(ctx, &rows, entryBatch), "add grants", sharingGrants())
}

func sharingGrantToRow(g *sharing.Grant) (grantRow, error) {
	fields, err := json.Marshal(g.Fields)
	if err != nil {
		return grantRow{}, fmt.Errorf("encode the fields of a grant: %w", err)
	}
	history, err := json.Marshal(g.History)
	if err != nil {
		return grantRow{}, fmt.Errorf("encode the history of a grant: %w", err)
	}
	return grantRow{
		ID: g.ID, Department: g.Department, Matter: g.Matter, Dataset: g.Dataset, Fields: string(fields), Basis: g.Basis,
		From: At(g.From), Until: At(g.Until), State: string(g.State), Request: g.Request, Scenario: g.Scenario, Scope: g.Scope,
		Manner: string(g.Manner), CorrectBy: g.CorrectBy, History: string(history), Version: g.Version,
	}, nil
}

func sharingGrantsFromRows(rows []grantRow) ([]sharing.Grant, error) {
	out := make([]sharing.Grant, 0, len(rows))
	for _, row := range rows {
		g, err := sharingGrantFromRow(row)
		if err != nil {
			return nil, err
		}
		out = append(out, *g)
	}
	return out, nil
}

func sharingGrantFromRow(row grantRow) (*sharing.Grant, error) {
	g := &sharing.Grant{
		Grant: policies.Grant{
			ID: row.ID, Department: row.Department, Matter: row.Matter, Dataset: row.Dataset, Basis: row.Basis,
			From: row.From.Time(), Until: row.Until.Time(), State: policies.GrantState(row.State),
		},
		Request: row.Request, Scenario: row.Scenario, Scope: row.Scope, Manner: sharing.Manner(row.Manner),
		CorrectBy: row.CorrectBy, Version: row.Version,
	}
	if err := json.Unmarshal([]byte(row.Fields), &g.Fields); err != nil {
		return nil, fmt.Errorf("decode grant %s: %w", row.ID, err)
	}
	if err := json.Unmarshal([]byte(row.History), &g.History); err != nil {
		return nil, fmt.Errorf("decode the history of grant %s: %w", row.ID, err)
	}
	return g, nil
}
