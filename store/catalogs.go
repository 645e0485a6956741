package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"golang.org/x/sync/singleflight"

	"mianti/catalog"
	"mianti/internal/fault"
)

// Catalogs gives the stored revisions of the catalog, compiled. A revision is
// compiled once and kept. It is safe for concurrent use.
type Catalogs struct {
	store *Store

	loading  singleflight.Group
	mu       sync.Mutex
	byNumber map[int]*catalog.Revision
}

// NewCatalogs returns the revisions of a store.
func NewCatalogs(s *Store) *Catalogs {
	return &Catalogs{store: s, byNumber: map[int]*catalog.Revision{}}
}

// Current is the latest revision. It is a fault.Unavailable when no catalog was
// ever loaded.
func (c *Catalogs) Current(ctx context.Context) (*catalog.Revision, error) {
	number, err := c.store.LatestRevision(ctx)
	if errors.Is(err, fault.NotFound) {
		return nil, fault.New(fault.Unavailable, "no-catalog", "还没有载入目录。").Because(err)
	}
	if err != nil {
		return nil, err
	}
	return c.Revision(ctx, number)
}

// Revision is the one of that number. Whoever asks for a known one never waits
// for one that is being loaded.
func (c *Catalogs) Revision(ctx context.Context, number int) (*catalog.Revision, error) {
	if known := c.known(number); known != nil {
		return known, nil
	}
	loaded, err, _ := c.loading.Do(strconv.Itoa(number), func() (any, error) {
		return c.load(context.WithoutCancel(ctx), number)
	})
	if err != nil {
		return nil, err
	}
	return loaded.(*catalog.Revision), nil
}

func (c *Catalogs) known(number int) *catalog.Revision {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.byNumber[number]
}

func (c *Catalogs) load(ctx context.Context, number int) (*catalog.Revision, error) {
	folder, err := c.store.Revision(ctx, number)
	if err != nil {
		return nil, err
	}
	rev, err := catalog.Load(folder)
	if err != nil {
		return nil, fmt.Errorf("catalog revision %d: %w", number, err)
	}
	rev.Number = number
	c.mu.Lock()
	defer c.mu.Unlock()
	c.byNumber[number] = rev
	return rev, nil
}
