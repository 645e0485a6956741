package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"golang.org/x/sync/singleflight"

	"mianti/catalog"
	"mianti/internal/fault"
)

// DefaultHeldMaterials is how many materials of catalogs are held in memory where
// nothing else is said: those of a large city, whole, in some hundred megabytes.
const DefaultHeldMaterials = 100_000

// revisionsHeld is how many revisions are held whole. What two of them have in common
// is held once.
const revisionsHeld = 16

// Catalogs gives the stored revisions of the catalog, compiled. A catalog of up to a
// number of materials is held whole; of a larger one its ground is, and the one-things
// that were used last. It is safe for concurrent use.
type Catalogs struct {
	store *Store
	held  int

	loading singleflight.Group
	mu      sync.Mutex
	heads   map[int]head
	grounds map[string]*catalog.Revision
	wholes  *recent[int, *wholeRevision]
	// opened are one-things by their content; placed are those by revision and code,
	// which spares asking which content it is.
	opened *recent[openedKey, *catalog.Revision]
	placed *recent[placedKey, *catalog.Revision]
}

// head is what must be known of a revision before anything of it is read.
type head struct {
	row    revisionRow
	ground string // the digest of the files that are no one-things
}

type openedKey struct{ ground, part string }

type placedKey struct {
	number int
	thing  string
}

// wholeRevision is a revision that is held whole, with its one-things by their
// content, from which the next one is made.
type wholeRevision struct {
	revision *catalog.Revision
	ground   string
	things   map[string]*catalog.Revision // by the digest of the file
}

// NewCatalogs returns the revisions of a store.
func NewCatalogs(s *Store) *Catalogs { return NewCatalogsHolding(s, DefaultHeldMaterials) }

// NewCatalogsHolding returns them with at most so many materials in memory; 0 is the
// default.
func NewCatalogsHolding(s *Store, materials int) *Catalogs {
	materials = cmp.Or(materials, DefaultHeldMaterials)
	return &Catalogs{
		store: s, held: materials, heads: map[int]head{}, grounds: map[string]*catalog.Revision{}, wholes: newRecent[int, *wholeRevision](revisionsHeld),
		opened: newRecent[openedKey, *catalog.Revision](materials), placed: newRecent[placedKey, *catalog.Revision](materials),
	}
}

// Current is the latest revision. It is a fault.Unavailable when no catalog was
// ever loaded. About are codes that the caller will look at; see Revision.
func (c *Catalogs) Current(ctx context.Context, about ...string) (*catalog.Revision, error) {
	number, err := c.store.latestRevision(ctx)
	if errors.Is(err, fault.NotFound) {
		return nil, fault.New(fault.Unavailable, "no-catalog", "还没有载入目录。").Because(err)
	}
	if err != nil {
		return nil, err
	}
	return c.Revision(ctx, number, about...)
}

// Revision is the one of that number. About are the codes that the caller will look at:
// of one-things, matters or materials, or implementation codes. A catalog that is too
// large to be held whole comes with these alone; see catalog.Revision. Whoever asks for
// a known one never waits for one that is being loaded.
func (c *Catalogs) Revision(ctx context.Context, number int, about ...string) (*catalog.Revision, error) {
	if known, ok := c.wholes.get(number); ok {
		return known.revision, nil
	}
	h, err := c.head(ctx, number)
	if err != nil {
		return nil, err
	}
	if !c.isWhole(h) {
		return c.partial(ctx, h, about)
	}
	w, err := c.whole(ctx, h)
	if err != nil {
		return nil, err
	}
	return w.revision, nil
}

// isWhole reports whether a revision is held whole.
func (c *Catalogs) isWhole(h head) bool { return h.row.Materials <= c.held }

