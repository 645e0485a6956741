package exchange

import (
	"context"
	"fmt"
	"time"

	"mianti/policies"
)

// awaitPoll is how often a waiting caller looks whether there is a new version.
// It is a look at one row of the database, so that every replica sees it.
const awaitPoll = 500 * time.Millisecond

// ResolutionState says how far a resolution of the caller's department is. It
// tells nothing of people, and is not recorded.
func (x *Exchange) ResolutionState(ctx context.Context, by policies.Caller, id string) (ResolutionState, error) {
	state, err := x.Resolutions.ResolutionState(ctx, by.Department, id)
	if err != nil {
		return ResolutionState{}, fmt.Errorf("read the state of a resolution: %w", err)
	}
	return state, nil
}

// Await gives the state of a resolution once it has a version after the given
// one, once it no longer goes on by itself, or once ctx ends.
func (x *Exchange) Await(ctx context.Context, by policies.Caller, id string, after int) (ResolutionState, error) {
	tick := time.NewTicker(awaitPoll)
	defer tick.Stop()
	for {
		state, err := x.ResolutionState(context.WithoutCancel(ctx), by, id)
		if err != nil || state.Version > after || !state.Continues || ctx.Err() != nil {
			return state, err
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// AwaitEnd gives the state of a resolution once it no longer goes on by itself,
// or once ctx ends.
func (x *Exchange) AwaitEnd(ctx context.Context, by policies.Caller, id string) (ResolutionState, error) {
	state, err := x.ResolutionState(context.WithoutCancel(ctx), by, id)
	for err == nil && state.Continues && ctx.Err() == nil {
		state, err = x.Await(ctx, by, id, state.Version)
	}
	return state, err
}
