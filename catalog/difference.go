package catalog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// ThingKind (目录对象种类) says what of a catalog a thing is.
type ThingKind string

// The kinds, in the order in which a comparison lists them.
const (
	ThingOneThing         ThingKind = "one_thing"
	ThingMatter           ThingKind = "matter"
	ThingMaterial         ThingKind = "material"
	ThingCommonMaterial   ThingKind = "common_material"
	ThingStandardMaterial ThingKind = "standard_material"
	ThingDataset          ThingKind = "dataset"
	ThingSource           ThingKind = "source"
	ThingFact             ThingKind = "fact"
	ThingRole             ThingKind = "role"
	ThingDepartment       ThingKind = "department"
	ThingExplanation      ThingKind = "explanation"
)

// Name gives the kind in Chinese.
func (k ThingKind) Name() string {
	return map[ThingKind]string{
		ThingOneThing: "一件事", ThingMatter: "事项", ThingMaterial: "材料", ThingCommonMaterial: "通用材料", ThingStandardMaterial: "标准材料",
		ThingDataset: "数据资源", ThingSource: "数源接口", ThingFact: "情形", ThingRole: "角色", ThingDepartment: "部门",
		ThingExplanation: "体检说明",
	}[k]
}

// ThingKinds lists the kinds.
func ThingKinds() []ThingKind {
	return []ThingKind{ThingOneThing, ThingMatter, ThingMaterial, ThingCommonMaterial, ThingStandardMaterial, ThingDataset, ThingSource,
		ThingFact, ThingRole, ThingDepartment, ThingExplanation}
}

// ChangeKind says what became of a thing.
type ChangeKind string

// The changes.
const (
	ThingAdded   ChangeKind = "added"
	ThingRemoved ChangeKind = "removed"
	ThingChanged ChangeKind = "changed"
)

// ThingChange (目录变化) is a thing that one revision has otherwise than another.
type ThingChange struct {
	Kind   ThingKind     `json:"kind"`
	Code   string        `json:"code"`
	Name   string        `json:"name"`
	Change ChangeKind    `json:"change"`
	Fields []FieldChange `json:"fields"` // of one that was changed
}

// FieldChange (字段变化) is one place of a thing with what stood there and what
// stands there now. A value is as JSON has it; nil where nothing stands.
type FieldChange struct {
	// Place is the key, and for what is inside a proof or a field the way to it:
	// "proofs.1.check" is in the first proof.
	Place string `json:"place"`
	Old   any    `json:"old"`
	New   any    `json:"new"`
}

// Compare tells how a later revision differs from an earlier one: by kind, then
// in the catalog's order, what was removed after what is there.
func Compare(earlier, later *Revision) ([]ThingChange, error) {
	changes := []ThingChange{}
	for _, kind := range ThingKinds() {
		found, err := compareThings(kind, earlier.things(kind), later.things(kind))
		if err != nil {
			return nil, err
		}
		changes = append(changes, found...)
	}
	return changes, nil
}

// listedThing is a thing with what it is called.
type listedThing struct {
	code, name string
	thing      any
}

func listing[T any](all []*T, code, name func(*T) string) []listedThing {
	out := make([]listedThing, len(all))
	for i, thing := range all {
		out[i] = listedThing{code(thing), name(thing), thing}
	}
	return out
}

// things lists what a revision has of a kind. What is a thing of its own is left
// out of the one around it.
func (r *Revision) things(kind ThingKind) []listedThing {
	materials := func(all []*Material) []listedThing {
		return listing(all, func(m *Material) string { return m.Code }, func(m *Material) string { return m.Name })
	}
	switch kind {
	case ThingOneThing:
		return listing(r.oneThings, func(t *OneThing) string { return t.Code }, func(t *OneThing) string { return t.Name })
	case ThingMatter:
		return listing(r.matters, func(m *Matter) string { return m.Code }, func(m *Matter) string { return m.Name })
	case ThingMaterial:
		return materials(r.materials)
	case ThingCommonMaterial:
		return materials(r.commonMaterials)
	case ThingStandardMaterial:
		return listing(r.standardMaterials, func(m *StandardMaterial) string { return m.Code }, func(m *StandardMaterial) string { return m.Name })
	case ThingDataset:
		return listing(r.datasets, func(d *Dataset) string { return d.Code }, func(d *Dataset) string { return d.Name })
	case ThingSource:
		return r.sourcesByDataset()
	case ThingFact:
		return listing(r.facts, func(f *Fact) string { return f.Code }, func(f *Fact) string { return f.Ask })
	case ThingRole:
		return listing(r.roles, func(x *Role) string { return x.Code }, func(x *Role) string { return x.Name })
	case ThingDepartment:
		return listing(r.departments, func(d *Department) string { return d.Code }, func(d *Department) string { return d.Name })
	case ThingExplanation:
		return listing(pointers(r.lint.Explained), func(x *LintExplanation) string { return x.Code }, func(x *LintExplanation) string { return x.Why })
	default:
		return nil
	}
}

