package department

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"mianti/figures"
	"mianti/web/frame"
)

type usesView struct {
	around
	Form     *frame.Form
	Datasets []frame.Option
	Others   []frame.Option
	Results  []frame.Option
	Used     *figures.Used
	All      int
	// Lines add up the totals by who used what for which matter.
	Lines []useLine
	Pager frame.Pager
}

// useLine is how often one department used one dataset for one matter.
type useLine struct {
	Dataset, Department, Matter string
	N, OK, Denied               int
}

// mostLines is how many lines are shown; a filter shows the others.
const mostLines = 30

// uses shows who used the department's data: for which matter, with what result,
// when, and under which number it is in the ledger.
func (p *pages) uses(v *frame.Visit) (frame.Answer, error) {
	data := usesView{around: p.around(v, "/department/uses"), Used: &figures.Used{}}
	data.Form = frame.NewForm(v, "from", "until", "dataset", "department", "matter", "result")
	data.Results = options(v, "全部结果", "ok", "已核验", "not_found", "没有查到", "mismatch", "不一致", "expired", "已过期", "source_down", "数源没有应答", "pending", "等待答复", figures.UseDenied, "依规则没有查询")
	data.Datasets, data.Others = options(v, "本部门全部"), options(v, "全部部门")
	if v.Catalog != nil {
		for _, d := range v.Catalog.Datasets() {
			if d.Department == v.Caller.Department {
				data.Datasets = append(data.Datasets, frame.Option{Value: d.Code, Title: d.Code + " " + d.Name})
			}
		}
		for _, d := range v.Catalog.Departments() {
			data.Others = append(data.Others, frame.Option{Value: d.Code, Title: d.Name})
		}
	}
	before, err := strconv.ParseInt(cmp.Or(v.Query("after"), "0"), 10, 64)
	if err != nil {
		before = 0
	}
	f := data.Form
	used, err := p.Config.Figures.Used(v.Context(), v.Caller, figures.UseQuery{
		From: f.Value("from"), Until: f.Value("until"), Dataset: f.Value("dataset"), Department: f.Value("department"),
		Matter: f.Value("matter"), Result: known(v, "result", data.Results), Before: before, Limit: pageSize,
	})
	switch {
	case err == nil:
		data.Used = used
	case f.Take(err):
		return frame.Show("uses.html", "谁用了我的数据", data).Status(422), nil
	default:
		return frame.Answer{}, err
	}
	next := ""
	if used.Next > 0 {
		next = strconv.FormatInt(used.Next, 10)
	}
	data.Lines, data.All = useLines(used.Totals)
	data.Pager = pager(v, "/department/uses", next, v.Query("after"), len(used.Uses))
	return frame.Show("uses.html", "谁用了我的数据", data), nil
}

func useLines(totals []figures.UseTotal) ([]useLine, int) {
	found, all := map[useLine]*useLine{}, 0
	for _, t := range totals {
		key := useLine{Dataset: t.Dataset, Department: t.Department, Matter: t.Matter}
		line := found[key]
		if line == nil {
			line = &useLine{Dataset: t.Dataset, Department: t.Department, Matter: t.Matter}
			found[key] = line
		}
		all += t.N
		line.N += t.N
		switch t.Result {
		case "ok":
			line.OK += t.N
		case figures.UseDenied:
			line.Denied += t.N
		}
	}
	lines := make([]useLine, 0, len(found))
	for _, line := range found {
		lines = append(lines, *line)
	}
	slices.SortFunc(lines, func(a, b useLine) int {
		return cmp.Or(cmp.Compare(b.N, a.N), strings.Compare(a.Dataset+a.Department+a.Matter, b.Dataset+b.Department+b.Matter))
	})
	return lines[:min(len(lines), mostLines)], all
}

// ResultChip says what came of a look-up.
func (v Visit) ResultChip(result string) frame.ChipView {
	kind, text := "none", result
	switch result {
	case "ok":
		kind, text = "good", "已核验"
	case "not_found":
		kind, text = "ask", "没有查到"
	case "mismatch":
		kind, text = "ask", "不一致"
	case "expired":
		kind, text = "ask", "已过期"
	case "stale":
		kind, text = "ask", "数据不够新"
	case "multiple":
		kind, text = "ask", "查到多条"
	case "source_down":
		kind, text = "bad", "数源没有应答"
	case "pending":
		kind, text = "wait", "等待答复"
	case figures.UseDenied:
		kind, text = "bad", "依规则没有查询"
	}
	return frame.ChipView{Kind: kind, Text: v.T(text)}
}
