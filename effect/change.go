package effect

import (
	"fmt"
	"strings"

	"mianti/catalog"
)

// MaterialChange (要件变化) is a material that is asked for otherwise, in words. A matter whose
// own condition or order changed is one too, with no material.
type MaterialChange struct {
	Place
	Kind  catalog.ChangeKind `json:"change" enum:"added,removed,changed"`
	Lines []ChangeLine       `json:"lines"`
}

// ChangeLine (变化一项) is one thing that is otherwise, with how it was said before
// and how it is said now.
type ChangeLine struct {
	What string `json:"what"`
	Old  string `json:"old"`
	New  string `json:"new"`
}

// changes gives what is asked for otherwise, and how many changes there are besides
// that ask for nothing otherwise.
func (t *touched) changes(all []catalog.ThingChange) ([]MaterialChange, int) {
	out, others := []MaterialChange{}, 0
	for i := range all {
		c := &all[i]
		one := MaterialChange{Kind: c.Change}
		switch c.Kind {
		case catalog.ThingMaterial:
			one.Place, one.Lines = t.place(c.Code), t.materialLines(c.Code)
		case catalog.ThingMatter:
			one.Place, one.Lines = t.matterPlace(c.Code), t.matterLines(c.Code)
		default:
			others++
			continue
		}
		if len(one.Lines) == 0 {
			others++
			continue
		}
		out = append(out, one)
	}
	return out, others
}

func (t *touched) matterPlace(code string) Place {
	m := t.after.Matter(code)
	if m == nil {
		m = t.before.Matter(code)
	}
	return Place{Matter: m.Code, MatterName: m.Name, OneThing: m.OneThing, Department: m.Department}
}

// said is one thing that is said of a material or a matter; nothing is said of one
// that is not there.
type said struct{ what, text string }

func (t *touched) materialLines(code string) []ChangeLine {
	return linesOf(sayMaterial(t.before, code), sayMaterial(t.after, code))
}

func (t *touched) matterLines(code string) []ChangeLine {
	return linesOf(sayMatter(t.before.Matter(code)), sayMatter(t.after.Matter(code)))
}

func linesOf(before, after []said) []ChangeLine {
	lines := []ChangeLine{}
	for i := range max(len(before), len(after)) {
		var line ChangeLine
		if i < len(before) {
			line.What, line.Old = before[i].what, before[i].text
		}
		if i < len(after) {
			line.What, line.New = after[i].what, after[i].text
		}
		if line.Old != line.New {
			lines = append(lines, line)
		}
	}
	return lines
}

func sayMaterial(rev *catalog.Revision, code string) []said {
	m := rev.Material(code)
	if m == nil {
		return nil
	}
	return []said{
		{"何时要", when(m.WhenInWords())},
		{"办法的顺序", chainInWords(rev, m)},
		{"核验什么", proofsInWords(rev, m)},
		{"谁的材料", rolesInWords(rev, m.Subjects)},
		{"取哪些事项的结果", priorInWords(m)},
		{"同一材料", m.StandardMaterial},
		{"先看后用", map[bool]string{true: "是"}[m.Preview]},
	}
}

func sayMatter(m *catalog.Matter) []said {
	if m == nil {
		return nil
	}
	return []said{{"何时办", when(m.WhenInWords())}, {"在哪些事项之后", strings.Join(m.After, "、")}}
}

func when(w catalog.Words) string {
	if w.Always() {
		return "任何情形"
	}
	return w.Text
}

func chainInWords(rev *catalog.Revision, m *catalog.Material) string {
	steps := make([]string, len(m.Chain))
	for i, step := range m.Chain {
		steps[i] = step.Mode.Name()
		if d := rev.Department(step.Department); d != nil {
			steps[i] += "（" + d.Name + "）"
		}
		if words := m.StepInWords(i); !words.Always() {
			steps[i] += "（" + words.Text + "）"
		}
		for _, limit := range []struct {
			n    int
			unit string
		}{{step.Days, "个工作日"}, {step.Minutes, "分钟"}, {step.Months, "个月"}} {
			if limit.n > 0 {
				steps[i] += fmt.Sprintf("（%d %s）", limit.n, limit.unit)
			}
		}
	}
	return strings.Join(steps, " → ")
}

func proofsInWords(rev *catalog.Revision, m *catalog.Material) string {
	var out []string
	for i := range m.Proofs {
		p := &m.Proofs[i]
		var records []string
		for _, l := range p.Lookups {
			text := l.Dataset
			if d := rev.Dataset(l.Dataset); d != nil {
				text = d.Name
			}
			if role := rev.Role(l.Subject); role != nil {
				text += "（" + role.Name + "）"
			}
			if l.YesNo {
				text += "，只返回是否"
			}
			records = append(records, text)
		}
		text := strings.Join(records, "和")
		if p.For != "" {
			text = p.For.Name() + "：" + text
		}
		if words := p.CheckInWords(); !words.Always() {
			text += "，要求" + words.Text
		}
		out = append(out, text)
	}
	return strings.Join(out, "；或")
}

func rolesInWords(rev *catalog.Revision, codes []string) string {
	names := make([]string, len(codes))
	for i, code := range codes {
		if names[i] = code; rev.Role(code) != nil {
			names[i] = rev.Role(code).Name
		}
	}
	return strings.Join(names, "、")
}

func priorInWords(m *catalog.Material) string {
	if m.PriorAll {
		return strings.Join(m.Prior, "、") + "（都要）"
	}
	return strings.Join(m.Prior, "、")
}