func pointers[T any](list []T) []*T {
	out := make([]*T, len(list))
	for i := range list {
		out[i] = &list[i]
	}
	return out
}

func (r *Revision) sourcesByDataset() []listedThing {
	var out []listedThing
	for _, d := range r.datasets {
		for i := range d.Sources {
			out = append(out, listedThing{d.Sources[i].Code, d.Name, &d.Sources[i]})
		}
	}
	return out
}

func compareThings(kind ThingKind, earlier, later []listedThing) ([]ThingChange, error) {
	before := make(map[string]listedThing, len(earlier))
	for _, t := range earlier {
		before[t.code] = t
	}
	var changes []ThingChange
	for _, now := range later {
		change := ThingChange{Kind: kind, Code: now.code, Name: now.name, Change: ThingAdded, Fields: []FieldChange{}}
		was, ok := before[now.code]
		if !ok {
			changes = append(changes, change)
			continue
		}
		delete(before, now.code)
		fields, err := fieldChanges(was.thing, now.thing)
		if err != nil {
			return nil, fmt.Errorf("compare %s: %w", now.code, err)
		}
		if change.Change, change.Fields = ThingChanged, fields; len(fields) > 0 {
			changes = append(changes, change)
		}
	}
	for _, t := range earlier {
		if _, gone := before[t.code]; gone {
			changes = append(changes, ThingChange{Kind: kind, Code: t.code, Name: t.name, Change: ThingRemoved, Fields: []FieldChange{}})
		}
	}
	return changes, nil
}

// fieldChanges compares two things by how they are written. Most are the same,
// and are compared as text only.
func fieldChanges(was, now any) ([]FieldChange, error) {
	a, err := json.Marshal(withoutParts(was))
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(withoutParts(now))
	if err != nil || bytes.Equal(a, b) {
		return nil, err
	}
	var old, fresh map[string]any
	if err := json.Unmarshal(a, &old); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(b, &fresh); err != nil {
		return nil, err
	}
	changes := compareKeys("", old, fresh)
	order, err := asKeys(withoutParts(now))
	if err != nil {
		return nil, err
	}
	rank := func(c FieldChange) int {
		head, _, _ := strings.Cut(c.Place, ".")
		return slices.IndexFunc(order, func(k key) bool { return k.name == head })
	}
	slices.SortStableFunc(changes, func(x, y FieldChange) int { return rank(x) - rank(y) })
	return changes, nil
}

// withoutParts gives a thing without those in it that are compared by themselves.
func withoutParts(thing any) any {
	switch t := thing.(type) {
	case *OneThing:
		own := *t
		own.Matters = nil
		return own
	case *Matter:
		own := *t
		own.Materials = nil
		return own
	case *Dataset:
		own := *t
		own.Sources = nil
		return own
	default:
		return thing
	}
}

// compareKeys compares two mappings. Lists of mappings are compared item by item,
// but for a chain and for options: what counts of them is the order as a whole.
func compareKeys(place string, old, fresh map[string]any) []FieldChange {
	names := maps.Clone(old)
	maps.Copy(names, fresh)
	var changes []FieldChange
	for _, name := range slices.Sorted(maps.Keys(names)) {
		at := strings.TrimPrefix(place+"."+name, ".")
		a, b := old[name], fresh[name]
		if reflect.DeepEqual(a, b) {
			continue
		}
		aKeys, aMapping := a.(map[string]any)
		bKeys, bMapping := b.(map[string]any)
		aList, bList := mappings(a), mappings(b)
		switch {
		case aMapping && bMapping:
			changes = append(changes, compareKeys(at, aKeys, bKeys)...)
		case name != "chain" && name != "options" && aList != nil && bList != nil:
			changes = append(changes, compareItems(at, aList, bList)...)
		default:
			changes = append(changes, FieldChange{at, a, b})
		}
	}
	return changes
}

// compareItems compares two lists of mappings: by code where they have one, by
// their place where not.
func compareItems(place string, old, fresh []map[string]any) []FieldChange {
	name := func(i int, item map[string]any) string {
		if code, ok := item["code"].(string); ok {
			return code
		}
		return strconv.Itoa(i + 1)
	}
	before := map[string]map[string]any{}
	for i, item := range old {
		before[name(i, item)] = item
	}
	var changes []FieldChange
	for i, item := range fresh {
		at := place + "." + name(i, item)
		if was, ok := before[name(i, item)]; ok {
			changes = append(changes, compareKeys(at, was, item)...)
			delete(before, name(i, item))
		} else {
			changes = append(changes, FieldChange{at, nil, item})
		}
	}
	for i, item := range old {
		if _, gone := before[name(i, item)]; gone {
			changes = append(changes, FieldChange{place + "." + name(i, item), item, nil})
		}
	}
	return changes
}

// mappings gives a list all of whose items are mappings, or nil.
func mappings(value any) []map[string]any {
	list, ok := value.([]any)
	if !ok {
		return nil
	}
	out := make([]map[string]any, len(list))
	for i, item := range list {
		if out[i], ok = item.(map[string]any); !ok {
			return nil
		}
	}
	return out
}