// head reads what is said of a revision, once.
func (c *Catalogs) head(ctx context.Context, number int) (head, error) {
	c.mu.Lock()
	known, ok := c.heads[number]
	c.mu.Unlock()
	if ok {
		return known, nil
	}
	row, err := c.store.revisionRow(ctx, number)
	if err != nil {
		return head{}, err
	}
	h := head{row: row}
	if h.ground, err = c.groundDigest(ctx, number); err != nil {
		return head{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heads[number] = h
	return h, nil
}

func (c *Catalogs) groundDigest(ctx context.Context, number int) (string, error) {
	digest := &catalog.Digest{}
	for _, within := range groundPaths() {
		paths, err := pathsOf(ctx, c.store.db, number, within[0], within[1])
		if err != nil {
			return "", err
		}
		for _, one := range paths {
			digest.Add(one.Path, one.Part)
		}
	}
	return digest.String(), nil
}

// groundPaths are the ranges in which the files are that are no one-things.
func groundPaths() [][2]string { return [][2]string{{"", firstThing}, {afterThing, lastPath}} }

// once does a piece of loading once for all who wait for it, and does not end with
// the first of them.
func once[T any](ctx context.Context, c *Catalogs, key string, load func(context.Context) (T, error)) (T, error) {
	loaded, err, _ := c.loading.Do(key, func() (any, error) { return load(context.WithoutCancel(ctx)) })
	if err != nil {
		var none T
		return none, err
	}
	return loaded.(T), nil
}

// ground gives the ground of a revision.
func (c *Catalogs) ground(ctx context.Context, h head) (*catalog.Revision, error) {
	c.mu.Lock()
	known := c.grounds[h.ground]
	c.mu.Unlock()
	if known != nil {
		return known, nil
	}
	return once(ctx, c, "ground "+h.ground, func(ctx context.Context) (*catalog.Revision, error) {
		files, err := c.groundFiles(ctx, h.row.Number)
		if err != nil {
			return nil, err
		}
		ground, err := catalog.LoadParts(files)
		if err != nil {
			return nil, fmt.Errorf("catalog revision %d: %w", h.row.Number, err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.grounds[h.ground] = ground
		return ground, nil
	})
}

func (c *Catalogs) groundFiles(ctx context.Context, number int) ([]catalog.Part, error) {
	var files []catalog.Part
	for _, within := range groundPaths() {
		err := c.store.eachFile(ctx, number, within[0], within[1], func(p catalog.Part) error {
			files = append(files, p)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

// named gives a revision the name under which it is stored.
func named(rev *catalog.Revision, h head) *catalog.Revision {
	out := *rev
	out.Number, out.Digest, out.Title, out.Version = h.row.Number, h.row.Digest, h.row.Title, h.row.Version
	return &out
}

// whole gives a revision with all of its one-things.
func (c *Catalogs) whole(ctx context.Context, h head) (*wholeRevision, error) {
	if known, ok := c.wholes.get(h.row.Number); ok {
		return known, nil
	}
	return once(ctx, c, "whole "+strconv.Itoa(h.row.Number), func(ctx context.Context) (*wholeRevision, error) {
		w, err := c.loadWhole(ctx, h)
		if err == nil {
			c.wholes.put(h.row.Number, w, 1)
		}
		return w, err
	})
}

func (c *Catalogs) loadWhole(ctx context.Context, h head) (*wholeRevision, error) {
	ground, err := c.ground(ctx, h)
	if err != nil {
		return nil, err
	}
	paths, err := pathsOf(ctx, c.store.db, h.row.Number, firstThing, afterThing)
	if err != nil {
		return nil, err
	}
	w := &wholeRevision{ground: h.ground, things: make(map[string]*catalog.Revision, len(paths))}
	before := c.nearest(h)
	var missing []storedPart
	for _, one := range paths {
		if known := before[one.Part]; known != nil {
			w.things[one.Part] = known
			continue
		}
		missing = append(missing, one)
	}
	err = c.reopenAll(ctx, h, ground, missing, func(one openedPart) error {
		w.things[one.part] = one.revision
		return one.err
	})
	if err != nil {
		return nil, err
	}
	all := make([]*catalog.Revision, len(paths))
	for i, one := range paths {
		all[i] = w.things[one.Part]
	}
	w.revision = named(ground.Join(all, true), h)
	return w, nil
}

// nearest gives the one-things of the revisions before and after, as far as they are
// held and stand on the same ground.
func (c *Catalogs) nearest(h head) map[string]*catalog.Revision {
	for _, number := range []int{h.row.Number - 1, h.row.Number + 1} {
		if w, ok := c.wholes.get(number); ok && w.ground == h.ground {
			return w.things
		}
	}
	return nil
}
