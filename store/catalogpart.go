package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"mianti/catalog"
)

// partial gives the ground of a revision with the one-things that are asked for.
func (c *Catalogs) partial(ctx context.Context, h head, about []string) (*catalog.Revision, error) {
	ground, err := c.ground(ctx, h)
	if err != nil {
		return nil, err
	}
	codes, err := c.thingsOf(ctx, h, ground, about)
	if err != nil {
		return nil, err
	}
	var opened []*catalog.Revision
	for _, code := range codes {
		rev, err := c.thing(ctx, h, ground, code)
		if err != nil {
			return nil, err
		}
		if rev != nil {
			opened = append(opened, rev)
		}
	}
	switch len(opened) {
	case 0:
		return named(ground.Ground(), h), nil
	case 1:
		return opened[0], nil
	}
	return named(ground.Join(opened, false), h), nil
}

// implementationLength is how long an implementation code is (GB/T 39554.1): 18
// characters of the department, and 13 of the matter there.
const implementationLength = 31

// thingsOf gives the codes of the one-things in which something may be, each once.
func (c *Catalogs) thingsOf(ctx context.Context, h head, ground *catalog.Revision, about []string) ([]string, error) {
	var codes []string
	for _, code := range about {
		if len(code) != implementationLength || strings.Contains(code, ".") {
			thing, _, _ := strings.Cut(code, ".")
			codes = append(codes, thing)
			continue
		}
		found, err := c.thingsByImplementation(ctx, h, ground, code)
		if err != nil {
			return nil, err
		}
		codes = append(codes, found...)
	}
	slices.Sort(codes)
	return slices.DeleteFunc(slices.Compact(codes), func(code string) bool { return code == "" }), nil
}

func (c *Catalogs) thingsByImplementation(ctx context.Context, h head, ground *catalog.Revision, code string) ([]string, error) {
	var departments []string
	for _, d := range ground.Departments() {
		if d.CreditCode == code[:18] {
			departments = append(departments, d.Code)
		}
	}
	if len(departments) == 0 {
		return nil, nil
	}
	rows, err := table[matterRow](c.store.db).Where("local = ? AND department IN ? AND since <= ? AND (until = 0 OR until > ?)",
		code[18:], departments, h.row.Number, h.row.Number).Order("one_thing").Limit(maxSame).Find(ctx)
	if err != nil {
		return nil, translate(err, "find a matter", revisions())
	}
	var codes []string
	for _, row := range rows {
		codes = append(codes, row.OneThing)
	}
	return codes, nil
}

// maxSame bounds how many one-things a matter is looked for in.
const maxSame = 64

// thing gives one one-thing over the ground; nil when the revision has none of that
// code.
func (c *Catalogs) thing(ctx context.Context, h head, ground *catalog.Revision, code string) (*catalog.Revision, error) {
	place := placedKey{h.row.Number, code}
	if known, ok := c.placed.get(place); ok {
		return known, nil
	}
	path := catalog.OneThingPath(code)
	part, err := partOf(ctx, c.store.db, h.row.Number, path)
	if err != nil || part == "" {
		return nil, err
	}
	rev, ok := c.opened.get(openedKey{h.ground, part})
	if !ok {
		if rev, err = once(ctx, c, "thing "+h.ground+part, func(ctx context.Context) (*catalog.Revision, error) {
			return c.openThing(ctx, h, ground, storedPart{Path: path, Part: part})
		}); err != nil {
			return nil, err
		}
	}
	rev = named(rev, h)
	c.placed.put(place, rev, len(rev.Materials()))
	return rev, nil
}

func (c *Catalogs) openThing(ctx context.Context, h head, ground *catalog.Revision, at storedPart) (*catalog.Revision, error) {
	row, err := table[partRow](c.store.db).Select("tree").Where("digest = ?", at.Part).Take(ctx)
	if err != nil {
		return nil, translate(err, "read a catalog revision", revisions())
	}
	at.Tree = row.Tree
	rev, err := c.reopen(ctx, h, ground, at)
	if err != nil {
		return nil, err
	}
	c.opened.put(openedKey{h.ground, at.Part}, rev, len(rev.Materials()))
	return rev, nil
}

// reopen compiles a stored one-thing: from its tree, or where that is not possible
// from its text, which then says what is wrong.
func (c *Catalogs) reopen(ctx context.Context, h head, ground *catalog.Revision, at storedPart) (*catalog.Revision, error) {
	if len(at.Tree) > 0 {
		if tree, err := c.store.packer.unpack.DecodeAll(at.Tree, nil); err == nil {
			if rev, err := ground.Reopen(at.Path, tree); err == nil {
				return rev, nil
			}
		}
	}
	row, err := table[partRow](c.store.db).Select("content").Where("digest = ?", at.Part).Take(ctx)
	if err != nil {
		return nil, translate(err, "read a catalog revision", revisions())
	}
	at.Content = row.Content
	p, err := c.store.packer.content(at, h.row.Number)
	if err != nil {
		return nil, err
	}
	rev, err := ground.Open(p)
	if err != nil {
		return nil, fmt.Errorf("catalog revision %d: %w", h.row.Number, err)
	}
	return rev, nil
}
