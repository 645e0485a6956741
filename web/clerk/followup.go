package clerk

import (
	"net/url"
	"strings"
	"time"

	"mianti/exchange"
	"mianti/web/frame"
)

// followView is the page of papers that may follow later.
type followView struct {
	Tabs  []stateTab
	Rows  []exchange.FollowUp
	Now   time.Time
	Pager frame.Pager
}

// followUp lists the papers that may follow later (容缺后补), what is due first first.
func (d *desk) followUp(v *frame.Visit) (frame.Answer, error) {
	const path = "/clerk/followup"
	f := exchange.FollowUpFilter{Limit: pageSize + 1}
	overdue := v.Query("due") == "overdue"
	if overdue {
		f.DueBefore = v.Now
	}
	if parts := strings.Split(v.Query("after"), "/"); len(parts) == 3 {
		f.After = exchange.FollowUpKey{Case: parts[0], Material: parts[1], Party: parts[2]}
	}
	rows, err := d.Lists.FollowUps(v.Context(), v.Caller, f)
	if err != nil {
		return frame.Answer{}, err
	}
	view := followView{Now: v.Now, Tabs: []stateTab{
		{Title: v.T("全部"), Path: path, Current: !overdue}, {Title: v.T("已到期"), Path: path + "?due=overdue", Current: overdue},
	}}
	if view.Rows = rows; len(rows) > pageSize {
		view.Rows = rows[:pageSize]
		last := view.Rows[pageSize-1]
		view.Pager.Next = path + "?" + url.Values{"due": {v.Query("due")}, "after": {last.Case + "/" + last.Material + "/" + last.Party}}.Encode()
	}
	if f.After.Case != "" {
		view.Pager.First = view.Tabs[0].Path
		if overdue {
			view.Pager.First = view.Tabs[1].Path
		}
	}
	view.Pager.Summary = v.T("本页 %d 份材料", len(view.Rows))
	return frame.Show("followup.html", "容缺后补", view), nil
}
