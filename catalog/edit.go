package catalog

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Edit (修改) is one thing of a catalog written anew, added or removed. A draft is
// a list of edits, at most one for a thing.
type Edit struct {
	// Kind is any but ThingSource: a source is part of its dataset.
	Kind ThingKind `json:"kind"`
	Code string    `json:"code"`
	// In is the department that holds the dataset, where the thing is one. What
	// holds the other things follows from their code: S01.M1.a is in S01.M1.
	In string `json:"in,omitempty"`
	// Value is the whole thing as a catalog's file has it, as JSON: a material
	// without what it takes from its common one, a matter without its materials, a
	// one-thing without its matters, a department without its datasets, a dataset
	// with its sources. Nil removes the thing, and all that it holds.
	Value json.RawMessage `json:"value"`
}

// Part (目录分册) is one file of a catalog as it is stored.
type Part struct {
	Path    string // such as "one-things/S01.yaml"
	Content []byte // YAML, as people wrote it; nil where the file is removed
	// Tree is what the function Tree gives of it; nil where nobody has made it yet.
	Tree []byte
}

// Drafted (修改后的目录) is a revision with edits, which nobody has stored.
type Drafted struct {
	// Revision is checked and compiled. Of a catalog that is too large to be held
	// whole it holds the one-things that the edits touch, and those asked for.
	Revision *Revision
	Parts    []Part // the files that are other than before
}

// PathOf gives the file in which what is edited stands.
func PathOf(e Edit) string {
	switch e.Kind {
	case ThingOneThing, ThingMatter, ThingMaterial:
		return OneThingPath(e.Code)
	case ThingDepartment:
		return "departments/" + e.Code + ".yaml"
	case ThingDataset:
		return "departments/" + e.In + ".yaml"
	case ThingCommonMaterial:
		return "common-materials.yaml"
	case ThingStandardMaterial:
		return "standard-materials.yaml"
	case ThingFact:
		return "facts.yaml"
	case ThingRole:
		return "roles.yaml"
	case ThingExplanation:
		return "lint.yaml"
	default:
		return ""
	}
}

// rank is the order in which edits are made: what holds others before what it
// holds.
func rank(k ThingKind) int {
	return slices.Index([]ThingKind{ThingDepartment, ThingDataset, ThingFact, ThingRole, ThingStandardMaterial, ThingCommonMaterial,
		ThingOneThing, ThingMatter, ThingMaterial, ThingExplanation}, k)
}

// Apply makes edits in the files in which they stand, by path; a file that is not
// there is nil. It gives the files that are other afterwards, sorted by path: the
// things that are not edited stay as they are written, comments too, and what is
// edited is written in the order of docs/catalog-format.md. Faults tell the file and
// the code of what cannot be edited.
func Apply(files map[string][]byte, edits []Edit) ([]Part, Faults) {
	byPath := map[string][]Edit{}
	var faults Faults
	for _, e := range edits {
		at := PathOf(e)
		if at == "" || rank(e.Kind) < 0 {
			faults = append(faults, Fault{"draft", 1, "bad-edit", fmt.Sprintf("%s %s 不能单独修改", e.Kind, e.Code)})
			continue
		}
		byPath[at] = append(byPath[at], e)
	}
	parts := []Part{}
	for _, at := range slices.Sorted(maps.Keys(byPath)) {
		content, found := applyTo(at, files[at], byPath[at])
		faults = append(faults, found...)
		if len(found) == 0 && !bytes.Equal(content, files[at]) {
			parts = append(parts, Part{Path: at, Content: content})
		}
	}
	return parts, faults
}

