package catalog

import (
	"slices"
	"strings"

	"mianti/internal/identifier"
)

// validate checks what the schema cannot: that what is named exists, that the
// parts fit each other, and that the expressions compile. It compiles them on
// the way. The error is for a language that cannot be made, which is no fault
// of the catalog.
func (l *loader) validate() error {
	l.validateFacts()
	l.validateRoles()
	l.validateLint()
	for _, d := range l.departments {
		l.validateDepartment(d)
	}
	l.validateCommon()
	for _, o := range l.oneThings {
		if err := l.validateOneThing(o); err != nil {
			return err
		}
	}
	return nil
}

// validateLint wants a code of its own for each explanation. Whether there is what it
// explains is the lint's to say: it may be put right at any time.
func (l *loader) validateLint() {
	if l.lint == nil {
		return
	}
	seen := map[string]bool{}
	for i, e := range l.lint.Explained {
		if seen[e.Code] {
			l.report(l.lint.at.in("explained", i, "code"), "duplicate-code", "代码 %s 已用过", e.Code)
		}
		seen[e.Code] = true
	}
}

func (l *loader) validateFacts() {
	if l.facts == nil {
		return
	}
	for i := range l.facts.Facts {
		f, at := &l.facts.Facts[i], l.facts.at.in("facts", i)
		if d := l.language.datasets[f.Code]; d != nil {
			l.report(at.in("code"), "reserved-name", "%s 是数据资源 %s 在核验条件中的名字，请换一个代码", f.Code, d.Code)
		}
		if reserved(f.Code) {
			l.report(at.in("code"), "reserved-name", "%s 在条件中另有含义，请换一个代码", f.Code)
		}
		seen := map[string]bool{}
		for j, option := range f.Options {
			if seen[option.Value] {
				l.report(at.in("options", j, "value"), "duplicate-code", "选项 %s 已用过", option.Value)
			}
			seen[option.Value] = true
		}
	}
}

// validateRoles wants a ground for reading about a third party: that person's
// consent, or the clauses that make it unnecessary. An application is the
// applicant's own act, and a thing has nobody to ask.
func (l *loader) validateRoles() {
	if l.roles == nil {
		return
	}
	for i := range l.roles.Roles {
		r, at := &l.roles.Roles[i], l.roles.at.in("roles", i)
		somebody := slices.Contains(r.Kinds, KindPerson) || slices.Contains(r.Kinds, KindOrganization)
		if somebody && r.Code != RoleApplicant && r.Consent == ConsentNone && len(r.Basis) == 0 {
			l.report(at.in("consent"), "basis-missing", "角色%s既不须同意（consent），也没有写法定依据（basis），查询没有根据", r.Name)
		}
	}
}

func (l *loader) validateDepartment(d *departmentFile) {
	at := d.at.in("department")
	l.fileName(d.at, d.Department.Code, at.in("code"))
	if code := d.Department.CreditCode; code != "" {
		if err := identifier.CreditCode(code); err != nil {
			l.report(at.in("credit_code"), "credit-code", "%v", err)
		}
	}
	for i := range d.Datasets {
		l.validateDataset(d.at.in("datasets", i), &d.Datasets[i])
	}
}

// fileName holds people to docs/catalog-format.md: a thing is found by its
// file's name.
func (l *loader) fileName(file spot, code string, at spot) {
	if code != "" && code != file.file.stem() {
		l.report(at, "wrong-file-name", "文件名应为 %s.yaml", code)
	}
}

func (l *loader) validateDataset(at spot, d *Dataset) {
	l.validateSharing(at, d)
	if field := d.Field(d.ValidUntil); d.ValidUntil != "" && field == nil {
		l.report(at.in("valid_until"), "unknown-field", "%s 没有数据项 %s", d.Code, d.ValidUntil)
	} else if field != nil && field.Type != FieldDate {
		l.report(at.in("valid_until"), "wrong-field-type", "有效期止 %s 应为 date 类型", d.ValidUntil)
	}
	seen := map[string]bool{}
	for i, f := range d.Fields {
		if f.Code != "" && seen[f.Code] {
			l.report(at.in("fields", i, "code"), "duplicate-code", "数据项 %s 已用过", f.Code)
		}
		seen[f.Code] = true
	}
	licences := false
	for i := range d.Sources {
		s := &d.Sources[i]
		l.validateSource(at.in("sources", i), d, s)
		if s.Kind != SourceElicense {
			continue
		}
		licences = true
		if d.Certificate == nil {
			l.report(at.in("sources", i, "kind"), "certificate-source", "%s 不是电子证照（没有 certificate），不能有 elicense 接口", d.Code)
		}
	}
	if d.Certificate != nil && !licences {
		l.report(at.in("certificate"), "certificate-source", "%s 是电子证照，要有一个 elicense 接口", d.Code)
	}
}

