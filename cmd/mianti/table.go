package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/policies"
)

// group is materials that mean the same to the applicant.
type group struct {
	title    string
	outcomes []policies.Outcome
}

// groups are in the order in which an applicant asks: what need I not submit,
// what is being looked at, what do I still have to do.
func groups() []group {
	return []group{
		{"不用交", []policies.Outcome{policies.Settled}},
		{"以承诺代替", []policies.Outcome{policies.Committed}},
		{"部门核验中", []policies.Outcome{policies.Verifying}},
		{"等前序事项办结", []policies.Outcome{policies.AwaitingPrior}},
		{"等本人同意", []policies.Outcome{policies.NeedsConsent}},
		{"等回答情形", []policies.Outcome{policies.NeedsFact}},
		{"可以后补", []policies.Outcome{policies.Deferred}},
		{"还要交", []policies.Outcome{policies.Upload}},
	}
}

// outcomeName is how a material was settled, in words.
func outcomeName(m exchange.MaterialResult) string {
	if m.Mode == "" {
		return ""
	}
	return map[catalog.Mode]string{
		catalog.ModeForm: "表单生成", catalog.ModeElicense: "电子证照", catalog.ModeData: "数据核验", catalog.ModePrior: "前序结果",
		catalog.ModeHistory: "沿用", catalog.ModeCancel: "已取消", catalog.ModeCommit: "承诺", catalog.ModeDefer: "容缺",
	}[m.Mode]
}

// printResolution prints a resolution as tables, a group each.
func printResolution(w io.Writer, title string, r *exchange.Resolution) {
	fmt.Fprintf(w, "%s　办件 %s　%s\n", title, r.CaseNumber, statusName(r.Status))
	for _, g := range groups() {
		rows := rowsOf(r, g)
		if len(rows) == 0 {
			continue
		}
		fmt.Fprintf(w, "\n%s（%d 项）\n%s\n", g.title, len(rows), newTable(rows, 12, 28, 8, 10, 58).Headers("代码", "材料", "当事人", "方式", "说明"))
	}
	if len(r.Questions) > 0 {
		fmt.Fprintln(w, "\n还需要回答：")
		for _, q := range r.Questions {
			fmt.Fprintf(w, "  %s（%s）\n", q.Ask, q.Fact)
		}
	}
	fmt.Fprintf(w, "\n%d 个事项共索要 %d 次，去重后 %d 项：%s；另有 %d 项不适用。\n\n",
		r.Summary.Matters, r.Summary.Asked, r.Summary.Applicable, countsOf(r), r.Summary.NotApplicable)
}

// countsOf says how many materials are in each group that is not empty.
func countsOf(r *exchange.Resolution) string {
	var counts []string
	for _, g := range groups() {
		if n := len(rowsOf(r, g)); n > 0 {
			counts = append(counts, fmt.Sprintf("%s %d", g.title, n))
		}
	}
	return strings.Join(counts, "，")
}

func rowsOf(r *exchange.Resolution, g group) [][]string {
	var rows [][]string
	for _, m := range r.Materials {
		if !slices.Contains(g.outcomes, m.Outcome) {
			continue
		}
		party := ""
		if m.Subject != nil {
			party = m.Subject.Party
		}
		name := m.Name
		if extra := len(m.UsedBy) - 1; extra > 0 {
			name += fmt.Sprintf("（另 %d 处共用）", extra)
		}
		rows = append(rows, []string{m.Code, name, party, outcomeName(m), m.Reason.Text})
	}
	return rows
}

func statusName(s exchange.Status) string {
	switch s {
	case exchange.StatusComplete:
		return "结果完整"
	case exchange.StatusPending:
		return "等待中"
	default:
		return "需要补充信息"
	}
}

// newTable is a quiet table that wraps long texts.
func newTable(rows [][]string, widths ...int) *table.Table {
	return table.New().Border(lipgloss.NormalBorder()).BorderColumn(false).BorderTop(false).BorderBottom(false).
		BorderLeft(false).BorderRight(false).Rows(rows...).
		StyleFunc(func(_, column int) lipgloss.Style {
			style := lipgloss.NewStyle().PaddingRight(2)
			if column < len(widths) {
				style = style.Width(widths[column])
			}
			return style
		})
}

// printOverview prints one line for every one-thing, and the whole.
func printOverview(w io.Writer, shown []showcase) {
	rows := make([][]string, 0, len(shown)+1)
	var all exchange.Summary
	for _, one := range shown {
		rows = append(rows, overviewRow(one.thing.Code, one.thing.Name, one.resolution.Summary))
		addSummary(&all, one.resolution.Summary)
	}
	rows = append(rows, overviewRow("", "合计", all))
	fmt.Fprintln(w, table.New().Border(lipgloss.NormalBorder()).BorderColumn(false).BorderTop(false).BorderBottom(false).
		BorderLeft(false).BorderRight(false).Rows(rows...).
		Headers("代码", "一件事", "事项", "索要", "材料", "不用交", "承诺", "核验中", "待前序", "待同意/回答", "可后补", "还要交", "免提交").
		StyleFunc(func(_, column int) lipgloss.Style {
			style := lipgloss.NewStyle().PaddingRight(1)
			if column > 1 {
				style = style.Align(lipgloss.Right)
			}
			return style
		}))
}

func addSummary(all *exchange.Summary, s exchange.Summary) {
	all.Matters += s.Matters
	all.Asked += s.Asked
	all.Applicable += s.Applicable
	all.Settled += s.Settled
	all.Committed += s.Committed
	all.Verifying += s.Verifying
	all.AwaitingPrior += s.AwaitingPrior
	all.Deferred += s.Deferred
	all.NeedsConsent += s.NeedsConsent
	all.NeedsFact += s.NeedsFact
	all.Upload += s.Upload
}

func overviewRow(code, name string, s exchange.Summary) []string {
	numbers := []int{s.Matters, s.Asked, s.Applicable, s.Settled, s.Committed, s.Verifying, s.AwaitingPrior, s.NeedsConsent + s.NeedsFact, s.Deferred, s.Upload}
	row := []string{code, shorten(name, 18)}
	for _, n := range numbers {
		row = append(row, fmt.Sprint(n))
	}
	return append(row, share(s))
}

// share is how much of what applies needs no paper now or later: settled or
// taken from a prior result. Commitments, deferrals and what is still being
// verified are not counted (domain: 实际免提交率 counts what is settled).
func share(s exchange.Summary) string {
	if s.Applicable == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f%%", 100*float64(s.Settled)/float64(s.Applicable))
}

// shorten cuts a name to a number of characters.
func shorten(name string, most int) string {
	runes := []rune(name)
	if len(runes) <= most {
		return name
	}
	return strings.TrimSpace(string(runes[:most-1])) + "…"
}
