package store

import (
	"maps"
	"sync"

	"mianti/exchange"
)

// mostAbandoned bounds what abandonedKeys holds. A key that is not in it stays taken
// for keyInUse, as that of a process that died does.
const mostAbandoned = 10_000

// abandonedKeys are idempotency keys whose request has ended here, and that may still
// be reserved in the database, because it was away when they were to be given up. The
// next request with such a key need not wait until its time is over: after a restart
// of the database that was a minute for everybody who had asked at that moment.
type abandonedKeys struct {
	mu   sync.Mutex
	held map[reservation]struct{}
}

// reservation is one request's hold on a key. Its time tells it from a later one's.
type reservation struct {
	system, key string
	at          Timestamp
}

func reservationOf(k *exchange.Key) reservation {
	return reservation{system: k.System, key: k.Value, at: At(k.At)}
}

// add notes a reservation that nobody completes any more. Those whose time is over
// anyway are dropped when there are many.
func (a *abandonedKeys) add(r reservation) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.held) >= mostAbandoned {
		maps.DeleteFunc(a.held, func(old reservation, _ struct{}) bool { return r.at.Time().Sub(old.at.Time()) >= keyInUse })
		if len(a.held) >= mostAbandoned {
			return
		}
	}
	if a.held == nil {
		a.held = map[reservation]struct{}{}
	}
	a.held[r] = struct{}{}
}

func (a *abandonedKeys) has(r reservation) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, found := a.held[r]
	return found
}

func (a *abandonedKeys) drop(r reservation) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.held, r)
}
