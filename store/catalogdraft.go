package store

import (
	"context"
	"errors"
	"maps"
	"slices"

	"mianti/catalog"
)

// Drafted gives a revision as it would be with edits; nothing is stored. The error is
// catalog.Faults where they do not make a catalog. About is as in Revision.
//
// Where an edit changes or removes what one-things stand on, such as a dataset, all
// of them are checked.
func (c *Catalogs) Drafted(ctx context.Context, base int, edits []catalog.Edit, about ...string) (*catalog.Drafted, error) {
	h, err := c.head(ctx, base)
	if err != nil {
		return nil, err
	}
	files, err := c.EditedFiles(ctx, base, edits)
	if err != nil {
		return nil, err
	}
	parts, faults := catalog.Apply(files, edits)
	if len(faults) > 0 {
		return nil, faults
	}
	ground, err := c.draftedGround(ctx, h, parts)
	if err != nil {
		return nil, err
	}
	opened, faults, err := openParts(ground, parts)
	if err != nil {
		return nil, err
	}
	d := &draftedCatalog{catalogs: c, head: h, ground: ground, parts: parts, opened: opened}
	found, err := d.recheck(ctx, edits)
	if err != nil {
		return nil, err
	}
	if faults = append(faults, found...); len(faults) > 0 {
		return nil, faults
	}
	rev, err := d.revision(ctx, about)
	if err != nil {
		return nil, err
	}
	return &catalog.Drafted{Revision: rev, Parts: parts}, nil
}

// EditedFiles gives the files of a revision that edits touch, by path; nil for one
// that is not there.
func (c *Catalogs) EditedFiles(ctx context.Context, number int, edits []catalog.Edit) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, e := range edits {
		path := catalog.PathOf(e)
		if _, known := files[path]; known || path == "" {
			continue
		}
		content, err := c.store.File(ctx, number, path)
		if err != nil {
			return nil, err
		}
		files[path] = content
	}
	return files, nil
}

// draftedGround gives the ground with what parts change of it.
func (c *Catalogs) draftedGround(ctx context.Context, h head, parts []catalog.Part) (*catalog.Revision, error) {
	if !slices.ContainsFunc(parts, func(p catalog.Part) bool { return !catalog.IsOneThing(p.Path) }) {
		return c.ground(ctx, h)
	}
	files, err := c.groundFiles(ctx, h.row.Number)
	if err != nil {
		return nil, err
	}
	for _, p := range parts {
		if catalog.IsOneThing(p.Path) {
			continue
		}
		files = slices.DeleteFunc(files, func(old catalog.Part) bool { return old.Path == p.Path })
		if p.Content != nil {
			files = append(files, p)
		}
	}
	return catalog.LoadParts(files)
}

// openParts opens the one-things among parts, by path; nil for one that is removed.
func openParts(ground *catalog.Revision, parts []catalog.Part) (map[string]*catalog.Revision, catalog.Faults, error) {
	opened := map[string]*catalog.Revision{}
	var faults catalog.Faults
	for _, p := range parts {
		if !catalog.IsOneThing(p.Path) {
			continue
		}
		if p.Content == nil {
			opened[p.Path] = nil
			continue
		}
		rev, err := ground.Open(p)
		var found catalog.Faults
		switch {
		case errors.As(err, &found):
			faults = append(faults, found...)
		case err != nil:
			return nil, nil, err
		default:
			opened[p.Path] = rev
		}
	}
	return opened, faults, nil
}

// draftedCatalog is a draft on its way to a revision.
type draftedCatalog struct {
	catalogs *Catalogs
	head     head
	ground   *catalog.Revision
	parts    []catalog.Part
	opened   map[string]*catalog.Revision // by path
	others   []*catalog.Revision          // those that are not edited, where all were opened
}

// recheck opens the one-things that are not edited over the ground as it is now.
// What is added to the ground can break none of them.
func (d *draftedCatalog) recheck(ctx context.Context, edits []catalog.Edit) (catalog.Faults, error) {
	old, err := d.catalogs.ground(ctx, d.head)
	if err != nil || old == d.ground {
		return nil, err
	}
	whole := d.catalogs.isWhole(d.head)
	if !whole && !slices.ContainsFunc(edits, func(e catalog.Edit) bool { return onGround(old, e) }) {
		return nil, nil
	}
	var faults catalog.Faults
	err = d.catalogs.stream(ctx, d.head, d.ground, d.catalogs.pages(ctx, d.head.row.Number), func(one openedPart) error {
		if _, edited := d.opened[one.path]; edited {
			return nil
		}
		var found catalog.Faults
		switch {
		case errors.As(one.err, &found):
			faults = append(faults, found...)
		case one.err != nil:
			return one.err
		case whole:
			d.others = append(d.others, one.revision)
		}
		return nil
	})
	return faults, err
}

