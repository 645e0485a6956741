package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/safeguard"
)

// write is what one caller wants stored: entries, and a release with them or none.
// What can be made ready before it is stored is made ready by its caller, who has
// nobody waiting for him.
type write struct {
	encodedEntries
	// tallies are what the entries add to what is counted. Of questions they are
	// refused over a quota; limits are those of the meters that have their own.
	tallies   []safeguard.Tally
	questions bool
	limits    safeguard.Overrides
	release   *released
	// excess is the quota over which it was refused.
	excess *safeguard.Excess
	// alarms are new ones of its round, to be told of by its caller.
	alarms []safeguard.Alarm

	// The committer's: who waits for it, and whether a round has it.
	done         chan error
	lead         chan struct{}
	leads, taken bool
}

// released is a resolution that is about to be stored, encoded.
type released struct {
	exchange.Commit
	body, inputs []byte
}

func newWrite(entries []ledger.Entry) (*write, error) {
	encoded, err := encodeEntries(entries)
	return &write{encodedEntries: encoded}, err
}

func newReleased(c exchange.Commit) (r *released, err error) {
	r = &released{Commit: c}
	if r.body, err = json.Marshal(c.Resolution); err != nil {
		return nil, fmt.Errorf("encode a resolution: %w", err)
	}
	if c.Inputs == nil {
		return r, nil
	}
	if r.inputs, err = json.Marshal(c.Inputs); err != nil {
		return nil, fmt.Errorf("encode the inputs of a resolution: %w", err)
	}
	return r, nil
}

// caseID is the case of which a resolution is to be stored; empty for none.
func (w *write) caseID() string {
	if w.release == nil {
		return ""
	}
	return w.release.Resolution.Case
}

// store stores a write together with those that others want stored now, and tells of
// the alarms that it has set off.
func (s *Store) store(ctx context.Context, w *write) error {
	err := s.committer.do(ctx, w)
	s.tell(ctx, err, w.alarms)
	return err
}

// refusals are why some writes of a round cannot be stored. The rest can.
type refusals map[*write]error

func (r refusals) Error() string { return fmt.Sprintf("%d writes of a round are refused", len(r)) }

// refuse keeps the first reason against a write.
func (r refusals) refuse(w *write, err error) {
	if r[w] == nil {
		r[w] = err
	}
}

// orNil gives the refusals as an error; nil when there is none.
func (r refusals) orNil() error {
	if len(r) == 0 {
		return nil
	}
	return r
}

// storeRound stores writes and answers each. One that is refused, or that the
// database does not take, does no harm to the others: they are stored without it.
func (s *Store) storeRound(ctx context.Context, round []*write) {
	for len(round) > 0 {
		begun := s.now()
		err := s.tryRound(ctx, round)
		s.tried(round, begun, err)
		var refused refusals
		var alone apart
		switch {
		case err == nil:
			answer(round, nil)
			return
		case errors.As(err, &refused):
			round = answerRefused(round, refused)
		case errors.As(err, &alone):
			round = s.storeAlone(ctx, round, func(w *write) bool { return alone[w] })
		case len(round) == 1 || errors.Is(err, fault.Unavailable):
			answer(round, err)
			return
		default: // it is one of them; which one, is seen when each is alone
			s.storeAlone(ctx, round, func(*write) bool { return true })
			return
		}
	}
}

// storeAlone stores those of a round each alone, and gives the rest.
func (s *Store) storeAlone(ctx context.Context, round []*write, alone func(*write) bool) (rest []*write) {
	for _, w := range round {
		if alone(w) {
			s.storeRound(ctx, []*write{w})
			continue
		}
		rest = append(rest, w)
	}
	return rest
}

func answer(round []*write, err error) {
	for _, w := range round {
		w.done <- err
	}
}

// answerRefused gives the writes that are left.
func answerRefused(round []*write, refused refusals) []*write {
	var rest []*write
	for _, w := range round {
		if err := refused[w]; err != nil {
			w.alarms = nil
			w.done <- err
			continue
		}
		rest = append(rest, w)
	}
	return rest
}
