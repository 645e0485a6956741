package draft

import (
	"slices"

	"mianti/catalog"
)

// Between gives the edits that lead from some things to others. What goes with the
// thing that holds it needs no edit of its own.
func Between(before, after []catalog.Edit) []catalog.Edit {
	old := make(map[Thing]catalog.Edit, len(before))
	for _, e := range before {
		old[thingOf(e)] = e
	}
	var out []catalog.Edit
	for _, e := range after {
		was, known := old[thingOf(e)]
		if delete(old, thingOf(e)); !known || was.In != e.In || !same(was.Value, e.Value) {
			out = append(out, e)
		}
	}
	for _, e := range before { // what is left of them is removed
		if _, gone := old[thingOf(e)]; !gone {
			continue
		}
		if !slices.ContainsFunc(holdersOf(e), func(t Thing) bool { _, gone := old[t]; return gone }) {
			out = append(out, catalog.Edit{Kind: e.Kind, Code: e.Code, In: e.In})
		}
	}
	return Sorted(out)
}
