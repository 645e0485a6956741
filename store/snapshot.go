package store

import (
	"context"
	"fmt"
	"iter"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"mianti/connectors/snapshot"
	"mianti/internal/fault"
)

// snapshotBatch is how many rows are written or removed by one statement. Both
// dialects take far more parameters than that needs.
const snapshotBatch = 500

// snapshotRow is the header of a source's snapshot (数源文件).
type snapshotRow struct {
	Source string    `gorm:"column:source;primaryKey"`
	AsOf   Timestamp `gorm:"column:as_of"`
	Loaded Timestamp `gorm:"column:loaded_at"`
	Rows   int       `gorm:"column:rows"`
	Digest string    `gorm:"column:digest"`
	KeyID  string    `gorm:"column:key_id"`
	Seq    int64     `gorm:"column:seq"`
}

// TableName names the table.
func (snapshotRow) TableName() string { return "snapshots" }

// snapshotBody is one row of a snapshot; both of its values are unreadable.
type snapshotBody struct {
	Source   string `gorm:"column:source;primaryKey"`
	Seq      int64  `gorm:"column:seq;primaryKey"`
	Position int    `gorm:"column:position;primaryKey"`
	Key      []byte `gorm:"column:lookup_key"`
	Body     []byte `gorm:"column:body"`
}

// TableName names the table.
func (snapshotBody) TableName() string { return "snapshot_rows" }

func snapshotThings() things { return things{code: "snapshot", name: "数源文件"} }

// Snapshot gives the header of a source's snapshot, or nil when none has been
// loaded.
func (s *Store) Snapshot(ctx context.Context, source string) (*snapshot.Header, error) {
	rows, err := table[snapshotRow](s.db).Where("source = ?", source).Limit(1).Find(ctx)
	if err != nil {
		return nil, translate(err, "read a snapshot", snapshotThings())
	}
	if len(rows) == 0 {
		return nil, nil
	}
	return rows[0].header(), nil
}

// Snapshots gives the headers of all snapshots.
func (s *Store) Snapshots(ctx context.Context) ([]snapshot.Header, error) {
	const most = 10_000 // sources
	rows, err := table[snapshotRow](s.db).Order("source").Limit(most).Find(ctx)
	if err != nil {
		return nil, translate(err, "list the snapshots", snapshotThings())
	}
	out := make([]snapshot.Header, len(rows))
	for i := range rows {
		out[i] = *rows[i].header()
	}
	return out, nil
}

// SnapshotRows gives the header of a source's snapshot, or nil, and the bodies
// of up to limit rows under key. It is one statement: between two, the snapshot
// could be replaced, and its rows seem to be none.
func (s *Store) SnapshotRows(ctx context.Context, source string, key []byte, limit int) (*snapshot.Header, [][]byte, error) {
	var rows []struct {
		Header snapshotRow `gorm:"embedded"`
		Body   []byte      `gorm:"column:body"` // nil where there is no row
	}
	err := s.db.WithContext(ctx).Raw(`SELECT s.source, s.as_of, s.loaded_at, s.rows, s.digest, s.key_id, s.seq, r.body
FROM snapshots s
LEFT JOIN snapshot_rows r ON r.source = s.source AND r.seq = s.seq AND r.lookup_key = ?
WHERE s.source = ? ORDER BY r.position LIMIT ?`, key, source, limit).Scan(&rows).Error
	if err != nil {
		return nil, nil, translate(err, "look up in a snapshot", snapshotThings())
	}
	if len(rows) == 0 {
		return nil, nil, nil
	}
	var bodies [][]byte
	for _, row := range rows {
		if row.Body != nil {
			bodies = append(bodies, row.Body)
		}
	}
	return rows[0].Header.header(), bodies, nil
}

// ReplaceSnapshot stores a snapshot in the place of the one before it, all of
// it or nothing. Whoever reads meanwhile sees the one before. It is a
// fault.Conflict unless Seq follows on the one that is there.
func (s *Store) ReplaceSnapshot(ctx context.Context, h snapshot.Header, rows iter.Seq2[snapshot.Sealed, error]) error {
	return s.transact(ctx, func(tx *gorm.DB) error {
		// The header goes first: it holds back another load of the same source.
		if err := replaceHeader(ctx, tx, h); err != nil {
			return err
		}
		if err := insertSnapshot(ctx, tx, h, rows); err != nil {
			return err
		}
		return deleteOlderRows(ctx, tx, h)
	})
}

func replaceHeader(ctx context.Context, tx *gorm.DB, h snapshot.Header) error {
	row := snapshotRow{
		Source: h.Source, AsOf: At(h.AsOf), Loaded: At(h.LoadedAt), Rows: h.Rows, Digest: h.Digest, KeyID: h.KeyID, Seq: h.Seq,
	}
	var changed int64
	if h.Seq == 1 {
		created := tx.WithContext(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&row)
		if created.Error != nil {
			return translate(created.Error, "store a snapshot", snapshotThings())
		}
		changed = created.RowsAffected
	} else {
		updated := tx.WithContext(ctx).Model(&snapshotRow{}).Where("source = ? AND seq = ?", h.Source, h.Seq-1).
			Updates(map[string]any{
				"as_of": row.AsOf, "loaded_at": row.Loaded, "rows": row.Rows, "digest": row.Digest, "key_id": row.KeyID, "seq": row.Seq,
			})
		if updated.Error != nil {
			return translate(updated.Error, "replace a snapshot", snapshotThings())
		}
		changed = updated.RowsAffected
	}
	if changed == 0 {
		return fault.New(fault.Conflict, "snapshot-changed", "这个数源的文件刚刚被另一次载入替换，请查看后重试")
	}
	return nil
}

func insertSnapshot(ctx context.Context, tx *gorm.DB, h snapshot.Header, rows iter.Seq2[snapshot.Sealed, error]) error {
	batch := make([]snapshotBody, 0, snapshotBatch)
	position := 0
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		err := tx.WithContext(ctx).Create(&batch).Error
		batch = batch[:0]
		return translate(err, "store the rows of a snapshot", snapshotThings())
	}
	for row, err := range rows {
		if err != nil {
			return err
		}
		position++
		batch = append(batch, snapshotBody{Source: h.Source, Seq: h.Seq, Position: position, Key: row.Key, Body: row.Body})
		if len(batch) == snapshotBatch {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if position != h.Rows {
		return fmt.Errorf("store a snapshot: %d rows came, %d were announced", position, h.Rows)
	}
	return flush()
}

// deleteOlderRows removes what nobody reads any more, in pieces, so that a load
// that is called off ends soon.
func deleteOlderRows(ctx context.Context, tx *gorm.DB, h snapshot.Header) error {
	const piece = 20 * snapshotBatch
	for {
		deleted := tx.WithContext(ctx).Exec(`DELETE FROM snapshot_rows WHERE (source, seq, position) IN
(SELECT source, seq, position FROM snapshot_rows WHERE source = ? AND seq < ? LIMIT ?)`, h.Source, h.Seq, piece)
		if deleted.Error != nil {
			return translate(deleted.Error, "remove the snapshot before", snapshotThings())
		}
		if deleted.RowsAffected < piece {
			return nil
		}
	}
}

func (row *snapshotRow) header() *snapshot.Header {
	return &snapshot.Header{
		Source: row.Source, AsOf: row.AsOf.Time(), LoadedAt: row.Loaded.Time(), Rows: row.Rows,
		Digest: row.Digest, KeyID: row.KeyID, Seq: row.Seq,
	}
}
