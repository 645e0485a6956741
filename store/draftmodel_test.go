package store

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"mianti/catalog"
	"mianti/draft"
)

// plainCatalog is the model of a catalog: its things by name, each a mapping.
type plainCatalog map[draft.Thing]map[string]any

// with gives the model after edits: a thing that goes takes along what it holds.
func (p plainCatalog) with(edits map[draft.Thing]map[string]any) plainCatalog {
	next := maps.Clone(p)
	for t, value := range edits {
		if value != nil {
			next[t] = value
			continue
		}
		maps.DeleteFunc(next, func(other draft.Thing, _ map[string]any) bool {
			inside := t.Kind == catalog.ThingOneThing || t.Kind == catalog.ThingMatter
			return other == t || inside && strings.HasPrefix(other.Code, t.Code+".")
		})
	}
	return next
}

// plainDraft is the model of a draft.
type plainDraft struct {
	id      string
	writers map[string]bool
	base    int
	edits   map[draft.Thing]map[string]any
}

func plainMerge(t draft.Thing, base, head plainCatalog, mine map[string]any, takesTheirs map[string]bool) map[string]any {
	was, theirs := base[t], head[t]
	same := func(a, b any) bool { return reflect.DeepEqual(a, b) }
	switch {
	case mine == nil && takesTheirs[t.Code+" "]: // a removal that met changes, here or inside
		return theirs
	case same(was, theirs), same(theirs, mine):
		return mine
	case same(was, mine):
		return theirs
	case was == nil || theirs == nil || mine == nil:
		if takesTheirs[t.Code+" "] {
			return theirs
		}
		return mine
	}
	out := map[string]any{}
	for _, key := range slices.Concat(slices.Collect(maps.Keys(was)), slices.Collect(maps.Keys(theirs)), slices.Collect(maps.Keys(mine))) {
		if key == "fields" {
			out[key] = plainMergeFields(t, was[key], theirs[key], mine[key], takesTheirs)
			continue
		}
		value := mine[key]
		if same(was[key], mine[key]) || takesTheirs[t.Code+" "+key] {
			value = theirs[key]
		}
		if value != nil {
			out[key] = value
		}
	}
	return out
}

// plainMergeFields merges the two fields of a dataset, whose names alone change.
func plainMergeFields(t draft.Thing, was, theirs, mine any, takesTheirs map[string]bool) []any {
	out := []any{}
	for i := range was.([]any) {
		at := func(list any) map[string]any { return list.([]any)[i].(map[string]any) }
		field := maps.Clone(at(mine))
		if at(was)["name"] == field["name"] || takesTheirs[fmt.Sprintf("%s fields.%s.name", t.Code, field["code"])] {
			field["name"] = at(theirs)["name"]
		}
		out = append(out, field)
	}
	return out
}

func editsOf(t *testing.T, edits []catalog.Edit) map[draft.Thing]map[string]any {
	t.Helper()
	out := map[draft.Thing]map[string]any{}
	for _, e := range edits {
		var value map[string]any
		if e.Value != nil {
			if err := json.Unmarshal(e.Value, &value); err != nil {
				t.Fatal(err)
			}
		}
		out[draft.Thing{Kind: e.Kind, Code: e.Code}] = value
	}
	return out
}
