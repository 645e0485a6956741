package store

import (
	"context"
	"time"
)

// backupRow is a backup that was made and checked (备份).
type backupRow struct {
	Manifest string    `gorm:"column:manifest;primaryKey"`
	Made     Timestamp `gorm:"column:made_at"`
	Entries  int64     `gorm:"column:entries"`
	Bytes    int64     `gorm:"column:bytes"`
}

// TableName names the table.
func (backupRow) TableName() string { return "backups" }

// BackupMade notes a backup: the SHA-256 of its manifest, what the ledger held and
// how long its files are, so that it is seen when there is none for long.
func (s *Store) BackupMade(ctx context.Context, manifest string, made time.Time, entries, bytes int64) error {
	row := backupRow{Manifest: manifest, Made: At(made), Entries: entries, Bytes: bytes}
	return translate(table[backupRow](s.db).Create(ctx, &row), "note a backup", things{})
}
