package interchange

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"

	"mianti/catalog"
)

// wrong is what is wrong with a cell.
type wrong struct{ code, message, remedy string }

// form is how a value stands in a cell: how it is written, and read. Reading is told
// what stood there; nothing is nil.
type form struct {
	show func(s *scribe, value any) string
	read func(s *scribe, text string, old any) (any, *wrong)
}

// scribe writes and reads cells by what a revision calls things.
type scribe struct {
	rev   *catalog.Revision
	names map[catalog.ThingKind]*naming
	// lenient leaves conditions to the check of the whole: the file itself brings
	// facts along that they may be about.
	lenient bool
}

// naming is what the things of a kind are called. A name that two have is none.
type naming struct{ name, code map[string]string }

func newScribe(rev *catalog.Revision) *scribe {
	s := &scribe{rev: rev, names: map[catalog.ThingKind]*naming{}}
	for _, d := range rev.Departments() {
		s.call(catalog.ThingDepartment, d.Code, d.Name)
		s.names[catalog.ThingDepartment].code[d.CreditCode] = d.Code
	}
	for _, r := range rev.Roles() {
		s.call(catalog.ThingRole, r.Code, r.Name)
	}
	for _, m := range rev.StandardMaterials() {
		s.call(catalog.ThingStandardMaterial, m.Code, m.Name)
	}
	for _, d := range rev.Datasets() {
		s.call(catalog.ThingDataset, d.Code, d.Name)
	}
	return s
}

// call says what a thing is called.
func (s *scribe) call(kind catalog.ThingKind, code, name string) {
	n := s.names[kind]
	if n == nil {
		n = &naming{map[string]string{}, map[string]string{}}
		s.names[kind] = n
	}
	n.code[code] = code
	switch other, taken := n.code[name]; {
	case strings.ContainsAny(name, "、,，;；\n"):
	case taken && other != code:
		delete(n.name, other)
		n.code[name] = ""
	default:
		n.name[code], n.code[name] = name, code
	}
}

// nameOf gives the name of a thing, or its code where the name says too little.
func (s *scribe) nameOf(kind catalog.ThingKind, code string) string {
	if n := s.names[kind]; n != nil && n.name[code] != "" {
		return n.name[code]
	}
	return code
}

// codeOf gives the code of a thing that is called so; empty for none.
func (s *scribe) codeOf(kind catalog.ThingKind, name string) string {
	if n := s.names[kind]; n != nil {
		return n.code[name]
	}
	return ""
}

func asText(value any) string {
	text, _ := value.(string)
	return text
}

// plainText is a text as it stands.
func plainText() form {
	return form{
		show: func(_ *scribe, value any) string { return asText(value) },
		read: func(_ *scribe, text string, _ any) (any, *wrong) {
			if text == "" {
				return nil, nil
			}
			return text, nil
		},
	}
}

// pattern is a text of one shape.
func pattern(shape, say string) form {
	matcher := regexp.MustCompile("^(" + shape + ")$")
	return form{
		show: plainText().show,
		read: func(_ *scribe, text string, _ any) (any, *wrong) {
			switch {
			case text == "":
				return nil, nil
			case !matcher.MatchString(text):
				return nil, &wrong{"bad-shape", "“" + shortened(text) + "”的写法不对", "应为" + say}
			default:
				return text, nil
			}
		},
	}
}

// expression is a condition on the facts, which has to compile.
func expression() form {
	return form{
		show: plainText().show,
		read: func(s *scribe, text string, _ any) (any, *wrong) {
			if text == "" || s.lenient {
				return nilIfEmpty(text), nil
			}
			if _, faults := s.rev.TryCondition(text); len(faults) > 0 {
				f := faults[0]
				return nil, &wrong{f.Code, f.Reason, fmt.Sprintf("改正条件第 %d 行第 %d 个字符处，写法见“情形”页", f.Line, f.Column)}
			}
			return text, nil
		},
	}
}

