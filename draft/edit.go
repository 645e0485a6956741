package draft

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"mianti/catalog"
	"mianti/internal/fault"
)

// mostEdits bounds a draft, and longestValue a thing in bytes.
const (
	mostEdits    = 50_000
	longestValue = 512 << 10
)

func checkTexts(in Opening) error {
	if strings.TrimSpace(in.Title) == "" || utf8.RuneCountInString(in.Title) > longestTitle || strings.ContainsAny(in.Title, "\r\n") {
		return fault.New(fault.Invalid, "invalid-draft", "请给草案起一个名称，至多 %d 字。", longestTitle).
			With(fault.Detail{Location: "body.title", Code: "missing", Message: "如：取消个体户开餐馆的身份证复印件。"})
	}
	if err := textError("invalid-draft", "body.title", in.Title, true); err != nil {
		return err
	}
	return textError("invalid-draft", "body.why", in.Why, false)
}

// checkEdits looks at the form of edits: what they say of the catalog is for
// Catalogs.Drafted.
func checkEdits(edits []catalog.Edit) error {
	if len(edits) > mostEdits {
		return fault.New(fault.TooLarge, "too-many-edits", "一份草案至多改 %d 项。请分成几份。", mostEdits)
	}
	seen := map[Thing]bool{}
	for i := range edits {
		if err := checkEdit(&edits[i]); err != nil {
			return err
		}
		if seen[thingOf(edits[i])] {
			return invalidEdit(&edits[i], "duplicate-edit", "同一个对象只能有一处改动。")
		}
		seen[thingOf(edits[i])] = true
	}
	return nil
}

func checkEdit(e *catalog.Edit) error {
	switch {
	case !slices.Contains(catalog.ThingKinds(), e.Kind):
		return invalidEdit(e, "unknown-kind", "没有这一类对象。")
	case e.Kind == catalog.ThingSource:
		return invalidEdit(e, "unknown-kind", "数源接口是数据资源的一部分，请改数据资源。")
	case e.Code == "" || utf8.RuneCountInString(e.Code) > 64 || strings.ContainsAny(e.Code, "/\\ \t\r\n"):
		return invalidEdit(e, "invalid-code", "请填写对象的代码。")
	case len(e.Value) > longestValue:
		return invalidEdit(e, "too-large", "一项内容至多 512 KiB。")
	}
	if len(e.Value) == 0 || string(e.Value) == "null" {
		e.Value = nil
		return nil
	}
	var value map[string]any
	if err := json.Unmarshal(e.Value, &value); err != nil || value == nil {
		return invalidEdit(e, "wrong-format", "应为一个对象：每个键一个值。")
	}
	if value["code"] != e.Code {
		return invalidEdit(e, "code-differs", "内容里的 code 应为 "+e.Code+"。改代码的，请删除原来的、另外新增。")
	}
	return nil
}

func invalidEdit(e *catalog.Edit, code, message string) error {
	return fault.New(fault.Invalid, "invalid-edit", "%s %s：%s", e.Kind, e.Code, message).
		With(fault.Detail{Location: "body.edits." + string(e.Kind) + "." + e.Code, Code: code, Message: message})
}

// difference gives the edits that are new or other than before, and the things
// that have none any more.
func difference(before, after []catalog.Edit) (put []catalog.Edit, gone []Thing) {
	old := make(map[Thing]catalog.Edit, len(before))
	for _, e := range before {
		old[thingOf(e)] = e
	}
	for _, e := range after {
		was, ok := old[thingOf(e)]
		if !ok || was.In != e.In || string(was.Value) != string(e.Value) {
			put = append(put, e)
		}
		delete(old, thingOf(e))
	}
	for _, e := range before {
		if _, left := old[thingOf(e)]; left {
			gone = append(gone, thingOf(e))
		}
	}
	return put, gone
}
