package exchange

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"mianti/catalog"
	"mianti/internal/fault"
)

// Standing (现有目录) gives the catalog to those who only read it, while the database is
// away too: then it is the revision that was the latest when it was last asked. It is
// not for what decides about a case. It is safe for concurrent use.
type Standing struct {
	Catalogs Catalogs
	Now      func() time.Time

	seen atomic.Pointer[seen]
	// failed is when the database was last found to be away, in nanoseconds.
	failed atomic.Int64
}

// seen is the latest revision, and when that was so.
type seen struct {
	number int
	at     time.Time
}

// UncheckedHeader names the header of an answer that says since when it is not known
// whether there is a later catalog.
const UncheckedHeader = "Catalog-Unchecked-Since"

const (
	// standingPatience is how long a reader waits for the database when there is a
	// revision to be had without it.
	standingPatience = time.Second
	// standingPause is for how long the database is not asked again.
	standingPause = time.Second
)

// Current is as that of Catalogs. Unchecked is when the revision was last known to be
// the latest, if that is not known now; zero if it is.
func (s *Standing) Current(ctx context.Context, about ...string) (rev *catalog.Revision, unchecked time.Time, err error) {
	known := s.seen.Load()
	if known == nil {
		return s.ask(ctx, about)
	}
	if s.Now().UnixNano()-s.failed.Load() > int64(standingPause) {
		asking, stop := context.WithTimeout(ctx, standingPatience)
		rev, _, err = s.ask(asking, about)
		stop()
		if !errors.Is(err, fault.Unavailable) || ctx.Err() != nil {
			return rev, time.Time{}, err
		}
		s.failed.Store(s.Now().UnixNano())
	}
	held, fails := s.Catalogs.Revision(ctx, known.number, about...)
	if fails != nil {
		return nil, time.Time{}, errors.Join(err, fails)
	}
	return held, known.at, nil
}

func (s *Standing) ask(ctx context.Context, about []string) (*catalog.Revision, time.Time, error) {
	rev, err := s.Catalogs.Current(ctx, about...)
	if err == nil {
		s.seen.Store(&seen{rev.Number, s.Now()})
	}
	return rev, time.Time{}, err
}
