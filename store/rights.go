package store

import (
	"context"
	"database/sql"
	"slices"

	"gorm.io/gorm"

	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/policies"
)

// GrantStates gives the states of these grants as they are now, by id.
func (s *Store) GrantStates(ctx context.Context, ids []string) (map[string]policies.GrantState, error) {
	rows, err := table[grantRow](s.db).Select("id", "state").Where("id IN ?", ids).Find(ctx)
	if err != nil {
		return nil, translate(err, "read the states of grants", things{})
	}
	states := make(map[string]policies.GrantState, len(rows))
	for _, row := range rows {
		states[row.ID] = policies.GrantState(row.State)
	}
	return states, nil
}

// stillHold locks the rows of these ids, and gives those that are as they should be.
// SQLite has one writer, and needs no lock of a row. The state is read with the lock:
// what was read before it may be out of date.
func (s *Store) stillHold(ctx context.Context, tx *gorm.DB, of, holds string, ids []string) (map[string]bool, error) {
	held := map[string]bool{}
	if len(ids) == 0 {
		return held, nil
	}
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	statement := "SELECT id FROM " + of + " WHERE id IN (SELECT id FROM v) AND " + holds + " ORDER BY id"
	if s.dialect == dialectPostgres {
		statement += " FOR SHARE"
	}
	err := s.query(ctx, tx, statement, func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		held[id] = true
		return err
	}, texts("id", ids))
	return held, err
}

func rightsEnded() error {
	return fault.New(fault.Conflict, exchange.AuthorizationChanged, "核验期间，所依据的共享授权或授权同意已经终止，因此没有给出结果。请重新核验。")
}
