package store

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"maps"
	"slices"

	"gorm.io/gorm"

	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/ledger"
)

// errAltered says that what is stored is not what was saved.
var errAltered = errors.New("its content is not what was saved")

// RevisionMeta describes a catalog revision to people.
type RevisionMeta struct {
	Title   string
	Version string
}

// revisionRow is a catalog revision (目录版本). It never changes.
type revisionRow struct {
	Number    int       `gorm:"column:number;primaryKey;autoIncrement:false"`
	Digest    string    `gorm:"column:digest"`
	Title     string    `gorm:"column:title"`
	Version   string    `gorm:"column:version"`
	Content   []byte    `gorm:"column:content"` // empty; see unpackRevisions
	Loaded    Timestamp `gorm:"column:loaded_at"`
	State     []byte    `gorm:"column:state"` // of the digest
	OneThings int       `gorm:"column:one_things"`
	Matters   int       `gorm:"column:matters"`
	Materials int       `gorm:"column:materials"`
}

// TableName names the table.
func (revisionRow) TableName() string { return "catalog_revisions" }

func revisions() things { return things{code: "revision", name: "目录版本"} }

// SaveRevision stores the files of a catalog, by path, as the next revision,
// and gives its number. The same files as the latest revision's are no new one.
// Those of an earlier one are: a roll-back is a revision of its own. A new one is
// recorded by the entries, which are told its number and digest.
func (s *Store) SaveRevision(ctx context.Context, files map[string][]byte, meta RevisionMeta, entries ...ledger.Entry) (int, error) {
	return s.SaveParts(ctx, partsIn(files), meta, entries...)
}

// partsIn gives files one after the other, sorted by path.
func partsIn(files map[string][]byte) iter.Seq2[catalog.Part, error] {
	return func(yield func(catalog.Part, error) bool) {
		for _, path := range slices.Sorted(maps.Keys(files)) {
			if !yield(catalog.Part{Path: path, Content: files[path]}, nil) {
				return
			}
		}
	}
}

// SaveParts does what SaveRevision does with files that come one after the other, so
// that a catalog that is larger than the memory can be stored. An error among them
// ends it, and nothing is stored.
func (s *Store) SaveParts(ctx context.Context, parts iter.Seq2[catalog.Part, error], meta RevisionMeta, entries ...ledger.Entry) (int, error) {
	number := 0
	err := s.transact(ctx, func(tx *gorm.DB) error {
		p, err := s.beginPublishing(ctx, tx)
		if err != nil {
			return err
		}
		p.row.Title, p.row.Version = meta.Title, meta.Version
		if err := p.replaceAll(ctx, parts); err != nil {
			return err
		}
		number, err = p.finish(ctx, entries)
		return err
	})
	return number, err
}

// Publication (发布) is a revision that follows another one.
type Publication struct {
	// Base is the number of the latest revision as the publisher knows it.
	Base int
	// Parts are the files that change; those without content are removed.
	Parts []catalog.Part
	// Title and Version are those of Base where they are empty.
	Title, Version string
	Entries        []ledger.Entry // are told the number and the digest
}

// PublishRevision stores what changes as the next revision, and gives its number:
// that of Base where nothing is other than before. It is a fault.Conflict when another
// revision was published after Base.
func (s *Store) PublishRevision(ctx context.Context, p Publication) (int, error) {
	number := 0
	err := s.transact(ctx, func(tx *gorm.DB) (err error) {
		number, err = s.publishIn(ctx, tx, p)
		return err
	})
	return number, err
}

// publishIn is PublishRevision within a transaction.
func (s *Store) publishIn(ctx context.Context, tx *gorm.DB, p Publication) (int, error) {
	next, err := s.beginPublishing(ctx, tx)
	if err != nil {
		return 0, err
	}
	if next.last.Number != p.Base {
		return 0, fault.New(fault.Conflict, "revision-moved", "目录已经是修订 %d，这里是按修订 %d 改的：请先合并，再发布", next.last.Number, p.Base)
	}
	next.row.Title, next.row.Version = cmp.Or(p.Title, next.last.Title), cmp.Or(p.Version, next.last.Version)
	for _, part := range p.Parts {
		old, err := partOf(ctx, tx, next.last.Number, part.Path)
		if err != nil {
			return 0, err
		}
		change := prepared{path: part.Path}
		if part.Content != nil {
			change = s.packer.prepare(part)
		}
		if err := next.change(ctx, []pathChange{{old: old, new: change}}); err != nil {
			return 0, err
		}
	}
	return next.finish(ctx, p.Entries)
}

