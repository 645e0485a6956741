package citizen

import (
	"strings"

	"mianti/catalog"
	"mianti/web/frame"
)

// line is a material of the list.
type line struct {
	Name, Whose, Why string
	Chips            []frame.ChipView
	For              []string // matters, where there are several
}

// step is a matter on the way.
type step struct {
	Name, By, After string
	Days            int
	Maybe           bool // depends on an answer
}

// tell says the list in words.
func (g *guideView) tell(v *frame.Visit, rev *catalog.Revision, guidance *catalog.Guidance) {
	w := words{v: v, rev: rev}
	for i := range guidance.Materials {
		m := &guidance.Materials[i]
		l := w.line(m)
		switch m.Group {
		case catalog.GuideNone:
			g.None = append(g.None, l)
		case catalog.GuideChecking:
			g.Checking = append(g.Checking, l)
		case catalog.GuideSubmit:
			g.Submit = append(g.Submit, l)
		case catalog.GuideOpen:
			g.Open = append(g.Open, l)
		default:
			g.Rest = append(g.Rest, l)
		}
	}
	ends := map[string]int{}
	for _, m := range guidance.Matters {
		if m.State == catalog.StateSkipped {
			continue
		}
		s := step{Name: m.Matter.Name, By: departmentName(rev, m.Matter.Department), Days: m.Matter.Days, Maybe: m.State == catalog.StateUndecided}
		s.After = w.matters(m.After)
		g.Steps = append(g.Steps, s)
		if !s.Maybe {
			g.Days = max(g.Days, endOf(guidance, m, ends))
		}
	}
}

// endOf is the working day on which a matter is granted, if each takes as long as
// was promised. The loader refuses circles.
func endOf(guidance *catalog.Guidance, m catalog.PlannedMatter, ends map[string]int) int {
	if known, there := ends[m.Matter.Code]; there {
		return known
	}
	begins := 0
	for _, code := range m.After {
		for _, before := range guidance.Matters {
			if before.Matter.Code == code && before.State != catalog.StateUndecided {
				begins = max(begins, endOf(guidance, before, ends))
			}
		}
	}
	ends[m.Matter.Code] = begins + m.Matter.Days
	return ends[m.Matter.Code]
}

// words says things of the catalog as they are said at a counter.
type words struct {
	v   *frame.Visit
	rev *catalog.Revision
}

func (w words) line(m *catalog.GuidedMaterial) line {
	l := line{Name: m.Material().Name, Whose: w.whose(m.Roles), Why: w.why(m)}
	for _, use := range m.Uses {
		if len(m.Uses) > 1 {
			l.For = append(l.For, use.Matter.Name)
		}
	}
	for _, mode := range m.Else {
		if chip, ok := w.orElse(m, mode); ok {
			l.Chips = append(l.Chips, chip)
		}
	}
	if m.Preview {
		l.Chips = append(l.Chips, frame.ChipView{Kind: "info", Text: w.v.T("先给本人看，同意了才用")})
	}
	return l
}

// whose names whose material it is; nothing for the applicant's own.
func (w words) whose(roles []string) string {
	var names []string
	for _, code := range roles {
		if role := w.rev.Role(code); role != nil && code != catalog.RoleApplicant {
			names = append(names, role.Name)
		}
	}
	return strings.Join(names, w.v.T("、"))
}

// orElse is what else is possible, as a chip.
func (w words) orElse(m *catalog.GuidedMaterial, mode catalog.Mode) (frame.ChipView, bool) {
	switch {
	case mode == catalog.ModeCommit && m.Group == catalog.GuideSubmit:
		return frame.ChipView{Kind: "info", Text: w.v.T("也可以书面承诺代替")}, true
	case mode == catalog.ModeHistory && m.Group == catalog.GuideSubmit:
		return frame.ChipView{Kind: "info", Text: w.v.T("以前交过的可以沿用")}, true
	case mode == catalog.ModeCommit:
		return frame.ChipView{Kind: "none", Text: w.v.T("查不到时可承诺")}, true
	}
	return frame.ChipView{}, false
}

// why says in one sentence why a material stands where it stands.
func (w words) why(m *catalog.GuidedMaterial) string {
	switch m.Group {
	case catalog.GuideNone:
		return w.whyNone(m)
	case catalog.GuideChecking:
		return w.whyChecking(m)
	case catalog.GuideSubmit:
		return w.whySubmit(m)
	case catalog.GuideOpen:
		return w.v.T("看您怎么回答：%s", w.questions(m.Facts))
	}
	return w.v.T("您的情况不需要这项")
}

func (w words) whyNone(m *catalog.GuidedMaterial) string {
	text := ""
	switch m.Mode {
	case catalog.ModeForm:
		return w.v.T("按您填的情况在网上生成，您核对签名就行")
	case catalog.ModeCancel:
		return w.v.T("这项材料已经取消，不再要求")
	case catalog.ModeElicense:
		text = w.v.T("由%s的电子证照核对", w.departments(m.Departments))
	default:
		text = w.v.T("由%s的数据核对", w.departments(m.Departments))
	}
	if whose := w.whose(m.Consents); whose != "" {
		text += w.v.T("；查之前要%s本人同意", whose)
	}
	return text
}

func (w words) whyChecking(m *catalog.GuidedMaterial) string {
	switch {
	case len(m.Prior) > 0:
		return w.v.T("前一步“%s”办好后自动取得", w.matters(m.Prior))
	case len(m.Departments) > 0 && m.Days > 0:
		return w.v.T("由%s人工核对，一般 %d 个工作日内答复", w.departments(m.Departments), m.Days)
	case len(m.Departments) > 0:
		return w.v.T("由%s人工核对", w.departments(m.Departments))
	}
	return w.v.T("由办理部门的工作人员核对，不用您跑")
}

func (w words) whySubmit(m *catalog.GuidedMaterial) string {
	switch {
	case m.Mode == catalog.ModeCommit:
		return w.v.T("您愿意书面承诺：签一份承诺书，不用再交证明")
	case m.Mode == catalog.ModeDefer:
		return w.v.T("可以先受理，%d 个工作日内补交", m.Days)
	case m.Material().Origin == "applicant":
		return w.v.T("这是您自己的材料，部门没有")
	}
	return w.v.T("现在还没有部门能共享这项数据")
}

func (w words) departments(codes []string) string {
	names := make([]string, len(codes))
	for i, code := range codes {
		names[i] = departmentName(w.rev, code)
	}
	return strings.Join(names, w.v.T("、"))
}

func (w words) matters(codes []string) string {
	names := make([]string, 0, len(codes))
	for _, code := range codes {
		if m := w.rev.Matter(code); m != nil {
			names = append(names, m.Name)
		}
	}
	return strings.Join(names, w.v.T("、"))
}

func (w words) questions(codes []string) string {
	names := make([]string, 0, len(codes))
	for _, code := range codes {
		if f := w.rev.Fact(code); f != nil {
			names = append(names, f.Ask)
		}
	}
	return strings.Join(names, w.v.T("、"))
}
