package interchange

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"mianti/catalog"
)

// at gives what stands at a place such as "national.medium"; nil for nothing.
func at(values map[string]any, place string) any {
	outer, inner, nested := strings.Cut(place, ".")
	if !nested {
		return values[place]
	}
	inside, _ := values[outer].(map[string]any)
	return inside[inner]
}

// put sets what stands at a place; nil takes it away, and with the last of them the
// elements that the national lists add.
func put(values map[string]any, place string, value any) {
	outer, inner, nested := strings.Cut(place, ".")
	if nested {
		inside, _ := values[outer].(map[string]any)
		inside = maps.Clone(inside)
		if inside == nil {
			inside = map[string]any{}
		}
		put(inside, inner, value)
		if place, value = outer, any(inside); len(inside) == 0 && outer == "national" {
			value = nil
		}
	}
	if value == nil {
		delete(values, place)
		return
	}
	values[place] = value
}

// asValues gives a thing as JSON's own types.
func asValues(thing any) (map[string]any, error) {
	text, ok := thing.(json.RawMessage)
	if !ok {
		var err error
		if text, err = json.Marshal(thing); err != nil {
			return nil, err
		}
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	var values map[string]any
	if err := decoder.Decode(&values); err != nil {
		return nil, fmt.Errorf("read a thing of the catalog: %w", err)
	}
	return values, nil
}

// filled gives a material with what it takes from its common one.
func filled(own, common map[string]any) map[string]any {
	if common == nil {
		return own
	}
	merged := maps.Clone(common)
	maps.Copy(merged, own)
	return merged
}

// entries gives the mappings of a list.
func entries(list any) []map[string]any {
	items, _ := list.([]any)
	out := make([]map[string]any, 0, len(items))
	for _, item := range items {
		if one, ok := item.(map[string]any); ok {
			out = append(out, one)
		}
	}
	return out
}

// changeOf tells how a thing differs, key by key; what is inside the elements of the
// national lists, by itself.
func changeOf(kind catalog.ThingKind, code string, old, now map[string]any) catalog.ThingChange {
	change := catalog.ThingChange{Kind: kind, Code: code, Name: nameIn(now, old), Change: catalog.ThingChanged, Fields: []catalog.FieldChange{}}
	switch {
	case now == nil:
		change.Change = catalog.ThingRemoved
		return change
	case old == nil:
		change.Change = catalog.ThingAdded
	}
	change.Fields = append(change.Fields, differences("", old, now)...)
	return change
}

func differences(place string, old, now map[string]any) []catalog.FieldChange {
	keys := maps.Clone(old)
	if keys == nil {
		keys = map[string]any{}
	}
	maps.Copy(keys, now)
	var fields []catalog.FieldChange
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		a, b := old[key], now[key]
		inA, mappingA := a.(map[string]any)
		inB, mappingB := b.(map[string]any)
		switch {
		case reflect.DeepEqual(a, b):
		case mappingA && mappingB || key == "national":
			fields = append(fields, differences(place+key+".", inA, inB)...)
		default:
			fields = append(fields, catalog.FieldChange{Place: place + key, Old: a, New: b})
		}
	}
	return fields
}

func nameIn(things ...map[string]any) string {
	for _, t := range things {
		for _, key := range []string{"name", "ask", "code"} {
			if name := asText(t[key]); name != "" {
				return name
			}
		}
	}
	return ""
}

func itoa(n int) string { return strconv.Itoa(n) }

// matches reports whether a text is of a shape as a whole.
func matches(shape, text string) bool {
	return regexp.MustCompile(`^(?:` + shape + `)$`).MatchString(text)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
