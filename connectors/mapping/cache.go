package mapping

import (
	"sync"

	"mianti/catalog"
)

// maxCached is more sources than a catalog and its former revisions have.
const maxCached = 4096

// Cache keeps the mappings of sources, which never change once they are loaded,
// so that a description is taken apart once. The zero value is ready for use by
// many goroutines.
type Cache struct {
	mu   sync.RWMutex
	kept map[cacheKey]*Mapping
}

type cacheKey struct {
	dataset *catalog.Dataset
	source  *catalog.Source
}

// Of gives the mapping of a source; the error is that of Compile and is not
// kept.
func (c *Cache) Of(d *catalog.Dataset, s *catalog.Source) (*Mapping, error) {
	key := cacheKey{d, s}
	c.mu.RLock()
	m := c.kept[key]
	c.mu.RUnlock()
	if m != nil {
		return m, nil
	}
	m, err := Compile(d, s)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil || len(c.kept) >= maxCached {
		// Those of revisions that are gone go too; the others are soon back.
		c.kept = map[cacheKey]*Mapping{}
	}
	c.kept[key] = m
	return m, nil
}
