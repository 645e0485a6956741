package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"gorm.io/gorm"

	"mianti/internal/fault"
	"mianti/ledger"
)

// pendingRow says that entries wait for their place in the log: on PostgreSQL those of
// one statement, on SQLite one. The database writes it with them, by a trigger; the view
// ledger_waiting has a row for each entry.
type pendingRow struct {
	EntryID int64   `gorm:"column:entry_id;primaryKey;autoIncrement:false"`
	IDs     *string `gorm:"column:ids"` // of PostgreSQL, an array of which EntryID is the first
}

// TableName names the table.
func (pendingRow) TableName() string { return "ledger_pending" }

// leafRow is an entry's place in the log.
type leafRow struct {
	Place   int64  `gorm:"column:place;primaryKey;autoIncrement:false"`
	EntryID int64  `gorm:"column:entry_id"`
	Hash    []byte `gorm:"column:hash"`
	Links   string `gorm:"column:links"` // parted by spaces
	Nths    string `gorm:"column:nths"`  // of each link, its number among those of its person; likewise
}

// TableName names the table.
func (leafRow) TableName() string { return "ledger_leaves" }

// nodeRow is the root of a complete subtree, whose height is Level.
type nodeRow struct {
	Level int    `gorm:"column:level;primaryKey;autoIncrement:false"`
	Place int64  `gorm:"column:place;primaryKey;autoIncrement:false"`
	Hash  []byte `gorm:"column:hash"`
}

// TableName names the table.
func (nodeRow) TableName() string { return "ledger_nodes" }

// checkpointRow is a published checkpoint (检查点).
type checkpointRow struct {
	Number    int64     `gorm:"column:number;primaryKey;autoIncrement:false"`
	Size      int64     `gorm:"column:size"`
	Root      []byte    `gorm:"column:root"`
	Note      string    `gorm:"column:note"`
	Published Timestamp `gorm:"column:published_at"`
}

// TableName names the table.
func (checkpointRow) TableName() string { return "ledger_checkpoints" }

// logKeyRow is a key that has signed checkpoints.
type logKeyRow struct {
	VKey  string    `gorm:"column:vkey;primaryKey"`
	Size  int64     `gorm:"column:size"` // of the first checkpoint
	Added Timestamp `gorm:"column:added_at"`
}

// TableName names the table.
func (logKeyRow) TableName() string { return "ledger_keys" }

// Log (日志) is the sealed ledger: entries with their places, the tree over them
// and what was published of it. It implements ledger.KeptLog.
type Log struct{ s *Store }

// NewLog gives the log of a database.
func NewLog(s *Store) *Log { return &Log{s} }

// Store is the database that the log is in.
func (l *Log) Store() *Store { return l.s }

// Checkpoint gives the newest checkpoint; fault.Unavailable before the first one
// was published, which takes a second.
func (l *Log) Checkpoint(ctx context.Context) (ledger.Checkpoint, error) {
	row, err := newestCheckpoint(ctx, l.s.db)
	if err != nil {
		return ledger.Checkpoint{}, err
	}
	if row == nil {
		return ledger.Checkpoint{}, ledger.NotSealedYet()
	}
	return row.checkpoint()
}

// newestCheckpoint gives nil before the first one.
func newestCheckpoint(ctx context.Context, db *gorm.DB) (*checkpointRow, error) {
	rows, err := table[checkpointRow](db).Order("number DESC").Limit(1).Find(ctx)
	if err != nil || len(rows) == 0 {
		return nil, translate(err, "read the newest checkpoint", things{})
	}
	return &rows[0], nil
}

func (row *checkpointRow) checkpoint() (ledger.Checkpoint, error) {
	c, err := ledger.ReadCheckpoint(row.Note)
	if err != nil {
		return c, fmt.Errorf("read checkpoint %d: %w", row.Number, err)
	}
	return c, nil
}

