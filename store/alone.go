package store

import (
	"context"
	"errors"
	"hash/fnv"
	"sync"
	"time"

	"gorm.io/gorm"
)

const (
	// aloneIdle bounds how long a node that has gone silent keeps the others from its
	// work: the database ends its transaction then.
	aloneIdle = "15s"
	// aloneBeat is how often a node that works shows that it is there.
	aloneBeat = 4 * time.Second
)

// errElectionLost ends the work of a node whose lock the database has given up.
var errElectionLost = errors.New("the lock of this work was lost")

// Alone does some work, unless another node is at it: of all that call it with one name,
// one at a time does the work, for as long as that takes. It reports whether it was
// this one. A node that is killed is followed at once, one that has gone silent after
// 15 s, and ctx of its work ends. On SQLite there is one node.
func (s *Store) Alone(ctx context.Context, name string, work func(ctx context.Context)) (mine bool, err error) {
	if s.dialect != dialectPostgres {
		work(ctx)
		return true, nil
	}
	err = s.transact(ctx, func(tx *gorm.DB) error {
		const take = "SELECT set_config('idle_in_transaction_session_timeout', ?, true) IS NOT NULL AND pg_try_advisory_xact_lock(?)"
		if err := tx.WithContext(ctx).Raw(take, aloneIdle, aloneLock(name)).Row().Scan(&mine); err != nil || !mine {
			return translate(err, "take the lock of background work", things{})
		}
		working, end := context.WithCancelCause(ctx)
		var beating sync.WaitGroup
		beating.Go(func() { beat(working, tx, end) })
		work(working)
		lost := errors.Is(context.Cause(working), errElectionLost)
		end(nil)
		beating.Wait()
		if lost {
			return translate(errElectionLost, "do background work alone", things{})
		}
		return nil
	})
	return mine, err
}

// aloneLock is the number of the advisory lock for a name.
func aloneLock(name string) int64 {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte("mianti alone " + name)) // never fails
	return int64(hash.Sum64())                        //nolint:gosec // any number does
}

// beat shows the database that the work goes on, until ctx ends.
func beat(ctx context.Context, tx *gorm.DB, end context.CancelCauseFunc) {
	tick := time.NewTicker(aloneBeat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			// Not under ctx: a statement that is cut off would end the transaction.
			if err := tx.WithContext(context.WithoutCancel(ctx)).Exec("SELECT 1").Error; err != nil {
				end(errElectionLost)
				return
			}
		}
	}
}
