package catalog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ExpressionFault (条件错误) is one thing wrong with an expression, with its
// place in the text; both count from 1.
type ExpressionFault struct {
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Code   string `json:"code"`
	Reason string `json:"reason"`
}

// TryCondition checks a condition as one of this revision and says it in words.
// An empty one means always.
func (r *Revision) TryCondition(text string) (Words, []ExpressionFault) {
	if strings.TrimSpace(text) == "" {
		return Words{Exact: true}, nil
	}
	made := r.language.condition(text)
	if len(made.problems) == 0 {
		return made.condition.words, nil
	}
	faults := make([]ExpressionFault, len(made.problems))
	for i, p := range made.problems {
		faults[i] = ExpressionFault{p.line, p.column, p.code, p.reason}
	}
	return Words{Text: text}, faults
}

// YAML writes the material as it stands in a catalog's files: what it takes from
// a common material is left out.
func (r *Revision) YAML(m *Material) ([]byte, error) {
	own, err := r.ownKeys(m)
	if err != nil {
		return nil, err
	}
	var document yaml.Node
	document.Kind = yaml.MappingNode
	for _, k := range own {
		var value yaml.Node
		if err := yaml.Unmarshal(k.value, &value); err != nil {
			return nil, fmt.Errorf("write material %s: %w", m.Code, err)
		}
		plain(value.Content[0], 0)
		document.Content = append(document.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: k.name}, value.Content[0])
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(&document); err != nil {
		return nil, fmt.Errorf("write material %s: %w", m.Code, err)
	}
	return out.Bytes(), nil
}

// Written gives the edit that writes the material as it stands in a catalog's
// files: what it takes from a common material is left out.
func (r *Revision) Written(m *Material) (Edit, error) {
	own, err := r.ownKeys(m)
	if err != nil {
		return Edit{}, fmt.Errorf("write material %s: %w", m.Code, err)
	}
	value := []byte{'{'}
	for i, k := range own {
		if i > 0 {
			value = append(value, ',')
		}
		value = append(append(append(value, strconv.Quote(k.name)...), ':'), k.value...)
	}
	return Edit{Kind: ThingMaterial, Code: m.Code, Value: append(value, '}')}, nil
}

// ownKeys gives what a material does not take from a common one. A use may have a
// name of its own.
func (r *Revision) ownKeys(m *Material) ([]key, error) {
	own, err := asKeys(m)
	if err != nil {
		return nil, err
	}
	common := r.byCode.commonMaterials[m.Common]
	if common == nil {
		return own, nil
	}
	shared, err := asKeys(common)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(own, func(k key) bool {
		return k.name != "code" && k.name != "name" && slices.ContainsFunc(shared, func(s key) bool { return s.name == k.name && bytes.Equal(s.value, k.value) })
	}), nil
}

// key is a key of a mapping with its value as JSON.
type key struct {
	name  string
	value json.RawMessage
}

