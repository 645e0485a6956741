package store

import (
	"context"
	"errors"
	"iter"
	"maps"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"mianti/catalog"
	"mianti/ledger"
)

// publishing is a revision on its way into the database. Its row is inserted with
// the first change: a revision that changes nothing is none.
type publishing struct {
	store  *Store
	tx     *gorm.DB
	last   revisionRow // the zero one before the first
	row    revisionRow
	digest *catalog.Digest
	begun  bool
}

// pathChange is a file with the digest that it had; the new one has none where the
// file is removed.
type pathChange struct {
	old string
	new prepared
}

// beginPublishing makes every other publisher wait until the transaction ends.
func (s *Store) beginPublishing(ctx context.Context, tx *gorm.DB) (*publishing, error) {
	const doing = "save a catalog revision"
	p := &publishing{store: s, tx: tx, row: revisionRow{Content: []byte{}}}
	if err := s.lockTable(tx, p.row.TableName()); err != nil {
		return nil, translate(err, doing, revisions())
	}
	var err error
	p.last, err = table[revisionRow](tx).Order("number DESC").Take(ctx)
	if err != nil && !errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, translate(err, doing, revisions())
	}
	p.row.Number = p.last.Number + 1
	p.row.OneThings, p.row.Matters, p.row.Materials = p.last.OneThings, p.last.Matters, p.last.Materials
	p.digest, err = p.digestSoFar(ctx)
	return p, err
}

func (p *publishing) digestSoFar(ctx context.Context) (*catalog.Digest, error) {
	if len(p.last.State) > 0 {
		return catalog.DigestOf(p.last.State)
	}
	digest := &catalog.Digest{}
	paths, err := pathsOf(ctx, p.tx, p.last.Number, "", lastPath)
	for _, one := range paths {
		digest.Add(one.Path, one.Part)
	}
	return digest, err
}

// replaceAll makes the catalog consist of these files.
func (p *publishing) replaceAll(ctx context.Context, parts iter.Seq2[catalog.Part, error]) error {
	paths, err := pathsOf(ctx, p.tx, p.last.Number, "", lastPath)
	if err != nil {
		return err
	}
	left := make(map[string]string, len(paths))
	for _, one := range paths {
		left[one.Path] = one.Part
	}
	for batch, err := range inBatches(parts, 4*partsAtOnce) {
		if err != nil {
			return err
		}
		var changes []pathChange
		for _, made := range p.store.packer.prepareAll(batch) {
			old := left[made.path]
			delete(left, made.path)
			if old != made.row.Digest {
				changes = append(changes, pathChange{old, made})
			}
		}
		if err := p.change(ctx, changes); err != nil {
			return err
		}
	}
	var removed []pathChange
	for _, gone := range slices.Sorted(maps.Keys(left)) {
		removed = append(removed, pathChange{left[gone], prepared{path: gone}})
	}
	return p.change(ctx, removed)
}

// inBatches gives the parts some at a time.
func inBatches(parts iter.Seq2[catalog.Part, error], size int) iter.Seq2[[]catalog.Part, error] {
	return func(yield func([]catalog.Part, error) bool) {
		var batch []catalog.Part
		for part, err := range parts {
			if err != nil {
				yield(nil, err)
				return
			}
			if part.Content == nil {
				part.Content = []byte{} // an empty file is one
			}
			if batch = append(batch, part); len(batch) == size {
				if !yield(batch, nil) {
					return
				}
				batch = nil
			}
		}
		yield(batch, nil)
	}
}

// prepareAll makes the rows of parts, on all processors: reading the YAML is most of
// what a revision costs.
func (p *packer) prepareAll(parts []catalog.Part) []prepared {
	out := make([]prepared, len(parts))
	var group sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for worker := range workers {
		group.Go(func() {
			for i := worker; i < len(parts); i += workers {
				out[i] = p.prepare(parts[i])
			}
		})
	}
	group.Wait()
	return out
}