func nilIfEmpty(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// whole is a whole number, with or without the unit behind it.
func whole(least, most int) form {
	digits := regexp.MustCompile(`^([0-9]{1,9})\s*(个|份|工作日|个工作日|日|天)?$`)
	return form{
		show: func(_ *scribe, value any) string {
			n, ok := value.(float64)
			if !ok {
				return ""
			}
			return strconv.FormatFloat(n, 'f', -1, 64)
		},
		read: func(_ *scribe, text string, _ any) (any, *wrong) {
			if text == "" {
				return nil, nil
			}
			found := digits.FindStringSubmatch(norm.NFKC.String(text))
			if found != nil {
				if n, err := strconv.Atoi(found[1]); err == nil && n >= least && n <= most {
					return float64(n), nil
				}
			}
			return nil, &wrong{"bad-number", "“" + shortened(text) + "”不是 " + strconv.Itoa(least) + " 到 " + strconv.Itoa(most) + " 的整数", "请填整数"}
		},
	}
}

// yes is whether something is so; what is not so is left out.
func yes() form {
	return form{
		show: func(_ *scribe, value any) string {
			if value == true {
				return "是"
			}
			return ""
		},
		read: func(_ *scribe, text string, _ any) (any, *wrong) {
			switch strings.ToLower(norm.NFKC.String(text)) {
			case "是", "1", "true", "√", "✓", "y", "yes":
				return true, nil
			case "", "否", "0", "false", "×", "n", "no", "2":
				return nil, nil
			default:
				return nil, &wrong{"not-yes-no", "“" + shortened(text) + "”不是“是”或“否”", "请填“是”或“否”"}
			}
		},
	}
}

// present is whether there is a mapping at all, whatever is in it.
func present() form {
	return form{
		show: func(_ *scribe, value any) string {
			if value != nil {
				return "是"
			}
			return ""
		},
		read: func(s *scribe, text string, old any) (any, *wrong) {
			is, bad := yes().read(s, text, nil)
			switch {
			case bad != nil || is == nil:
				return nil, bad
			case old != nil:
				return old, nil
			default:
				return map[string]any{}, nil
			}
		},
	}
}

// word is one value that a cell may have: what the catalog writes, the national
// number, what it is called, and what else lists call it.
type word struct {
	value  any
	number string
	name   string
	also   []string
}

// words is one of a few values.
func words(all ...word) form {
	names := make([]string, len(all))
	for i, w := range all {
		names[i] = w.name
	}
	return form{
		show: func(_ *scribe, value any) string {
			for _, w := range all {
				if w.value == value {
					return w.name
				}
			}
			return asText(value)
		},
		read: func(_ *scribe, text string, _ any) (any, *wrong) {
			if text == "" {
				return nil, nil
			}
			if w, ok := wordFor(all, text); ok {
				return w.value, nil
			}
			return nil, &wrong{"unknown-word", "“" + shortened(text) + "”不是这一列可以填的值", "请填：" + strings.Join(names, "、")}
		},
	}
}

// leading is a number before a name: "10申请人自备", "1-原件", "(2) 复印件".
var leading = regexp.MustCompile(`^\(?([0-9]{1,2})\)?[.、:\-—\s)]*(.*)$`)

// wordFor finds the value that a text stands for: by name, by number, by both, or as
// the catalog writes it.
func wordFor(all []word, text string) (word, bool) {
	plain := strings.ToLower(strings.ReplaceAll(norm.NFKC.String(text), " ", ""))
	for _, w := range all {
		if plain == w.name || plain == w.number || slices.Contains(w.also, plain) || plain == w.value {
			return w, true
		}
	}
	if found := leading.FindStringSubmatch(plain); found != nil && found[2] != "" {
		for _, w := range all {
			if found[1] == w.number && (found[2] == w.name || slices.Contains(w.also, found[2])) {
				return w, true
			}
		}
	}
	return word{}, false
}

// reference is the code of a thing, shown by its name.
func reference(kind catalog.ThingKind) form {
	return form{
		show: func(s *scribe, value any) string { return s.nameOf(kind, asText(value)) },
		read: func(s *scribe, text string, _ any) (any, *wrong) {
			if text == "" {
				return nil, nil
			}
			if code := s.codeOf(kind, text); code != "" {
				return code, nil
			}
			return nil, &wrong{"unknown-" + strings.ReplaceAll(string(kind), "_", "-"), "没有叫“" + shortened(text) + "”的" + kind.Name(), "请填目录中" + kind.Name() + "的名称或代码；名称重复的填代码"}
		},
	}
}

// many is a list of what a form writes, on one line each or with a mark between.
func many(one form, between string) form {
	split := func(r rune) bool {
		return r == '\n' || r == '；' || r == ';' || between == "、" && strings.ContainsRune("、,， ", r)
	}
	return form{
		show: func(s *scribe, value any) string {
			list, _ := value.([]any)
			parts := make([]string, len(list))
			for i, item := range list {
				parts[i] = one.show(s, item)
			}
			return strings.Join(parts, between)
		},
		read: func(s *scribe, text string, _ any) (any, *wrong) {
			var list []any
			for _, part := range strings.FieldsFunc(text, split) {
				if part = strings.TrimSpace(part); part == "" {
					continue
				}
				value, bad := one.read(s, part, nil)
				if bad != nil {
					return nil, bad
				}
				if !slices.Contains(list, value) {
					list = append(list, value)
				}
			}
			if list == nil {
				return nil, nil
			}
			return list, nil
		},
	}
}

// pairs are options: a value and its label on a line.
func pairs() form {
	return form{
		show: func(_ *scribe, value any) string {
			list, _ := value.([]any)
			lines := make([]string, 0, len(list))
			for _, item := range list {
				option, _ := item.(map[string]any)
				lines = append(lines, asText(option["value"])+"="+asText(option["label"]))
			}
			return strings.Join(lines, "\n")
		},
		read: func(_ *scribe, text string, _ any) (any, *wrong) {
			var list []any
			for line := range strings.Lines(text) {
				if line = strings.TrimSpace(line); line == "" {
					continue
				}
				value, label, ok := strings.Cut(line, "=")
				if value, label = strings.TrimSpace(value), strings.TrimSpace(label); !ok || value == "" || label == "" {
					return nil, &wrong{"bad-option", "“" + shortened(line) + "”不是选项", "一行一个选项，写成 值=名称，如 own=自有"}
				}
				list = append(list, map[string]any{"value": value, "label": label})
			}
			if list == nil {
				return nil, nil
			}
			return list, nil
		},
	}
}

// shortened keeps a text that somebody else wrote short.
func shortened(text string) string {
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) > 30 {
		return string(runes[:30]) + "…"
	}
	return string(runes)
}
