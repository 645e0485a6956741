package exchange

import (
	"context"
	"fmt"
	"slices"
	"time"

	"mianti/catalog"
	"mianti/ledger"
	"mianti/policies"
)

// ConsentsAsked (授权征求) is what came of asking the persons of a case.
type ConsentsAsked struct {
	Consents []Consent `json:"consents" doc:"本办件的授权同意, 不含知情内容"`
	// Relay are the parties whom nobody can ask here: a body, or a child without
	// a guardian in the case.
	Relay []string `json:"relay" doc:"须由受理部门取得同意后转达的当事人: 机构, 或本办件没有监护人的儿童"`
}

// AskConsents asks every person of a case whose consent is needed and who has
// not said anything yet (征求授权). It finds them by planning, and asks for the
// fields of exactly those look-ups. Asking again changes nothing while the sheet
// is the same; who has refused or withdrawn is asked again only when he is named.
func (x *Exchange) AskConsents(ctx context.Context, by policies.Caller, id string, again []string) (*ConsentsAsked, error) {
	c, rev, err := x.liveCase(ctx, by, id)
	if err != nil {
		return nil, err
	}
	s, _, err := x.situation(ctx, rev, c)
	if err != nil {
		return nil, err
	}
	needs, err := policies.ConsentNeeds(s)
	if err != nil {
		return nil, fmt.Errorf("ask for consents: %w", err)
	}
	a := asking{x: x, by: by, c: c, s: s, needs: needs, again: again, relay: []string{}}
	for i := range c.Parties {
		if err := a.ask(&c.Parties[i]); err != nil {
			return nil, fmt.Errorf("ask for consents: %w", err)
		}
	}
	if a.changed {
		c.UpdatedAt = s.Now
		if err := x.Consents.CommitConsents(ctx, ConsentCommit{Case: c, Entries: a.entries}); err != nil {
			return nil, fmt.Errorf("ask for consents: %w", err)
		}
	}
	return &ConsentsAsked{Consents: c.statesOfConsents(s.Now), Relay: a.relay}, nil
}

// CaseConsents says how the consents of a case stand. What the persons were shown
// is theirs, and not told.
func (x *Exchange) CaseConsents(ctx context.Context, by policies.Caller, id string) ([]Consent, error) {
	c, err := x.Cases.Case(ctx, by.Department, id)
	if err != nil {
		return nil, fmt.Errorf("list the consents of a case: %w", err)
	}
	return c.statesOfConsents(x.Now()), nil
}

func (c *Case) statesOfConsents(now time.Time) []Consent {
	out := slices.Clone(c.Consents)
	for i := range out {
		out[i].State = out[i].standing(now)
		out[i].Sheet, out[i].SheetDigest = nil, ""
	}
	return orNone(out)
}

func orNone[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// asking is the asking for consents under way.
type asking struct {
	x       *Exchange
	by      policies.Caller
	c       *Case
	s       *policies.Situation
	needs   []policies.ConsentNeed
	again   []string
	relay   []string
	entries []ledger.Entry
	changed bool
}

// ask asks whoever has to consent to look-ups about a party, if anybody.
func (a *asking) ask(party *catalog.Party) error {
	needed := func(n policies.ConsentNeed) bool { return n.Party.ID == party.ID }
	if !slices.ContainsFunc(a.needs, needed) || !a.isOpen(party) {
		return nil
	}
	asked := false
	for _, by := range deciders(a.c, party, a.s.Now) {
		if by.Kind != catalog.KindPerson || by.Number == "" {
			continue
		}
		asked = true
		if err := a.request(party, by); err != nil {
			return err
		}
	}
	if !asked {
		a.relay = append(a.relay, party.ID)
	}
	return nil
}

// isOpen reports whether what was said so far leaves something to be asked.
func (a *asking) isOpen(party *catalog.Party) bool {
	said := a.s.Permissions[party.ID]
	if said.State == catalog.ConsentRefused {
		return slices.Contains(a.again, party.ID)
	}
	return slices.ContainsFunc(a.needs, func(n policies.ConsentNeed) bool {
		return n.Party.ID == party.ID && !said.Covers(n.Dataset.Code, n.Fields, a.s.Now)
	})
}

// request asks one person, unless he is being asked for the same already.
func (a *asking) request(party, by *catalog.Party) error {
	for i := range a.c.Consents {
		open := &a.c.Consents[i]
		if open.Party != party.ID || open.By != by.ID || open.State != ConsentRequested {
			continue
		}
		current := a.x.stands(a.c, open) && open.standing(a.s.Now) == ConsentRequested
		if current && SheetFor(a.c, a.s, party, a.needs, open.Sheet.Until).digest() == open.SheetDigest {
			return nil
		}
		if open.State = open.standing(a.s.Now); open.State == ConsentRequested {
			open.State = ConsentSuperseded
		}
	}
	until := today(a.s.Now).AddDate(0, 0, consentLife).Format(time.DateOnly)
	ends, err := endOf(until)
	if err != nil {
		return err
	}
	sheet := SheetFor(a.c, a.s, party, a.needs, until)
	consent := Consent{
		ID: a.x.NewID(), Case: a.c.ID, CaseNumber: a.c.Number, Department: a.c.Department, Party: party.ID, By: by.ID,
		Revision: a.c.Revision, State: ConsentRequested, Channel: ChannelOwn, Sheet: sheet, SheetDigest: sheet.digest(),
		RequestedAt: a.s.Now, DecideBy: at(a.s.Now.AddDate(0, 0, decideWithin)), Until: at(ends),
		About: a.x.subjectDigest(party), Subject: a.x.subjectDigest(by),
	}
	a.c.Consents = append(a.c.Consents, consent)
	a.entries = append(a.entries, a.x.consentEntry(ledger.ConsentRequested, a.by, a.c, &consent))
	a.changed = true
	return nil
}
