package catalog

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"mianti/internal/fault"
)

// Facts are what is known of a case, by fact code: bool, string, float64, or
// []string for a set. A fact that is absent is unknown, never false.
type Facts map[string]any

// maxText bounds a text fact, in characters.
const maxText = 500

var regionCode = regexp.MustCompile(`^[0-9]{6}$`)

// ParseFacts types the facts of a case, as decoded from JSON or YAML. What is
// wrong with them is listed by location; the facts that are right are returned
// all the same.
func (r *Revision) ParseFacts(values map[string]any) (Facts, []fault.Detail) {
	facts := Facts{}
	var details []fault.Detail
	for _, code := range slices.Sorted(maps.Keys(values)) {
		fact := r.Fact(code)
		if fact == nil {
			details = append(details, fault.Detail{Location: "facts." + code, Code: "unknown-fact", Message: "目录中没有这个情形，请核对情形代码"})
			continue
		}
		value, ok := fact.parse(values[code])
		if !ok {
			details = append(details, fault.Detail{Location: "facts." + code, Code: "wrong-type", Message: fact.want()})
			continue
		}
		facts[code] = value
	}
	return facts, details
}

// parse types one value and reports whether the fact can have it.
func (f *Fact) parse(value any) (any, bool) {
	switch f.Type {
	case FactBool:
		v, ok := value.(bool)
		return v, ok
	case FactNumber:
		return factNumber(value)
	case FactSet:
		return f.parseSet(value)
	case FactEnum:
		s, ok := value.(string)
		return s, ok && f.has(s)
	case FactRegion:
		s, ok := value.(string)
		return s, ok && regionCode.MatchString(s)
	case FactText:
		s, ok := value.(string)
		return s, ok && s != "" && utf8.ValidString(s) && utf8.RuneCountInString(s) <= maxText
	default:
		return nil, false
	}
}

func factNumber(value any) (float64, bool) {
	if n, ok := value.(json.Number); ok {
		v, err := n.Float64()
		return v, err == nil
	}
	v, ok := number(value)
	return v, ok && !math.IsNaN(v) && !math.IsInf(v, 0)
}

// parseSet keeps each option once, in the catalog's order, so that the same
// answer given in another order is the same fact.
func (f *Fact) parseSet(value any) ([]string, bool) {
	given, ok := stringList(value)
	if !ok {
		return nil, false
	}
	set := []string{}
	for _, option := range f.Options {
		if slices.Contains(given, option.Value) {
			set = append(set, option.Value)
		}
	}
	for _, s := range given {
		if !f.has(s) {
			return nil, false
		}
	}
	return set, true
}

func (f *Fact) has(value string) bool {
	return slices.ContainsFunc(f.Options, func(o Option) bool { return o.Value == value })
}

// want says what values the fact can have.
func (f *Fact) want() string {
	switch f.Type {
	case FactBool:
		return "应为布尔值：true 或 false"
	case FactNumber:
		return "应为数字"
	case FactSet:
		return "应为列表，每项取以下之一：" + f.optionList()
	case FactEnum:
		return "应为以下之一：" + f.optionList()
	case FactRegion:
		return "应为六位行政区划代码（GB/T 2260），以文本给出"
	default:
		return fmt.Sprintf("应为文本，不空，不超过%d字", maxText)
	}
}

func (f *Fact) optionList() string {
	options := make([]string, len(f.Options))
	for i, o := range f.Options {
		options[i] = o.Value + "（" + o.Label + "）"
	}
	return strings.Join(options, "、")
}
