package store

import (
	"context"
	"io/fs"
	"maps"

	"gorm.io/gorm"

	"mianti/catalog"
	"mianti/draft"
	"mianti/internal/fault"
)

// PublishDraft stores the next revision together with the draft that it comes from,
// all or nothing, and gives its number.
func (s *Store) PublishDraft(ctx context.Context, c draft.Commit, p draft.Publication) (int, error) {
	files, err := s.interimFiles(ctx, p.Base)
	if err != nil {
		return 0, err
	}
	next := interimWith(files, p.Parts)
	content, err := packFiles(next)
	if err != nil {
		return 0, err
	}
	row := revisionRow{Digest: digestFiles(next), Title: p.Title, Version: p.Version, Content: content}
	err = s.transact(ctx, func(tx *gorm.DB) error {
		added, err := s.appendRevision(ctx, tx, &row)
		if err != nil {
			return err
		}
		if !added || row.Number != p.Base+1 {
			return fault.New(fault.Conflict, "revision-moved", "moved")
		}
		published := *c.Draft
		published.Revision = row.Number
		c.Draft = &published
		for i := range c.Entries {
			c.Entries[i].Revision, c.Entries[i].Digest = row.Number, row.Digest
		}
		return s.saveDraft(ctx, tx, c)
	})
	return row.Number, err
}

func interimWith(files map[string][]byte, parts []catalog.Part) map[string][]byte {
	next := maps.Clone(files)
	for _, p := range parts {
		if next[p.Path] = p.Content; p.Content == nil {
			delete(next, p.Path)
		}
	}
	return next
}

func (s *Store) interimFiles(ctx context.Context, number int) (map[string][]byte, error) {
	folder, err := s.Revision(ctx, number)
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{}
	err = fs.WalkDir(folder, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		out[path], err = fs.ReadFile(folder, path)
		return err
	})
	return out, err
}

// ChangedBetween is interim.
func (s *Store) ChangedBetween(context.Context, int, int) ([]string, error) { return nil, nil }

// Drafting is interim.
type Drafting struct{ C *Catalogs }

// Revision is interim.
func (d Drafting) Revision(ctx context.Context, n int, _ ...string) (*catalog.Revision, error) {
	return d.C.Revision(ctx, n)
}

// Drafted is interim.
func (d Drafting) Drafted(ctx context.Context, base int, edits []catalog.Edit) (*catalog.Drafted, error) {
	files, err := d.C.store.interimFiles(ctx, base)
	if err != nil {
		return nil, err
	}
	parts, faults := catalog.Apply(files, edits)
	if len(faults) > 0 {
		return nil, faults
	}
	var all []catalog.Part
	for path, content := range interimWith(files, parts) {
		all = append(all, catalog.Part{Path: path, Content: content})
	}
	rev, err := catalog.LoadParts(all)
	if err != nil {
		return nil, err
	}
	return &catalog.Drafted{Revision: rev, Parts: parts}, nil
}

// Thing is interim.
func (d Drafting) Thing(ctx context.Context, number int, kind catalog.ThingKind, code string) (catalog.Edit, error) {
	files, err := d.C.store.interimFiles(ctx, number)
	if err != nil {
		return catalog.Edit{}, err
	}
	things, _ := catalog.Things(files)
	for _, e := range things {
		if e.Kind == kind && e.Code == code {
			return e, nil
		}
	}
	return catalog.Edit{Kind: kind, Code: code}, nil
}
