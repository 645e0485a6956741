package interchange

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"mianti/catalog"
)

// work is a thing that rows of the file are about.
type work struct {
	kind    catalog.ThingKind
	code    string
	in      string         // the department that holds a dataset
	old     map[string]any // as the catalog's file has it; nil for a new one
	own     map[string]any // as it will be
	common  map[string]any // what a material takes from its common one
	removed bool
	place   *line // the first row that changes it
	padded  bool  // its proofs hold empty ones, in place of those that were removed
}

func same(a, b any) bool { return reflect.DeepEqual(a, b) }

// merged gives the thing with what it takes from its common one.
func (w *work) merged() map[string]any { return filled(w.own, w.common) }

// now gives the thing as it will be; nil for one that is removed.
func (w *work) now() map[string]any {
	if w.removed {
		return nil
	}
	return w.own
}

// record is the thing as a row.
func (w *work) record(*scribe) *record { return &record{code: w.code, in: w.in, values: w.merged()} }

// set changes what stands at a column's place; nothing is nil.
func (w *work) set(c *column, value any) *wrong {
	top, _, _ := strings.Cut(c.key, ".")
	if value == nil && w.common[top] != nil {
		if _, text := w.common[top].(string); c.key == "standard_material" || c.needed && text {
			return &wrong{"from-common", "它来自通用材料，这里不能清空", "请填另一个值，或改通用材料"}
		}
	}
	if value == nil && c.needed && w.common[top] == nil {
		return &wrong{"missing-value", "“" + c.heading + "”不能清空", "这一列必填；不改的话请恢复原值"}
	}
	w.put(c.key, value)
	return nil
}

// put changes what stands at a place. What a material's common one says as well is
// left to it; what it says and the material does not, is said to be empty.
func (w *work) put(place string, value any) {
	top, _, _ := strings.Cut(place, ".")
	next := map[string]any{top: w.merged()[top]}
	if next[top] == nil {
		delete(next, top)
	}
	put(next, place, value)
	w.own = maps.Clone(w.own)
	switch said := next[top]; {
	case same(said, w.common[top]):
		delete(w.own, top)
	case said == nil && w.common[top] != nil:
		w.own[top] = emptyLike(w.common[top])
	case said == nil:
		delete(w.own, top)
	default:
		w.own[top] = said
	}
}

// emptyLike gives nothing, as the file format writes it in place of a value.
func emptyLike(value any) any {
	switch value.(type) {
	case string:
		return ""
	case []any:
		return []any{}
	case bool:
		return false
	default:
		return map[string]any{}
	}
}

// find gives the thing that a row is about; nil where it cannot be told, which is
// reported then.
func (r *reader) find(l *line, removes bool) (*work, error) {
	code, bad, err := r.codeOf(l)
	if err != nil || bad != nil {
		if bad != nil {
			l.fail(r, l.page.sheet.findsBy(), *bad)
		}
		return nil, err
	}
	key := []string{code}
	if l.page.sheet.list != "" {
		key = append(key, l.group(), l.text(findsItem))
	}
	if r.twice(l, key...) {
		return nil, nil
	}
	w, err := r.thing(l.page.sheet.kind, code)
	if err != nil {
		return nil, err
	}
	if w.old == nil && r.works[thingName{w.kind, code}] == nil {
		bad := r.begin(l, w, removes)
		if bad != nil {
			l.fail(r, l.page.sheet.findsBy(), *bad)
			return nil, nil
		}
	}
	if w.removed {
		l.fail(r, "", wrong{"removed-already", shortened(code) + " 在前面的行里已删除", "请删去其中一行"})
		return nil, nil
	}
	if holder := l.text(findsHolder); w.old != nil && holder != "" && r.scribe.codeOf(catalog.ThingDepartment, holder) != w.in && w.in != "" {
		l.fail(r, "信息资源提供方", wrong{"holder-fixed", "数据资源不能换提供方", "请删除它，再在新的提供方名下新增"})
		return nil, nil
	}
	return w, nil
}

// findsBy names the column that finds a thing of the sheet.
func (s *sheet) findsBy() string { return strings.Trim(s.headingsOf(findsCode, "", ""), "“”") }

// thing gives a thing as it stands, or as rows before have changed it.
func (r *reader) thing(kind catalog.ThingKind, code string) (*work, error) {
	if w := r.works[thingName{kind, code}]; w != nil {
		return w, nil
	}
	edit, err := r.base.Thing(kind, code)
	if err != nil {
		return nil, err
	}
	w := &work{kind: kind, code: code, in: edit.In}
	if edit.Value != nil {
		if w.old, err = asValues(edit.Value); err != nil {
			return nil, err
		}
	}
	w.own = maps.Clone(w.old)
	if w.own == nil {
		w.own = map[string]any{"code": code}
	}
	return w, r.takesFrom(w)
}

// takesFrom fills in the common material of a material.
func (r *reader) takesFrom(w *work) error {
	common := asText(w.own["common"])
	if w.kind != catalog.ThingMaterial || common == "" {
		return nil
	}
	from, err := r.thing(catalog.ThingCommonMaterial, common)
	if err != nil || from.old == nil && r.works[thingName{catalog.ThingCommonMaterial, common}] == nil {
		return err
	}
	w.common = maps.Clone(from.own)
	delete(w.common, "code")
	return nil
}

