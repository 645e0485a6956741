package citizen

import (
	"slices"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/policies"
)

// viewing is a case being told to one of its parties.
type viewing struct {
	rev    *catalog.Revision
	c      *exchange.Case
	own    []*catalog.Party
	values bool
	asked  map[string]bool // material|dataset about him
}

func (v *viewing) roles() []string {
	out := []string{}
	for _, p := range v.own {
		for _, code := range p.Roles {
			name := code
			if role := v.rev.Role(code); role != nil {
				name = role.Name
			}
			if !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// isOwn reports whether a party, by id, is the person himself. What is nobody's in
// particular is the applicant's, and of who acts for him.
func (v *viewing) isOwn(party string) bool {
	return slices.ContainsFunc(v.own, func(p *catalog.Party) bool {
		return p.ID == party || party == "" && (p.In("applicant") || p.In("agent"))
	})
}

// add tells of a material, if it is his.
func (v *viewing) add(out *OwnCase, m *exchange.MaterialResult) {
	party := ""
	if m.Subject != nil {
		party = m.Subject.Party
	}
	if !v.isOwn(party) {
		return
	}
	switch m.Outcome {
	case policies.Settled, policies.Committed:
		if m.Evidence == nil {
			out.Filled = append(out.Filled, v.filled(m, nil, party))
		}
		for _, e := range m.Evidences() {
			out.Filled = append(out.Filled, v.filled(m, e, party))
		}
	case policies.Verifying, policies.AwaitingPrior, policies.NeedsConsent, policies.NeedsFact:
		out.Checking = append(out.Checking, v.waiting(m))
	case policies.Upload, policies.Deferred:
		out.Upload = append(out.Upload, paper(m, party))
	}
}

// waiting tells of a material that is not settled yet.
func (v *viewing) waiting(m *exchange.MaterialResult) OwnWaiting {
	w := OwnWaiting{
		Material: m.Code, Name: m.Name, Outcome: m.Outcome, Reason: m.Reason.Text, DueAt: m.DueAt, RetryAt: m.RetryAt, Questions: []string{},
		Preview: m.Preview,
	}
	if m.Department != "" {
		w.Department = departmentName(v.rev, m.Department)
	}
	for _, q := range m.Questions {
		w.Questions = append(w.Questions, q.Ask)
	}
	return w
}

// paper tells of a material that is left to hand in.
func paper(m *exchange.MaterialResult, party string) OwnPaper {
	p := OwnPaper{Material: m.Code, Name: m.Name, Reason: m.Reason.Text, Party: party}
	if m.Outcome == policies.Deferred {
		p.DueDays = m.DueDays
	}
	for _, a := range m.Attempts {
		switch a.Result {
		case policies.NotFound, policies.Expired, policies.Mismatch, policies.Multiple:
			p.Looked = a.Dataset
		}
	}
	return p
}

// progress tells how far the matters are.
func (v *viewing) progress(out *OwnCase, r *exchange.Resolution) {
	for _, m := range r.Matters {
		matter := OwnMatter{Matter: m.Code, Name: m.Name, State: m.State, After: append([]string{}, m.After...)}
		if known := v.rev.Matter(m.Code); known != nil {
			matter.Department, matter.Days = departmentName(v.rev, known.Department), known.Days
		}
		out.Matters = append(out.Matters, matter)
	}
}

func (v *viewing) filled(m *exchange.MaterialResult, e *exchange.Evidence, party string) OwnMaterial {
	f := OwnMaterial{
		Material: m.Code, Name: m.Name, Mode: modeText(m.Mode), Reason: m.Reason.Text, Values: []OwnValue{}, Committed: m.Outcome == policies.Committed,
	}
	if e == nil {
		return f
	}
	f.Department, f.At, f.AsOf = departmentName(v.rev, e.Department), e.FetchedAt, e.AsOf
	dataset := v.rev.Dataset(e.Dataset)
	if dataset == nil {
		return f
	}
	f.Data, f.Dataset, f.Party = dataset.Name, e.Dataset, party
	if e.Withheld != "" {
		f.Withheld = withheldText(e.Withheld)
		return f
	}
	if !v.values || !v.about(m, e.Dataset, party) {
		return f
	}
	for _, field := range dataset.Fields {
		if value, there := e.Fields[field.Code]; there {
			f.Values = append(f.Values, OwnValue{AccessField: AccessField{Code: field.Code, Name: field.Name}, Value: value})
		}
	}
	return f
}

// about reports whether the record of a dataset by which a material was settled is
// the person's own: he was looked up for it, and nobody else could have been.
func (v *viewing) about(m *exchange.MaterialResult, dataset, party string) bool {
	found := false
	for _, code := range m.UsedBy {
		material := v.rev.Material(code)
		if material == nil {
			return false
		}
		for i := range material.Proofs {
			for _, l := range material.Proofs[i].Lookups {
				if l.Dataset != dataset {
					continue
				}
				of := party
				if l.Subject != "" {
					if in := catalog.PartyIn(v.c.Parties, l.Subject); in != nil {
						of = in.ID
					}
				}
				if of == "" || !v.isOwn(of) {
					return false
				}
				found = found || v.asked[code+"|"+dataset]
			}
		}
	}
	return found
}
