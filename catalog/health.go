package catalog

import (
	"fmt"
	"slices"
	"strings"
)

// HealthRule (四个一律) is one of the four rules about a catalog.
type HealthRule string

// The rules.
const (
	RuleBasis  HealthRule = "basis"  // 没有依据的一律清理
	RuleVague  HealthRule = "vague"  // 模糊、兜底的一律明确
	RuleShared HealthRule = "shared" // 能共享的一律注明免提交
	RuleCommit HealthRule = "commit" // 能承诺的一律告知选择
)

// HealthRules lists the rules.
func HealthRules() []HealthRule { return []HealthRule{RuleBasis, RuleVague, RuleShared, RuleCommit} }

// Name gives the rule in Chinese.
func (r HealthRule) Name() string {
	return map[HealthRule]string{
		RuleBasis: "没有依据的一律清理", RuleVague: "模糊兜底的一律明确", RuleShared: "能共享的一律注明免提交", RuleCommit: "能承诺的一律告知选择",
	}[r]
}

// Definition says what is counted, so that whoever reads a figure knows what it
// is of.
func (r HealthRule) Definition() string {
	return map[HealthRule]string{
		RuleBasis: "材料没有写设定依据（basis）。来自通用材料的，本处和通用材料都没有写才算。",
		RuleVague: "材料名称含有“其他”“相关”“有关”，或以“等”“等材料”“等文件”“等证明”一类结尾，申请人看不出要交什么。",
		RuleShared: "材料的顺位里没有任何一步能免去提交，而以下之一成立：写了证明组合且数源可问；同一标准材料在别处由数据或证照核验；由政府部门核发，目录又没有说明（note）为什么不能免。" +
			"另计：核验要用同一件事中另一事项登记的结果，顺位里却没有前序结果复用（prior）。不予共享的数据资源不算能共享。",
		RuleCommit: "同一标准材料或同一通用材料在别的事项里可以告知承诺，在这里却要提交而没有承诺可选；或者有承诺一步却没有条件，等于不由申请人选择。",
	}[r]
}

// Remedy says what the rule wants done.
func (r HealthRule) Remedy() string {
	return map[HealthRule]string{
		RuleBasis:  "补上法律、法规、规章的条款；查无依据的，删去这份材料。",
		RuleVague:  "写明具体材料的名称，或按情形拆成几份。",
		RuleShared: "在顺位里加上数据共享、电子证照或前序结果复用；确实不能的，在 note 写明原因。",
		RuleCommit: "加上 {mode: commit, when: …}，由申请人选择；风险高不宜承诺的，在 note 写明。",
	}[r]
}

// HealthFinding (体检发现) is one place of a revision that a rule finds fault with.
type HealthFinding struct {
	Rule     HealthRule `json:"rule"`
	Material string     `json:"material"`
	Name     string     `json:"name"`
	Matter   string     `json:"matter"`
	OneThing string     `json:"one_thing"`
	// File is the catalog's file in which it stands, and Key the key of the
	// material that is meant.
	File   string `json:"file"`
	Key    string `json:"key"`
	Reason string `json:"reason"`
}

// Health looks through the revision for what the four rules find fault with: by
// rule, then in the catalog's order.
func (r *Revision) Health() []HealthFinding {
	h := newHealth(r)
	for _, thing := range r.oneThings {
		for i := range thing.Matters {
			matter := &thing.Matters[i]
			for j := range matter.Materials {
				h.look(thing, matter, &matter.Materials[j])
			}
		}
	}
	slices.SortStableFunc(h.findings, func(a, b HealthFinding) int {
		return slices.Index(HealthRules(), a.Rule) - slices.Index(HealthRules(), b.Rule)
	})
	return h.findings
}

// health knows of each paper where else it is settled without being handed in.
type health struct {
	rev      *Revision
	results  map[string]string // the matter that registers in a dataset, by one-thing and dataset
	proved   map[string]string // a material that is looked up, by standard material
	commits  map[string]string // a material that may be committed to, by standard or common material
	findings []HealthFinding
}

func newHealth(r *Revision) *health {
	h := &health{rev: r, results: map[string]string{}, proved: map[string]string{}, commits: map[string]string{}, findings: []HealthFinding{}}
	for _, m := range r.matters {
		if m.Result.Dataset != "" {
			h.results[m.OneThing+" "+m.Result.Dataset] = m.Code
		}
	}
	for _, m := range r.materials {
		for i := range m.Proofs {
			standard := m.Proofs[i].StandardMaterial
			if standard == "" {
				standard = m.StandardMaterial
			}
			if standard != "" && h.proved[standard] == "" && h.askable(&m.Proofs[i]) && hasMode(m, ModeElicense, ModeData) {
				h.proved[standard] = m.Code
			}
		}
		if !hasMode(m, ModeCommit) {
			continue
		}
		for _, key := range commitKeys(m) {
			if h.commits[key] == "" {
				h.commits[key] = m.Code
			}
		}
	}
	return h
}

