package clerk

import (
	"fmt"
	"net/url"

	"mianti/exchange"
	"mianti/web/frame"
)

// queueView is what the queue shows.
type queueView struct {
	States   []stateTab
	Form     *frame.Form
	Subjects []frame.Option
	Orders   []frame.Option
	State    string
	Rows     []queueRow
	Pager    frame.Pager
	Filtered bool
}

// stateTab leads to the cases of a state, and says how many there are.
type stateTab struct {
	Title, Path, Count string
	Current            bool
}

type queueRow struct {
	exchange.CaseBrief
	Path, Name string
	Chip       frame.ChipView
	ClosedText string
}

// queue is the queue of the department (收件台).
func (d *desk) queue(v *frame.Visit) (frame.Answer, error) {
	form := frame.NewForm(v, "number", "subject", "order")
	f := exchange.CaseFilter{
		State: exchange.CaseState(v.Query("state")), Subject: form.Value("subject"), Number: form.Value("number"), Oldest: form.Value("order") == "oldest",
		After: v.Query("after"), Before: v.Query("before"), Limit: pageSize,
	}
	if !v.Request().URL.Query().Has("state") {
		f.State = exchange.CaseOpen
	}
	found, err := d.Lists.CaseList(v.Context(), v.Caller, f)
	if err != nil {
		return frame.Answer{}, err
	}
	rows, err := d.queueRows(v, found.Items)
	if err != nil {
		return frame.Answer{}, err
	}
	view := queueView{
		States: stateTabs(v, f, found.Counts), Form: form, State: string(f.State), Rows: rows, Pager: queuePager(v, f, found),
		Filtered: f.Number != "" || f.Subject != "" || f.State != exchange.CaseOpen,
		Orders:   []frame.Option{{Value: "", Title: v.T("新登记的在前")}, {Value: "oldest", Title: v.T("早登记的在前")}},
		Subjects: subjectsOf(v),
	}
	return frame.Show("queue.html", "收件台", view), nil
}

func (d *desk) queueRows(v *frame.Visit, items []exchange.CaseBrief) ([]queueRow, error) {
	rows := make([]queueRow, len(items))
	for i, c := range items {
		rev, err := d.Catalogs.Revision(v.Context(), c.Revision, c.Subject)
		if err != nil {
			return nil, err
		}
		rows[i] = queueRow{CaseBrief: c, Path: casePath(c.ID), Name: subjectName(rev, c.Subject), Chip: stateChip(v, c.State)}
		switch c.ClosedFor {
		case exchange.CaseFinished:
			rows[i].ClosedText = v.T("办结")
		case exchange.CaseWithdrawn:
			rows[i].ClosedText = v.T("撤回")
		}
	}
	return rows, nil
}

// queuePath is the address of the queue under a filter.
func queuePath(f exchange.CaseFilter) string {
	q := url.Values{"state": {string(f.State)}}
	if f.Oldest {
		q.Set("order", "oldest")
	}
	for name, value := range map[string]string{"number": f.Number, "subject": f.Subject, "after": f.After, "before": f.Before} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return "/clerk?" + q.Encode()
}

func stateTabs(v *frame.Visit, f exchange.CaseFilter, counts map[exchange.CaseState]int) []stateTab {
	open := counts[exchange.CaseNew] + counts[exchange.CaseWaiting] + counts[exchange.CaseNeedsInput] + counts[exchange.CaseDone]
	more := func(n, limit int) string {
		if n >= limit {
			return fmt.Sprintf("%d+", limit-1)
		}
		return fmt.Sprint(n)
	}
	f.After, f.Before = "", ""
	tab := func(state exchange.CaseState, title, count string) stateTab {
		of := f
		of.State = state
		return stateTab{Title: v.T(title), Path: queuePath(of), Count: count, Current: f.State == state}
	}
	limit := exchange.CountedCases
	of := func(s exchange.CaseState) string { return more(counts[s], limit) }
	return []stateTab{
		tab(exchange.CaseOpen, "未关闭", more(open, limit)), tab(exchange.CaseNew, "待核验", of(exchange.CaseNew)),
		tab(exchange.CaseWaiting, "核验中", of(exchange.CaseWaiting)), tab(exchange.CaseNeedsInput, "待补充", of(exchange.CaseNeedsInput)),
		tab(exchange.CaseDone, "已有结论", of(exchange.CaseDone)), tab(exchange.CaseClosed, "已关闭", of(exchange.CaseClosed)),
		tab(exchange.CaseAny, "全部", ""),
	}
}

func queuePager(v *frame.Visit, f exchange.CaseFilter, found *exchange.CasePage) frame.Pager {
	p := frame.Pager{Summary: v.T("本页 %d 件", len(found.Items))}
	at := func(after, before string) string {
		of := f
		of.After, of.Before = after, before
		return queuePath(of)
	}
	if found.Next != "" {
		p.Next = at(found.Next, "")
	}
	if found.Prev != "" {
		p.First, p.Prev = at("", ""), at("", found.Prev)
	}
	return p
}

// subjectsOf are the one-things, and the matters of the visitor's department.
func subjectsOf(v *frame.Visit) []frame.Option {
	out := []frame.Option{{Value: "", Title: v.T("全部事项")}}
	if v.Catalog == nil {
		return out
	}
	for _, o := range v.Catalog.OneThings() {
		out = append(out, frame.Option{Value: o.Code, Title: o.Name})
	}
	for _, m := range v.Catalog.Matters() {
		if m.Department == v.Caller.Department {
			out = append(out, frame.Option{Value: m.Code, Title: m.Code + " " + m.Name})
		}
	}
	return out
}
