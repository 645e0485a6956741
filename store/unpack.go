package store

import (
	"archive/zip"
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"time"

	"gorm.io/gorm"

	"mianti/catalog"
)

// unpackRevisions stores by part what earlier programs stored whole: all files of a
// revision in one archive. A revision keeps its number, its digest and its day. There
// is nothing to do once that is done.
func unpackRevisions(ctx context.Context, at address, pool *sql.DB) error {
	s, err := newStore(ctx, at, pool, func() time.Time { return time.Time{} }) // nothing here asks for the time
	if err != nil {
		return err
	}
	var numbers []int
	if err := table[revisionRow](s.db).Select("number").Where("length(content) > 0").Order("number").Scan(ctx, &numbers); err != nil {
		return translate(err, "look for revisions that are stored whole", revisions())
	}
	for _, number := range numbers {
		if err := s.transact(ctx, func(tx *gorm.DB) error { return s.unpackRevision(ctx, tx, number) }); err != nil {
			return fmt.Errorf("store catalog revision %d by part: %w", number, err)
		}
	}
	return nil
}

func (s *Store) unpackRevision(ctx context.Context, tx *gorm.DB, number int) error {
	row, err := table[revisionRow](tx).Where("number = ?", number).Take(ctx)
	if err != nil {
		return err
	}
	files, err := unpackFiles(row.Content)
	if err != nil {
		return err
	}
	p := &publishing{store: s, tx: tx, row: row, begun: true, digest: &catalog.Digest{}}
	if number > 1 {
		if p.last, err = table[revisionRow](tx).Where("number = ?", number-1).Take(ctx); err != nil {
			return err
		}
	}
	p.row.OneThings, p.row.Matters, p.row.Materials = p.last.OneThings, p.last.Matters, p.last.Materials
	if p.digest, err = p.digestSoFar(ctx); err != nil {
		return err
	}
	if err := p.replaceAll(ctx, partsIn(files)); err != nil {
		return err
	}
	p.row.State, p.row.Content = p.digest.State(), []byte{}
	_, err = table[revisionRow](tx).Select("content", "state", "one_things", "matters", "materials").Where("number = ?", number).Updates(ctx, p.row)
	return err
}

func unpackFiles(content []byte) (map[string][]byte, error) {
	folder, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return nil, err
	}
	files := make(map[string][]byte, len(folder.File))
	for _, entry := range folder.File {
		if files[entry.Name], err = fs.ReadFile(folder, entry.Name); err != nil {
			return nil, err
		}
	}
	return files, nil
}
