package batch

import (
	"fmt"

	"mianti/batch"
	"mianti/catalog"
	"mianti/web/frame"
)

const listed = 20

// listView is the batches of the department.
type listView struct {
	Form    *frame.Form
	States  []frame.Option
	Items   []itemView
	Pager   frame.Pager
	Filters bool
}

// itemView is one batch in the list.
type itemView struct {
	*batch.Batch
	Subject string // its name
	Chip    frame.ChipView
	Settled int // rows that nothing has to be asked about any more, or goes on by itself
	Good    int // rows that passed the check
}

// list shows the department's batches, the newest first.
func (s *section) list(v *frame.Visit) (frame.Answer, error) {
	state, before := v.Query("state"), v.Query("before")
	if chipOf(v, batch.State(state)).Text == "" {
		state = ""
	}
	found, err := s.Lists.Batches(v.Context(), v.Caller, batch.Filter{State: batch.State(state), Before: before, Limit: listed + 1})
	if err != nil {
		return frame.Answer{}, err
	}
	view := &listView{Form: frame.NewForm(v, "state"), Filters: state != "" || before != ""}
	view.States = []frame.Option{{Value: "", Title: v.T("全部")}}
	for _, one := range []batch.State{batch.Invalid, batch.Ready, batch.Running, batch.Paused, batch.Finished, batch.Cancelled} {
		view.States = append(view.States, frame.Option{Value: string(one), Title: chipOf(v, one).Text})
	}
	if len(found) > listed {
		found = found[:listed]
		view.Pager.Next = fmt.Sprintf("/batch?state=%s&before=%s", state, found[listed-1].ID)
	}
	if before != "" {
		view.Pager.First = "/batch?state=" + state
	}
	view.Pager.Summary = v.T("本页 %d 个批次，新的在前", len(found))
	for i := range found {
		view.Items = append(view.Items, itemOf(v, &found[i]))
	}
	return frame.Show("list.html", "批量核验", view), nil
}

func itemOf(v *frame.Visit, b *batch.Batch) itemView {
	item := itemView{Batch: b, Subject: subjectName(v.Catalog, b.Subject), Chip: chipOf(v, b.State), Good: b.Counts.Good()}
	item.Settled = b.Counts.Settled()
	if b.DestroyedAt != nil {
		item.Chip = frame.ChipView{Kind: "none", Text: v.T("名单已销毁")}
	}
	return item
}

// subjectName is the name of a matter or a one-thing.
func subjectName(rev *catalog.Revision, code string) string {
	if rev != nil {
		if m := rev.Matter(code); m != nil {
			return m.Name
		}
		if thing := rev.OneThing(code); thing != nil {
			return thing.Name
		}
	}
	return code
}

// chipOf says a state; its text is empty for none.
func chipOf(v *frame.Visit, state batch.State) frame.ChipView {
	switch state {
	case batch.Receiving:
		return frame.ChipView{Kind: "wait", Text: v.T("正在校验")}
	case batch.Invalid:
		return frame.ChipView{Kind: "bad", Text: v.T("有错误待处理")}
	case batch.Ready:
		return frame.ChipView{Kind: "ask", Text: v.T("待开始")}
	case batch.Running:
		return frame.ChipView{Kind: "wait", Text: v.T("核验中")}
	case batch.Paused:
		return frame.ChipView{Kind: "ask", Text: v.T("已暂停")}
	case batch.Finished:
		return frame.ChipView{Kind: "good", Text: v.T("已完成")}
	case batch.Cancelled:
		return frame.ChipView{Kind: "none", Text: v.T("已取消")}
	default:
		return frame.ChipView{}
	}
}
