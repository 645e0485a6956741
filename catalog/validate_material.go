package catalog

import (
	"slices"
	"strconv"
)

// scope is where a material stands. A common one stands in no one-thing.
type scope struct {
	at     spot
	checks checkLanguage
	thing  *OneThing
	matter *Matter
}

// validateMaterial checks a material and compiles its conditions. The chain of
// a common material may be left to its uses.
func (l *loader) validateMaterial(s scope, m *Material, withChain bool) {
	switch {
	case m.Need == NeedConditional && m.When == "":
		l.report(s.at.in("need"), "condition-missing", "有条件的材料（conditional）要写 when")
	case m.Need == NeedRequired && m.When != "":
		l.report(s.at.in("when"), "condition-unexpected", "必要的材料（required）不能有 when")
	}
	m.when = l.conditionAt(s.at.in("when"), m.When)
	l.standardMaterial(s.at.in("standard_material"), m.StandardMaterial)
	for i, code := range m.Subjects {
		l.role(s.at.in("subjects", i), code)
	}
	for i, code := range m.Prior {
		if s.thing != nil {
			l.sibling(s.at.in("prior", i), s.thing, code)
		}
	}
	for i := range m.Proofs {
		l.validateProof(s, s.at.in("proofs", i), m, &m.Proofs[i])
	}
	if m.Preview {
		l.validatePreview(s.at, m)
	}
	if withChain {
		l.validateChain(s, m)
	}
}

func (l *loader) validateProof(s scope, at spot, m *Material, p *Proof) {
	l.standardMaterial(at.in("standard_material"), p.StandardMaterial)
	var datasets []string
	for i := range p.Lookups {
		lookup, at := &p.Lookups[i], at.in("lookups", i)
		if lookup.Dataset != "" && slices.Contains(datasets, lookup.Dataset) {
			l.report(at.in("dataset"), "duplicate-lookup", "一组证明中 %s 只能查一次，核验条件无法区分两条记录", lookup.Dataset)
		}
		datasets = append(datasets, lookup.Dataset)
		if dataset := l.dataset(at.in("dataset"), lookup.Dataset); dataset != nil {
			l.validateLookup(at, m, p, lookup, dataset)
		}
	}
	if p.Check == "" {
		return
	}
	made := l.language.check(s.checks, p.Check, datasets)
	p.check = made.condition
	l.problems(at.in("check"), slices.DeleteFunc(slices.Clone(made.problems), func(x problem) bool {
		// Which dataset was meant is not known; that has been reported.
		return x.code == "foreign-dataset" && slices.ContainsFunc(datasets, func(code string) bool { return l.rev.byCode.datasets[code] == nil })
	}))
}

func (l *loader) validateLookup(at spot, m *Material, p *Proof, lookup *Lookup, dataset *Dataset) {
	for i, code := range lookup.Release {
		if dataset.Field(code) == nil {
			l.report(at.in("release", i), "unknown-field", "%s 没有数据项 %s", dataset.Code, code)
		}
	}
	if lookup.YesNo && len(lookup.Release) > 0 {
		l.report(at.in("release"), "release-with-yes-no", "只给结论（yes_no）就不能再列 release")
	}
	if lookup.Subject != "" {
		if role := l.role(at.in("subject"), lookup.Subject); role != nil {
			l.askable(at.in("subject"), role, role.Kinds, dataset)
		}
		return
	}
	if len(m.Subjects) == 0 {
		l.report(at.in("subject"), "subject-missing", "材料没有 subjects，这里要写 subject：按谁查 %s", dataset.Code)
		return
	}
	fits := p.For == ""
	for _, code := range m.Subjects {
		role := l.rev.byCode.roles[code]
		switch {
		case role == nil:
			fits = true // reported already
		case p.For == "":
			l.askable(at.in("subject"), role, role.Kinds, dataset)
		case slices.Contains(role.Kinds, p.For):
			fits = true
			l.askable(at.in("subject"), role, []PartyKind{p.For}, dataset)
		}
	}
	// A proof that a common material brings along may fit no role of this use.
	if !fits && at.written() {
		l.report(at.in("subject"), "subject-kind", "这组证明只用于 %s，但材料的角色都不会是", p.For)
	}
}

// validatePreview holds a preview to what can be shown, and to whom: fields, of the
// material's own person.
func (l *loader) validatePreview(at spot, m *Material) {
	if len(m.Proofs) == 0 {
		l.report(at.in("preview"), "preview-without-record", "preview 要有 proofs：没有记录可以先看")
	}
	for _, code := range m.Subjects {
		if role := l.rev.byCode.roles[code]; role != nil && !slices.Equal(role.Kinds, []PartyKind{KindPerson}) {
			l.report(at.in("preview"), "preview-of-no-person", "preview 的材料只能是自然人的：角色 %s 不都是自然人，没有人可以先看", code)
		}
	}
	for i := range m.Proofs {
		for j, lookup := range m.Proofs[i].Lookups {
			switch {
			case lookup.YesNo:
				l.report(at.in("proofs", i, "lookups", j), "preview-yes-no", "preview 的材料不能只给结论（yes_no）：等待本人放行就已经说出了结论")
			case lookup.Subject != "":
				l.report(at.in("proofs", i, "lookups", j), "preview-of-another", "preview 的材料只能查本人的记录：别人的记录不能给他先看")
			}
		}
	}
}

