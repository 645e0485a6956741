package clerk

import (
	"net/url"
	"time"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/web/frame"
)

// assistView is the page of questions to officers.
type assistView struct {
	Tabs     []stateTab
	Rows     []assistRow
	Now      time.Time
	Answered bool
	Pager    frame.Pager
}

type assistRow struct {
	exchange.AssistTask
	Path, Name, To string
	Chip           frame.ChipView
}

// assist lists what the department asks officers of others (协查).
func (d *desk) assist(v *frame.Visit) (frame.Answer, error) {
	const path = "/clerk/assist"
	f := exchange.AssistFilter{State: exchange.AssistOpen, After: v.Query("after"), Limit: pageSize + 1}
	answered := v.Query("state") == string(exchange.AssistAnswered)
	if answered {
		f.State = exchange.AssistAnswered
	}
	tasks, err := d.Lists.AskedTasks(v.Context(), v.Caller, f)
	if err != nil {
		return frame.Answer{}, err
	}
	rev, err := v.Revision()
	if err != nil {
		return frame.Answer{}, err
	}
	view := assistView{Now: v.Now, Answered: answered, Tabs: []stateTab{
		{Title: v.T("待答复"), Path: path, Current: !answered}, {Title: v.T("已答复"), Path: path + "?state=answered", Current: answered},
	}}
	if len(tasks) > pageSize {
		tasks = tasks[:pageSize]
		view.Pager.Next = path + "?" + url.Values{"state": {string(f.State)}, "after": {tasks[pageSize-1].ID}}.Encode()
	}
	if f.After != "" {
		view.Pager.First = path + "?" + url.Values{"state": {string(f.State)}}.Encode()
	}
	view.Pager.Summary = v.T("本页 %d 项", len(tasks))
	for i := range tasks {
		view.Rows = append(view.Rows, assistRowOf(v, rev, &tasks[i]))
	}
	return frame.Show("assist.html", "发出的协查", view), nil
}

func assistRowOf(v *frame.Visit, rev *catalog.Revision, t *exchange.AssistTask) assistRow {
	row := assistRow{AssistTask: *t, Path: casePath(t.Case), Name: t.Material, To: departmentName(rev, t.Department), Chip: frame.ChipView{Kind: "wait", Text: v.T("待答复")}}
	if m := rev.Material(t.Material); m != nil {
		row.Name = m.Name
	}
	if t.Answer == nil {
		return row
	}
	switch t.Answer.Result {
	case exchange.AssistConfirmed:
		row.Chip = frame.ChipView{Kind: "good", Text: v.T("属实")}
	case exchange.AssistNotConfirmed:
		row.Chip = frame.ChipView{Kind: "bad", Text: v.T("与所需不符")}
	case exchange.AssistNotFound:
		row.Chip = frame.ChipView{Kind: "bad", Text: v.T("没有这样的记录")}
	}
	return row
}
