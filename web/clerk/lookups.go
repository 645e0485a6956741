package clerk

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/ledger"
	"mianti/web/frame"
)

type lookupsView struct {
	Form  *frame.Form
	Kinds []frame.Option
	Rows  []lookupRow
	Pager frame.Pager
}

type lookupRow struct {
	exchange.Act
	What, Path, About, Fields, Receipt string
	Result                             *frame.ChipView
}

// lookups are what the visitor did himself (我的用证记录).
func (d *desk) lookups(v *frame.Visit) (frame.Answer, error) {
	form := frame.NewForm(v, "kind")
	before, _ := strconv.ParseInt(v.Query("before"), 10, 64) // nothing is before what is no number
	acts, err := d.Lists.MyActs(v.Context(), v.Caller, ledger.Kind(form.Value("kind")), exchange.ActFilter{Before: before, Limit: pageSize + 1})
	if err != nil {
		return frame.Answer{}, err
	}
	rev, err := v.Revision()
	if err != nil {
		return frame.Answer{}, err
	}
	view := lookupsView{Form: form, Kinds: []frame.Option{{Value: "", Title: v.T("全部")}}}
	for _, k := range exchange.ActKinds() {
		view.Kinds = append(view.Kinds, frame.Option{Value: string(k), Title: actText(v, k)})
	}
	query := url.Values{"kind": {form.Value("kind")}}
	if before > 0 {
		view.Pager.First = "/clerk/lookups?" + query.Encode()
	}
	if len(acts) > pageSize {
		acts = acts[:pageSize]
		query.Set("before", fmt.Sprint(acts[pageSize-1].Number))
		view.Pager.Next = "/clerk/lookups?" + query.Encode()
	}
	view.Pager.Summary = v.T("本页 %d 条", len(acts))
	for _, a := range acts {
		view.Rows = append(view.Rows, lookupRowOf(v, rev, a))
	}
	return frame.Show("lookups.html", "我的用证记录", view), nil
}

func lookupRowOf(v *frame.Visit, rev *catalog.Revision, a exchange.Act) lookupRow {
	e := &a.Entry
	row := lookupRow{Act: a, What: actText(v, e.Kind)}
	if e.Case != "" {
		row.Path = casePath(e.Case)
		row.Receipt = fmt.Sprintf("/v1/cases/%s/entries/%d/receipt", e.Case, a.Number)
	}
	if m := rev.Material(e.Material); m != nil {
		row.About = m.Name
	}
	if party, of := strings.CutPrefix(e.Object, "party:"); of {
		row.About = v.T("当事人 %s 的姓名和号码", party)
	}
	if e.Dataset != "" {
		row.Fields = datasetName(rev, e.Dataset)
		if names := fieldNames(rev.Dataset(e.Dataset), e.Fields); names != "" {
			row.Fields += v.T("：") + names
		}
	}
	if e.Kind == ledger.Intent || e.Kind == ledger.Denied {
		chip := resultChip(v, e.Result)
		if e.Result == "" {
			chip = frame.ChipView{Kind: "ask", Text: v.T("没有记录到结果")}
		}
		row.Result = &chip
	}
	return row
}

func fieldNames(d *catalog.Dataset, codes []string) string {
	if d == nil {
		return ""
	}
	names := make([]string, len(codes))
	for i, code := range codes {
		if names[i] = code; d.Field(code) != nil {
			names[i] = d.Field(code).Name
		}
	}
	return strings.Join(names, "、")
}