// asKeys gives what a thing holds, in the order of its type.
func asKeys(thing any) ([]key, error) {
	text, err := json.Marshal(thing)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	if _, err := decoder.Token(); err != nil {
		return nil, err
	}
	var keys []key
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		k := key{name: fmt.Sprint(name)}
		if err := decoder.Decode(&k.value); err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// plain drops the marks of JSON: lists of mappings stand below each other, what
// is inside them on one line, as people write them.
func plain(node *yaml.Node, depth int) {
	node.Style = 0
	mappings := slices.ContainsFunc(node.Content, func(n *yaml.Node) bool { return n.Kind == yaml.MappingNode })
	if depth > 0 && node.Kind != yaml.ScalarNode || node.Kind == yaml.SequenceNode && !mappings {
		node.Style = yaml.FlowStyle
	}
	for _, child := range node.Content {
		plain(child, depth+1)
	}
}

// Redraft gives the revision as it would be with one of its materials written
// anew. Nothing is stored, and the revision itself stays as it is. What is wrong
// with the text are Faults, by line; the material is told by its code.
func (r *Revision) Redraft(text []byte) (*Revision, *Material, Faults, error) {
	f := &file{name: "material.yaml", kind: kindOneThing, content: text}
	if len(text) > maxFile {
		return nil, nil, Faults{{f.name, 1, "too-large", fmt.Sprintf("文件超过 %d MiB", maxFile>>20)}}, nil
	}
	if faults := f.parse(); f.tree == nil || len(faults) > 0 {
		return nil, nil, faults.sorted(), nil
	}
	faults, err := r.completed(f)
	if err != nil || len(faults) > 0 {
		return nil, nil, faults, err
	}
	var m Material
	into(f, &m)
	old, matter := r.Material(m.Code), r.MatterOf(m.Code)
	if old == nil || matter == nil {
		return nil, nil, Faults{f.fault("/code", "unknown-material", "目录中没有材料 "+m.Code+"，这里只能改写已有的材料")}, nil
	}
	l := &loader{rev: r, language: r.language}
	thing := r.OneThing(matter.OneThing)
	checks, err := r.language.checksOf(thing.Params)
	if err != nil {
		return nil, nil, nil, err
	}
	l.validateMaterial(scope{at: spot{file: f}, checks: checks, thing: thing, matter: matter}, &m, true)
	if len(l.faults) > 0 {
		return nil, nil, l.faults.sorted(), nil
	}
	next, at := r.with(matter, m)
	return next, at, nil, nil
}

// completed checks the shape of a material's text, and fills what it takes from
// a common material.
func (r *Revision) completed(f *file) (Faults, error) {
	root, ok := f.tree.root.(map[string]any)
	if !ok {
		return Faults{f.fault("", "wrong-format", "应为一份材料：每行一个键，如 code: S01.M1.a")}, nil
	}
	if code, ok := root["common"].(string); ok {
		common := r.byCode.commonMaterials[code]
		if common == nil {
			return Faults{f.fault("/common", "unknown-common-material", "没有通用材料 "+code)}, nil
		}
		keys, err := asKeys(common)
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			var value any
			if err := json.Unmarshal(k.value, &value); err != nil {
				return nil, err
			}
			if _, own := root[k.name]; !own {
				root[k.name] = value
			}
		}
	}
	return shapeFaults(f, "", r.schemas.material.Validate(f.tree.root)).sorted(), nil
}

// with gives a copy of the revision in which a matter has another material. All
// that is not on the way to it is shared.
func (r *Revision) with(matter *Matter, m Material) (*Revision, *Material) {
	next := *r
	next.Digest = "" // nothing that was ever loaded
	thing := *r.OneThing(matter.OneThing)
	thing.Matters = slices.Clone(thing.Matters)
	next.oneThings = replaced(r.oneThings, r.OneThing(thing.Code), &thing)
	next.byCode.oneThings = maps.Clone(r.byCode.oneThings)
	next.byCode.oneThings[thing.Code] = &thing
	next.matters, next.byCode.matters = slices.Clone(r.matters), maps.Clone(r.byCode.matters)
	next.materials, next.byCode.materials = slices.Clone(r.materials), maps.Clone(r.byCode.materials)
	next.byCode.implementations = maps.Clone(r.byCode.implementations)
	for i := range thing.Matters {
		old, copied := r.Matter(thing.Matters[i].Code), &thing.Matters[i]
		next.byCode.matters[copied.Code] = copied
		next.matters[slices.Index(next.matters, old)] = copied
		next.byCode.implementations[copied.ImplementationCode] = replaced(next.byCode.implementations[copied.ImplementationCode], old, copied)
		if copied.Code != matter.Code {
			continue
		}
		copied.Materials = slices.Clone(copied.Materials)
		for j := range copied.Materials {
			before := &old.Materials[j]
			if before.Code == m.Code {
				copied.Materials[j] = m
			}
			next.byCode.materials[before.Code] = &copied.Materials[j]
			next.materials[slices.Index(next.materials, before)] = &copied.Materials[j]
		}
	}
	return &next, next.Material(m.Code)
}

func replaced[T comparable](list []T, old, by T) []T {
	list = slices.Clone(list)
	if i := slices.Index(list, old); i >= 0 {
		list[i] = by
	}
	return list
}
