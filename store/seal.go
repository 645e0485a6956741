package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"mianti/ledger"
)

// Sealing is what one round of the sealer has done.
type Sealing struct {
	// Entries is how many were given their place.
	Entries int
	// Checkpoint is the newest one.
	Checkpoint ledger.Checkpoint
	// Published says that it is new.
	Published bool
	// Elsewhere says that another process seals at this moment; nothing was done.
	Elsewhere bool
}

const (
	// sealingLock names the advisory lock of PostgreSQL that the sealer holds. Only
	// this program's databases know it; the digits are "mianti" and a count.
	sealingLock int64 = 0x6d69616e7469_01
	// sealerIdle bounds how long a sealer that has gone silent, such as one whose
	// machine has lost its network, keeps the others from sealing.
	sealerIdle = "3s"
	// SealBatch is how many entries are sealed at most in one transaction.
	SealBatch = 4096
)

// Seal gives up to limit of the entries that wait for it the next places of the
// log, extends the tree by them, and publishes a checkpoint, all in one
// transaction. Any number of processes may call it at any time: the database
// lets one through, and the others find its work done. It signs nothing over a
// tree that is not the one of the last checkpoint.
func (l *Log) Seal(ctx context.Context, signer *ledger.Signer, limit int) (Sealing, error) {
	var done Sealing
	err := l.s.transact(ctx, func(tx *gorm.DB) error {
		mine, err := l.s.elect(ctx, tx)
		if err != nil || !mine {
			done.Elsewhere = err == nil
			return err
		}
		done, err = l.s.seal(ctx, tx, signer, limit)
		return err
	})
	return done, err
}

// elect takes the sealer's lock until the transaction ends, or says that another
// has it. SQLite has one writer at a time anyway.
func (s *Store) elect(ctx context.Context, tx *gorm.DB) (bool, error) {
	if s.dialect != dialectPostgres {
		return true, nil
	}
	mine := false
	err := tx.WithContext(ctx).Raw("SELECT set_config('idle_in_transaction_session_timeout', ?, true) IS NOT NULL AND pg_try_advisory_xact_lock(?)",
		sealerIdle, sealingLock).Row().Scan(&mine)
	return mine, translate(err, "take the sealer's lock", things{})
}

func (s *Store) seal(ctx context.Context, tx *gorm.DB, signer *ledger.Signer, limit int) (Sealing, error) {
	last, err := newestCheckpoint(ctx, tx)
	if err != nil {
		return Sealing{}, err
	}
	var frontier ledger.Frontier
	number, at := int64(0), ledger.Checkpoint{}
	if last != nil {
		if at, err = last.checkpoint(); err != nil {
			return Sealing{}, err
		}
		loaded, err := ledger.LoadFrontier(ctx, storedTiles{tx}, at.Tree)
		if err != nil {
			return Sealing{}, err
		}
		frontier, number = *loaded, last.Number
	}
	waiting, noted, err := s.waiting(ctx, tx, limit)
	if err != nil {
		return Sealing{}, err
	}
	if last != nil && len(waiting) == 0 && at.SignedBy(signer) {
		return Sealing{Checkpoint: at}, nil
	}
	if err := s.extend(ctx, tx, &frontier, waiting, noted); err != nil {
		return Sealing{}, err
	}
	at, err = signer.Sign(ledger.Tree{Size: frontier.Size(), Root: frontier.Root()})
	if err != nil {
		return Sealing{}, err
	}
	err = s.publish(ctx, tx, at, number+1, signer.VKey())
	return Sealing{Entries: len(waiting), Checkpoint: at, Published: true}, err
}

// waitingRow is an entry that waits for its place.
type waitingRow struct {
	ID   int64
	Body string
}