// change stores changes, and carries the digest and the counts on. Those that change
// nothing are left out.
func (p *publishing) change(ctx context.Context, changes []pathChange) error {
	changes = slices.DeleteFunc(changes, func(c pathChange) bool { return c.old == c.new.row.Digest })
	if len(changes) == 0 {
		return nil
	}
	if err := p.begin(ctx); err != nil {
		return err
	}
	var paths []pathRow
	var added []prepared
	for _, c := range changes {
		if c.old != "" {
			p.digest.Remove(c.new.path, c.old)
		}
		if c.new.row.Digest != "" {
			p.digest.Add(c.new.path, c.new.row.Digest)
			added = append(added, c.new)
		}
		paths = append(paths, pathRow{Path: c.new.path, Revision: p.row.Number, Part: c.new.row.Digest})
	}
	if err := insertParts(ctx, p.tx, added); err != nil {
		return translate(err, "save a catalog revision", revisions())
	}
	if err := table[pathRow](p.tx).CreateInBatches(ctx, &paths, 200); err != nil {
		return translate(err, "save a catalog revision", revisions())
	}
	if err := p.count(ctx, changes); err != nil {
		return translate(err, "save a catalog revision", revisions())
	}
	return translate(p.index(ctx, changes), "save a catalog revision", revisions())
}

// begin inserts the revision's row, which finish completes.
func (p *publishing) begin(ctx context.Context) error {
	if p.begun {
		return nil
	}
	p.begun = true
	p.row.Loaded, p.row.State = At(p.store.now()), []byte{}
	return translate(table[revisionRow](p.tx).Create(ctx, &p.row), "save a catalog revision", revisions())
}

// count carries on how much the catalog holds.
func (p *publishing) count(ctx context.Context, changes []pathChange) error {
	var old []string
	for _, c := range changes {
		if !catalog.IsOneThing(c.new.path) {
			continue
		}
		if c.old != "" {
			p.row.OneThings--
			old = append(old, c.old)
		}
		if c.new.row.Digest != "" {
			p.row.OneThings++
		}
		p.row.Matters += c.new.row.Matters
		p.row.Materials += c.new.row.Materials
	}
	for some := range slices.Chunk(old, 500) {
		rows, err := table[partRow](p.tx).Select("digest, matters, materials").Where("digest IN ?", some).Find(ctx)
		if err != nil {
			return err
		}
		held := map[string]partRow{}
		for _, row := range rows {
			held[row.Digest] = row
		}
		for _, digest := range some { // two files may have one content
			p.row.Matters -= held[digest].Matters
			p.row.Materials -= held[digest].Materials
		}
	}
	return nil
}

// index makes the matters findable as they are from this revision on.
func (p *publishing) index(ctx context.Context, changes []pathChange) error {
	var gone []string
	var rows []matterRow
	known := map[string]bool{}
	for _, c := range changes {
		if !catalog.IsOneThing(c.new.path) {
			continue
		}
		if c.old != "" {
			gone = append(gone, strings.TrimSuffix(path.Base(c.new.path), ".yaml"))
		}
		for _, row := range c.new.matters {
			// A code that stands twice is a fault, which is found when it is opened.
			if row.Since = p.row.Number; !known[row.Code] {
				known[row.Code] = true
				rows = append(rows, row)
			}
		}
	}
	for some := range slices.Chunk(gone, 500) {
		if _, err := table[matterRow](p.tx).Where("one_thing IN ? AND until = 0", some).Update(ctx, "until", p.row.Number); err != nil {
			return err
		}
	}
	if len(rows) == 0 {
		return nil
	}
	// The same code in two files is a fault too.
	return table[matterRow](p.tx, clause.OnConflict{DoNothing: true}).CreateInBatches(ctx, &rows, 500)
}

// finish completes the revision and records it. It gives the number of the last one
// where nothing is other.
func (p *publishing) finish(ctx context.Context, entries []ledger.Entry) (int, error) {
	if !p.begun && p.last.Number > 0 {
		return p.last.Number, nil
	}
	if err := p.begin(ctx); err != nil { // a first catalog without a file
		return 0, err
	}
	p.row.Digest, p.row.State = p.digest.String(), p.digest.State()
	if _, err := table[revisionRow](p.tx).Select("digest", "state", "one_things", "matters", "materials").Where("number = ?", p.row.Number).Updates(ctx, p.row); err != nil {
		return 0, translate(err, "save a catalog revision", revisions())
	}
	for i := range entries {
		entries[i].Revision, entries[i].Digest = p.row.Number, p.row.Digest
	}
	return p.row.Number, p.store.appendEntries(ctx, p.tx, entries)
}
