package exchange

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"mianti/catalog"
	"mianti/ledger"
	"mianti/policies"
)

// lookUpEntry is what is recorded of a question, before it is put and after.
func (run *resolving) lookUpEntry(kind ledger.Kind, q question) ledger.Entry {
	e := run.x.entry(kind, run.by, run.c)
	first := q.wishes[0]
	e.Resolution, e.Ruleset = run.id, first.Decision.Ruleset
	e.Matter, e.Material, e.Mode, e.Dataset = first.Use.Matter.Code, first.Use.Material.Code, string(q.Mode), q.Dataset
	e.Source, e.Fields, e.Grant, e.Basis = q.source.Code, q.fields, first.Decision.Grant, basis(first.Decision)
	e.Consent, e.Ask = first.Decision.Consent, q.id
	e.Task = q.answer.Task
	run.x.about(&e, run.c, run.c.party(q.Party))
	for _, w := range q.wishes[1:] {
		e.Also = append(e.Also, ledger.Service{
			Matter: w.Use.Matter.Code, Material: w.Use.Material.Code, Fields: w.Fields, Grant: w.Decision.Grant, Basis: basis(w.Decision),
		})
	}
	return e
}

// about says whom an entry is about. What is about a thing, about a body that has
// no number yet, or about nobody in particular, concerns those whose case it is.
func (x *Exchange) about(e *ledger.Entry, c *Case, party *catalog.Party) {
	if party != nil {
		e.Subject = ledger.Digest(c.Salt, string(party.Kind)+"|"+party.Number)
	}
	e.Concerns = x.concernsOf(c, party)
}

func (x *Exchange) concernsOf(c *Case, party *catalog.Party) []string {
	var concerns []string
	if party != nil && party.Number != "" {
		concerns = append(concerns, x.SubjectOf(party.Kind, party.Number))
	}
	if len(concerns) == 0 || !isSomebody(party) {
		concerns = append(concerns, x.applicants(c)...)
	}
	return concerns
}

func isSomebody(p *catalog.Party) bool {
	return p.Kind == catalog.KindPerson || p.Kind == catalog.KindOrganization
}

// applicants are those whose case it is: who applies, and who acts for them. In a
// case in which none of them has a number, everybody is.
func (x *Exchange) applicants(c *Case) []string {
	var some []string
	for i := range c.Parties {
		if p := &c.Parties[i]; p.Number != "" && isSomebody(p) && (p.In("applicant") || p.In("agent")) {
			some = append(some, x.SubjectOf(p.Kind, p.Number))
		}
	}
	if len(some) == 0 {
		return x.everybody(c)
	}
	return some
}

// everybody are all parties of a case, for an entry that is about each of them.
func (x *Exchange) everybody(c *Case) []string {
	var all []string
	for i := range c.Parties {
		if p := &c.Parties[i]; p.Number != "" {
			all = append(all, x.SubjectOf(p.Kind, p.Number))
		}
	}
	return all
}

func basis(d policies.Decision) []string {
	reasons := make([]string, len(d.Reasons))
	for i, reason := range d.Reasons {
		reasons[i] = string(reason)
	}
	return reasons
}

// outcomes are the entries of what came of each intent.
func (run *resolving) outcomes() []ledger.Entry {
	entries := make([]ledger.Entry, 0, len(run.asks)+1)
	for _, q := range run.asks {
		e := run.lookUpEntry(ledger.Outcome, q)
		e.Result, e.Millis, e.Proof = string(cmp.Or(q.answer.Recorded, q.answer.Result)), q.answer.Millis, q.answer.Proof
		if q.answer.Result == policies.OK {
			e.Digest = ledger.Digest(run.c.Salt, canonical(q.answer.Fields))
		}
		entries = append(entries, e)
	}
	return entries
}

// whole is the entry of the resolution itself, with the digest of what is
// answered.
func (run *resolving) whole(r *Resolution) ledger.Entry {
	e := run.x.entry(ledger.Resolved, run.by, run.c)
	e.Resolution, e.Version, e.Ruleset, e.Result = run.id, r.Version, policies.Ruleset, string(r.Status)
	e.Concerns = run.x.everybody(run.c)
	e.Digest = ledger.Digest(run.c.Salt, canonical(r))
	e.Evidence = r.released()
	return e
}

// released are the digests of the evidence that a resolution gives out, in its
// order.
func (r *Resolution) released() []string {
	var digests []string
	for i := range r.Materials {
		for _, e := range r.Materials[i].Evidences() {
			if e.issuable() {
				digests = append(digests, e.Digest)
			}
		}
	}
	return digests
}

// abandon records what came of the questions of a resolution that is not
// answered: they were asked all the same.
func (run *resolving) abandon(ctx context.Context) error {
	if len(run.asks) == 0 {
		return nil
	}
	if err := run.x.Journal.Append(ctx, run.outcomes()); err != nil {
		return fmt.Errorf("record what came of an abandoned resolution: %w", err)
	}
	return nil
}

// denials are the entries of the look-ups that were not made because they may
// not be: a decision against somebody's wish is explained years later as well as
// one for it.
func (run *resolving) denials(settlements []policies.Settlement) []ledger.Entry {
	var entries []ledger.Entry
	for i, r := range run.s.Plan.Requirements {
		settled := &settlements[i]
		for _, a := range settled.Attempts {
			if a.Result == policies.NoGrant || a.Result == policies.NoConsent {
				entries = append(entries, run.denial(r, string(a.Mode), a.Dataset, string(a.Result), strings.Split(a.Detail, ",")))
			}
		}
		if settled.Reason == policies.ReasonConsentMissing {
			entries = append(entries, run.denial(r, "", "", string(policies.ReasonConsentMissing), []string{string(policies.ConsentAwaited)}))
		}
	}
	return entries
}

func (run *resolving) denial(r *catalog.Requirement, mode, dataset, result string, reasons []string) ledger.Entry {
	e := run.x.entry(ledger.Denied, run.by, run.c)
	e.Resolution, e.Ruleset, e.Result, e.Basis = run.id, policies.Ruleset, result, reasons
	e.Matter, e.Material, e.Mode, e.Dataset = r.Matter().Code, r.Material().Code, mode, dataset
	run.x.about(&e, run.c, r.Party)
	return e
}
