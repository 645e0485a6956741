package interchange

import (
	"regexp"
	"strconv"
	"strings"

	"mianti/catalog"
)

// chain is a material's steps, each on a line: 部门协查｜部门 市公安局｜3 个工作日｜条件 agent.
// The condition stands last, for it may hold anything.
func chain() form {
	return form{show: showChain, read: readChain}
}

func showChain(s *scribe, value any) string {
	list, _ := value.([]any)
	lines := make([]string, 0, len(list))
	for _, item := range list {
		step, _ := item.(map[string]any)
		line := catalog.Mode(asText(step["mode"])).Name()
		if code := asText(step["department"]); code != "" {
			line += "｜部门 " + s.nameOf(catalog.ThingDepartment, code)
		}
		for _, a := range amounts() {
			if n, ok := step[a.key].(float64); ok && n != 0 {
				line += "｜" + strconv.FormatFloat(n, 'f', -1, 64) + " " + a.unit
			}
		}
		if when := asText(step["when"]); when != "" {
			line += "｜条件 " + strings.Join(strings.Fields(when), " ")
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// amount is what a step has a number of.
type amount struct {
	key, unit string
	also      []string
}

func amounts() []amount {
	return []amount{{"days", "个工作日", []string{"工作日", "日", "天"}}, {"minutes", "分钟", nil}, {"months", "个月", []string{"月"}}}
}

// arrow separates steps that stand on one line.
var arrow = regexp.MustCompile(`\s*(→|➝|⇒)\s*|\n`)

func readChain(s *scribe, text string, _ any) (any, *wrong) {
	var steps []any
	for _, line := range arrow.Split(text, -1) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		step, bad := readStep(s, line)
		if bad != nil {
			return nil, bad
		}
		steps = append(steps, step)
	}
	if steps == nil {
		return nil, nil
	}
	return steps, nil
}

func readStep(s *scribe, line string) (map[string]any, *wrong) {
	name, rest, _ := strings.Cut(line, "｜")
	mode := modeFor(strings.TrimSpace(name))
	if mode == "" {
		return nil, &wrong{"unknown-mode", "“" + shortened(name) + "”不是免交方式", "一行一种方式，可填：" + modeNames()}
	}
	step := map[string]any{"mode": string(mode)}
	for rest != "" {
		rest = strings.TrimSpace(rest)
		if condition, ok := strings.CutPrefix(rest, "条件"); ok {
			when, bad := expression().read(s, strings.TrimSpace(condition), nil)
			if when != nil {
				step["when"] = when
			}
			return step, bad
		}
		var part string
		part, rest, _ = strings.Cut(rest, "｜")
		if bad := readPart(s, step, strings.TrimSpace(part)); bad != nil {
			return nil, bad
		}
	}
	return step, nil
}

// readPart reads what stands behind a mode: a department, or a number with its unit.
func readPart(s *scribe, step map[string]any, part string) *wrong {
	if name, ok := strings.CutPrefix(part, "部门"); ok {
		code, bad := reference(catalog.ThingDepartment).read(s, strings.TrimSpace(name), nil)
		if bad == nil {
			step["department"] = code
		}
		return bad
	}
	digits := strings.TrimRight(part, "个工作日天分钟月 ")
	n, err := strconv.Atoi(digits)
	unit := strings.TrimSpace(strings.TrimPrefix(part, digits))
	for _, a := range amounts() {
		for _, known := range append([]string{a.unit}, a.also...) {
			if err == nil && n > 0 && unit == known {
				step[a.key] = float64(n)
				return nil
			}
		}
	}
	return &wrong{"bad-step", "“" + shortened(part) + "”读不懂", "方式之后可写：｜部门 名称｜3 个工作日｜30 分钟｜12 个月｜条件 …，条件写在最后"}
}

func modeFor(text string) catalog.Mode {
	for _, m := range catalog.Modes() {
		if text == m.Name() || text == string(m) {
			return m
		}
	}
	return ""
}

func modeNames() string {
	names := make([]string, 0, len(catalog.Modes()))
	for _, m := range catalog.Modes() {
		names = append(names, m.Name())
	}
	return strings.Join(names, "、")
}
