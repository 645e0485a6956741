package exchange

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"mianti/internal/fault"
	"mianti/policies"
)

// Rights (放行依据) are what the release of a resolution rests on. They are read
// again in the transaction that stores it, and never from a cache.
type Rights struct {
	Grants   []string // ids, sorted
	Consents []string // ids, sorted
	Previews []string // ids of what its person has released, sorted
}

// AuthorizationChanged is the code of a fault.Conflict: a grant or a consent on
// which a resolution rests has ended while it was made.
const AuthorizationChanged = "authorization-changed"

// Withheld (暂不提供) says why the fields of an evidence are not given out any
// more.
type Withheld string

// The reasons. A right that ended by time alone withholds nothing: what was
// answered while it was in force was answered rightly.
const (
	WithheldGrantSuspended    Withheld = "grant_suspended"
	WithheldGrantTerminated   Withheld = "grant_terminated"
	WithheldConsentWithdrawn  Withheld = "consent_withdrawn"
	WithheldConsentRefused    Withheld = "consent_refused"
	WithheldConsentSuperseded Withheld = "consent_superseded"
	WithheldGrantStopped      Withheld = "grant_stopped"
	WithheldDatasetStopped    Withheld = "dataset_stopped"
	WithheldSourceStopped     Withheld = "source_stopped"
	// WithheldDestroyed: the case was destroyed, and there is nothing to give out.
	WithheldDestroyed Withheld = "destroyed"
)

// rights are what a resolution rests on: the grants and consents of all that was
// asked for it, whatever the answer was, and those of the evidence that it keeps
// from the version before.
func (run *resolving) rights(r *Resolution) Rights {
	var rights Rights
	for _, q := range run.asks {
		for _, w := range q.wishes {
			rights.add(w.Decision.Grant, w.Decision.Consent)
		}
	}
	for i := range r.Materials {
		for _, e := range r.Materials[i].Evidences() {
			if e.Withheld == "" {
				rights.add(e.Grant, e.Consent)
			}
		}
	}
	for m := range r.each {
		if m.Preview != "" && m.Evidence != nil && m.Evidence.Withheld == "" {
			rights.Previews = append(rights.Previews, m.Preview)
		}
	}
	rights.Previews = slices.Compact(slices.Sorted(slices.Values(rights.Previews)))
	rights.Grants = slices.Compact(slices.Sorted(slices.Values(rights.Grants)))
	rights.Consents = slices.Compact(slices.Sorted(slices.Values(rights.Consents)))
	return rights
}

func (r *Rights) add(grant, consent string) {
	if grant != "" {
		r.Grants = append(r.Grants, grant)
	}
	if consent != "" {
		r.Consents = append(r.Consents, consent)
	}
}

// each goes through the materials.
func (r *Resolution) each(yield func(*MaterialResult) bool) {
	for i := range r.Materials {
		if !yield(&r.Materials[i]) {
			return
		}
	}
}

// Evidences are all that settles a material.
func (m *MaterialResult) Evidences() []*Evidence {
	var out []*Evidence
	if m.Evidence != nil {
		out = append(out, m.Evidence)
	}
	for i := range m.Supporting {
		out = append(out, &m.Supporting[i])
	}
	return out
}

// withhold takes the fields out of what rests on a grant that was suspended or
// terminated since, on a consent that no longer stands, or on anything that is
// stopped. The outcome stays as
// it was answered.
func (x *Exchange) withhold(ctx context.Context, c *Case, stops policies.Stops, materials iter.Seq[*MaterialResult]) error {
	var rests Rights
	seenFirst := false
	for m := range materials {
		seenFirst = seenFirst || m.Preview != ""
		for _, e := range m.Evidences() {
			rests.add(e.Grant, e.Consent)
		}
	}
	states := map[string]policies.GrantState{}
	if len(rests.Grants) > 0 {
		var err error
		if states, err = x.Grants.GrantStates(ctx, slices.Compact(slices.Sorted(slices.Values(rests.Grants)))); err != nil {
			return fmt.Errorf("read grants again: %w", err)
		}
	}
	var released map[string]policies.PreviewState
	if seenFirst {
		var err error
		if released, err = x.previewStates(ctx, c.ID); err != nil {
			return err
		}
	}
	for m := range materials {
		var taken Withheld
		if m.Preview != "" && released[m.Preview] != policies.PreviewReleased {
			taken = WithheldReleaseTakenBack
		}
		for _, e := range m.Evidences() {
			e.withhold(taken, stopWithholds(e, stops), grantWithholds(e.Grant, states), x.consentWithholds(e.Consent, c))
		}
	}
	return nil
}

// grantWithholds says what a grant's state has to say against giving out what
// rests on it. One that is gone counts as terminated.
func grantWithholds(id string, states map[string]policies.GrantState) Withheld {
	switch {
	case id == "" || states[id] == policies.GrantActive:
		return ""
	case states[id] == policies.GrantSuspended:
		return WithheldGrantSuspended
	}
	return WithheldGrantTerminated
}

// consentWithholds says what a consent's state has to say against giving out what
// rests on it. Where the same person has decided anew, his last word counts.
func (x *Exchange) consentWithholds(id string, c *Case) Withheld {
	if id == "" {
		return ""
	}
	consent := c.consent(id)
	if consent != nil && consent.State == ConsentSuperseded && x.stands(c, consent) {
		consent = x.lastWord(c, c.party(consent.Party), c.party(consent.By))
	}
	switch {
	case consent == nil || consent.State == ConsentSuperseded:
		return WithheldConsentSuperseded
	case consent.State == ConsentWithdrawn:
		return WithheldConsentWithdrawn
	case consent.State == ConsentRefused:
		return WithheldConsentRefused
	}
	return ""
}

// withhold empties an evidence for the first of these reasons that there is. Its
// digest stays that of what was answered.
func (e *Evidence) withhold(reasons ...Withheld) {
	for _, reason := range reasons {
		if reason != "" {
			e.Withheld, e.Fields, e.Reference, e.ValidUntil = reason, nil, "", ""
			return
		}
	}
}

// afresh makes a resolution, and makes it once more when a right on which it
// rests has ended meanwhile: the answers that rest on it are gone then.
func (x *Exchange) afresh(make func() (*Resolution, error)) (*Resolution, error) {
	r, err := make()
	if authorizationChanged(err) {
		x.Grants.Outdated()
		return make()
	}
	return r, err
}

func authorizationChanged(err error) bool {
	f := fault.As(err)
	return f != nil && f.Kind == fault.Conflict && f.Code == AuthorizationChanged
}
