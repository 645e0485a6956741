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
	grants, stops, err := x.Grants.InForce(ctx, codes)
	if err != nil {
		return nil, held{}, fmt.Errorf("resolve: read grants and stops: %w", err)
	}
	handed, err := x.handed(ctx, c)
	if err != nil {
		return nil, held{}, fmt.Errorf("resolve: read earlier papers: %w", err)
	}
	h, now := held{grants: grants, stops: stops}, x.Now().UTC()
	return newSituation(rev, plan, c, h, handed, x.permissions(c, now), now), h, nil
}

// held are the rights and the stops that a situation has.
type held struct {
	grants *GrantSet
	stops  *StopSet
}

// newSituation is pure.
func newSituation(rev *catalog.Revision, plan *catalog.Plan, c *Case, h held, handed []policies.Handed, said map[string]policies.Permission, now time.Time) *policies.Situation {
	return &policies.Situation{
		Catalog: rev, Plan: plan, Receiver: c.Department, Parties: c.Parties, Facts: c.Facts, Grants: h.grants.Index,
		Now: now, Today: today(now), Results: c.reported(), Answers: map[policies.Ask][]policies.Answer{}, Handed: handed,
		Permissions: said, Stops: h.stops.Index,
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
