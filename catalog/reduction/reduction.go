// Package reduction counts what a catalog takes off applicants (减材料、减环节): by
// one-thing, matter and department, how many materials are asked for where every
// matter is applied for by itself and on paper, and what is left of them.
//
// It goes by the catalog alone and is pure. What people really hand in is counted
// from cases (package figures). What is counted how is in Definitions, and goes with
// every figure.
package reduction

import (
	"slices"

	"mianti/catalog"
)

// Class (材料去向) is what becomes of a material. Each material of a matter has one.
type Class string

// The classes.
const (
	Cancelled Class = "cancelled" // 直接取消
	Joined    Class = "joined"    // 合并, asked for once in its one-thing
	Exempt    Class = "exempt"    // 免提交
	Committed Class = "committed" // 告知承诺
	Deferred  Class = "deferred"  // 容缺后补: still handed in, later
	Uploaded  Class = "uploaded"  // 申请人提交
)

// Classes lists the classes in the order in which they are shown.
func Classes() []Class {
	return []Class{Cancelled, Joined, Exempt, Committed, Deferred, Uploaded}
}

// Name gives the class in Chinese.
func (c Class) Name() string {
	return map[Class]string{
		Cancelled: "直接取消", Joined: "合并", Exempt: "免提交", Committed: "告知承诺", Deferred: "容缺后补", Uploaded: "须提交",
	}[c]
}

// Definition (口径) says what a figure counts.
type Definition struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// Definitions are those of this package, in the order in which they are read.
func Definitions() []Definition {
	return []Definition{
		{"改革前材料", "一件事所含各事项逐项单独办理，每个事项目录上的每一种材料都由申请人提交一次。不论条件是否成立，即最多要交的数；几名当事人各交一份的，按一种计。"},
		{"直接取消", "核验链上首先采用的一步是直接取消。"},
		{"合并", "同一件事里，前面的材料已按同一标准材料、向同一角色要过，不再另要。一名当事人的同一份材料只交一次。"},
		{"免提交", "核验链上首先采用的一步是表单生成、电子证照、数据共享、前序结果或部门协查。不看步骤自带的条件；沿用以前提交的、等待数源的不算首先采用；没有接口可问的一步视为没有。"},
		{"告知承诺", "首先采用的一步是告知承诺。由申请人自愿选择，单列。"},
		{"仍需提交", "首先采用的一步是申请人提交或容缺后补。容缺后补只是晚交，不算减。"},
		{"减材料", "直接取消、合并、免提交、告知承诺之和。其中“兜底”是后面还留有提交或容缺一步的：数源查不到、申请人不选承诺时仍要交。"},
		{"环节", "申请人要经过的次数，等于提交申请的次数加上专门去开具材料的次数。改革前每个事项提交一次申请；改革后一件事提交一次，分阶段的每阶段一次。要专门去开具的，是类型为证明或批文、不由申请人自备的材料；证照是已经持有的，不算。改革后只算其中仍需提交的。"},
		{"部门", "改革前要去的，是各事项所属的部门；改革后只到牵头部门。"},
		{"承诺工作日", "改革前是各事项承诺工作日之和，办完一项再办一项；改革后按事项前后关系并行，取最长的一条。"},
		{"合计", "各一件事相加。同一事项在几件事里各计一次；不按办件量加权。"},
	}
}

// Item (材料去向明细) is what becomes of one material.
type Item struct {
	Material   string `json:"material"`
	Name       string `json:"name"`
	Matter     string `json:"matter"`
	OneThing   string `json:"one_thing"`
	Department string `json:"department"`
	Class      Class  `json:"class" enum:"cancelled,joined,exempt,committed,deferred,uploaded"`
	// Mode is that of the step that is taken first; empty for what is joined.
	Mode catalog.Mode `json:"mode,omitempty"`
	// FallsBack says that a step by which it is handed in stands behind.
	FallsBack bool `json:"falls_back" doc:"后面还留有提交或容缺一步"`
	// Issued says that somebody has to be asked to issue it.
	Issued bool `json:"issued" doc:"要专门去开具"`
}

// Items gives what becomes of each material of a one-thing, in the catalog's order.
func Items(rev *catalog.Revision, thing *catalog.OneThing) []Item {
	var out []Item
	seen := map[paper]bool{}
	for i := range thing.Matters {
		matter := &thing.Matters[i]
		for j := range matter.Materials {
			m := &matter.Materials[j]
			item := Item{
				Material: m.Code, Name: m.Name, Matter: matter.Code, OneThing: thing.Code, Department: matter.Department,
				Issued: m.Origin != "applicant" && (m.Kind == "proof" || m.Kind == "approval"),
			}
			item.Class, item.Mode = classOf(rev, thing, m)
			item.FallsBack = (item.Class == Exempt || item.Class == Committed) && slices.ContainsFunc(m.Chain, handsIn)
			papers := papersOf(m)
			if item.Class != Cancelled && len(papers) > 0 && !slices.ContainsFunc(papers, func(p paper) bool { return !seen[p] }) {
				item.Class, item.Mode, item.FallsBack = Joined, "", false
			}
			if item.Class != Cancelled {
				for _, p := range papers {
					seen[p] = true
				}
			}
			out = append(out, item)
		}
	}
	return out
}

func handsIn(s catalog.Step) bool {
	return s.Mode == catalog.ModeUpload || s.Mode == catalog.ModeDefer
}

// paper is what is asked for once: a standard material of a role.
type paper struct{ standard, role string }

// papersOf are the papers that a material is. It is several where it has several
// roles, or another standard material for another kind of party.
func papersOf(m *catalog.Material) []paper {
	standards := []string{m.StandardMaterial}
	for _, p := range m.Proofs {
		standards = append(standards, p.StandardMaterial)
	}
	roles := m.Subjects
	if len(roles) == 0 {
		roles = []string{""}
	}
	var out []paper
	for _, standard := range standards {
		for _, role := range roles {
			if standard != "" {
				out = append(out, paper{standard, role})
			}
		}
	}
	return out
}

// classOf goes down the chain to the first step that is sure to be tried. The loader has
// refused a chain without one.
func classOf(rev *catalog.Revision, thing *catalog.OneThing, m *catalog.Material) (Class, catalog.Mode) {
	for _, step := range m.Chain {
		switch step.Mode {
		case catalog.ModeCancel:
			return Cancelled, step.Mode
		case catalog.ModeForm, catalog.ModeAssist:
			return Exempt, step.Mode
		case catalog.ModePrior:
			if slices.ContainsFunc(thing.Matters, func(other catalog.Matter) bool { return slices.Contains(m.Prior, other.Code) }) {
				return Exempt, step.Mode
			}
		case catalog.ModeElicense, catalog.ModeData:
			if slices.ContainsFunc(m.Proofs, func(p catalog.Proof) bool { return rev.Reachable(&p, step.Mode) }) {
				return Exempt, step.Mode
			}
		case catalog.ModeCommit:
			return Committed, step.Mode
		case catalog.ModeDefer:
			return Deferred, step.Mode
		case catalog.ModeUpload:
			return Uploaded, step.Mode
		case catalog.ModeHistory, catalog.ModeWait:
		}
	}
	return Uploaded, ""
}
