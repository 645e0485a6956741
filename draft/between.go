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
	var out, removed []catalog.Edit
	for _, e := range after {
		was, known := old[thingOf(e)]
		if delete(old, thingOf(e)); !known || was.In != e.In || !same(was.Value, e.Value) {
			out = append(out, e)
		}
	}
	for _, e := range before {
		if _, gone := old[thingOf(e)]; gone {
			removed = append(removed, catalog.Edit{Kind: e.Kind, Code: e.Code, In: e.In})
		}
	}
	for _, e := range removed {
		if !slices.ContainsFunc(removed, func(holder catalog.Edit) bool { return holds(holder.Kind) && heldIn(e, thingOf(holder)) }) {
			out = append(out, e)
		}
	}
	return Sorted(out)
}
