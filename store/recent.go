package store

import (
	"container/list"
	"sync"
)

// recent keeps what was used last, up to a weight in all. It is safe for concurrent
// use.
type recent[K comparable, V any] struct {
	mu     sync.Mutex
	bound  int
	weight int
	byKey  map[K]*list.Element
	order  *list.List // the front was used last
}

type kept[K comparable, V any] struct {
	key    K
	value  V
	weight int
}

func newRecent[K comparable, V any](bound int) *recent[K, V] {
	return &recent[K, V]{bound: bound, byKey: map[K]*list.Element{}, order: list.New()}
}

func (r *recent[K, V]) get(key K) (V, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, ok := r.byKey[key]
	if !ok {
		var none V
		return none, false
	}
	r.order.MoveToFront(at)
	return at.Value.(*kept[K, V]).value, true
}

// put keeps a value, and lets go of those that were not used for longest. One that is
// heavier than all that may be kept is not kept.
func (r *recent[K, V]) put(key K, value V, weight int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at, ok := r.byKey[key]; ok {
		r.drop(at)
	}
	if weight > r.bound {
		return
	}
	r.byKey[key] = r.order.PushFront(&kept[K, V]{key, value, weight})
	for r.weight += weight; r.weight > r.bound; {
		r.drop(r.order.Back())
	}
}

func (r *recent[K, V]) drop(at *list.Element) {
	out := r.order.Remove(at).(*kept[K, V])
	delete(r.byKey, out.key)
	r.weight -= out.weight
}

// remove lets go of what is of that kind.
func (r *recent[K, V]) remove(of func(K, V) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for at := r.order.Front(); at != nil; {
		next := at.Next()
		if one := at.Value.(*kept[K, V]); of(one.key, one.value) {
			r.drop(at)
		}
		at = next
	}
}

// forget lets go of one, if it is there.
func (r *recent[K, V]) forget(key K) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at, ok := r.byKey[key]; ok {
		r.drop(at)
	}
}
