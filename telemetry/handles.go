package telemetry

import (
	"maps"
	"sync"
	"sync/atomic"
)

// handles keeps what was made of a metric for each set of labels: finding it costs one
// look-up in a map that never changes, and no lock. Measured against asking the vector
// each time: a fifth of the time, and no allocation (BenchmarkHandles).
type handles[K comparable, H any] struct {
	known  atomic.Pointer[map[K]H]
	making sync.Mutex
	make   func(K) H
}

func newHandles[K comparable, H any](make func(K) H) *handles[K, H] {
	h := &handles[K, H]{make: make}
	h.known.Store(&map[K]H{})
	return h
}

// of gives the handle of a key, which is made when it is first asked for. Keys MUST
// be of a bounded number: routes, codes of sources, results.
func (h *handles[K, H]) of(key K) H {
	if handle, ok := (*h.known.Load())[key]; ok {
		return handle
	}
	h.making.Lock()
	defer h.making.Unlock()
	known := *h.known.Load()
	if handle, ok := known[key]; ok {
		return handle
	}
	more := maps.Clone(known)
	more[key] = h.make(key)
	h.known.Store(&more)
	return more[key]
}

// names lets so many names through as they come, and calls the others "other": what a
// catalog holds is not bounded by us, and each name is a series of its own.
type names struct {
	most  int
	mu    sync.Mutex
	known map[string]bool
}

const other = "other"

func (n *names) bounded(name string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.known[name] {
		return name
	}
	if len(n.known) >= n.most {
		return other
	}
	if n.known == nil {
		n.known = map[string]bool{}
	}
	n.known[name] = true
	return name
}
