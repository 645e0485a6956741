package catalog

import (
	"strconv"
	"strings"
)

// Locate tells which thing stands at a line of a file, and at which of its keys, as
// FieldChange names places. What is not told is empty: a line that belongs to the
// file itself, or a file that cannot be read.
func Locate(p Part, line int) (kind ThingKind, code, place string) {
	f, fault := partFile(p)
	if fault != nil {
		return "", "", ""
	}
	f.parse()
	if f.tree == nil {
		return "", "", ""
	}
	return f.thingAt(f.tree.pointerAt(line))
}

// pointerAt gives what begins last before a line ends; where several begin there,
// what is around them all.
func (t *tree) pointerAt(line int) []string {
	last := 0
	for _, at := range t.at {
		if at.key <= line {
			last = max(last, at.key)
		}
	}
	var around []string
	first := true
	for pointer, at := range t.at {
		if at.key != last || pointer == "" {
			continue
		}
		parts := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
		if first {
			around, first = parts, false
			continue
		}
		n := 0
		for n < min(len(around), len(parts)) && around[n] == parts[n] {
			n++
		}
		around = around[:n]
	}
	return around
}

// thingAt tells the thing that a pointer leads into.
func (f *file) thingAt(pointer []string) (kind ThingKind, code, place string) {
	at := f.tree.root
	for i, part := range pointer {
		at = child(at, part)
		var here ThingKind
		switch path := strings.Join(pointer[:i], "/"); {
		case i == 0 && part == "one_thing":
			here = ThingOneThing
		case i == 0 && part == "department":
			here = ThingDepartment
		case i == 1:
			here = map[string]ThingKind{
				"matters": ThingMatter, "datasets": ThingDataset, "facts": ThingFact, "roles": ThingRole,
				"standard_materials": ThingStandardMaterial, "materials": ThingCommonMaterial, "explained": ThingExplanation,
			}[path]
		case i == 3 && pointer[0] == "matters" && pointer[2] == "materials":
			here = ThingMaterial
		}
		if here != "" {
			mapping, _ := at.(map[string]any)
			code, _ = mapping["code"].(string)
			kind, place = here, strings.Join(pointer[i+1:], ".")
		}
	}
	return kind, code, place
}

func child(of any, part string) any {
	switch v := of.(type) {
	case map[string]any:
		return v[part]
	case []any:
		if i, err := strconv.Atoi(part); err == nil && i < len(v) {
			return v[i]
		}
	}
	return nil
}
