package catalog

import (
	"encoding/json"
	"fmt"
)

// CompareEdits tells how a thing is changed from one writing to another; nil where
// they say the same. Unlike Compare it looks at what is written: what a material
// takes from its common one is not in it.
func CompareEdits(was, now Edit) (*ThingChange, error) {
	old, err := written(was)
	if err != nil {
		return nil, err
	}
	fresh, err := written(now)
	if err != nil {
		return nil, err
	}
	out := &ThingChange{Kind: now.Kind, Code: now.Code, Name: nameIn(fresh), Fields: []FieldChange{}}
	switch {
	case old == nil && fresh == nil:
		return nil, nil //nolint:nilnil // no change is no failure
	case fresh == nil:
		out.Change, out.Name = ThingRemoved, nameIn(old)
	case old == nil:
		out.Change = ThingAdded
	default:
		out.Change, out.Fields = ThingChanged, compareKeys("", old, fresh)
		if len(out.Fields) == 0 {
			return nil, nil //nolint:nilnil // as above
		}
	}
	return out, nil
}

func written(e Edit) (map[string]any, error) {
	if len(e.Value) == 0 {
		return nil, nil //nolint:nilnil // a thing that is not there
	}
	var value map[string]any
	if err := json.Unmarshal(e.Value, &value); err != nil {
		return nil, fmt.Errorf("read %s: %w", e.Code, err)
	}
	return value, nil
}

// nameIn gives what a thing is called: a fact by its question.
func nameIn(value map[string]any) string {
	for _, key := range []string{"name", "ask", "title"} {
		if name, ok := value[key].(string); ok {
			return name
		}
	}
	return ""
}
