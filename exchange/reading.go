package exchange

import (
	"context"
	"fmt"

	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// Resolution gives an earlier resolution of the caller's department. It holds
// people's data, so every reading is recorded before it is answered. What rests
// on a right that has ended since is looked at last, and not given out.
func (x *Exchange) Resolution(ctx context.Context, by policies.Caller, id string) (*Resolution, error) {
	r, err := x.Resolutions.Resolution(ctx, by.Department, id)
	if err != nil {
		return nil, fmt.Errorf("read resolution: %w", err)
	}
	if err := x.stopIfEnded(ctx, by, r); err != nil {
		return nil, err
	}
	read := ledger.Entry{
		Kind: ledger.Read, At: x.Now().UTC(), System: by.System, Person: by.Person, Department: by.Department,
		Case: r.Case, Resolution: r.ID, Revision: r.Revision, Ruleset: r.Ruleset,
	}
	if r.Destroyed != nil { // only the outline is left: there is nothing to withhold
		if read.Concerns, err = x.Journal.ConcernsOf(ctx, r.ID); err != nil {
			return nil, fmt.Errorf("read resolution: %w", err)
		}
		if err := x.Journal.Append(ctx, []ledger.Entry{read}); err != nil {
			return nil, notRecorded(err)
		}
		return r, nil
	}
	c, err := x.Cases.Case(ctx, by.Department, r.Case)
	if err != nil {
		return nil, fmt.Errorf("read resolution: %w", err)
	}
	if read.Concerns, err = x.concernsOfResolution(ctx, c, r); err != nil {
		return nil, fmt.Errorf("read resolution: %w", err)
	}
	if err := x.Journal.Append(ctx, []ledger.Entry{read}); err != nil {
		return nil, notRecorded(err)
	}
	if err := x.withholdNow(ctx, by.Department, r); err != nil {
		return nil, err
	}
	rev, err := x.Catalogs.Revision(ctx, c.Revision, c.Subject)
	if err != nil {
		return nil, fmt.Errorf("read resolution: %w", err)
	}
	if err := x.markDisputed(ctx, c, rev, r); err != nil {
		return nil, fmt.Errorf("read resolution: %w", err)
	}
	return r, nil
}

// concernsOfResolution are whom a resolution is about: the parties of its case,
// and those who were when it was made.
func (x *Exchange) concernsOfResolution(ctx context.Context, c *Case, r *Resolution) ([]string, error) {
	now := x.everybody(c)
	if r.CaseVersion == c.Version {
		return now, nil
	}
	then, err := x.Journal.ConcernsOf(ctx, r.ID)
	return append(now, then...), err
}

// LastReleased gives the last resolution of a case as it may be given out now;
// fault.NotFound when there is none. It records nothing: whoever gives any of it
// out does.
func (x *Exchange) LastReleased(ctx context.Context, c *Case) (*Resolution, error) {
	r, err := x.Resolutions.LastResolution(ctx, c.Department, c.ID)
	if err != nil {
		return nil, fmt.Errorf("read the last resolution: %w", err)
	}
	if r.Destroyed != nil {
		return r, nil
	}
	if err := x.stopIfEnded(ctx, policies.Caller{Department: c.Department}, r); err != nil {
		return nil, err
	}
	if err := x.withholdEnded(ctx, c, r); err != nil {
		return nil, err
	}
	return r, nil
}

// stopIfEnded takes out that a resolution goes on, if it does not any more:
// whatever it said when it was made.
func (x *Exchange) stopIfEnded(ctx context.Context, by policies.Caller, r *Resolution) error {
	state, err := x.ResolutionState(ctx, by, r.ID)
	if err != nil {
		return err
	}
	if state.Version == r.Version && !state.Continues {
		r.stop()
	}
	return nil
}

// withholdEnded takes out what rests on a right that has ended, or is stopped.
func (x *Exchange) withholdEnded(ctx context.Context, c *Case, r *Resolution) error {
	stops, err := x.Grants.Stops(ctx)
	if err == nil {
		err = x.withhold(ctx, c, policies.IndexStops(stops), r.each)
	}
	if err != nil {
		return fmt.Errorf("read resolution: %w", err)
	}
	return nil
}

// withholdNow is withholdEnded, with the case as it is now.
func (x *Exchange) withholdNow(ctx context.Context, department string, r *Resolution) error {
	c, err := x.Cases.Case(ctx, department, r.Case)
	if err != nil {
		return err
	}
	return x.withholdEnded(ctx, c, r)
}

func notRecorded(err error) error {
	return fault.New(fault.Unavailable, "not-recorded", "读取未能留痕，因此没有给出结果。请稍后重试。").Because(err)
}