// takesFromAnother fills in the common material that a row has just named.
func (r *reader) takesFromAnother(l *line, c *column, w *work) {
	w.common = nil
	if err := r.takesFrom(w); err != nil || w.common == nil && w.own["common"] != nil {
		l.fail(r, c.heading, wrong{"unknown-common-material", "没有通用材料 " + shortened(asText(w.own["common"])), "请核对通用材料代码"})
	}
}

// begin starts a thing that the catalog does not have.
func (r *reader) begin(l *line, w *work, removes bool) *wrong {
	s := l.page.sheet
	if removes {
		return &wrong{"unknown-thing", "目录里没有 " + shortened(w.code) + "，无法删除", "请核对代码，或删去这一行"}
	}
	if s.list != "" {
		return &wrong{"unknown-thing", "目录里没有" + s.kind.Name() + " " + shortened(w.code), "请核对代码；新的先在“" + s.kind.Name() + "”页加上"}
	}
	if shape := codeShape(s.kind); !matches(shape, w.code) {
		return &wrong{"bad-code", "代码“" + shortened(w.code) + "”的写法不对", "应如 " + codeExample(s.kind)}
	}
	switch s.kind {
	case catalog.ThingDataset:
		w.in = r.scribe.codeOf(catalog.ThingDepartment, l.text(findsHolder))
		if w.in == "" {
			return &wrong{"unknown-department", "新的数据资源要写信息资源提供方", "请填部门的名称、代码或统一社会信用代码"}
		}
	case catalog.ThingMatter:
		thing, _, _ := strings.Cut(w.code, ".")
		return r.needs(catalog.ThingOneThing, thing)
	case catalog.ThingMaterial:
		if common := l.named("common"); common != "" {
			w.own["common"] = common
			if err := r.takesFrom(w); err != nil || w.common == nil {
				return &wrong{"unknown-common-material", "没有通用材料 " + shortened(common), "请核对通用材料代码"}
			}
		}
		return r.needs(catalog.ThingMatter, matterOf(w.code))
	default:
		// The others stand in nothing.
	}
	return nil
}

// needs asks for the thing around a new one.
func (r *reader) needs(kind catalog.ThingKind, code string) *wrong {
	w, err := r.thing(kind, code)
	if err == nil && (w.old != nil || r.works[thingName{kind, code}] != nil) && !w.removed {
		return nil
	}
	return &wrong{"unknown-" + strings.ReplaceAll(string(kind), "_", "-"), "目录里没有" + kind.Name() + " " + shortened(code), "请先在“" + kind.Name() + "”页加上，或核对代码"}
}

// editOf gives the edit of a thing that was changed; false where nothing came of it,
// or something is missing, which is reported.
func (r *reader) editOf(w *work) (catalog.Edit, bool) {
	edit := catalog.Edit{Kind: w.kind, Code: w.code, In: w.in}
	if w.removed {
		return edit, true
	}
	if w.padded {
		kept := slices.DeleteFunc(entries(w.merged()["proofs"]), func(p map[string]any) bool { return len(entries(p["lookups"])) == 0 })
		w.put("proofs", nilIfNone(asList(kept)))
	}
	if w.old == nil {
		r.complete(w)
	}
	if same(w.own, w.old) {
		return edit, false
	}
	value, err := json.Marshal(w.own)
	if err != nil {
		r.preview.fail(RowError{Code: "bad-value", Message: fmt.Sprintf("%s 写不成文件：%v", w.code, err)})
		return edit, false
	}
	edit.Value = value
	return edit, true
}

func nilIfNone(list any) any {
	if items, ok := list.([]any); ok && len(items) == 0 {
		return nil
	}
	return list
}

// complete gives a new thing what no list says, with a notice, and reports what it
// lacks.
func (r *reader) complete(w *work) {
	usual := func(key string, value any, say string) {
		if w.merged()[key] == nil {
			w.put(key, value)
			r.preview.note(RowError{Sheet: w.place.page.name, Row: w.place.number, Code: "assumed", Message: w.code + " " + say})
		}
	}
	switch w.kind {
	case catalog.ThingMaterial:
		usual("kind", "other", "没有写材料类别，按“其他”")
		usual("need", string(catalog.NeedRequired), "没有写材料必要性，按“必要”")
		usual("chain", []any{map[string]any{"mode": string(catalog.ModeUpload)}}, "没有写免交方式，按“仍需提交”")
	case catalog.ThingDataset:
		usual("sources", []any{map[string]any{"code": w.in + "." + w.code + ".desk", "kind": string(catalog.SourceAssist)}}, "还没有接口，先登记为部门协查；接口在 YAML 中接上")
		if w.own["fields"] == nil {
			r.preview.fail(RowError{Sheet: w.place.page.name, Row: w.place.number, Code: "missing-fields", Message: "新的数据资源 " + w.code + " 没有信息项", Remedy: "请在“数据项”页写出它的信息项"})
		}
	default:
		// The others have nothing that could be assumed.
	}
	for _, c := range w.place.page.sheet.columns {
		if c.needed && at(w.merged(), c.key) == nil {
			w.place.fail(r, c.heading, wrong{"missing-value", "新的" + w.kind.Name() + " " + w.code + " 没有“" + c.heading + "”", "请加上或填写这一列"})
		}
	}
}
