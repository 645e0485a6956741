package catalog

import (
	"bytes"
	"encoding/json"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// YAML writes what the edit makes of its thing, as a catalog's files have it; nothing
// for one that removes it.
func (e Edit) YAML() ([]byte, error) {
	if e.Removes() {
		return nil, nil
	}
	node, err := writtenOf(e)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", e.Code, err)
	}
	for i := 1; i < len(node.Content); i += 2 {
		plain(node.Content[i], 0) // lists of mappings below each other, to be read
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(node); err != nil {
		return nil, fmt.Errorf("write %s: %w", e.Code, err)
	}
	return out.Bytes(), nil
}

// ReadValue reads a thing that somebody wrote as YAML. Whether it is one is not
// looked at; faults are those of the YAML, by line.
func ReadValue(name string, text []byte) (json.RawMessage, Faults) {
	f := &file{name: name, content: text}
	if len(text) > maxFile {
		return nil, Faults{{name, 1, "too-large", fmt.Sprintf("文件超过 %d MiB", maxFile>>20)}}
	}
	faults := f.parse()
	if f.tree == nil || len(faults) > 0 {
		return nil, faults
	}
	if _, mapping := f.tree.root.(map[string]any); !mapping {
		return nil, Faults{{name, 1, "wrong-format", "应为一个对象：每行一个键，如 code: S01.M1.a"}}
	}
	value, err := json.Marshal(f.tree.root)
	if err != nil {
		return nil, Faults{{name, 1, "bad-yaml", "内容不能读取"}} // cannot be: a tree holds nothing but JSON's own types
	}
	return value, nil
}

// ReadEdits reads a list of edits that somebody wrote as YAML: of each its kind, its
// code, the department (in) of a dataset, and the value, null to remove the thing.
func ReadEdits(name string, text []byte) ([]Edit, Faults) {
	f := &file{name: name, content: text}
	faults := f.parse()
	if f.tree == nil || len(faults) > 0 {
		return nil, faults
	}
	list, ok := f.tree.root.([]any)
	if !ok {
		return nil, Faults{{name, 1, "wrong-format", "应为改动的列表：每项有 kind、code 和 value"}}
	}
	edits := make([]Edit, 0, len(list))
	for i, item := range list {
		at := fmt.Sprintf("/%d", i)
		written, err := json.Marshal(item)
		var e Edit
		decoder := json.NewDecoder(bytes.NewReader(written))
		decoder.DisallowUnknownFields()
		mapping, _ := item.(map[string]any)
		_, has := mapping["value"]
		if err == nil {
			err = decoder.Decode(&e)
		}
		if err != nil || e.Code == "" || rank(e.Kind) < 0 || !has {
			faults = append(faults, f.fault(at, "bad-edit", "应有 kind（如 material）、code 和 value（null 为删除），数据资源另有 in（部门）"))
			continue
		}
		if e.Removes() {
			e.Value = nil
		}
		edits = append(edits, e)
	}
	return edits, faults
}