// waiting reads about that many of the entries that wait, and the numbers of the rows
// that say so: what one statement has added is sealed together.
func (s *Store) waiting(ctx context.Context, tx *gorm.DB, limit int) (rows []waitingRow, noted []int64, err error) {
	const doing = "read what waits to be sealed"
	statement := "SELECT noted, entry_id FROM ledger_waiting ORDER BY entry_id LIMIT ?"
	if s.dialect == dialectPostgres {
		statement = `SELECT noted, entry_id FROM ledger_waiting WHERE noted <= (SELECT max(entry_id) FROM (
    SELECT entry_id, sum(n) OVER (ORDER BY entry_id) - n AS before FROM (
        SELECT entry_id, COALESCE(cardinality(ids), 1) AS n FROM ledger_pending ORDER BY entry_id LIMIT $1) AS counted) AS sums
WHERE before < $1) ORDER BY entry_id`
	}
	var ids []int64
	err = each(ctx, tx, statement, []any{limit}, func(found *sql.Rows) error {
		ids, noted = append(ids, 0), append(noted, 0)
		return found.Scan(&noted[len(noted)-1], &ids[len(ids)-1])
	})
	if err != nil || len(ids) == 0 {
		return nil, nil, translate(err, doing, things{})
	}
	// Not as a join: by their numbers they are looked for in the partition that has them.
	where, args := s.among("id", ids)
	err = each(ctx, tx, "SELECT id, body FROM ledger_entries WHERE "+where+" ORDER BY id", args, func(found *sql.Rows) error {
		rows = append(rows, waitingRow{})
		return found.Scan(&rows[len(rows)-1].ID, &rows[len(rows)-1].Body)
	})
	slices.Sort(noted)
	return rows, slices.Compact(noted), translate(err, doing, things{})
}

// extend gives the entries the next places.
func (s *Store) extend(ctx context.Context, tx *gorm.DB, frontier *ledger.Frontier, waiting []waitingRow, noted []int64) error {
	if len(waiting) == 0 {
		return nil
	}
	ids := make([]int64, len(waiting))
	for i, row := range waiting {
		ids[i] = row.ID
	}
	links, err := s.link(ctx, tx, ids)
	if err != nil {
		return err
	}
	places, hashes, joined, nths := make([]int64, len(waiting)), make([][]byte, len(waiting)), make([]string, len(waiting)), make([]string, len(waiting))
	var levels, nodePlaces []int64
	var nodeHashes [][]byte
	for i, row := range waiting {
		leaf := ledger.Leaf{Index: frontier.Size(), Entry: []byte(row.Body), Links: links[row.ID].links}
		h := leaf.Hash()
		places[i], hashes[i], joined[i], nths[i] = leaf.Index, h[:], strings.Join(leaf.Links, " "), strings.Join(links[row.ID].nths, " ")
		frontier.Append(h, func(n ledger.Node) {
			if n.Level%ledger.TileHeight == 0 {
				levels, nodePlaces, nodeHashes = append(levels, int64(n.Level)), append(nodePlaces, n.Index), append(nodeHashes, slices.Clone(n.Hash[:]))
			}
		})
	}
	const doing = "seal entries"
	if err := s.insertAll(ctx, tx, "ledger_leaves", "", ints("place", places), ints("entry_id", ids), blobs("hash", hashes), texts("links", joined), texts("nths", nths)); err != nil {
		return translate(err, doing, things{})
	}
	if err := s.insertAll(ctx, tx, "ledger_nodes", "", ints("level", levels), ints("place", nodePlaces), blobs("hash", nodeHashes)); err != nil {
		return translate(err, doing, things{})
	}
	if err := s.exec(ctx, tx, "DELETE FROM ledger_pending WHERE entry_id IN (SELECT entry_id FROM v)", ints("entry_id", noted)); err != nil {
		return translate(err, doing, things{})
	}
	return s.indexUses(ctx, tx, waiting)
}

// publish stores a checkpoint, and the key that has signed it when it is new.
func (s *Store) publish(ctx context.Context, tx *gorm.DB, c ledger.Checkpoint, number int64, vkey string) error {
	const doing = "publish a checkpoint"
	row := checkpointRow{Number: number, Size: c.Size, Root: slices.Clone(c.Root[:]), Note: c.Note, Published: At(s.now())}
	if err := table[checkpointRow](tx).Create(ctx, &row); err != nil {
		return translate(err, doing, things{})
	}
	known, err := table[logKeyRow](tx).Where("vkey = ?", vkey).Count(ctx, "*")
	if err != nil || known > 0 {
		return translate(err, doing, things{})
	}
	key := logKeyRow{VKey: vkey, Size: c.Size, Added: row.Published}
	return translate(table[logKeyRow](tx, clause.OnConflict{DoNothing: true}).Create(ctx, &key), doing, things{})
}
