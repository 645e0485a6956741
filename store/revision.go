package store

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"gorm.io/gorm"

	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/ledger"
)

// RevisionMeta describes a catalog revision to people.
type RevisionMeta struct {
	Title   string
	Version string
}

// revisionRow is a catalog revision (目录版本). It never changes.
type revisionRow struct {
	Number  int       `gorm:"column:number;primaryKey;autoIncrement:false"`
	Digest  string    `gorm:"column:digest"`
	Title   string    `gorm:"column:title"`
	Version string    `gorm:"column:version"`
	Content []byte    `gorm:"column:content"` // see packFiles
	Loaded  Timestamp `gorm:"column:loaded_at"`
}

// TableName names the table.
func (revisionRow) TableName() string { return "catalog_revisions" }

func revisions() things { return things{code: "revision", name: "目录版本"} }

// SaveRevision stores the files of a catalog, by path, as the next revision,
// and gives its number. The same files as the latest revision's are no new one.
// Those of an earlier one are: a roll-back is a revision of its own. A new one is
// recorded by the entries, which are told its number and digest.
func (s *Store) SaveRevision(ctx context.Context, files map[string][]byte, meta RevisionMeta, entries ...ledger.Entry) (int, error) {
	content, err := packFiles(files)
	if err != nil {
		return 0, err
	}
	row := revisionRow{Digest: digestFiles(files), Title: meta.Title, Version: meta.Version, Content: content}
	err = s.transact(ctx, func(tx *gorm.DB) error {
		added, err := s.appendRevision(ctx, tx, &row)
		if err != nil || !added {
			return err
		}
		for i := range entries {
			entries[i].Revision, entries[i].Digest = row.Number, row.Digest
		}
		return appendEntries(ctx, tx, entries)
	})
	return row.Number, err
}

// appendRevision gives the row the next number and stores it, or gives it the
// latest one's number when that has the same files.
func (s *Store) appendRevision(ctx context.Context, tx *gorm.DB, row *revisionRow) (added bool, err error) {
	const doing = "save a catalog revision"
	if err := s.lockTable(tx, row.TableName()); err != nil {
		return false, translate(err, doing, revisions())
	}
	last, err := latestRevision(ctx, tx)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return false, err
	}
	if last.Number > 0 && last.Digest == row.Digest {
		row.Number = last.Number
		return false, nil
	}
	row.Number = last.Number + 1
	row.Loaded = At(s.now())
	return true, translate(table[revisionRow](tx).Create(ctx, row), doing, revisions())
}

// Revision gives the files of a revision as a folder, byte for byte as they
// were saved.
func (s *Store) Revision(ctx context.Context, number int) (fs.FS, error) {
	row, err := table[revisionRow](s.db).Where("number = ?", number).Take(ctx)
	if err != nil {
		return nil, translate(err, "read a catalog revision", revisions())
	}
	folder, err := zip.NewReader(bytes.NewReader(row.Content), int64(len(row.Content)))
	if err != nil {
		return nil, fmt.Errorf("read catalog revision %d: %w", number, err)
	}
	files := make(map[string][]byte, len(folder.File))
	for _, entry := range folder.File {
		if files[entry.Name], err = fs.ReadFile(folder, entry.Name); err != nil {
			return nil, fmt.Errorf("read catalog revision %d: %w", number, err)
		}
	}
	if digestFiles(files) != row.Digest {
		return nil, fmt.Errorf("read catalog revision %d: its files are not those that were saved", number)
	}
	return folder, nil
}

// LatestRevision gives the highest number, or fault.NotFound when no catalog
// was ever saved.
func (s *Store) LatestRevision(ctx context.Context) (int, error) {
	row, err := latestRevision(ctx, s.db)
	return row.Number, err
}

// RevisionHeads gives at most limit revisions before a number, the newest first,
// without their files; 0 begins with the newest of all.
func (s *Store) RevisionHeads(ctx context.Context, before, limit int) ([]catalog.RevisionHead, error) {
	query := table[revisionRow](s.db).Select("number", "digest", "title", "version", "loaded_at").Order("number DESC").Limit(limit)
	if before > 0 {
		query = query.Where("number < ?", before)
	}
	rows, err := query.Find(ctx)
	if err != nil {
		return nil, translate(err, "list the catalog revisions", revisions())
	}
	heads := make([]catalog.RevisionHead, len(rows))
	for i, row := range rows {
		heads[i] = catalog.RevisionHead{Number: row.Number, Digest: row.Digest, Title: row.Title, Version: row.Version, Loaded: row.Loaded.Time()}
	}
	return heads, nil
}

func latestRevision(ctx context.Context, db *gorm.DB) (revisionRow, error) {
	row, err := table[revisionRow](db).Select("number", "digest").Order("number DESC").Take(ctx)
	return row, translate(err, "find the latest catalog revision", revisions())
}

// digestFiles hashes paths and contents with their lengths, in the order of
// the paths, so that no two catalogs look the same.
func digestFiles(files map[string][]byte) string {
	hash := sha256.New()
	add := func(part []byte) {
		hash.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		hash.Write(part)
	}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		add([]byte(path))
		add(files[path])
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// packFiles makes a zip archive, whose reader is a folder and checks the
// content's checksums.
func packFiles(files map[string][]byte) ([]byte, error) {
	var packed bytes.Buffer
	archive := zip.NewWriter(&packed)
	for _, path := range slices.Sorted(maps.Keys(files)) {
		w, err := archive.Create(path)
		if err != nil {
			return nil, fmt.Errorf("pack the catalog: %w", err)
		}
		if _, err := w.Write(files[path]); err != nil {
			return nil, fmt.Errorf("pack the catalog: %w", err)
		}
	}
	if err := archive.Close(); err != nil {
		return nil, fmt.Errorf("pack the catalog: %w", err)
	}
	return packed.Bytes(), nil
}
