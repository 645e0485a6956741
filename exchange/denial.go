package exchange

import (
	"strings"

	"mianti/catalog"
	"mianti/ledger"
	"mianti/policies"
)

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
		if settled.Outcome == policies.NeedsConsent {
			entries = append(entries, run.denial(r, "", "", string(policies.ReasonConsentMissing), []string{string(policies.ConsentAwaited)}))
		}
	}
	return entries
}

func (run *resolving) denial(r *catalog.Requirement, mode, dataset, result string, reasons []string) ledger.Entry {
	e := run.x.entry(ledger.Denied, run.by, run.c)
	e.Resolution, e.Ruleset, e.Result, e.Basis = run.id, policies.Ruleset, result, reasons
	e.Matter, e.Material, e.Mode, e.Dataset = r.Matter().Code, r.Material().Code, mode, dataset
	if r.Party != nil {
		e.Subject = ledger.Digest(run.c.Salt, string(r.Party.Kind)+"|"+r.Party.Number)
	}
	return e
}
