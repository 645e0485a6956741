package frame

import "time"

// styleguideView shows every component once, with what it takes.
type styleguideView struct {
	Form  *Form
	Kinds []ChipView
	Days  []time.Time
	Now   time.Time
	Steps []Step
	Pager Pager
	Sorts []Option
}

// styleguide is the living page of the components.
func styleguide(v *Visit) (Answer, error) {
	form := NewForm(v, "number", "reason", "sort", "mode")
	form.Set("number", "2026-0001")
	form.Set("sort", "new")
	form.Set("mode", "data")
	form.Fail("number", v.T("办件编号没有找到。请核对后重新填写。"))
	day := 24 * time.Hour
	view := &styleguideView{
		Form: form, Now: v.Now, Days: []time.Time{v.Now.Add(30 * day), v.Now.Add(day), v.Now.Add(-10 * day)},
		Kinds: []ChipView{{"good", v.T("免提交")}, {"wait", v.T("核验中")}, {"ask", v.T("需您补充")}, {"bad", v.T("已超期")}, {"info", v.T("承诺")}, {"none", v.T("不适用")}},
		Steps: []Step{
			{Title: v.T("已受理"), At: v.Now.Add(-2 * day), Kind: "good"},
			{Title: v.T("部门正在核对"), Text: v.T("公安、民政两个部门"), At: v.Now.Add(-day), Kind: "wait"},
			{Title: v.T("办结"), Kind: "none"},
		},
		Pager: Pager{First: "/styleguide", Next: "/styleguide?page=2", Summary: v.T("第 %d 至 %d 条，共 %d 条", 1, 50, 12345)},
		Sorts: []Option{{Value: "new", Title: v.T("最新的在前")}, {Value: "old", Title: v.T("最早的在前")}},
	}
	return Show("styleguide.html", "组件", view), nil
}
