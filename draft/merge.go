package draft

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"mianti/catalog"
	"mianti/internal/fault"
)

// Conflict (改动冲突) is one place of a thing that a draft and somebody else have
// changed to different values. Values are as JSON has them; nil where nothing
// stands.
type Conflict struct {
	Thing
	// Place is as in catalog.FieldChange; empty for the whole thing, which one side
	// removed while the other changed it.
	Place  string `json:"place"`
	Base   any    `json:"base" doc:"原来的"`
	Theirs any    `json:"theirs" doc:"现行目录的"`
	Mine   any    `json:"mine" doc:"草案的"`
	// Inside are the things that somebody changed inside the one which the draft
	// removes.
	Inside []Thing `json:"inside,omitempty" doc:"草案要删除的对象里, 别人改过的"`
}

// Taking (取舍) says what is to stand at the place of a conflict.
type Taking string

// The takings.
const (
	TakeTheirs Taking = "theirs" // 现行目录的
	TakeMine   Taking = "mine"   // 草案的
	TakeValue  Taking = "value"  // 另写
)

// Choice (冲突取舍) resolves one conflict.
type Choice struct {
	Thing
	Place string          `json:"place"`
	Take  Taking          `json:"take" enum:"theirs,mine,value"`
	Value json.RawMessage `json:"value,omitempty" doc:"take 为 value 时, 要写的值"`
}

// Triple (三方) is a thing as the draft found it, as it stands now, and as the
// draft has it.
type Triple struct {
	Base, Theirs, Mine catalog.Edit
	// Inside are the things inside it that others have changed since; looked at only
	// where the draft removes it.
	Inside []Thing
}

// Moved reports whether somebody else has changed the thing.
func (t *Triple) Moved() bool {
	return !same(t.Base.Value, t.Theirs.Value) || t.Mine.Value == nil && len(t.Inside) > 0
}

// Merged (合并结果) is a draft on top of another revision.
type Merged struct {
	Edits     []catalog.Edit // without those that have nothing left to change
	Conflicts []Conflict     // those that no choice resolves
}

// MergeAll merges every thing of a draft.
func MergeAll(all []Triple, choices []Choice) (Merged, error) {
	out := Merged{Edits: []catalog.Edit{}, Conflicts: []Conflict{}}
	for i := range all {
		edit, conflicts, err := Merge(all[i], choices)
		if err != nil {
			return out, err
		}
		out.Conflicts = append(out.Conflicts, conflicts...)
		if !same(edit.Value, all[i].Theirs.Value) {
			out.Edits = append(out.Edits, edit)
		}
	}
	return out, nil
}

// Merge puts what a draft changes of one thing on top of what others made of it:
// key by key, and in lists whose items have codes item by item. What both have
// changed, and not to the same, is a conflict unless a choice resolves it; until
// then the draft's stands there.
func Merge(t Triple, choices []Choice) (catalog.Edit, []Conflict, error) {
	m := merger{thing: thingOf(t.Mine), choices: choices}
	out := t.Mine
	switch {
	case !t.Moved():
		return out, nil, nil
	case t.Base.Value != nil && t.Theirs.Value != nil && t.Mine.Value != nil:
		merged, err := m.whole(t)
		out.Value = merged
		return out, m.conflicts, err
	case same(t.Theirs.Value, t.Mine.Value):
		return out, nil, nil
	case same(t.Base.Value, t.Mine.Value): // it changes nothing: what others did stands
		out.Value = t.Theirs.Value
		return out, nil, nil
	}
	base, theirs, mine, err := decodeThree(t.Base.Value, t.Theirs.Value, t.Mine.Value)
	if err != nil {
		return out, nil, fmt.Errorf("merge %s: %w", t.Mine.Code, err)
	}
	value, err := m.settle("", base, theirs, mine)
	if err != nil {
		return out, nil, err
	}
	for i := range m.conflicts {
		m.conflicts[i].Inside = t.Inside
	}
	if out.Value, err = encode(value); err != nil {
		return out, nil, fmt.Errorf("merge %s: %w", t.Mine.Code, err)
	}
	if out.Value != nil && out.In == "" {
		out.In = t.Theirs.In
	}
	return out, m.conflicts, nil
}

// merger merges one thing.
type merger struct {
	thing     Thing
	choices   []Choice
	conflicts []Conflict
}

func (m *merger) whole(t Triple) (json.RawMessage, error) {
	base, theirs, mine, err := decodeThree(t.Base.Value, t.Theirs.Value, t.Mine.Value)
	if err != nil {
		return nil, fmt.Errorf("merge %s: %w", t.Mine.Code, err)
	}
	merged, err := m.values("", base, theirs, mine)
	if err != nil {
		return nil, err
	}
	return encode(merged)
}