// askable reports a role none of whose kinds the dataset can be asked by.
func (l *loader) askable(at spot, role *Role, kinds []PartyKind, dataset *Dataset) {
	if len(dataset.AskedBy) == 0 {
		return // reported by the schema
	}
	for _, kind := range kinds {
		if slices.Contains(dataset.AskedBy, kind) {
			return
		}
	}
	l.report(at, "subject-kind", "%s 按 %v 查询，不能按角色 %s（%v）查", dataset.Code, dataset.AskedBy, role.Code, kinds)
}

// conditionAt compiles a condition on the facts; none is nil.
func (l *loader) conditionAt(at spot, text string) *Condition {
	if text == "" {
		return nil
	}
	made := l.language.condition(text)
	l.problems(at, made.problems)
	return made.condition
}

// problems reports what is wrong with an expression, at its own line where it
// runs over several.
func (l *loader) problems(at spot, problems []problem) {
	for _, p := range problems {
		where := "（第" + strconv.Itoa(p.column) + "个字符）"
		if p.line > 1 {
			where = "（第" + strconv.Itoa(p.line) + "行第" + strconv.Itoa(p.column) + "个字符）"
		}
		l.reportLine(at, at.file.tree.textLine(at.at, p.line), p.code, p.reason+where)
	}
}

// validateChain checks the steps and compiles their conditions.
func (l *loader) validateChain(s scope, m *Material) {
	m.steps = make([]*Condition, len(m.Chain))
	ended := false
	for i := range m.Chain {
		step, at := &m.Chain[i], s.at.in("chain", i)
		if ended {
			l.report(at, "unreachable-step", "这一步不会用到：前面的 upload 没有条件，链在那里就结束了")
		}
		m.steps[i] = l.conditionAt(at.in("when"), step.When)
		l.department(at.in("department"), step.Department)
		l.validateStep(at, s, m, step)
		if step.Mode == ModeWait {
			l.validateWait(at, m.Chain, i)
		}
		ended = ended || step.Mode == ModeUpload && step.When == ""
	}
	if !settleable(m.Chain) {
		l.report(s.at.in("chain"), "unsettleable", "没有人能办结这份材料，申请人也不能提交：除 history 外要有一步没有条件，或有 commit、upload")
	}
}

// settleable reports whether the chain has something to offer in every case. A
// step with a condition may be passed over, but a commitment is the applicant's
// own choice and stays open to him; history settles only what was handed in
// once, which nobody could without another step; and waiting settles nothing.
func settleable(chain []Step) bool {
	return slices.ContainsFunc(chain, func(s Step) bool {
		return s.Mode == ModeUpload || s.Mode == ModeCommit || s.When == "" && s.Mode != ModeHistory && s.Mode != ModeWait
	})
}

func (l *loader) validateStep(at spot, s scope, m *Material, step *Step) {
	switch step.Mode {
	case ModeElicense:
		if !l.provable(m, func(d *Dataset) bool { return d.Certificate != nil }) {
			l.report(at, "elicense-without-licence", "elicense 这一步要有一组证明，其数据资源都是电子证照")
		}
	case ModeData:
		if !l.provable(m, func(d *Dataset) bool {
			return slices.ContainsFunc(d.Sources, func(s Source) bool { return s.Kind != SourceElicense })
		}) {
			l.report(at, "data-without-proof", "data 这一步要有一组证明，其数据资源都有数据接口")
		}
	case ModePrior:
		// A common material leaves it to its uses.
		if len(m.Prior) == 0 && s.thing != nil {
			l.report(at, "prior-without-matter", "prior 这一步要写 prior：以哪些事项的结果为此材料")
		}
	case ModeAssist:
		if step.Department == "" && len(m.Proofs) == 0 {
			l.report(at, "assist-without-department", "assist 这一步要写 department：请哪个部门协查")
		}
	case ModeForm, ModeHistory, ModeWait, ModeCommit, ModeDefer, ModeCancel, ModeUpload:
	default:
		// The schema has reported the unknown mode already.
	}
}

// validateWait holds a wait to its place: after a look-up that can find its
// source away, and before what is tried when waiting did not help.
func (l *loader) validateWait(at spot, chain []Step, i int) {
	asks := func(s Step) bool { return s.Mode == ModeElicense || s.Mode == ModeData }
	if !slices.ContainsFunc(chain[:i], asks) {
		l.report(at, "wait-without-lookup", "wait 要在 elicense 或 data 之后：等的是刚才问不到的数源")
	}
	if i == len(chain)-1 {
		l.report(at, "wait-at-the-end", "wait 不能是最后一步：要写等不到之后怎么办，如 upload")
	}
}

// provable reports whether there is a proof all of whose datasets are so. An
// unknown dataset has been reported and counts as being so.
func (l *loader) provable(m *Material, so func(*Dataset) bool) bool {
	return slices.ContainsFunc(m.Proofs, func(p Proof) bool {
		return len(p.Lookups) > 0 && !slices.ContainsFunc(p.Lookups, func(lookup Lookup) bool {
			d := l.rev.byCode.datasets[lookup.Dataset]
			return d != nil && !so(d)
		})
	})
}
