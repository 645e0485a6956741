package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// writtenOf gives the value of an edit as it is written in a file: its keys in the
// order of its type, so that the same thing is always the same text.
func writtenOf(e Edit) (*yaml.Node, error) {
	decoder := json.NewDecoder(bytes.NewReader(e.Value))
	var object map[string]any
	if err := decoder.Decode(&object); err != nil || object == nil {
		return nil, errors.New("内容应为一个 JSON 对象")
	}
	if code := fmt.Sprint(object["code"]); code != e.Code {
		return nil, fmt.Errorf("内容里的代码（code）是 %s，与所改的不符；代码不能改，请删去旧的再加新的", code)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(e.Value, &document); err != nil {
		return nil, fmt.Errorf("内容不是完整的 JSON：%s", firstLine(err.Error()))
	}
	node := document.Content[0]
	arrange(node, typeOfThing(e.Kind))
	plain(node, 0)
	return node, nil
}

func typeOfThing(k ThingKind) reflect.Type {
	switch k {
	case ThingOneThing:
		return reflect.TypeFor[OneThing]()
	case ThingMatter:
		return reflect.TypeFor[Matter]()
	case ThingMaterial, ThingCommonMaterial:
		return reflect.TypeFor[Material]()
	case ThingStandardMaterial:
		return reflect.TypeFor[StandardMaterial]()
	case ThingDataset:
		return reflect.TypeFor[Dataset]()
	case ThingFact:
		return reflect.TypeFor[Fact]()
	case ThingRole:
		return reflect.TypeFor[Role]()
	case ThingExplanation:
		return reflect.TypeFor[LintExplanation]()
	case ThingDepartment:
		return reflect.TypeFor[Department]()
	default:
		return nil
	}
}

// arrange puts the keys of a node into the order of a type's fields; keys that the
// type does not know stay behind them in their own order.
func arrange(node *yaml.Node, t reflect.Type) {
	for t != nil && (t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice) {
		t = t.Elem()
	}
	if node.Kind == yaml.SequenceNode {
		for _, item := range node.Content {
			arrange(item, t)
		}
		return
	}
	if node.Kind != yaml.MappingNode {
		return
	}
	if t == nil || t.Kind() != reflect.Struct {
		return
	}
	fields := fieldsOf(t)
	type pair struct{ key, value *yaml.Node }
	pairs := make([]pair, 0, len(node.Content)/2)
	for i := 0; i+1 < len(node.Content); i += 2 {
		pairs = append(pairs, pair{node.Content[i], node.Content[i+1]})
	}
	place := func(p pair) int {
		at := slices.IndexFunc(fields, func(f reflect.StructField) bool { return keyOf(f) == p.key.Value })
		if at < 0 {
			return len(fields)
		}
		return at
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return place(a) - place(b) })
	node.Content = node.Content[:0]
	for _, p := range pairs {
		if at := place(p); at < len(fields) {
			arrange(p.value, fields[at].Type)
		}
		node.Content = append(node.Content, p.key, p.value)
	}
}

// fieldsOf lists the fields that have a key, those of embedded types in their place.
func fieldsOf(t reflect.Type) []reflect.StructField {
	var fields []reflect.StructField
	for _, f := range reflect.VisibleFields(t) {
		if f.IsExported() && !f.Anonymous {
			fields = append(fields, f)
		}
	}
	return fields
}

func keyOf(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// Things gives every thing in the files of a catalog, by path, as an edit that would
// write it as it is. The files' own faults are given with what could be read.
func Things(files map[string][]byte) ([]Edit, Faults) {
	var things []Edit
	var faults Faults
	for _, name := range slices.SortedFunc(maps.Keys(files), natural) {
		f, fault := partFile(Part{Path: name, Content: files[name]})
		if fault != nil {
			faults = append(faults, *fault)
			continue
		}
		found := f.parse()
		faults = append(faults, found...)
		if f.tree != nil {
			things = append(things, thingsIn(f)...)
		}
	}
	return things, faults
}

// thingsIn lists the things of one file.
func thingsIn(f *file) []Edit {
	root, _ := f.tree.root.(map[string]any)
	list := func(kind ThingKind, key, in string) []Edit {
		var out []Edit
		for _, item := range items(root, key) {
			out = append(out, thing(kind, item, in))
		}
		return out
	}
	switch f.kind {
	case kindFacts:
		return list(ThingFact, "facts", "")
	case kindRoles:
		return list(ThingRole, "roles", "")
	case kindStandardMaterials:
		return list(ThingStandardMaterial, "standard_materials", "")
	case kindCommonMaterials:
		return list(ThingCommonMaterial, "materials", "")
	case kindLint:
		return list(ThingExplanation, "explained", "")
	case kindDepartment:
		return append([]Edit{one(ThingDepartment, root["department"])}, list(ThingDataset, "datasets", f.stem())...)
	case kindOneThing:
		out := []Edit{one(ThingOneThing, root["one_thing"])}
		for _, matter := range items(root, "matters") {
			materials := items(matter, "materials")
			delete(matter, "materials") // the tree is this function's own
			out = append(out, thing(ThingMatter, matter, ""))
			for _, m := range materials {
				out = append(out, thing(ThingMaterial, m, ""))
			}
		}
		return out
	default:
		return nil
	}
}

func one(kind ThingKind, value any) Edit {
	mapping, _ := value.(map[string]any)
	return thing(kind, mapping, "")
}

func thing(kind ThingKind, value map[string]any, in string) Edit {
	text, _ := json.Marshal(value) // a tree holds nothing but JSON's own types
	code, _ := value["code"].(string)
	return Edit{Kind: kind, Code: code, In: in, Value: text}
}
