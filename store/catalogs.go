package store

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"mianti/catalog"
	"mianti/internal/fault"
)

// Catalogs gives the stored revisions of the catalog, compiled. A revision is
// compiled once and kept. It is safe for concurrent use.
type Catalogs struct {
	store *Store

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

// Revision is the one of that number.
func (c *Catalogs) Revision(ctx context.Context, number int) (*catalog.Revision, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.byNumber[number]; known != nil {
		return known, nil
	}
	folder, err := c.store.Revision(ctx, number)
	if err != nil {
		return nil, err
	}
	rev, err := catalog.Load(folder)
	if err != nil {
		return nil, fmt.Errorf("catalog revision %d: %w", number, err)
	}
	rev.Number = number
	c.byNumber[number] = rev
	return rev, nil
}
