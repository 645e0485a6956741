package catalog

// index lists what the files hold in the catalog's order, makes it findable by
// code, and reports codes that are given twice.
func (l *loader) index() {
	l.rev.byCode = index{
		departments: map[string]*Department{}, datasets: map[string]*Dataset{}, facts: map[string]*Fact{},
		roles: map[string]*Role{}, standardMaterials: map[string]*StandardMaterial{}, commonMaterials: map[string]*Material{},
		sources: map[string]*Source{}, subjects: newSubjects(),
	}
	l.indexShared()
	for _, d := range l.departments {
		l.indexDepartment(d)
	}
	for _, o := range l.oneThings {
		l.indexOneThing(o)
	}
}

// indexShared is for what belongs to no department and no one-thing.
func (l *loader) indexShared() {
	r := l.rev
	if l.facts != nil {
		for i := range l.facts.Facts {
			f := &l.facts.Facts[i]
			r.facts = append(r.facts, f)
			add(l, r.byCode.facts, f.Code, f, l.facts.at.in("facts", i, "code"))
		}
	}
	if l.roles != nil {
		for i := range l.roles.Roles {
			role := &l.roles.Roles[i]
			r.roles = append(r.roles, role)
			add(l, r.byCode.roles, role.Code, role, l.roles.at.in("roles", i, "code"))
		}
	}
	if l.standards != nil {
		for i := range l.standards.StandardMaterials {
			s := &l.standards.StandardMaterials[i]
			r.standardMaterials = append(r.standardMaterials, s)
			add(l, r.byCode.standardMaterials, s.Code, s, l.standards.at.in("standard_materials", i, "code"))
		}
	}
	if l.common != nil {
		for i := range l.common.Materials {
			m := &l.common.Materials[i]
			r.commonMaterials = append(r.commonMaterials, m)
			add(l, r.byCode.commonMaterials, m.Code, m, l.common.at.in("materials", i, "code"))
		}
	}
}

func (l *loader) indexDepartment(d *departmentFile) {
	r := l.rev
	r.departments = append(r.departments, &d.Department)
	add(l, r.byCode.departments, d.Department.Code, &d.Department, d.at.in("department", "code"))
	for i := range d.Datasets {
		dataset := &d.Datasets[i]
		dataset.Department = d.Department.Code
		r.datasets = append(r.datasets, dataset)
		add(l, r.byCode.datasets, dataset.Code, dataset, d.at.in("datasets", i, "code"))
		for j := range dataset.Sources {
			source := &dataset.Sources[j]
			add(l, r.byCode.sources, source.Code, source, d.at.in("datasets", i, "sources", j, "code"))
		}
	}
}

func (l *loader) indexOneThing(o *oneThingFile) {
	r := l.rev
	o.OneThing.Matters = o.Matters
	thing := &o.OneThing
	r.oneThings = append(r.oneThings, thing)
	add(l, r.byCode.oneThings, thing.Code, thing, o.at.in("one_thing", "code"))
	for i := range thing.Matters {
		matter := &thing.Matters[i]
		matter.OneThing = thing.Code
		r.matters = append(r.matters, matter)
		add(l, r.byCode.matters, matter.Code, matter, o.at.in("matters", i, "code"))
		for j := range matter.Materials {
			material := &matter.Materials[j]
			r.materials = append(r.materials, material)
			add(l, r.byCode.materials, material.Code, material, o.at.in("matters", i, "materials", j, "code"))
		}
	}
	for i := range thing.Matters {
		matter := &thing.Matters[i]
		department := r.byCode.departments[matter.Department]
		if department == nil {
			continue // reported with the references
		}
		matter.ImplementationCode = implementationCode(department, matter)
		r.byCode.implementations[matter.ImplementationCode] = append(r.byCode.implementations[matter.ImplementationCode], matter)
	}
}

// add makes a thing findable by its code, and reports a code that is taken.
func add[T any](l *loader, known map[string]*T, code string, thing *T, at spot) {
	if code == "" {
		return // reported by the schema
	}
	if _, taken := known[code]; taken {
		l.report(at, "duplicate-code", "代码 %s 已用过", code)
		return
	}
	known[code] = thing
}
