package interchange

import (
	"maps"
	"slices"
	"strconv"

	"mianti/catalog"
)

// takeEntry sets what a row says of an entry of a thing's list, which is found by
// its code.
func (r *reader) takeEntry(l *line, w *work, removes bool) (changed, added bool) {
	item := l.text(findsItem)
	if item == "" {
		l.fail(r, "信息项代码", wrong{"code-missing", "没有写是哪一个信息项", "请填“信息项代码”"})
		return false, false
	}
	list := cloned(w.merged()[l.page.sheet.list])
	at := slices.IndexFunc(list, func(e map[string]any) bool { return e["code"] == item })
	switch {
	case removes && at < 0:
		l.fail(r, "信息项代码", wrong{"unknown-field", w.code + " 没有信息项 " + shortened(item), "请核对代码，或删去这一行"})
		return false, false
	case removes:
		w.put(l.page.sheet.list, asList(slices.Delete(list, at, at+1)))
		return true, false
	case at < 0 && !matches(`[a-z][a-z0-9_]*`, item):
		l.fail(r, "信息项代码", wrong{"bad-code", "代码“" + shortened(item) + "”的写法不对", "用小写字母、数字和下划线，字母开头，如 valid_to"})
		return false, false
	case at < 0:
		at, added = len(list), true
		list = append(list, map[string]any{"code": item})
	}
	entry := list[at]
	changed = r.takeInto(l, entry, &record{code: w.code, in: w.in, values: maps.Clone(entry), owner: w.merged()}, nil)
	if added {
		r.needEach(l, entry)
	}
	if changed || added {
		w.put(l.page.sheet.list, asList(list))
	}
	return changed, added
}

// takeInto sets the cells of a row in an entry, those of the proof in it.
func (r *reader) takeInto(l *line, entry map[string]any, rec *record, proof map[string]any) bool {
	changed := false
	for i := range l.page.sheet.columns {
		c := &l.page.sheet.columns[i]
		if c.key == "" || !l.has(i) {
			continue
		}
		value, differs := r.cell(l, c, i, rec, rec.values[c.key])
		if !differs || proof != nil && ofProof(c.key) && value == nil && !rec.head {
			continue
		}
		into := entry
		if proof != nil && ofProof(c.key) {
			into = proof
		}
		put(into, c.key, value)
		changed = true
	}
	return changed
}

// needEach reports what a new entry lacks.
func (r *reader) needEach(l *line, entry map[string]any) {
	for _, c := range l.page.sheet.columns {
		if c.needed && entry[c.key] == nil {
			l.fail(r, c.heading, wrong{"missing-value", "没有填“" + c.heading + "”", "新的" + l.page.sheet.name + "要填这一列"})
		}
	}
}

// takeLookup sets what a row says of a lookup, which is found by the number of its
// proof and its dataset.
func (r *reader) takeLookup(l *line, w *work, removes bool) (changed, added bool, err error) {
	group, bad := strconv.Atoi(l.group())
	if bad != nil || group < 1 || group > maxGroups {
		l.fail(r, "证明组", wrong{"bad-number", "“" + shortened(l.group()) + "”不是组号", "请填 1、2、3 …：同一组的数据资源合起来证明，几组之中有一组即可"})
		return false, false, nil
	}
	item := r.scribe.codeOf(catalog.ThingDataset, l.text(findsItem))
	if item == "" {
		l.fail(r, "数据资源代码", wrong{"unknown-dataset", "目录里没有数据资源 " + shortened(l.text(findsItem)), "请填数据资源代码，见“数据资源”页"})
		return false, false, nil
	}
	proofs := cloned(w.merged()["proofs"])
	for len(proofs) < group {
		proofs = append(proofs, map[string]any{"lookups": []any{}})
		w.padded = true
	}
	proof := proofs[group-1]
	lookups := cloned(proof["lookups"])
	at := slices.IndexFunc(lookups, func(e map[string]any) bool { return e["dataset"] == item })
	switch {
	case removes && at < 0:
		l.fail(r, "数据资源代码", wrong{"unknown-lookup", "材料 " + w.code + " 的第 " + itoa(group) + " 组不查 " + item, "请核对，或删去这一行"})
		return false, false, nil
	case removes:
		proof["lookups"] = asList(slices.Delete(lookups, at, at+1))
		w.padded = true
		w.put("proofs", asList(proofs))
		return true, false, nil
	case at < 0:
		at, added = len(lookups), true
		lookups = append(lookups, map[string]any{"dataset": item})
	}
	values := maps.Clone(proof)
	delete(values, "lookups")
	maps.Copy(values, lookups[at])
	rec := &record{code: w.code, values: values, owner: w.merged(), group: group, head: at == 0}
	changed = r.takeInto(l, lookups[at], rec, proof)
	if changed || added {
		proof["lookups"] = asList(lookups)
		w.put("proofs", asList(proofs))
	}
	return changed, added, nil
}

// cloned gives the mappings of a list, to be changed.
func cloned(list any) []map[string]any {
	out := entries(list)
	for i := range out {
		out[i] = maps.Clone(out[i])
	}
	return out
}

func asList(of []map[string]any) any {
	out := make([]any, len(of))
	for i, e := range of {
		out[i] = e
	}
	return out
}

// maxGroups bounds the proofs of a material.
const maxGroups = 50

// group gives the number of the proof that a row is about, the first where it says
// none.
func (l *line) group() string {
	if text := l.text(findsGroup); text != "" {
		return text
	}
	return "1"
}
