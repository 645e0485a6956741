package store

import (
	"context"
	"slices"
	"strings"

	"gorm.io/gorm"

	"mianti/exchange"
	"mianti/policies"
	"mianti/safeguard"
)

// known is what a store holds in memory for the path of a resolution, which would
// otherwise read it each time: a third of a resolution's processor time was the
// reading of 89 grants.
type known struct {
	grants      *memory[string, *exchange.GrantSet] // by matters
	stops       *memory[struct{}, *exchange.StopSet]
	quotas      *memory[struct{}, safeguard.Overrides]
	systems     *memory[string, *exchange.System]
	revoked     *memory[string, bool] // by the id of a token
	latest      *memory[struct{}, int]
	corrections *memory[struct{}, map[string][]exchange.RecordRef] // by subject
}

// The bounds of what is held, in entries: some tens of megabytes in all.
const (
	heldGrants  = 50_000
	heldSystems = 10_000
	heldTokens  = 100_000
	// heldCorrections is how many open corrections are held; with more of them they
	// are asked for each time.
	heldCorrections = 10_000
)

func newKnown(n *notices) known {
	return known{
		grants:      newMemory(n, aboutGrants, heldGrants, dropGrants),
		stops:       newMemory[struct{}, *exchange.StopSet](n, aboutStops, 1, nil),
		quotas:      newMemory[struct{}, safeguard.Overrides](n, aboutQuotas, 1, nil),
		systems:     newMemory(n, aboutSystems, heldSystems, byItem[*exchange.System]),
		revoked:     newMemory(n, aboutTokens, heldTokens, byItem[bool]),
		latest:      newMemory[struct{}, int](n, aboutCatalogs, 1, nil),
		corrections: newMemory[struct{}, map[string][]exchange.RecordRef](n, aboutCorrections, 1, nil),
	}
}

// matterSeparator stands in no code of a matter.
const matterSeparator = "\n"

// dropGrants lets go of the grants for matters of which any grant has changed.
func dropGrants(held *recent[string, *exchange.GrantSet], items []string) {
	changed := make(map[string]bool, len(items))
	for _, item := range items {
		changed[item] = true
	}
	held.remove(func(key string, _ *exchange.GrantSet) bool {
		return slices.ContainsFunc(strings.Split(key, matterSeparator), func(matter string) bool { return changed[matter] })
	})
}

// InForce gives the grants for these matters and what is stopped, indexed. What this
// store has changed it knows; what others have, within two seconds.
func (s *Store) InForce(ctx context.Context, matters []string) (*exchange.GrantSet, *exchange.StopSet, error) {
	grants, err := s.known.grants.recall(ctx, strings.Join(matters, matterSeparator), func(ctx context.Context) (*exchange.GrantSet, int, error) {
		read, err := s.GrantsFor(ctx, matters)
		if err != nil {
			return nil, 0, err
		}
		set, err := s.keepGrantSet(ctx, read)
		return set, 1 + len(read), err
	})
	if err != nil {
		return nil, nil, err
	}
	stopped, err := s.stopsInForce(ctx)
	return grants, stopped, err
}

// Outdated says that what InForce gave was found to be out of date.
func (s *Store) Outdated() { s.notices.asked.Add(1) }

func (s *Store) stopsInForce(ctx context.Context) (*exchange.StopSet, error) {
	return s.known.stops.recall(ctx, struct{}{}, func(ctx context.Context) (*exchange.StopSet, int, error) {
		read, err := s.Stops(ctx)
		if err != nil {
			return nil, 0, err
		}
		return exchange.NewStopSet(read), 1, nil
	})
}

// IsStopped reports whether a thing is stopped: at once when it was stopped here, and
// within two seconds when it was elsewhere.
func (s *Store) IsStopped(ctx context.Context, kind policies.StopKind, id string) (bool, error) {
	stopped, err := s.stopsInForce(ctx)
	if err != nil {
		return false, err
	}
	return stopped.Index.Holds(kind, id), nil
}

// SystemInForce is System, in which what was changed elsewhere is known within two
// seconds.
func (s *Store) SystemInForce(ctx context.Context, id string) (*exchange.System, error) {
	known, err := s.known.systems.recall(ctx, id, func(ctx context.Context) (*exchange.System, int, error) {
		read, err := s.System(ctx, id)
		return read, 1, err
	})
	if err != nil {
		return nil, err
	}
	system := *known
	return &system, nil
}

// TokenRevoked reports whether the token of that id was revoked: at once when it was
// revoked here, and within two seconds when it was elsewhere.
func (s *Store) TokenRevoked(ctx context.Context, jti string) (bool, error) {
	return s.known.revoked.recall(ctx, jti, func(ctx context.Context) (bool, int, error) {
		revoked, err := s.readRevoked(ctx, jti)
		if revoked { // it is refused, and forgotten when it has ended by itself
			return true, 0, err
		}
		return false, 1, err
	})
}

// latestRevision is LatestRevision, known within two seconds when it was published
// elsewhere.
func (s *Store) latestRevision(ctx context.Context) (int, error) {
	return s.known.latest.recall(ctx, struct{}{}, func(ctx context.Context) (int, int, error) {
		number, err := s.LatestRevision(ctx)
		return number, 1, err
	})
}

// Overrides gives the limits of those of the meters that have their own; of all that
// have, when none is named. What was set elsewhere is known within two seconds.
func (s *Store) Overrides(ctx context.Context, of ...safeguard.Meter) (safeguard.Overrides, error) {
	all, err := s.known.quotas.recall(ctx, struct{}{}, func(ctx context.Context) (safeguard.Overrides, int, error) {
		read, err := s.readQuotas(ctx)
		return read, 1, err
	})
	if err != nil {
		return nil, err
	}
	out := safeguard.Overrides{}
	for m, limits := range all {
		if len(of) == 0 || slices.Contains(of, m) {
			out[m] = limits
		}
	}
	return out, nil
}

// OpenCorrections gives the records of these subjects whose correction is open. What
// was opened or closed elsewhere is known within two seconds.
func (s *Store) OpenCorrections(ctx context.Context, subjects []string) ([]exchange.RecordRef, error) {
	if len(subjects) == 0 {
		return nil, nil
	}
	all, err := s.known.corrections.recall(ctx, struct{}{}, s.readAllOpenCorrections)
	if err != nil {
		return nil, err
	}
	if all == nil {
		return s.readOpenCorrections(ctx, subjects)
	}
	var out []exchange.RecordRef
	for _, subject := range slices.Compact(slices.Sorted(slices.Values(subjects))) {
		out = append(out, all[subject]...)
	}
	return out, nil
}

// readAllOpenCorrections gives them by subject; nil when they are too many to be held.
func (s *Store) readAllOpenCorrections(ctx context.Context) (map[string][]exchange.RecordRef, int, error) {
	refs, err := s.openCorrections(ctx, func(query *gorm.DB) *gorm.DB { return query.Limit(heldCorrections + 1) })
	if err != nil || len(refs) > heldCorrections {
		return nil, 1, err
	}
	all := make(map[string][]exchange.RecordRef, len(refs))
	for _, ref := range refs {
		all[ref.Subject] = append(all[ref.Subject], ref)
	}
	return all, 1, nil
}