// onGround reports whether an edit changes or removes something that is on the
// ground, and that one-things may refer to.
func onGround(old *catalog.Revision, e catalog.Edit) bool {
	switch e.Kind {
	case catalog.ThingDepartment:
		return old.Department(e.Code) != nil
	case catalog.ThingDataset:
		return old.Dataset(e.Code) != nil
	case catalog.ThingFact:
		return old.Fact(e.Code) != nil
	case catalog.ThingRole:
		return old.Role(e.Code) != nil
	case catalog.ThingStandardMaterial:
		return old.StandardMaterial(e.Code) != nil
	case catalog.ThingCommonMaterial:
		return slices.ContainsFunc(old.CommonMaterials(), func(m *catalog.Material) bool { return m.Code == e.Code })
	default:
		return false
	}
}

// revision puts the draft together.
func (d *draftedCatalog) revision(ctx context.Context, about []string) (*catalog.Revision, error) {
	old, err := d.catalogs.ground(ctx, d.head)
	if err != nil {
		return nil, err
	}
	all := d.others
	whole := d.catalogs.isWhole(d.head)
	switch {
	case whole && old == d.ground:
		if all, err = d.unedited(ctx); err != nil {
			return nil, err
		}
	case !whole:
		if all, err = d.asked(ctx, about); err != nil {
			return nil, err
		}
	}
	for _, path := range slices.Sorted(maps.Keys(d.opened)) {
		if rev := d.opened[path]; rev != nil {
			all = append(all, rev)
		}
	}
	return d.ground.Join(all, whole), nil
}

// unedited gives the one-things that are as they were, where the ground is too.
func (d *draftedCatalog) unedited(ctx context.Context) ([]*catalog.Revision, error) {
	held, err := d.catalogs.whole(ctx, d.head)
	if err != nil {
		return nil, err
	}
	paths, err := pathsOf(ctx, d.catalogs.store.db, d.head.row.Number, firstThing, afterThing)
	if err != nil {
		return nil, err
	}
	var all []*catalog.Revision
	for _, one := range paths {
		if _, edited := d.opened[one.Path]; !edited {
			all = append(all, held.things[one.Part])
		}
	}
	return all, nil
}

// asked gives the one-things that somebody asks for besides those that are edited.
func (d *draftedCatalog) asked(ctx context.Context, about []string) ([]*catalog.Revision, error) {
	codes, err := d.catalogs.thingsOf(ctx, d.head, d.ground, about)
	if err != nil {
		return nil, err
	}
	var all []*catalog.Revision
	for _, code := range codes {
		path := catalog.OneThingPath(code)
		if _, edited := d.opened[path]; edited {
			continue
		}
		content, err := d.catalogs.store.File(ctx, d.head.row.Number, path)
		if err != nil {
			return nil, err
		}
		if content == nil {
			continue
		}
		rev, err := d.ground.Open(catalog.Part{Path: path, Content: content})
		if err != nil {
			return nil, err
		}
		all = append(all, rev)
	}
	return all, nil
}

// Thing gives a thing as it is written in the files of a revision: without a value
// where the revision has none of that code.
func (c *Catalogs) Thing(ctx context.Context, number int, kind catalog.ThingKind, code string) (catalog.Edit, error) {
	e := catalog.Edit{Kind: kind, Code: code}
	if kind == catalog.ThingDataset {
		rev, err := c.Revision(ctx, number)
		if err != nil {
			return e, err
		}
		d := rev.Dataset(code)
		if d == nil {
			return e, nil
		}
		e.In = d.Department
	}
	path := catalog.PathOf(e)
	content, err := c.store.File(ctx, number, path)
	if err != nil || content == nil {
		return e, err
	}
	things, _ := catalog.Things(map[string][]byte{path: content}) // it was loaded: it has no faults
	for _, thing := range things {
		if thing.Kind == kind && thing.Code == code {
			return thing, nil
		}
	}
	return e, nil
}
