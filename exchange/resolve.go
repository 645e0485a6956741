package exchange

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// Resolve works out what is settled without paper and what the applicant still
// has to upload. It MUST record the intent before any source is asked, and the
// outcome together with the resolution. A source that fails yields an outcome,
// not an error; an error means that nothing was released.
//
// A key, if given, makes a repetition return the first resolution.
func (x *Exchange) Resolve(ctx context.Context, by policies.Caller, id string, key *Key) (*Resolution, error) {
	if key == nil {
		return x.resolveAnew(ctx, by, id, nil, nil)
	}
	c, err := x.Cases.Case(ctx, by.Department, id)
	if err != nil {
		return nil, fmt.Errorf("load case: %w", err)
	}
	key = key.ownedBy(by, c)
	earlier, err := x.Keys.ReserveKey(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("resolve: %w", err)
	}
	if earlier != "" {
		return x.Resolution(ctx, by, earlier)
	}
	r, err := x.resolveAnew(ctx, by, id, key, c)
	if err != nil {
		err = errors.Join(err, x.releaseKey(ctx, key))
	}
	return r, err
}

// resolveAnew makes the first version of a resolution. The case may have been read
// already: it is stored only if it is still at that version.
func (x *Exchange) resolveAnew(ctx context.Context, by policies.Caller, id string, key *Key, read *Case) (*Resolution, error) {
	return x.afresh(func() (*Resolution, error) {
		c, rev, err := x.liveCaseRead(ctx, by, id, read)
		if err != nil {
			return nil, err
		}
		read = nil // once more is from the beginning
		return x.resolve(ctx, resolving{x: x, by: by, c: c, id: x.NewID()}, rev, key)
	})
}

// releaseKey lets the caller try again at once with the same key.
func (x *Exchange) releaseKey(ctx context.Context, key *Key) error {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), commitDeadline)
	defer stop()
	return x.Keys.ReleaseKey(ctx, key)
}

func (x *Exchange) resolve(ctx context.Context, run resolving, rev *catalog.Revision, key *Key) (*Resolution, error) {
	s, held, err := x.situation(ctx, rev, run.c)
	if err != nil {
		return nil, err
	}
	run.held = held
	if s.Stops.Holds(policies.StopSystem, run.by.System) {
		return nil, systemStopped()
	}
	s.System = run.by.System
	if run.kept, err = x.keep(ctx, s, &run); err != nil {
		return nil, err
	}
	s.Plan = separate(s, run.before, run.kept)
	if err = x.recall(ctx, &run, s); err != nil {
		return nil, err
	}
	if run.s = s; run.before != nil {
		s.Since = run.before.StartedAt
	}
	if run.latest, err = x.Catalogs.Current(ctx, run.c.Subject); err != nil {
		return nil, fmt.Errorf("resolve: %w", err)
	}
	if err = x.withhold(ctx, run.c, s.Stops, maps.Values(run.kept)); err != nil { // what is kept is released again
		return nil, fmt.Errorf("resolve: %w", err)
	}
	// From here on a caller that hangs up changes nothing: what is asked is
	// recorded with what came of it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), x.Deadline)
	defer cancel()
	settlements, err := run.settle(ctx)
	committing, stop := context.WithTimeout(context.WithoutCancel(ctx), commitDeadline)
	defer stop()
	if err != nil {
		return nil, errors.Join(err, run.abandon(committing))
	}
	r, err := run.render(settlements)
	if err == nil {
		err = x.markDisputed(committing, run.c, rev, r)
	}
	if err != nil {
		return nil, errors.Join(err, run.abandon(committing))
	}
	commit := Commit{Resolution: r, Inputs: run.inputs(r), Entries: slices.Concat(run.outcomes(), run.denials(settlements), []ledger.Entry{run.whole(r)}), Rights: run.rights(r), Previews: run.hold(settlements), FollowUps: run.x.followUps(run.c, r), Key: key}
	if err = x.follow(run.c, run.before, &commit); err == nil {
		err = x.commit(committing, run.c.Department, commit)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("resolve: commit: %w", err), run.abandon(committing))
	}
	return r, nil
}

// keep gives the materials that stay as they are: those of the version before
// that wait for nothing, or those of the last resolution whose matters have been
// decided since.
func (x *Exchange) keep(ctx context.Context, s *policies.Situation, run *resolving) (map[string]*MaterialResult, error) {
	if run.prior = run.before; run.before != nil {
		return run.before.kept(s.Stops, run.anew), nil
	}
	if !anyDecided(s.Plan) { // nothing is kept of the last one: it need not be read and opened
		return nil, nil
	}
	last, err := x.Resolutions.LastResolution(ctx, run.c.Department, run.c.ID)
	if errors.Is(err, fault.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("resolve: read the last resolution: %w", err)
	}
	run.prior = last
	return keepDecided(s.Plan, last), nil
}

// commitDeadline bounds the last step, which must not be cut short by sources
// that used up the resolution's own time.
const commitDeadline = 5 * time.Second