// partOf gives the digest of a file at a revision; empty when there is none.
func partOf(ctx context.Context, db *gorm.DB, number int, path string) (string, error) {
	row, err := table[pathRow](db).Where("path = ? AND revision <= ?", path, number).Order("revision DESC").Take(ctx)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return "", nil
	}
	return row.Part, translate(err, "read a catalog revision", revisions())
}

// Files gives the files of a revision by path, byte for byte as they were saved.
func (s *Store) Files(ctx context.Context, number int) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := s.EachFile(ctx, number, func(p catalog.Part) error {
		files[p.Path] = p.Content
		return nil
	})
	return files, err
}

// File gives one file of a revision by its path, byte for byte; nil for none.
func (s *Store) File(ctx context.Context, number int, path string) ([]byte, error) {
	part, err := partOf(ctx, s.db, number, path)
	if err != nil || part == "" {
		return nil, err
	}
	row, err := table[partRow](s.db).Select("content").Where("digest = ?", part).Take(ctx)
	if err != nil {
		return nil, translate(err, "read a catalog revision", revisions())
	}
	p, err := s.packer.content(storedPart{Path: path, Part: part, Content: row.Content}, number)
	return p.Content, err
}

// EachFile hands over the files of a revision, sorted by path, byte for byte as they
// were saved.
func (s *Store) EachFile(ctx context.Context, number int, each func(catalog.Part) error) error {
	if _, err := s.revisionRow(ctx, number); err != nil {
		return err
	}
	return s.eachFile(ctx, number, "", lastPath, each)
}

// partsAtOnce is how many files are read at once: some hundred kilobytes.
const partsAtOnce = 100

func (s *Store) eachFile(ctx context.Context, number int, from, to string, each func(catalog.Part) error) error {
	for {
		stored, err := s.parts(ctx, number, "b.content", from, to, partsAtOnce)
		if err != nil {
			return err
		}
		for _, one := range stored {
			p, err := s.packer.content(one, number)
			if err != nil {
				return err
			}
			if err := each(p); err != nil {
				return err
			}
		}
		if len(stored) < partsAtOnce {
			return nil
		}
		from = stored[len(stored)-1].Path
	}
}

// LatestRevision gives the highest number, or fault.NotFound when no catalog
// was ever saved.
func (s *Store) LatestRevision(ctx context.Context) (int, error) {
	row, err := table[revisionRow](s.db).Select("number").Order("number DESC").Take(ctx)
	return row.Number, translate(err, "find the latest catalog revision", revisions())
}

// RevisionHeads gives at most limit revisions before a number, the newest first,
// without their files; 0 begins with the newest of all.
func (s *Store) RevisionHeads(ctx context.Context, before, limit int) ([]catalog.RevisionHead, error) {
	query := table[revisionRow](s.db).Select(headColumns).Order("number DESC").Limit(limit)
	if before > 0 {
		query = query.Where("number < ?", before)
	}
	rows, err := query.Find(ctx)
	if err != nil {
		return nil, translate(err, "list the catalog revisions", revisions())
	}
	heads := make([]catalog.RevisionHead, len(rows))
	for i, row := range rows {
		heads[i] = catalog.RevisionHead{
			Number: row.Number, Digest: row.Digest, Title: row.Title, Version: row.Version, Loaded: row.Loaded.Time(),
			OneThings: row.OneThings, Matters: row.Matters, Materials: row.Materials,
		}
	}
	return heads, nil
}

const headColumns = "number, digest, title, version, loaded_at, one_things, matters, materials"

// revisionRow gives what is said of a revision as a whole.
func (s *Store) revisionRow(ctx context.Context, number int) (revisionRow, error) {
	row, err := table[revisionRow](s.db).Select(headColumns).Where("number = ?", number).Take(ctx)
	return row, translate(err, "read a catalog revision", revisions())
}
