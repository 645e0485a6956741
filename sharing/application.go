package sharing

import (
	"fmt"
	"slices"
	"time"

	"mianti/catalog"
	"mianti/internal/fault"
)

// checkApplication holds an application of a department against the catalog,
// and gives its fields with their classes.
func checkApplication(rev *catalog.Revision, applicant string, a *Application, now time.Time) ([]Item, error) {
	wrong := a.checkTexts()
	wrong = append(wrong, a.checkTerm(now)...)
	wrong = append(wrong, a.checkMatters(rev, applicant)...)
	dataset := rev.Dataset(a.Dataset)
	if dataset == nil {
		return nil, invalidApplication(append(wrong, fault.Detail{Location: "body.dataset", Code: "unknown-dataset", Message: "目录中没有这个数据资源。"})...)
	}
	if dataset.Department == applicant {
		wrong = append(wrong, fault.Detail{Location: "body.dataset", Code: "own-dataset", Message: "这是本部门自己的数据，不需要申请。"})
	}
	items, faults := a.items(dataset)
	if wrong = append(wrong, faults...); len(wrong) > 0 {
		return nil, invalidApplication(wrong...)
	}
	return items, nil
}

func invalidApplication(wrong ...fault.Detail) error {
	return fault.New(fault.Invalid, "invalid-sharing-request", "申请有 %d 处不符合要求，没有登记。", len(wrong)).With(wrong...)
}

func (a *Application) checkTexts() []fault.Detail {
	var wrong []fault.Detail
	for _, text := range []struct{ at, value string }{
		{"body.basis", a.Basis}, {"body.scenario", a.Scenario}, {"body.scope", a.Scope}, {"body.officer", a.Officer},
	} {
		wrong = append(wrong, required(text.at, text.value)...)
	}
	if message := textFault(a.Purpose); message != "" {
		wrong = append(wrong, fault.Detail{Location: "body.purpose", Code: "invalid-text", Message: message})
	}
	if !slices.Contains([]Manner{MannerQuery, MannerVerify, MannerBatch, MannerFile}, a.Manner) {
		wrong = append(wrong, fault.Detail{Location: "body.manner", Code: "not-allowed", Message: "请填 query、verify、batch 或 file。"})
	}
	return wrong
}

func (a *Application) checkTerm(now time.Time) []fault.Detail {
	at := func(location, code, message string) []fault.Detail {
		return []fault.Detail{{Location: location, Code: code, Message: message}}
	}
	from, until, err := a.term()
	switch {
	case err != nil:
		return at("body.until", "format", "使用时限须为日期，如 2026-11-23。")
	case !from.Before(until):
		return at("body.until", "term-ends-before-it-begins", "使用时限的最后一天早于第一天。")
	case !now.Before(until):
		return at("body.until", "term-past", "使用时限已经过去。")
	case from.Before(startOfDay(now)):
		return at("body.from", "term-past", "使用时限不能从已经过去的日期开始。")
	}
	return nil
}

// startOfDay is the moment at which the day of a moment began in Asia/Shanghai.
func startOfDay(now time.Time) time.Time {
	year, month, day := now.In(catalog.TimeZone()).Date()
	return time.Date(year, month, day, 0, 0, 0, 0, catalog.TimeZone())
}

func (a *Application) checkMatters(rev *catalog.Revision, applicant string) []fault.Detail {
	var wrong []fault.Detail
	add := func(i int, code, message string) {
		wrong = append(wrong, fault.Detail{Location: fmt.Sprintf("body.matters[%d]", i), Code: code, Message: message})
	}
	if len(a.Matters) == 0 {
		return []fault.Detail{{Location: "body.matters", Code: "missing", Message: "请填写至少一个事项。"}}
	}
	for i, code := range a.Matters {
		matter := rev.Matter(code)
		switch {
		case matter == nil:
			add(i, "unknown-matter", "目录中没有这个事项。")
		case matter.Department != applicant:
			add(i, "matter-of-another-department", "这个事项由其他部门办理，由该部门申请。")
		case slices.Contains(a.Matters[:i], code):
			add(i, "duplicate-matter", "同一事项填了两次。")
		}
	}
	return wrong
}

// items gives the fields that are applied for. A field that is withheld cannot
// be; one that is shared under conditions needs a purpose besides its scope
// (条例, art. 14, 15).
func (a *Application) items(dataset *catalog.Dataset) ([]Item, []fault.Detail) {
	var wrong []fault.Detail
	add := func(i int, code, message string) {
		wrong = append(wrong, fault.Detail{Location: fmt.Sprintf("body.fields[%d]", i), Code: code, Message: message})
	}
	if len(a.Fields) == 0 {
		return nil, []fault.Detail{{Location: "body.fields", Code: "missing", Message: "请填写至少一个数据项。"}}
	}
	items, conditional := make([]Item, 0, len(a.Fields)), false
	for i, code := range a.Fields {
		field := dataset.Field(code)
		switch {
		case field == nil:
			add(i, "unknown-field", "数据资源中没有这个数据项。")
			continue
		case slices.Contains(a.Fields[:i], code):
			add(i, "duplicate-field", "同一数据项填了两次。")
		}
		class := dataset.SharingOf(field)
		if class == catalog.SharingWithheld {
			add(i, "withheld-field", "「"+field.Name+"」不予共享，不能申请。")
		}
		conditional = conditional || class != catalog.SharingUnconditional
		items = append(items, Item{Field: code, Class: class})
	}
	if conditional && blank(a.Purpose) {
		wrong = append(wrong, fault.Detail{Location: "body.purpose", Code: "conditional-needs-purpose", Message: "申请有条件共享的数据项，须写明使用用途。"})
	}
	return items, wrong
}
