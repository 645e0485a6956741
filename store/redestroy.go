package store

import (
	"context"
	"database/sql"
	"errors"

	"gorm.io/gorm"

	"mianti/batch"
	"mianti/exchange"
	"mianti/ledger"
	"mianti/retention"
)

// Destructions lists all that was destroyed, to be kept apart from older copies of
// the database.
func (s *Store) Destructions(ctx context.Context) ([]Destroyed, error) {
	return destroyedIn(ctx, s.pool)
}

func destroyedIn(ctx context.Context, q querier) (out []Destroyed, err error) {
	const doing = "list what was destroyed"
	rows, err := q.QueryContext(ctx, `SELECT case_id, '', destroyed_at, destroyed_for, salt_destroyed_at FROM case_keys WHERE destroyed_at IS NOT NULL
		UNION ALL SELECT '', batch_id, destroyed_at, '', NULL FROM batch_keys WHERE destroyed_at IS NOT NULL ORDER BY 3, 1, 2`)
	if err != nil {
		return nil, translate(err, doing, things{})
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var d Destroyed
		var at int64
		var salt sql.NullInt64
		if err := rows.Scan(&d.Case, &d.Batch, &at, &d.Why, &salt); err != nil {
			return nil, translate(err, doing, things{})
		}
		d.At = Timestamp(at).Time()
		if salt.Valid {
			moment := Timestamp(salt.Int64).Time()
			d.SaltAt = &moment
		}
		out = append(out, d)
	}
	return out, translate(rows.Err(), doing, things{})
}

// DestroyAgain destroys what a later state of this database had destroyed already,
// whatever the terms say now, with its entries, which entry makes. It gives how many
// cases, salts and batches that were; what is not here, or is destroyed, is passed
// over. It may be run again.
func (s *Store) DestroyAgain(ctx context.Context, list []Destroyed, entry func(ledger.Kind, Destroyed) ledger.Entry) (retention.Done, int, error) {
	var done retention.Done
	for sealed := sealAtOnce; sealed == sealAtOnce; {
		var err error
		if sealed, err = s.sealSome(ctx, sealAtOnce); err != nil {
			return done, 0, err
		}
	}
	batches := 0
	for _, d := range list {
		if d.Batch != "" {
			again, err := s.DestroyBatch(ctx, &batch.Batch{ID: d.Batch}, entry(ledger.BatchDestroyed, d))
			if err != nil {
				return done, batches, err
			}
			if again {
				batches++
			}
			continue
		}
		if err := s.destroyCaseAgain(ctx, d, entry, &done); err != nil {
			return done, batches, err
		}
	}
	if done.Cases+done.Salts+batches > 0 {
		return done, batches, s.clean(ctx)
	}
	return done, batches, nil
}

// sealAtOnce is how many cases are sealed at a time.
const sealAtOnce = 100

func (s *Store) destroyCaseAgain(ctx context.Context, d Destroyed, entry func(ledger.Kind, Destroyed) ledger.Entry, done *retention.Done) error {
	for _, step := range []struct {
		wanted    bool
		condition string
		destroy   func(context.Context, *gorm.DB, *caseKeyRow, exchange.DestroyedFor) (retention.Counts, error)
		kind      ledger.Kind
		count     *int
	}{
		{true, "destroyed_at IS NULL", s.destroyContent, ledger.CaseDestroyed, &done.Cases},
		{d.SaltAt != nil, "destroyed_at IS NOT NULL AND salt_destroyed_at IS NULL", s.destroySalt, ledger.SaltDestroyed, &done.Salts},
	} {
		if !step.wanted {
			continue
		}
		err := s.transact(ctx, func(tx *gorm.DB) error {
			if err := s.lockCase(tx, d.Case); err != nil {
				return err
			}
			rows, err := table[caseKeyRow](tx).Where("case_id = ?", d.Case).Where(step.condition).Limit(1).Find(ctx)
			if err != nil || len(rows) == 0 {
				return translate(err, "read the key of a case", cases())
			}
			if _, err := step.destroy(ctx, tx, &rows[0], whyDestroyed(d.Why)); err != nil {
				return err
			}
			e := entry(step.kind, d)
			if err := tx.Model(&accessRow{}).Where("case_id = ?", d.Case).Distinct().Order("subject").Pluck("subject", &e.Concerns).Error; err != nil {
				return translate(err, "look for whom a case is about", cases())
			}
			*step.count++
			return s.appendEntries(ctx, tx, []ledger.Entry{e})
		})
		if err != nil {
			return err
		}
		s.destroyed.Store(true)
	}
	return nil
}

// whyDestroyed is the reason that a list gives, or that a term ended where it gives
// none that is known.
func whyDestroyed(text string) exchange.DestroyedFor {
	if why := exchange.DestroyedFor(text); why == exchange.PurposeDone {
		return why
	}
	return exchange.TermEnded
}
