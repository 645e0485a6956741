package exchange

import (
	"context"
	"fmt"
	"time"

	"mianti/catalog"
	"mianti/policies"
)

// situation gathers what a settlement follows from, before anybody is asked.
func (x *Exchange) situation(ctx context.Context, rev *catalog.Revision, c *Case) (*policies.Situation, held, error) {
	plan, err := x.plan(rev, c)
	if err != nil {
		return nil, held{}, err
	}
	codes := make([]string, len(plan.Matters))
	for i, m := range plan.Matters {
		codes[i] = m.Matter.Code
	}
	grants, err := x.Grants.GrantsFor(ctx, codes)
	if err != nil {
		return nil, held{}, fmt.Errorf("resolve: read grants: %w", err)
	}
	stops, err := x.Grants.Stops(ctx)
	if err != nil {
		return nil, held{}, fmt.Errorf("resolve: read stops: %w", err)
	}
	handed, err := x.handed(ctx, c)
	if err != nil {
		return nil, held{}, fmt.Errorf("resolve: read earlier papers: %w", err)
	}
	h, now := held{grants: grants, stops: stops}, x.Now().UTC()
	return newSituation(rev, plan, c, h, handed, x.permissions(c, now), now), h, nil
}

// held are the rights and the stops as they were read, before they were indexed.
type held struct {
	grants []policies.Grant
	stops  []policies.Stop
}

// newSituation is pure.
func newSituation(rev *catalog.Revision, plan *catalog.Plan, c *Case, h held, handed []policies.Handed, said map[string]policies.Permission, now time.Time) *policies.Situation {
	return &policies.Situation{
		Catalog: rev, Plan: plan, Receiver: c.Department, Parties: c.Parties, Facts: c.Facts, Grants: policies.IndexGrants(h.grants),
		Now: now, Today: today(now), Results: c.reported(), Answers: map[policies.Ask][]policies.Answer{}, Handed: handed,
		Permissions: said, Stops: policies.IndexStops(h.stops),
	}
}

func (c *Case) reported() map[string]policies.Reported {
	out := map[string]policies.Reported{}
	for _, r := range c.Results {
		if r.Outcome != catalog.Granted {
			continue
		}
		out[r.Matter] = policies.Reported{
			Number: r.Number, IssuedOn: r.IssuedOn, ValidUntil: r.ValidUntil, ReportedAt: r.ReportedAt, Fields: r.Fields, Party: r.Party,
		}
	}
	return out
}