// VKeys gives the keys that have signed checkpoints, the newest first.
func (l *Log) VKeys(ctx context.Context) ([]string, error) {
	rows, err := table[logKeyRow](l.s.db).Order("added_at DESC, size DESC, vkey").Find(ctx)
	if err != nil {
		return nil, translate(err, "read the keys of checkpoints", things{})
	}
	vkeys := make([]string, len(rows))
	for i, row := range rows {
		vkeys[i] = row.VKey
	}
	return vkeys, nil
}

// Tile gives the hashes of a tile, or the leaves of an entry bundle. The tile
// MUST be one that the newest checkpoint has; see ledger.Tile.In.
func (l *Log) Tile(ctx context.Context, t ledger.Tile) ([]byte, error) {
	if t.Entries {
		return l.bundle(ctx, t)
	}
	return storedTiles{l.s.db}.Tile(ctx, t)
}

func (l *Log) bundle(ctx context.Context, t ledger.Tile) ([]byte, error) {
	rows, err := l.Rows(ctx, t.Index*ledger.TileWidth, t.Width)
	if err != nil {
		return nil, err
	}
	if len(rows) != t.Width {
		return nil, unknownTile()
	}
	var bundle []byte
	for _, row := range rows {
		leaf := ledger.Leaf{Index: row.Index, Entry: row.Entry, Links: row.Links}
		if bundle, err = ledger.AppendToBundle(bundle, leaf.Encode()); err != nil {
			return nil, err
		}
	}
	return bundle, nil
}

func unknownTile() error {
	return fault.New(fault.NotFound, "unknown-tile", "日志没有这个瓦片：请按检查点的条数计算瓦片的序号与宽度（c2sp.org/tlog-tiles）。")
}

// storedTiles reads tiles, in a transaction or without one.
type storedTiles struct{ db *gorm.DB }

// Tile gives the hashes of a tile.
func (r storedTiles) Tile(ctx context.Context, t ledger.Tile) ([]byte, error) {
	from := t.Index * ledger.TileWidth
	to := from + int64(t.Width)
	var hashes [][]byte
	query := r.db.WithContext(ctx).Model(&leafRow{}).Where("place >= ? AND place < ?", from, to)
	if t.Level > 0 {
		query = r.db.WithContext(ctx).Model(&nodeRow{}).Where("level = ? AND place >= ? AND place < ?", ledger.TileHeight*t.Level, from, to)
	}
	if err := query.Order("place").Pluck("hash", &hashes).Error; err != nil {
		return nil, translate(err, "read a tile", things{})
	}
	if len(hashes) != t.Width {
		return nil, unknownTile()
	}
	out := make([]byte, 0, len(hashes)*len(ledger.Hash{}))
	for _, h := range hashes {
		out = append(out, h...)
	}
	return out, nil
}

// Rows gives what stands at the places from one on.
func (l *Log) Rows(ctx context.Context, from int64, limit int) ([]ledger.Row, error) {
	const statement = `SELECT l.place, l.entry_id, l.hash, l.links, e.kind, e.case_id, e.resolution_id, e.at, e.body
FROM ledger_leaves l LEFT JOIN ledger_entries e ON e.id = l.entry_id WHERE l.place >= ? ORDER BY l.place LIMIT ?`
	return l.rows(ctx, statement, from, limit)
}

// RowsOfCase gives the entries of a case, those after an entry's number, in their
// order. Index is -1 where one has no place yet.
func (l *Log) RowsOfCase(ctx context.Context, caseID string, after int64, limit int) ([]ledger.Row, error) {
	const statement = `SELECT COALESCE(l.place, -1), e.id, l.hash, COALESCE(l.links, ''), e.kind, e.case_id, e.resolution_id, e.at, e.body
FROM ledger_entries e LEFT JOIN ledger_leaves l ON l.entry_id = e.id WHERE e.case_id = ? AND e.id > ? ORDER BY e.id LIMIT ?`
	return l.rows(ctx, statement, caseID, after, limit)
}

