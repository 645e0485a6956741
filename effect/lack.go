package effect

import (
	"context"
	"maps"
	"slices"
	"strings"

	"mianti/catalog"
	"mianti/policies"
)

// LackKind says what is missing.
type LackKind string

// What can be missing.
const (
	LackGrant  LackKind = "grant"  // 共享授权
	LackBasis  LackKind = "basis"  // 法律依据, or the data is not shared
	LackSource LackKind = "source" // 数源接口
)

// Name gives it in Chinese.
func (k LackKind) Name() string {
	return map[LackKind]string{LackGrant: "共享授权", LackBasis: "依据或共享属性", LackSource: "数源接口"}[k]
}

// Lack (缺口) is something that a changed material needs and that is not there. A look-up
// that was made before already is no lack of the change's.
type Lack struct {
	Place
	Kind     LackKind `json:"kind" enum:"grant,basis,source"`
	Dataset  string   `json:"dataset"`
	Name     string   `json:"dataset_name"`
	Provider string   `json:"provider" doc:"数源部门"`
	Fields   []string `json:"fields" doc:"授权要覆盖的数据项"`
	Why      string   `json:"why"`
}

// need is a look-up that a matter makes.
type need struct{ matter, dataset string }

// lacks finds what the changed materials need besides what they needed before.
func (d *Desk) lacks(ctx context.Context, t *touched) ([]Lack, error) {
	matters := map[string]bool{}
	for _, code := range t.materials {
		if m := t.after.MatterOf(code); m != nil {
			matters[m.Code] = true
		}
	}
	if len(matters) == 0 {
		return []Lack{}, nil
	}
	grants, err := d.Rights.GrantsFor(ctx, slices.Sorted(maps.Keys(matters)))
	if err != nil {
		return nil, err
	}
	stops, err := d.Rights.Stops(ctx)
	if err != nil {
		return nil, err
	}
	l := lacking{t: t, grants: policies.IndexGrants(grants), stops: policies.IndexStops(stops), desk: d, had: t.had(), out: []Lack{}}
	for _, code := range t.materials {
		if m := t.after.Material(code); m != nil {
			l.look(m)
		}
	}
	return l.out, nil
}

// had gives the fields that each matter read before.
func (t *touched) had() map[need]map[string]bool {
	had := map[need]map[string]bool{}
	for _, code := range t.materials {
		m, matter := t.before.Material(code), t.before.MatterOf(code)
		if m == nil || matter == nil || !looksUp(m) {
			continue
		}
		for i := range m.Proofs {
			for j := range m.Proofs[i].Lookups {
				look := &m.Proofs[i].Lookups[j]
				key := need{matter.Code, look.Dataset}
				if had[key] == nil {
					had[key] = map[string]bool{}
				}
				for _, f := range policies.FieldsRead(&m.Proofs[i], look, t.before.Dataset(look.Dataset)) {
					had[key][f] = true
				}
			}
		}
	}
	return had
}

// looksUp reports whether the material's chain asks a source.
func looksUp(m *catalog.Material) bool {
	return slices.ContainsFunc(m.Chain, func(s catalog.Step) bool { return s.Mode == catalog.ModeData || s.Mode == catalog.ModeElicense })
}

type lacking struct {
	t      *touched
	desk   *Desk
	grants *policies.Grants
	stops  policies.Stops
	had    map[need]map[string]bool
	out    []Lack
}

func (l *lacking) look(m *catalog.Material) {
	if !looksUp(m) {
		return
	}
	for i := range m.Proofs {
		l.lookSource(m, &m.Proofs[i])
		for j := range m.Proofs[i].Lookups {
			l.lookRight(m, &m.Proofs[i], &m.Proofs[i].Lookups[j])
		}
	}
}

// lookSource finds a proof that no step of the chain can ask for; the loader has seen
// to it that another can be. It is no lack where it was so before.
func (l *lacking) lookSource(m *catalog.Material, p *catalog.Proof) {
	for _, look := range p.Lookups {
		if reached(l.t.after, m, look.Dataset) || l.had[need{l.t.after.MatterOf(m.Code).Code, look.Dataset}] != nil && !reached(l.t.before, m, look.Dataset) {
			continue
		}
		l.add(m, Lack{Kind: LackSource, Dataset: look.Dataset, Why: "数据资源没有这份材料的步骤可以问的接口，这一组证明用不上"})
	}
}

// reached reports whether a step of the material's chain can ask for a dataset.
func reached(rev *catalog.Revision, m *catalog.Material, dataset string) bool {
	return slices.ContainsFunc(m.Chain, func(s catalog.Step) bool {
		return (s.Mode == catalog.ModeData || s.Mode == catalog.ModeElicense) && rev.SourceFor(dataset, s.Mode) != nil
	})
}

// lookRight holds a look-up against the grants as they are, for somebody in the
// first role that the material names.
func (l *lacking) lookRight(m *catalog.Material, p *catalog.Proof, look *catalog.Lookup) {
	rev, matter := l.t.after, l.t.after.MatterOf(m.Code)
	dataset, fields := rev.Dataset(look.Dataset), policies.FieldsRead(p, look, rev.Dataset(look.Dataset))
	had := l.had[need{matter.Code, look.Dataset}]
	if !slices.ContainsFunc(fields, func(f string) bool { return !had[f] }) {
		return
	}
	role := rev.Role(look.Subject)
	if role == nil && len(m.Subjects) > 0 {
		role = rev.Role(m.Subjects[0])
	}
	if role == nil {
		return
	}
	party := &catalog.Party{ID: role.Code, Roles: []string{role.Code}, Kind: role.Kinds[0], Consent: catalog.ConsentGiven}
	if p.For != "" {
		party.Kind = p.For
	}
	d := policies.Decide(policies.Access{
		Receiver: matter.Department, Department: rev.Department(matter.Department), Matter: matter, State: catalog.StateOpen, Material: m.Code,
		Dataset: dataset, Fields: fields, Role: role, Party: party, Own: policies.Permission{State: catalog.ConsentGiven, Everything: true},
	}, l.grants, l.stops, l.desk.Now())
	kinds := map[LackKind][]string{}
	for _, reason := range d.Reasons {
		if kind := lackOf(reason); kind != "" {
			kinds[kind] = append(kinds[kind], reason.Text())
		}
	}
	for _, kind := range []LackKind{LackGrant, LackBasis} {
		if reasons := kinds[kind]; reasons != nil {
			l.add(m, Lack{Kind: kind, Dataset: dataset.Code, Fields: fields, Why: strings.Join(reasons, "；")})
		}
	}
}

// lackOf says what is missing by a reason against a look-up; empty where it is not
// the catalog's or a grant's, such as somebody's consent.
func lackOf(reason policies.ReasonOfDecision) LackKind {
	switch reason {
	case policies.GrantMissing, policies.GrantIsStopped, policies.GrantIsSuspended, policies.GrantIsTerminated, policies.GrantNotYet,
		policies.GrantExpired, policies.GrantLacksField:
		return LackGrant
	case policies.BasisMissing, policies.DatasetWithheld, policies.FieldWithheld, policies.DatasetIsStopped, policies.RoleNotListed, policies.FieldUnknown:
		return LackBasis
	default:
		return ""
	}
}

func (l *lacking) add(m *catalog.Material, lack Lack) {
	lack.Place = placeOf(l.t.after, m.Code)
	if d := l.t.after.Dataset(lack.Dataset); d != nil {
		lack.Name, lack.Provider = d.Name, d.Department
	}
	if lack.Fields == nil {
		lack.Fields = []string{}
	}
	l.out = append(l.out, lack)
}
