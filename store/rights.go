package store

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

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

// checkRights refuses what rests on a grant or a consent that has ended. The rows
// are locked until tx ends: who ends one of them waits, and nothing is released
// after he has. They are locked in the order of their ids, consents after grants,
// and both after the case.
func (s *Store) checkRights(tx *gorm.DB, rights exchange.Rights) error {
	active := "state = '" + string(policies.GrantActive) + "'"
	if err := s.stillHold(tx, &grantRow{}, rights.Grants, active); err != nil {
		return err
	}
	stands := "state NOT IN ('" + string(exchange.ConsentRefused) + "', '" + string(exchange.ConsentWithdrawn) + "')"
	if err := s.stillHold(tx, &consentRow{}, rights.Consents, stands); err != nil {
		return err
	}
	return s.stillHold(tx, &releaseRow{}, rights.Previews, "state = '"+string(policies.PreviewReleased)+"'")
}

// stillHold locks the rows of these ids, and refuses when not all of them are as
// they should be. SQLite has one writer, and needs no lock of a row. The state is
// read with the lock: what was read before it may be out of date.
func (s *Store) stillHold(tx *gorm.DB, row any, ids []string, condition string) error {
	if len(ids) == 0 {
		return nil
	}
	query := tx.Model(row).Where("id IN ?", ids).Order("id")
	if s.dialect == dialectPostgres {
		query = query.Clauses(clause.Locking{Strength: clause.LockingStrengthShare})
	}
	var held []string
	if err := query.Where(condition).Pluck("id", &held).Error; err != nil {
		return translate(err, "read what a release rests on", things{})
	}
	if len(held) < len(ids) {
		return fault.New(fault.Conflict, exchange.AuthorizationChanged, "核验期间，所依据的共享授权或授权同意已经终止，因此没有给出结果。请重新核验。")
	}
	return nil
}