// values merges three values of one place.
func (m *merger) values(place string, base, theirs, mine any) (any, error) {
	switch {
	case reflect.DeepEqual(theirs, mine), reflect.DeepEqual(base, theirs):
		return mine, nil
	case reflect.DeepEqual(base, mine):
		return theirs, nil
	}
	b, t, x := asMapping(base), asMapping(theirs), asMapping(mine)
	if b != nil && t != nil && x != nil {
		return m.mappings(place, b, t, x)
	}
	bl, tl, xl := asCoded(base), asCoded(theirs), asCoded(mine)
	if bl != nil && tl != nil && xl != nil {
		return m.lists(place, bl, tl, xl)
	}
	return m.settle(place, base, theirs, mine)
}

func (m *merger) mappings(place string, base, theirs, mine map[string]any) (any, error) {
	out := map[string]any{}
	for _, name := range unionKeys(theirs, mine, base) {
		value, err := m.values(join(place, name), base[name], theirs[name], mine[name])
		if err != nil {
			return nil, err
		}
		if value != nil {
			out[name] = value
		}
	}
	return out, nil
}

// lists merges lists whose items have codes. The order is the draft's where it
// differs from what it was, and else that of the present catalog.
func (m *merger) lists(place string, base, theirs, mine *codedList) (any, error) {
	first, second := theirs, mine
	if !slices.Equal(base.order, mine.order) {
		first, second = mine, theirs
	}
	out := []any{}
	for _, code := range append(slices.Clone(first.order), slices.DeleteFunc(slices.Clone(second.order), first.has)...) {
		value, err := m.values(join(place, code), base.item(code), theirs.item(code), mine.item(code))
		if err != nil {
			return nil, err
		}
		if value != nil {
			out = append(out, value)
		}
	}
	return out, nil
}

// settle takes what a choice says, or notes a conflict.
func (m *merger) settle(place string, base, theirs, mine any) (any, error) {
	for _, c := range m.choices {
		if c.Thing != m.thing || c.Place != place {
			continue
		}
		switch c.Take {
		case TakeTheirs:
			return theirs, nil
		case TakeMine:
			return mine, nil
		case TakeValue:
			value, err := decode(c.Value)
			if err != nil {
				return nil, invalidChoice(c, "另写的值不是 JSON。文本请加双引号。")
			}
			return value, nil
		default:
			return nil, invalidChoice(c, "请填 theirs（现行目录的）、mine（草案的）或者 value（另写）。")
		}
	}
	m.conflicts = append(m.conflicts, Conflict{Thing: m.thing, Place: place, Base: base, Theirs: theirs, Mine: mine})
	return mine, nil
}

// codedList is a list whose items are mappings, each with a code of its own.
type codedList struct {
	order []string
	items map[string]any
}

func (l *codedList) has(code string) bool { return l.items[code] != nil }

func (l *codedList) item(code string) any { return l.items[code] }

// asCoded gives a list by the codes of its items; nil for any other value.
func asCoded(value any) *codedList {
	list, ok := value.([]any)
	if !ok {
		return nil
	}
	out := &codedList{items: make(map[string]any, len(list))}
	for _, item := range list {
		code, ok := asMapping(item)["code"].(string)
		if !ok || out.has(code) {
			return nil
		}
		out.order = append(out.order, code)
		out.items[code] = item
	}
	return out
}

func asMapping(value any) map[string]any {
	mapping, _ := value.(map[string]any)
	return mapping
}

func unionKeys(all ...map[string]any) []string {
	var names []string
	for _, one := range all {
		for name := range one {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func join(place, name string) string { return strings.TrimPrefix(place+"."+name, ".") }

// decode reads JSON; nothing is nil.
func decode(value json.RawMessage) (any, error) {
	if len(value) == 0 {
		return nil, nil
	}
	var out any
	err := json.Unmarshal(value, &out)
	return out, err
}

func decodeThree(a, b, c json.RawMessage) (x, y, z any, err error) {
	if x, err = decode(a); err == nil {
		if y, err = decode(b); err == nil {
			z, err = decode(c)
		}
	}
	return x, y, z, err
}

func invalidChoice(c Choice, message string) error {
	return fault.New(fault.Invalid, "invalid-choice", "%s %s：%s", c.Code, c.Place, message).
		With(fault.Detail{Location: "body.choices", Code: "invalid-choice", Message: c.Code + " " + c.Place + "：" + message})
}

// encode writes JSON; nil is nothing.
func encode(value any) (json.RawMessage, error) {
	if value == nil {
		return nil, nil
	}
	return json.Marshal(value)
}

// same reports whether two values say the same, however they are written.
func same(a, b json.RawMessage) bool {
	if bytes.Equal(a, b) {
		return true
	}
	if len(a) == 0 || len(b) == 0 {
		return false
	}
	x, errX := decode(a)
	y, errY := decode(b)
	return errX == nil && errY == nil && reflect.DeepEqual(x, y)
}
