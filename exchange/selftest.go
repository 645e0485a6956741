package exchange

import (
	"context"
	"errors"
	"fmt"

	"mianti/catalog"
)

// SelfTest walks the way of a resolution as far as it can be walked for nobody: it takes
// the first one-thing of the present catalog, plans it, takes the grants and stops that are in force,
// and decides and settles a case without people and facts. It asks no source, and neither
// the case nor anything of it is recorded. An error means that no resolution would
// succeed now.
//
// Of a catalog that is not held whole it takes none: reading one for nobody would
// put one out of memory that somebody uses.
func (x *Exchange) SelfTest(ctx context.Context) error {
	rev, err := x.Catalogs.Current(ctx)
	if err != nil {
		return fmt.Errorf("self-test: %w", err)
	}
	nobody := &Case{}
	plan := &catalog.Plan{}
	if things := rev.OneThings(); len(things) > 0 && len(things[0].Matters) > 0 {
		nobody.Subject, nobody.Department = things[0].Code, things[0].Matters[0].Department
		if plan, err = rev.Plan(catalog.PlanInput{Subject: nobody.Subject}); err != nil {
			return fmt.Errorf("self-test: plan: %w", err)
		}
	}
	codes := make([]string, len(plan.Matters))
	for i := range plan.Matters {
		codes[i] = plan.Matters[i].Matter.Code
	}
	grants, stops, err := x.Grants.InForce(ctx, codes)
	if err != nil {
		return fmt.Errorf("self-test: read grants and stops: %w", err)
	}
	now := x.Now().UTC()
	takeOutMissing(plan)
	run := resolving{x: x, c: nobody, s: newSituation(rev, plan, nobody, held{grants, stops}, nil, nil, now)}
	run.s.Plan = separate(run.s, nil, nil)
	return run.settlesNobody()
}

// settlesNobody settles what is planned for nobody. That somebody's record settled it
// would be a grave error: none was asked for.
func (run *resolving) settlesNobody() error {
	settlements, _, err := run.walk()
	if err != nil {
		return fmt.Errorf("self-test: %w", err)
	}
	for _, s := range settlements {
		for _, e := range s.Evidence {
			if e.Dataset != "" {
				return errors.New("self-test: a material of nobody was settled by a record")
			}
		}
	}
	return nil
}