// commitKeys are what a material is known by elsewhere. A form is everybody's and
// says nothing.
func commitKeys(m *Material) []string {
	var keys []string
	if m.StandardMaterial != "" && m.Kind != "form" {
		keys = append(keys, m.StandardMaterial)
	}
	if m.Common != "" {
		keys = append(keys, m.Common)
	}
	return keys
}

// hasMode reports whether one of the modes is in the material's chain.
func hasMode(m *Material, modes ...Mode) bool {
	return slices.ContainsFunc(m.Chain, func(s Step) bool { return slices.Contains(modes, s.Mode) })
}

// askable reports whether every record of a proof may be shared and has a source.
func (h *health) askable(p *Proof) bool {
	for _, l := range p.Lookups {
		if d := h.rev.Dataset(l.Dataset); d == nil || d.Sharing == SharingWithheld {
			return false
		}
	}
	return len(p.Lookups) > 0 && (h.rev.Reachable(p, ModeData) || h.rev.Reachable(p, ModeElicense))
}

func (h *health) look(thing *OneThing, matter *Matter, m *Material) {
	find := func(rule HealthRule, key, reason string, args ...any) {
		h.findings = append(h.findings, HealthFinding{
			Rule: rule, Material: m.Code, Name: m.Name, Matter: matter.Code, OneThing: thing.Code,
			File: "one-things/" + thing.Code + ".yaml", Key: key, Reason: fmt.Sprintf(reason, args...),
		})
	}
	if len(m.Basis) == 0 {
		asks := "，不向申请人要"
		if hasMode(m, ModeUpload, ModeDefer) {
			asks = "，却会要申请人提交"
		}
		find(RuleBasis, "basis", "没有设定依据%s", asks)
	}
	if word := vague(m.Name); word != "" {
		find(RuleVague, "name", "名称含“%s”", word)
	}
	if reason := h.sharable(m); reason != "" {
		find(RuleShared, "chain", "%s", reason)
	}
	for _, p := range m.Proofs {
		for _, l := range p.Lookups {
			result := h.results[thing.Code+" "+l.Dataset]
			if result != "" && result != matter.Code && !slices.Contains(m.Prior, result) && comesBefore(thing, result, matter) {
				find(RuleShared, "prior", "%s 由前序事项 %s 登记，却没有前序结果复用", l.Dataset, result)
			}
		}
	}
	h.lookCommit(m, find)
}

func (h *health) lookCommit(m *Material, find func(rule HealthRule, key, reason string, args ...any)) {
	for _, s := range m.Chain {
		if s.Mode == ModeCommit && s.When == "" {
			find(RuleCommit, "chain", "告知承诺一步没有条件，不由申请人选择")
		}
	}
	if hasMode(m, ModeCommit) || !hasMode(m, ModeUpload) {
		return
	}
	for _, key := range commitKeys(m) {
		if other := h.commits[key]; other != "" {
			find(RuleCommit, "chain", "%s 中同一材料（%s）可以承诺", other, key)
			return
		}
	}
}

// comesBefore reports whether a matter of the one-thing is granted before another.
func comesBefore(thing *OneThing, earlier string, later *Matter) bool {
	seen, open := map[string]bool{}, slices.Clone(later.After)
	for len(open) > 0 {
		code := open[0]
		open = open[1:]
		if code == earlier {
			return true
		}
		for i := range thing.Matters {
			if m := &thing.Matters[i]; m.Code == code && !seen[code] {
				seen[code] = true
				open = append(open, m.After...)
			}
		}
	}
	return false
}

// sharable says why a material need not be asked for that is; empty where it is
// settled somehow, or nothing speaks for it.
func (h *health) sharable(m *Material) string {
	if hasMode(m, ModeForm, ModeElicense, ModeData, ModePrior, ModeHistory, ModeAssist, ModeCancel) {
		return ""
	}
	if slices.ContainsFunc(m.Proofs, func(p Proof) bool { return h.askable(&p) }) {
		return "写了证明组合且数源可问，顺位里却没有用"
	}
	if other := h.proved[m.StandardMaterial]; m.StandardMaterial != "" && other != "" {
		return "同一标准材料 " + m.StandardMaterial + " 在 " + other + " 由数据或证照核验"
	}
	if m.Origin == "government" && m.Note == "" {
		return "由政府部门核发，却要申请人提交，也没有说明原因"
	}
	return ""
}

// vague gives the word that makes a name say nothing definite, or "".
func vague(name string) string {
	for _, word := range []string{"其他", "其它", "相关", "有关"} {
		if strings.Contains(name, word) {
			return word
		}
	}
	bare := name
	for _, bracket := range []string{"(", "（"} {
		bare, _, _ = strings.Cut(bare, bracket)
	}
	for _, ending := range []string{"等", "等材料", "等文件", "等证明", "等资料", "等证明材料", "等证明文件"} {
		if strings.HasSuffix(bare, ending) {
			return "等"
		}
	}
	return ""
}
