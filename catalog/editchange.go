package catalog

import (
	"encoding/json"
	"fmt"
)

// CompareEdits tells how a thing is changed from one writing to another; false where
// they say the same. Unlike Compare it looks at what is written: what a material
// takes from its common one is not in it.
func CompareEdits(was, now Edit) (ThingChange, bool, error) {
	out := ThingChange{Kind: now.Kind, Code: now.Code, Fields: []FieldChange{}}
	old, err := written(was)
	if err != nil {
		return out, false, err
	}
	fresh, err := written(now)
	if err != nil {
		return out, false, err
	}
	out.Name = nameIn(fresh)
	switch {
	case old == nil && fresh == nil:
		return out, false, nil
	case fresh == nil:
		out.Change, out.Name = ThingRemoved, nameIn(old)
	case old == nil:
		out.Change = ThingAdded
	default:
		out.Change, out.Fields = ThingChanged, compareKeys("", old, fresh)
		if len(out.Fields) == 0 {
			return out, false, nil
		}
	}
	return out, true, nil
}

// written gives the keys of a thing; none where it is removed.
func written(e Edit) (map[string]any, error) {
	var value map[string]any
	if e.Removes() {
		return value, nil
	}
	if err := json.Unmarshal(e.Value, &value); err != nil {
		return value, fmt.Errorf("read %s: %w", e.Code, err)
	}
	return value, nil
}

// nameIn gives what a thing is called: a fact by its question.
func nameIn(value map[string]any) string {
	for _, key := range []string{"name", "ask"} {
		if name, ok := value[key].(string); ok {
			return name
		}
	}
	return ""
}
