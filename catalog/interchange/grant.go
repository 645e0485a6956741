package interchange

import (
	"slices"
	"time"

	"mianti/batch/table"
	"mianti/catalog"
	"mianti/policies"
)

const grantSheetName = "授权"

// grantSheet is the sheet of the grants. They are no part of the catalog: the sheet
// is read to be given by whoever may.
func grantSheet() *sheet {
	names := map[policies.GrantState]string{policies.GrantActive: "有效", policies.GrantSuspended: "暂停", policies.GrantTerminated: "已终止"}
	return &sheet{name: grantSheetName, also: []string{"共享授权"}, list: "grants", columns: []column{
		code("授权编号"),
		as(reference(catalog.ThingDepartment), "使用部门", "department", "使用单位").must(),
		text("事项代码", "matter").must(),
		as(dataset(), "数据资源代码", "dataset", "数据资源").must(),
		as(many(plainText(), "、"), "授权数据项", "fields", "数据项", "信息项"), // none where it is enough that there is a record
		text("授权依据", "basis", "依据").must(),
		as(day(), "起始日期", "from", "开始日期").must(),
		as(day(), "截止日期", "until", "到期日期", "最后一天").must(),
		{heading: "授权状态", also: []string{"状态"}, says: func(_ *scribe, r *record) string { return names[policies.GrantState(asText(r.values["state"]))] }},
	}}
}

func day() form { return pattern(`[0-9]{4}-[0-9]{2}-[0-9]{2}`, "年-月-日，如 2026-12-31") }

func (c *Content) grantTable(s *scribe) table.Sheet {
	sh := grantSheet()
	return table.Sheet{Name: sh.name, Heading: sh.headings(), Rows: func(yield func([]string, error) bool) {
		if c.Grants == nil {
			return
		}
		for g, err := range c.Grants {
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(sh.cells(s, grantRecord(&g)), nil) {
				return
			}
		}
	}}
}

// grantRecord is a grant as a row; its last day is the one before it ends.
func grantRecord(g *policies.Grant) *record {
	fields := make([]any, len(g.Fields))
	for i, code := range g.Fields {
		fields[i] = code
	}
	return &record{code: g.ID, values: map[string]any{
		"department": g.Department, "matter": g.Matter, "dataset": g.Dataset, "fields": fields, "basis": g.Basis, "state": string(g.State),
		"from":  g.From.In(catalog.TimeZone()).Format(time.DateOnly),
		"until": g.Until.Add(-time.Second).In(catalog.TimeZone()).Format(time.DateOnly),
	}}
}

// takeGrant reads a row of the sheet: a grant that is there already is to be as the
// row says, and one that is not is to be given.
func (r *reader) takeGrant(row *line) error {
	values, ok := row.all(r)
	if !ok {
		return nil
	}
	made := policies.Grant{
		ID: row.text(findsCode), Department: asText(values["department"]), Matter: asText(values["matter"]), Dataset: asText(values["dataset"]),
		Basis: asText(values["basis"]), State: policies.GrantActive, Fields: []string{},
	}
	list, _ := values["fields"].([]any)
	for _, f := range list {
		made.Fields = append(made.Fields, asText(f))
	}
	slices.Sort(made.Fields)
	if !r.checkGrant(row, &made, asText(values["from"]), asText(values["until"])) {
		return nil
	}
	count := r.count(row)
	if made.ID == "" || r.base.Grant == nil {
		r.preview.Grants = append(r.preview.Grants, made)
		count.Added++
		return nil
	}
	known, err := r.base.Grant(made.ID)
	switch {
	case err != nil:
		return err
	case known == nil:
		r.preview.Grants = append(r.preview.Grants, made)
		count.Added++
	case !sameGrant(known, &made):
		row.fail(r, "授权编号", wrong{"grant-changed", "已有的授权 " + shortened(made.ID) + " 与表中不同", "授权不能用表格更改：缩小范围、暂停或终止请在共享授权页面办理；另给一项的，编号留空"})
	default:
		count.Same++
	}
	return nil
}

// checkGrant holds a grant against the catalog.
func (r *reader) checkGrant(row *line, g *policies.Grant, from, until string) bool {
	rev, err := r.base.about(g.Matter)
	if err != nil || rev.Matter(g.Matter) == nil || rev.Dataset(g.Dataset) == nil {
		row.fail(r, "事项代码", wrong{"unknown-matter", "目录中没有事项 " + shortened(g.Matter), "请填事项代码，如 S01.M1"})
		return false
	}
	if rev.Matter(g.Matter).Department != g.Department {
		row.fail(r, "使用部门", wrong{"matter-of-another", g.Matter + " 不是这个部门的事项", "授权只给办理事项的部门"})
		return false
	}
	dataset := rev.Dataset(g.Dataset)
	for _, code := range g.Fields {
		field := dataset.Field(code)
		if field == nil {
			row.fail(r, "授权数据项", wrong{"unknown-field", g.Dataset + " 没有数据项 " + shortened(code), "请填信息项代码，见“数据项”页"})
			return false
		}
		if dataset.SharingOf(field) == catalog.SharingWithheld {
			row.fail(r, "授权数据项", wrong{"withheld-field", g.Dataset + " 的 " + code + " 不予共享", "请去掉这一项"})
			return false
		}
	}
	first, errFrom := time.ParseInLocation(time.DateOnly, from, catalog.TimeZone())
	last, errUntil := time.ParseInLocation(time.DateOnly, until, catalog.TimeZone())
	if errFrom != nil || errUntil != nil || last.Before(first) {
		row.fail(r, "截止日期", wrong{"bad-term", "起止日期不对", "请填真实的日期，截止不早于起始"})
		return false
	}
	g.From, g.Until = first, last.AddDate(0, 0, 1)
	return true
}

// sameGrant compares what a row can say of a grant. Days are compared: an instant
// within one is none of the sheet's.
func sameGrant(a, b *policies.Grant) bool {
	x, y := grantRecord(a).values, grantRecord(b).values
	return a.Department == b.Department && a.Matter == b.Matter && a.Dataset == b.Dataset && a.Basis == b.Basis &&
		slices.Equal(a.Fields, b.Fields) && x["from"] == y["from"] && x["until"] == y["until"]
}