// validateCommon checks the common materials as they are written. What is
// wrong with one is reported once, here, and not again at each of its uses.
func (l *loader) validateCommon() {
	if l.common == nil {
		return
	}
	misshapen := slices.ContainsFunc(l.faults, func(f Fault) bool { return f.File == l.common.at.file.name })
	for i := range l.common.Materials {
		m, before := &l.common.Materials[i], len(l.faults)
		scope := scope{at: l.common.at.in("materials", i), checks: l.language.commonChecks()}
		l.validateMaterial(scope, m, len(m.Chain) > 0)
		if misshapen || len(l.faults) > before {
			l.faulty[m.Code] = true
		}
	}
}

func (l *loader) validateOneThing(o *oneThingFile) error {
	thing, at := &o.OneThing, o.at.in("one_thing")
	l.fileName(o.at, thing.Code, at.in("code"))
	l.department(at.in("lead"), thing.Lead)
	checks, err := l.language.checksOf(thing.Params)
	if err != nil {
		return err
	}
	for i := range thing.Matters {
		m, at := &thing.Matters[i], o.at.in("matters", i)
		l.validateMatter(at, thing, m)
		for j := range m.Materials {
			material := &m.Materials[j]
			scope := scope{at: at.in("materials", j), checks: checks, thing: thing, matter: m}
			l.inherited = material.Common != "" && (l.faulty[material.Common] || l.commons[material.Common] == nil)
			l.placed(scope.at.in("code"), material.Code, m.Code)
			l.validateMaterial(scope, material, true)
			l.inherited = false
		}
	}
	l.validateOrder(o)
	return nil
}

func (l *loader) validateMatter(at spot, thing *OneThing, m *Matter) {
	l.placed(at.in("code"), m.Code, thing.Code)
	l.department(at.in("department"), m.Department)
	l.dataset(at.in("result", "dataset"), m.Result.Dataset)
	for i, code := range m.After {
		l.sibling(at.in("after", i), thing, code)
	}
	m.when = l.conditionAt(at.in("when"), m.When)
}

// placed checks that a code says where its thing belongs: S01.M1.a in S01.M1.
func (l *loader) placed(at spot, code, parent string) {
	if code != "" && parent != "" && !strings.HasPrefix(code, parent+".") {
		l.report(at, "misplaced-code", "代码应以 %s. 开头", parent)
	}
}

// sibling checks a reference to a matter of the same one-thing.
func (l *loader) sibling(at spot, thing *OneThing, code string) {
	other := l.rev.byCode.matters[code]
	switch {
	case code == "":
	case other == nil:
		l.report(at, "unknown-matter", "没有事项 %s", code)
	case other.OneThing != thing.Code:
		l.report(at, "unknown-matter", "%s 是 %s 的事项，不在 %s 中", code, other.OneThing, thing.Code)
	}
}

func (l *loader) department(at spot, code string) {
	if code != "" && l.rev.byCode.departments[code] == nil {
		l.report(at, "unknown-department", "没有部门 %s", code)
	}
}

// dataset gives the dataset that is named, and reports one that is unknown.
func (l *loader) dataset(at spot, code string) *Dataset {
	d := l.rev.byCode.datasets[code]
	if code != "" && d == nil {
		l.report(at, "unknown-dataset", "没有数据资源 %s", code)
	}
	return d
}

// role gives the role that is named, and reports one that is unknown.
func (l *loader) role(at spot, code string) *Role {
	r := l.rev.byCode.roles[code]
	if code != "" && r == nil {
		l.report(at, "unknown-role", "没有角色 %s", code)
	}
	return r
}

func (l *loader) standardMaterial(at spot, code string) {
	if code != "" && l.rev.byCode.standardMaterials[code] == nil {
		l.report(at, "unknown-standard-material", "没有标准材料 %s", code)
	}
}