// resolving is one resolution under way.
type resolving struct {
	x  *Exchange
	by policies.Caller
	c  *Case
	s  *policies.Situation
	id string
	// latest says how a source is reached today. What is asked, and what it
	// proves, is the revision's of the case.
	latest *catalog.Revision
	asks   []question // in the order in which they were asked, answered
	// before is the version that this one goes on with; nil for a first one. kept
	// are the materials that stay as they are.
	before *Resolution
	kept   map[string]*MaterialResult
	// held and prior are remembered for the inputs: what was read, and from which
	// resolution something is kept.
	held  held
	prior *Resolution
	// anew says what of the version before is settled anew.
	anew func(*MaterialResult) bool
	// feeds says that what was released is as good as a new answer while it is
	// fresh: not where a record has just been corrected.
	feeds bool
}

// question is what is asked of one source, for all the wishes of a round that
// it serves. It asks for the fields that they may read together.
type question struct {
	policies.Ask
	// id is sent along with it, and stands in its entries.
	id     string
	wishes []policies.Wish
	fields []string
	source *catalog.Source
	answer policies.Answer
}

// settle goes round: settle everything with what is known, record the intent
// to ask what is still open, ask it, and again. Each round asks the next mode
// of some chain, so it ends.
func (run *resolving) settle(ctx context.Context) ([]policies.Settlement, error) {
	for {
		settlements, wishes, err := run.walk()
		if err != nil || len(wishes) == 0 {
			return settlements, err
		}
		if err := run.ask(ctx, wishes); err != nil {
			return nil, err
		}
	}
}

// walk settles everything with what is known, and gives what else it wishes to
// know. It is pure.
func (run *resolving) walk() ([]policies.Settlement, []policies.Wish, error) {
	settlements := make([]policies.Settlement, len(run.s.Plan.Requirements))
	var wishes []policies.Wish
	for i, r := range run.s.Plan.Requirements {
		if run.kept[identityOf(r)] != nil {
			continue
		}
		settlement, err := policies.Settle(run.s, r)
		if err != nil {
			return nil, nil, fmt.Errorf("settle %s: %w", r.Key(), err)
		}
		settlements[i] = settlement
		wishes = append(wishes, settlement.Wishes...)
	}
	return settlements, wishes, nil
}

// ask records the intents and then puts the questions. When the resolution's
// time is up nobody is asked any more: what is still open counts as a source
// that gave no answer in time, and what is known is not lost.
func (run *resolving) ask(ctx context.Context, wishes []policies.Wish) error {
	questions := run.withoutStopped(run.questions(wishes))
	if len(questions) == 0 {
		return nil
	}
	if ctx.Err() != nil {
		for _, q := range questions {
			run.know(q.Ask, policies.Answer{Asked: q.fields, Result: policies.SourceDown, Fault: string(connectors.FaultTimeout)})
		}
		return nil
	}
	intents, subjects := make([]ledger.Entry, len(questions)), make([]string, len(questions))
	for i, q := range questions {
		intents[i], subjects[i] = run.lookUpEntry(ledger.Intent, q), run.subjectOf(q)
	}
	recording, stop := context.WithTimeout(context.WithoutCancel(ctx), commitDeadline)
	defer stop()
	err := run.x.Journal.AppendIntents(recording, intents, subjects)
	if errors.Is(err, fault.Exhausted) {
		return fmt.Errorf("resolve: %w", err)
	}
	if err != nil {
		return fault.New(fault.Unavailable, "not-recorded", "核验请求未能留痕，因此没有再向部门查询，也没有给出结果。请稍后重试。").Because(err)
	}
	answers := run.x.askAll(ctx, run.c, run.s, questions)
	for i, q := range questions {
		q.answer = answers[i]
		run.asks = append(run.asks, q)
		run.know(q.Ask, q.answer)
	}
	return nil
}

func (run *resolving) know(ask policies.Ask, answer policies.Answer) {
	run.s.Answers[ask] = append(run.s.Answers[ask], answer)
}

// questions puts the wishes of a round together that ask the same.
func (run *resolving) questions(wishes []policies.Wish) []question {
	var questions []question
	at := map[policies.Ask]int{}
	for _, w := range wishes {
		i, known := at[w.Ask]
		if !known {
			i = len(questions)
			at[w.Ask] = i
			questions = append(questions, question{Ask: w.Ask, id: run.x.NewID(), source: run.source(w)})
		}
		q := &questions[i]
		q.wishes = append(q.wishes, w)
		q.fields = slices.Compact(slices.Sorted(slices.Values(slices.Concat(q.fields, w.Fields))))
	}
	return questions
}

// source is what a wish is put to. An officer has no interface: what stands for
// it says whose officer it is.
func (run *resolving) source(w policies.Wish) *catalog.Source {
	if w.Mode == catalog.ModeAssist {
		return &catalog.Source{Code: w.Assistant + ".assist", Kind: catalog.SourceAssist}
	}
	source := run.s.Catalog.SourceFor(w.Dataset, w.Mode)
	if today := run.latest.Source(source.Code); today != nil && today.Kind == source.Kind {
		return today
	}
	return source
}
