package exchange

import (
	"slices"

	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// relay keeps what the case's department passes on of what persons said at the
// window (转达的同意): catalog.Party.Consent. It is for everything that the case
// needs. before are the parties as they were; nil for a new case.
//
// What a person has said here himself counts, and nobody relays over it.
func (x *Exchange) relay(by policies.Caller, c *Case, before []catalog.Party) ([]ledger.Entry, error) {
	var entries []ledger.Entry
	for i := range c.Parties {
		giver := &c.Parties[i]
		if giver.Consent == catalog.ConsentUnknown {
			x.unrelay(c, giver, before)
			continue
		}
		for _, party := range x.spokenFor(c, giver) {
			entry, err := x.relayOne(by, c, party, giver, saidBefore(before, giver))
			if err != nil {
				return nil, err
			}
			if entry != nil {
				entries = append(entries, *entry)
			}
		}
	}
	return entries, nil
}

// spokenFor are the parties for whom one speaks: himself, and as a guardian the
// children.
func (x *Exchange) spokenFor(c *Case, giver *catalog.Party) []*catalog.Party {
	parties := []*catalog.Party{giver}
	if !giver.In(guardianRole) {
		return parties
	}
	now := x.Now()
	for i := range c.Parties {
		if party := &c.Parties[i]; party.ID != giver.ID && policies.NeedsGuardian(party, now) {
			parties = append(parties, party)
		}
	}
	return parties
}

// saidBefore is what was relayed of the same person before.
func saidBefore(before []catalog.Party, giver *catalog.Party) catalog.ConsentState {
	for i := range before {
		if before[i].ID == giver.ID && (before[i].Number == "" || before[i].Number == giver.Number) {
			return before[i].Consent
		}
	}
	return catalog.ConsentUnknown
}

// relayOne keeps what was said for one party, if it is new.
func (x *Exchange) relayOne(by policies.Caller, c *Case, party, giver *catalog.Party, before catalog.ConsentState) (*ledger.Entry, error) {
	last := x.lastWord(c, party, giver)
	switch {
	case last == nil:
	case giver.Consent == before:
		return nil, nil //nolint:nilnil // nothing new was said
	case last.permission().State == giver.Consent:
		return nil, nil //nolint:nilnil // the same in other words
	case last.Channel == ChannelOwn || last.State == ConsentWithdrawn:
		return nil, fault.New(fault.Conflict, "consent-decided-by-person",
			"当事人 %s 已在本平台自行作出决定，不能由部门转达相反的意思。需要时请向其重新征求授权。", giver.ID).
			With(fault.Detail{Location: "body.parties", Code: "consent-decided-by-person", Message: "请不要为当事人 " + giver.ID + " 填写 consent。"})
	default:
		last.State = ConsentSuperseded
	}
	now := x.Now().UTC()
	consent := Consent{
		ID: x.NewID(), Case: c.ID, CaseNumber: c.Number, Department: c.Department, Party: party.ID, By: giver.ID, Revision: c.Revision,
		State: ConsentStanding(giver.Consent), Channel: ChannelRelayed, Decision: giver.Consent, Everything: true,
		RequestedAt: now, DecidedAt: &now, About: x.subjectDigest(party), Subject: x.subjectDigest(giver),
	}
	c.Consents = append(c.Consents, consent)
	entry := x.consentEntry(decisionKind(giver.Consent), by, c, &consent)
	return &entry, nil
}

// unrelay takes back what was relayed of a party that says nothing any more.
func (x *Exchange) unrelay(c *Case, giver *catalog.Party, before []catalog.Party) {
	if !slices.ContainsFunc(before, func(p catalog.Party) bool { return p.ID == giver.ID && p.Consent != catalog.ConsentUnknown }) {
		return
	}
	for i := range c.Consents {
		consent := &c.Consents[i]
		if consent.By == giver.ID && consent.Channel == ChannelRelayed && (consent.State == ConsentGiven || consent.State == ConsentRefused) {
			consent.State = ConsentSuperseded
		}
	}
}

func decisionKind(said catalog.ConsentState) ledger.Kind {
	if said == catalog.ConsentGiven {
		return ledger.ConsentGiven
	}
	return ledger.ConsentRefused
}

// supersede ends the requests that are no longer about what the case needs: it
// has changed, and a sheet that is out of date cannot be agreed to.
func (x *Exchange) supersede(c *Case, s *policies.Situation) error {
	if !slices.ContainsFunc(c.Consents, func(consent Consent) bool { return consent.State == ConsentRequested }) {
		return nil
	}
	needs, err := policies.ConsentNeeds(s)
	if err != nil {
		return err
	}
	for i := range c.Consents {
		consent := &c.Consents[i]
		if consent.State != ConsentRequested {
			continue
		}
		if !x.stands(c, consent) || SheetFor(c, s, c.party(consent.Party), needs, consent.Sheet.Until).digest() != consent.SheetDigest {
			consent.State = ConsentSuperseded
		}
	}
	return nil
}