// applyTo edits one file.
func applyTo(at string, content []byte, edits []Edit) ([]byte, Faults) {
	w := &editing{path: at}
	if content == nil {
		kind, _ := kindOf(at)
		content = []byte("format: " + format + "\nkind: " + string(kind) + "\n")
	}
	if err := yaml.Unmarshal(content, &w.document); err != nil || len(w.document.Content) == 0 {
		return nil, Faults{{at, 1, "bad-yaml", "文件不能修改，它不是完整的 YAML"}}
	}
	slices.SortStableFunc(edits, func(a, b Edit) int { return cmp.Compare(rank(a.Kind), rank(b.Kind)) })
	for _, e := range edits {
		w.edit(e)
	}
	if len(w.faults) > 0 || w.gone {
		return nil, w.faults
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(&w.document); err != nil {
		return nil, Faults{{at, 1, "bad-edit", "修改后的文件写不出来：" + firstLine(err.Error())}}
	}
	return out.Bytes(), nil
}

// editing is a file that is being edited.
type editing struct {
	path     string
	document yaml.Node
	gone     bool // the file's own thing is removed
	faults   Faults
}

func (w *editing) refuse(e Edit, code, reason string, args ...any) {
	w.faults = append(w.faults, Fault{w.path, 1, code, fmt.Sprintf("%s %s：", e.Kind.Name(), e.Code) + fmt.Sprintf(reason, args...)})
}

func (w *editing) edit(e Edit) {
	root := w.document.Content[0]
	var written *yaml.Node
	if !e.Removes() {
		var err error
		if written, err = writtenOf(e); err != nil {
			w.refuse(e, "bad-edit", "%v", err)
			return
		}
	}
	if key, own := map[ThingKind]string{ThingOneThing: "one_thing", ThingDepartment: "department"}[e.Kind]; own {
		w.gone = written == nil
		if written != nil {
			setKey(root, key, written)
		}
		return
	}
	if w.gone {
		return
	}
	list := w.listOf(root, e)
	if list == nil {
		return
	}
	at := slices.IndexFunc(list.Content, func(n *yaml.Node) bool { return textAt(n, "code") == e.Code })
	switch {
	case written == nil && at < 0:
		w.refuse(e, "unknown-thing", "目录里没有，无法删除")
	case written == nil:
		list.Content = slices.Delete(list.Content, at, at+1)
	case at < 0:
		list.Style = 0 // an empty list is written []
		list.Content = append(list.Content, written)
	default:
		old := list.Content[at]
		if materials := valueAt(old, "materials"); e.Kind == ThingMatter && materials != nil {
			setKey(written, "materials", materials)
		}
		written.HeadComment, written.FootComment = old.HeadComment, old.FootComment
		if len(old.Content) > 0 && len(written.Content) > 0 {
			written.Content[0].HeadComment = old.Content[0].HeadComment
		}
		list.Content[at] = written
	}
	if written != nil && e.Kind == ThingMatter && valueAt(written, "materials") == nil {
		setKey(written, "materials", &yaml.Node{Kind: yaml.SequenceNode})
	}
}

// Removes reports whether the edit removes its thing.
func (e Edit) Removes() bool {
	value := bytes.TrimSpace(e.Value)
	return len(value) == 0 || bytes.Equal(value, []byte("null"))
}

// listOf gives the list in which the thing stands, and makes an empty one where the
// file has none yet.
func (w *editing) listOf(root *yaml.Node, e Edit) *yaml.Node {
	key := map[ThingKind]string{
		ThingMatter: "matters", ThingDataset: "datasets", ThingFact: "facts", ThingRole: "roles",
		ThingStandardMaterial: "standard_materials", ThingCommonMaterial: "materials", ThingExplanation: "explained",
	}[e.Kind]
	holder := root
	if e.Kind == ThingMaterial {
		key = "materials"
		matter := e.Code[:max(strings.LastIndexByte(e.Code, '.'), 0)]
		holder = itemOf(valueAt(root, "matters"), matter)
		if holder == nil {
			w.refuse(e, "unknown-matter", "没有事项 %s，请先加上事项", matter)
			return nil
		}
	}
	if (e.Kind == ThingMatter && valueAt(root, "one_thing") == nil) || (e.Kind == ThingDataset && valueAt(root, "department") == nil) {
		w.refuse(e, "unknown-thing", "文件 %s 还没有，请先加上它的一件事或部门", w.path)
		return nil
	}
	list := valueAt(holder, key)
	if list == nil || list.Kind != yaml.SequenceNode {
		list = &yaml.Node{Kind: yaml.SequenceNode}
		setKey(holder, key, list)
	}
	return list
}

func itemOf(list *yaml.Node, code string) *yaml.Node {
	if list == nil {
		return nil
	}
	for _, item := range list.Content {
		if textAt(item, "code") == code {
			return item
		}
	}
	return nil
}

func valueAt(mapping *yaml.Node, key string) *yaml.Node {
	if mapping == nil || mapping.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}

func textAt(mapping *yaml.Node, key string) string {
	if value := valueAt(mapping, key); value != nil {
		return value.Value
	}
	return ""
}

func setKey(mapping *yaml.Node, key string, value *yaml.Node) {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			mapping.Content[i+1] = value
			return
		}
	}
	mapping.Content = append(mapping.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, value)
}