// RowOfResolution gives the entry by which a version of a resolution was released;
// nil where there is none. Index is -1 while it is being sealed.
func (l *Log) RowOfResolution(ctx context.Context, resolution string, version int) (*ledger.Row, error) {
	const statement = `SELECT COALESCE(l.place, -1), e.id, l.hash, COALESCE(l.links, ''), e.kind, e.case_id, e.resolution_id, e.at, e.body
FROM ledger_entries e LEFT JOIN ledger_leaves l ON l.entry_id = e.id
WHERE e.case_id IN (SELECT case_id FROM resolutions WHERE id = ?) AND e.resolution_id = ? AND e.kind = ? ORDER BY e.id`
	rows, err := l.rows(ctx, statement, resolution, resolution, string(ledger.Resolved))
	if err != nil {
		return nil, err
	}
	for i := range rows {
		var e ledger.Entry
		if err := json.Unmarshal([]byte(rows[i].Entry), &e); err != nil {
			return nil, fmt.Errorf("decode entry %d: %w", rows[i].EntryID, err)
		}
		if e.Version == version {
			return &rows[i], nil
		}
	}
	return nil, nil //nolint:nilnil // there is none
}

func (l *Log) rows(ctx context.Context, statement string, args ...any) (out []ledger.Row, err error) {
	const doing = "read the log"
	found, err := l.s.db.WithContext(ctx).Raw(statement, args...).Rows()
	if err != nil {
		return nil, translate(err, doing, things{})
	}
	defer found.Close() // Err below tells what went wrong
	for found.Next() {
		var row ledger.Row
		var hash []byte
		var links string
		var kind, caseID, resolution *string
		var at *int64
		if err := found.Scan(&row.Index, &row.EntryID, &hash, &links, &kind, &caseID, &resolution, &at, &row.Entry); err != nil {
			return nil, translate(err, doing, things{})
		}
		copy(row.Hash[:], hash)
		row.Links = strings.Fields(links)
		if kind != nil {
			row.Columns = &ledger.Columns{Kind: *kind, Case: *caseID, Resolution: *resolution, At: *at}
		}
		out = append(out, row)
	}
	return out, translate(found.Err(), doing, things{})
}

// Published gives checkpoints after a number, in their order.
func (l *Log) Published(ctx context.Context, after int64, limit int) ([]ledger.Published, error) {
	rows, err := table[checkpointRow](l.s.db).Where("number > ?", after).Order("number").Limit(limit).Find(ctx)
	if err != nil {
		return nil, translate(err, "read checkpoints", things{})
	}
	out := make([]ledger.Published, len(rows))
	for i, row := range rows {
		out[i] = ledger.Published{Number: row.Number, Size: row.Size, Note: row.Note}
	}
	return out, nil
}

// Strays gives the ids of entries that are neither sealed nor wait for it, and
// of those that wait for it and are not there any more.
func (l *Log) Strays(ctx context.Context, limit int) ([]int64, error) {
	const statement = `SELECT id FROM (
    SELECT e.id FROM ledger_entries e
    WHERE NOT EXISTS (SELECT 1 FROM ledger_leaves l WHERE l.entry_id = e.id)
      AND NOT EXISTS (SELECT 1 FROM ledger_waiting p WHERE p.entry_id = e.id)
    UNION ALL
    SELECT p.entry_id AS id FROM ledger_waiting p
    WHERE NOT EXISTS (SELECT 1 FROM ledger_entries e WHERE e.id = p.entry_id)
) AS strays ORDER BY id LIMIT ?`
	var ids []int64
	err := l.s.db.WithContext(ctx).Raw(statement, limit).Scan(&ids).Error
	return ids, translate(err, "look for entries that are not in the log", things{})
}

// Waiting counts the entries that wait for their place.
func (l *Log) Waiting(ctx context.Context) (int64, error) {
	var n int64
	err := l.s.db.WithContext(ctx).Table("ledger_waiting").Count(&n).Error
	return n, translate(err, "count what waits to be sealed", things{})
}
