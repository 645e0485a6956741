package store

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"mianti/policies"
)

// SaveGrants stores grants; one of the same id is replaced.
func (s *Store) SaveGrants(ctx context.Context, grants []policies.Grant) error {
	if len(grants) == 0 {
		return nil
	}
	rows := make([]grantRow, len(grants))
	for i, g := range grants {
		fields, err := json.Marshal(g.Fields)
		if err != nil {
			return fmt.Errorf("encode the fields of a grant: %w", err)
		}
		rows[i] = grantRow{
			ID: g.ID, Department: g.Department, Matter: g.Matter, Dataset: g.Dataset, Fields: string(fields), Basis: g.Basis,
			From: At(g.From), Until: At(g.Until), State: string(g.State), Created: At(s.now()),
			History: "[]", Version: 1,
		}
	}
	replace := clause.OnConflict{
		Columns:   []clause.Column{{Name: "id"}},
		DoUpdates: clause.AssignmentColumns([]string{"department", "matter", "dataset", "fields", "basis", "valid_from", "valid_until", "state"}),
	}
	err := s.transact(ctx, func(tx *gorm.DB) error {
		return table[grantRow](tx, replace).CreateInBatches(ctx, &rows, entryBatch)
	})
	return translate(err, "save grants", things{code: "grant", name: "共享授权"})
}

// GrantsFor gives the grants for these matters, whoever holds them and whatever
// their state: the policy tells why one does not serve.
func (s *Store) GrantsFor(ctx context.Context, matters []string) ([]policies.Grant, error) {
	rows, err := table[grantRow](s.db).Where("matter IN ?", matters).Order("id").Find(ctx)
	if err != nil {
		return nil, translate(err, "read grants", things{})
	}
	grants := make([]policies.Grant, len(rows))
	for i, row := range rows {
		grants[i] = policies.Grant{
			ID: row.ID, Department: row.Department, Matter: row.Matter, Dataset: row.Dataset, Basis: row.Basis,
			From: row.From.Time(), Until: row.Until.Time(), State: policies.GrantState(row.State),
		}
		if err := json.Unmarshal([]byte(row.Fields), &grants[i].Fields); err != nil {
			return nil, fmt.Errorf("decode grant %s: %w", row.ID, err)
		}
	}
	return grants, nil
}

// AllGrants gives every grant, whatever its state, in the order of its id.
func (s *Store) AllGrants(ctx context.Context) iter.Seq2[policies.Grant, error] {
	const page = 500
	return func(yield func(policies.Grant, error) bool) {
		for after := ""; ; {
			rows, err := table[grantRow](s.db).Where("id > ?", after).Order("id").Limit(page).Find(ctx)
			if err != nil {
				yield(policies.Grant{}, translate(err, "list grants", sharingGrants()))
				return
			}
			for i := range rows {
				g, err := sharingGrantFromRow(rows[i])
				if err != nil {
					yield(policies.Grant{}, err)
					return
				}
				if !yield(g.Grant, nil) {
					return
				}
				after = g.ID
			}
			if len(rows) < page {
				return
			}
		}
	}
}
