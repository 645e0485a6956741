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
	for _, step := range m.Chain {
		if step.Mode == catalog.ModeData || step.Mode == catalog.ModeElicense {
			l.lookSource(m, step.Mode)
		}
	}
	if !looksUp(m) {
		return
	}
	for i := range m.Proofs {
		for j := range m.Proofs[i].Lookups {
			l.lookRight(m, &m.Proofs[i], &m.Proofs[i].Lookups[j])
		}
	}
}

// lookSource finds a step that nothing can be asked for, unless it was so before.
func (l *lacking) lookSource(m *catalog.Material, mode catalog.Mode) {
	reachable := func(rev *catalog.Revision, m *catalog.Material) bool {
		return slices.ContainsFunc(m.Proofs, func(p catalog.Proof) bool { return rev.Reachable(&p, mode) })
	}
	if reachable(l.t.after, m) {
		return
	}
	if was := l.t.before.Material(m.Code); was != nil && !reachable(l.t.before, was) &&
		slices.ContainsFunc(was.Chain, func(s catalog.Step) bool { return s.Mode == mode }) {
		return
	}
	without := []string{}
	for _, code := range datasetsOf(m) {
		if l.t.after.SourceFor(code, mode) == nil && !slices.Contains(without, code) {
			without = append(without, code)
		}
	}
	if len(without) == 0 {
		l.add(m, Lack{Kind: LackSource, Why: mode.Name() + "一步没有写证明组合，不知道查什么"})
	}
	for _, code := range without {
		l.add(m, Lack{Kind: LackSource, Dataset: code, Why: "数据资源没有可用于“" + mode.Name() + "”的接口"})
	}
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
