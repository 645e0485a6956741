package store

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"mianti/safeguard"
)

// tryRound stores all writes of a round in one transaction, or none: those that are
// refused are named by a refusals, and what was done is undone.
func (s *Store) tryRound(ctx context.Context, round []*write) error {
	return s.transact(ctx, func(tx *gorm.DB) error {
		if err := s.storeReleases(ctx, tx, releasesOf(round)); err != nil {
			return err
		}
		encoded := make([]encodedEntries, len(round))
		for i, w := range round {
			w.alarms, encoded[i] = nil, w.encodedEntries
		}
		if err := s.appendEncoded(ctx, tx, encoded...); err != nil {
			return err
		}
		// The rows that everybody writes come last.
		return s.countRound(ctx, tx, round)
	})
}

// countRound adds what the writes of a round count for, refuses the questions that go
// over a quota, and raises the alarms that come of it.
func (s *Store) countRound(ctx context.Context, tx *gorm.DB, round []*write) error {
	sum, places := sumTallies(round)
	if len(sum) == 0 {
		return nil
	}
	totals, err := count(tx, sum)
	if err != nil {
		return err
	}
	if err := s.refuseExcess(round, totals, places); err != nil {
		return err
	}
	round[0].alarms, err = s.raiseFrom(ctx, tx, totals, places)
	return err
}

// counting is who of a round counts in one place.
type counting struct {
	sum           safeguard.Tally
	asks, answers []*write // those with questions, and those with outcomes
}

// sumTallies gives what a round adds, in the order in which counts are written, and
// who adds it.
func sumTallies(round []*write) ([]safeguard.Tally, map[usageKey]*counting) {
	places := map[usageKey]*counting{}
	for _, w := range round {
		for i := range w.tallies {
			t := &w.tallies[i]
			key := keyOf(t.Meter, t.Window)
			at := places[key]
			if at == nil {
				at = &counting{sum: safeguard.Tally{Meter: t.Meter, Window: t.Window}}
				places[key] = at
			}
			at.sum.Add(t)
			if w.questions {
				at.asks = append(at.asks, w)
			} else {
				at.answers = append(at.answers, w)
			}
		}
	}
	sum := make([]safeguard.Tally, 0, len(places))
	for _, at := range places {
		sum = append(sum, at.sum)
	}
	safeguard.SortTallies(sum)
	return sum, places
}

// apart are writes that have to be stored each alone: together with others it cannot
// be told whether they go over a quota.
type apart map[*write]bool

func (a apart) Error() string { return fmt.Sprintf("%d writes of a round are stored alone", len(a)) }

// refuseExcess refuses questions that go over a quota.
func (s *Store) refuseExcess(round []*write, totals []safeguard.Total, places map[usageKey]*counting) error {
	over := apart{}
	for i := range totals {
		for _, w := range places[keyOf(totals[i].Meter, totals[i].Window)].asks {
			if s.rules.Excess(totals[i:i+1], w.limits) != nil {
				over[w] = true
			}
		}
	}
	switch {
	case len(over) == 0:
		return nil
	case len(round) > 1:
		return over
	}
	w := round[0]
	w.excess = s.rules.Excess(totals, w.limits)
	return w.excess.Fault(w.entries[0].At)
}

// raiseFrom raises the alarms that follow from what a round has counted, and gives
// those that are new. An alarm is of the department that was the first to count there.
func (s *Store) raiseFrom(ctx context.Context, tx *gorm.DB, totals []safeguard.Total, places map[usageKey]*counting) ([]safeguard.Alarm, error) {
	var all []safeguard.Alarm
	add := func(alarms []safeguard.Alarm, of []*write) {
		for _, a := range alarms {
			first := of[0].entries[0]
			a.Times, a.Department, a.FirstAt, a.LastAt = int64(len(of)), first.Department, first.At, first.At
			all = append(all, a)
		}
	}
	for i := range totals {
		at, total := places[keyOf(totals[i].Meter, totals[i].Window)], totals[i:i+1]
		if len(at.asks) > 0 {
			add(s.rules.IntentAlarms(total, at.asks[0].limits), at.asks)
		}
		if len(at.answers) > 0 {
			add(s.rules.OutcomeAlarms(total), at.answers)
		}
	}
	for i := range all {
		if h, e, stops := s.rules.StopFor(&all[i], all[i].Department, all[i].FirstAt); stops {
			if err := s.stopOf(ctx, tx, h, e); err != nil {
				return nil, err
			}
		}
	}
	return raise(tx, all)
}
