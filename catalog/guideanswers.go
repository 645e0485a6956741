package catalog

import (
	"maps"
	"math"
	"slices"
	"strconv"

	"mianti/internal/fault"
)

// maxAnswer bounds a number in an answer: nine digits measure a plot of land, and
// hold neither an identity number nor that of a telephone.
const maxAnswer = 999_999_999

// ParseAnswers types answers to a guide as a form sends them: texts, by fact code.
// What they say is of a situation and of nobody: a text, and a number that could
// be somebody's, is refused (personal-data). What is wrong is listed by location;
// what is right is returned all the same. An answer that is empty is none.
func (r *Revision) ParseAnswers(values map[string][]string) (Facts, []fault.Detail) {
	given := map[string]any{}
	for _, code := range slices.Sorted(maps.Keys(values)) {
		sent := slices.DeleteFunc(slices.Clone(values[code]), func(v string) bool { return v == "" })
		if len(sent) == 0 {
			continue
		}
		given[code] = r.answer(code, sent)
	}
	return r.GuideFacts(given)
}

// answer turns what a form sent into what the fact's type wants; what cannot be
// turned stays the text that it is, and is refused as of the wrong type.
func (r *Revision) answer(code string, sent []string) any {
	fact := r.Fact(code)
	if fact == nil {
		return sent[0]
	}
	if fact.Type == FactSet {
		if len(sent) == 1 && sent[0] == noneOfSet {
			return []string{}
		}
		return slices.DeleteFunc(sent, func(v string) bool { return v == noneOfSet })
	}
	if len(sent) > 1 {
		return sent
	}
	switch fact.Type {
	case FactBool:
		if v, err := strconv.ParseBool(sent[0]); err == nil {
			return v
		}
	case FactNumber:
		if v, err := strconv.ParseFloat(sent[0], 64); err == nil {
			return v
		}
	}
	return sent[0]
}

// noneOfSet is what a form sends for a set of which nothing was chosen.
const noneOfSet = "-"

// GuideFacts types answers to a guide, as ParseFacts does, and refuses those that
// could say who somebody is.
func (r *Revision) GuideFacts(values map[string]any) (Facts, []fault.Detail) {
	facts, details := r.ParseFacts(values)
	for _, code := range slices.Sorted(maps.Keys(facts)) {
		value, isNumber := facts[code].(float64)
		if r.Fact(code).Type != FactText && (!isNumber || math.Abs(value) <= maxAnswer) {
			continue
		}
		delete(facts, code)
		details = append(details, fault.Detail{
			Location: "facts." + code, Code: "personal-data", Message: "导办不接收可能含个人信息的内容。请勿填写姓名、号码或地址",
		})
	}
	return facts, details
}
