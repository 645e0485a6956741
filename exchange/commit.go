package exchange

import (
	"context"
	"errors"

	"mianti/internal/fault"
)

// commit stores a resolution. When the database is lost on the way, nobody knows
// whether it has been stored: it is looked for, by an id that no other has, before it
// counts as failed. Otherwise what came of its questions would be recorded twice.
func (x *Exchange) commit(ctx context.Context, department string, c Commit) error {
	err := x.Resolutions.CommitResolution(ctx, c)
	if !errors.Is(err, fault.Unavailable) || c.Resolution.Version > 1 {
		return err // a later version may be somebody else's; whoever made it goes on from what is stored
	}
	looking, stop := context.WithTimeout(context.WithoutCancel(ctx), commitDeadline)
	defer stop()
	if _, lost := x.Resolutions.ResolutionState(looking, department, c.Resolution.ID); lost == nil {
		return nil
	}
	return err
}
