package store

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"mianti/catalog"
)

// thingsAtOnce is how many one-things are read and compiled at once.
const thingsAtOnce = 100

// EachOneThing hands over every one-thing of a revision, each as the ground with it
// alone, sorted by code as text. Nothing of it is kept, so that a catalog of any size
// can be looked through. It goes on reading and compiling while each works.
func (c *Catalogs) EachOneThing(ctx context.Context, number int, each func(*catalog.Revision) error) error {
	h, err := c.head(ctx, number)
	if err != nil {
		return err
	}
	ground, err := c.ground(ctx, h)
	if err != nil {
		return err
	}
	return c.stream(ctx, h, ground, c.pages(ctx, number), func(one openedPart) error {
		if one.err != nil {
			return one.err
		}
		return each(named(one.revision, h))
	})
}

// pages reads the one-things of a revision.
func (c *Catalogs) pages(ctx context.Context, number int) iter.Seq2[[]storedPart, error] {
	return func(yield func([]storedPart, error) bool) {
		for from := firstThing; ; {
			page, err := c.store.parts(ctx, number, "b.tree", from, afterThing, thingsAtOnce)
			if !yield(page, err) || err != nil || len(page) < thingsAtOnce {
				return
			}
			from = page[len(page)-1].Path
		}
	}
}

// reopenAll compiles stored one-things.
func (c *Catalogs) reopenAll(ctx context.Context, h head, ground *catalog.Revision, all []storedPart, each func(openedPart) error) error {
	pages := func(yield func([]storedPart, error) bool) {
		for page := range slices.Chunk(all, thingsAtOnce) {
			digests := make([]string, len(page))
			for i, one := range page {
				digests[i] = one.Part
			}
			rows, err := table[partRow](c.store.db).Select("digest, tree").Where("digest IN ?", digests).Find(ctx)
			if err != nil {
				yield(nil, fmt.Errorf("read catalog revision %d: %w", h.row.Number, err))
				return
			}
			trees := make(map[string][]byte, len(rows))
			for _, row := range rows {
				trees[row.Digest] = row.Tree
			}
			for i := range page {
				page[i].Tree = trees[page[i].Part]
			}
			if !yield(page, nil) {
				return
			}
		}
	}
	return c.stream(ctx, h, ground, pages, each)
}

// stream reads, compiles and hands over, each while the others go on.
func (c *Catalogs) stream(ctx context.Context, h head, ground *catalog.Revision, pages iter.Seq2[[]storedPart, error], each func(openedPart) error) error {
	group, ctx := errgroup.WithContext(ctx)
	read, compiled := make(chan []storedPart, 1), make(chan []openedPart, 1)
	group.Go(func() error {
		defer close(read)
		for page, err := range pages {
			if err != nil {
				return err
			}
			select {
			case read <- page:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	group.Go(func() error {
		defer close(compiled)
		for page := range read {
			select {
			case compiled <- c.compile(ctx, h, ground, page):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	group.Go(func() error {
		for page := range compiled {
			for _, one := range page {
				if err := each(one); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return group.Wait()
}

// openedPart is a stored one-thing that was compiled, or why it could not be.
type openedPart struct {
	path, part string
	revision   *catalog.Revision
	err        error
}

// compile compiles a page on all processors.
func (c *Catalogs) compile(ctx context.Context, h head, ground *catalog.Revision, page []storedPart) []openedPart {
	out := make([]openedPart, len(page))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, one := range page {
		group.Go(func() error {
			rev, err := c.reopen(ctx, h, ground, one)
			out[i] = openedPart{one.Path, one.Part, rev, err}
			return nil
		})
	}
	_ = group.Wait() // what went wrong is told with each
	return out
}
