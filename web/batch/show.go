package batch

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"mianti/batch"
	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/policies"
	"mianti/web/frame"
)

// shownRows is how many rows a page has.
const shownRows = 50

// showView is a batch with some of its rows.
type showView struct {
	itemView
	Form       *frame.Form // of the result
	Mine       bool
	Passphrase string
	Filters    []filterView
	Rows       []rowView
	Pager      frame.Pager
	Wrong      bool // the rows that are shown are those with errors
	Live       int  // what the page has seen of the progress
}

// filterView is a choice of rows, with how many there are.
type filterView struct {
	Title, Path string
	Count       int
	Current     bool
}

// rowView is one row.
type rowView struct {
	batch.Row
	Chip     frame.ChipView
	Settled  int
	Open     []openView
	Problems []fault.Detail
}

// openView is a material of a row that is not settled.
type openView struct{ Name, Outcome, Reason string }

// show shows a batch in the state that it is in.
func (s *section) show(v *frame.Visit) (frame.Answer, error) {
	return s.showWith(v, frame.NewForm(v, "passphrase"))
}

func (s *section) showWith(v *frame.Visit, form *frame.Form) (frame.Answer, error) {
	b, err := s.Lists.Batch(v.Context(), v.Caller, v.Param("id"))
	if err != nil {
		return frame.Answer{}, err
	}
	view := &showView{itemView: itemOf(v, b), Form: form, Mine: b.RequestedBy(v.Caller), Live: seen(b)}
	if view.Passphrase = form.Value("passphrase"); view.Passphrase == "" {
		if view.Passphrase, err = batch.NewPassphrase(); err != nil {
			return frame.Answer{}, err
		}
		form.Set("passphrase", view.Passphrase)
	}
	if b.DestroyedAt == nil && b.State != batch.Receiving {
		if err := s.addRows(v, view); err != nil {
			return frame.Answer{}, err
		}
	}
	return frame.Show("show.html", v.T("批次 %s", b.Number), view), nil
}

// seen is a number that changes when there is something new to see of a batch: rows
// go from todo to waiting, and from either to the end.
func seen(b *batch.Batch) int {
	return b.Version*1_000_000 + 2*b.Counts.Settled() - b.Counts.Waiting
}

// addRows adds a page of the rows that were asked for: those with errors while these
// are in the way.
func (s *section) addRows(v *frame.Visit, view *showView) error {
	state := batch.RowState(v.Query("rows"))
	if v.Query("rows") == "" && view.State == batch.Invalid {
		state = batch.RowWrong
	}
	path := "/batch/" + view.ID
	for _, one := range []struct {
		state batch.RowState
		title string
		count int
	}{
		{"all", "全部", view.Counts.Rows()}, {batch.RowWrong, "校验有误", view.Counts.Wrong}, {batch.RowTodo, "待核验", view.Counts.Todo},
		{batch.RowWaiting, "核验中", view.Counts.Waiting}, {batch.RowDone, "全部核实", view.Counts.Done},
		{batch.RowLacking, "尚需补充", view.Counts.Lacking}, {batch.RowFailed, "没有核验成", view.Counts.Failed},
	} {
		current := one.state == state || one.state == "all" && state == ""
		if one.count > 0 || current {
			view.Filters = append(view.Filters, filterView{v.T(one.title), path + "?rows=" + string(one.state), one.count, current})
		}
	}
	f := batch.RowFilter{Batch: view.ID, After: v.Number("after", 0, 1<<30, 0), Limit: shownRows + 1}
	if state != "" && state != "all" {
		f.States = []batch.RowState{state}
	}
	rows, err := s.Lists.List(v.Context(), v.Caller, f)
	if err != nil {
		return err
	}
	query := url.Values{"rows": {string(state)}}
	if f.After > 0 {
		view.Pager.First = path + "?" + query.Encode()
	}
	if len(rows) > shownRows {
		rows = rows[:shownRows]
		query.Set("after", strconv.Itoa(rows[shownRows-1].Line))
		view.Pager.Next = path + "?" + query.Encode()
	}
	view.Wrong = state == batch.RowWrong
	if len(rows) > 0 {
		view.Pager.Summary = v.T("第 %d 至 %d 行", rows[0].Line, rows[len(rows)-1].Line)
	}
	for _, row := range rows {
		view.Rows = append(view.Rows, rowOf(v, row))
	}
	return nil
}

func rowOf(v *frame.Visit, row batch.Row) rowView {
	out := rowView{Row: row, Problems: row.Problems, Chip: frame.ChipView{Text: v.T(row.Text())}}
	out.Chip.Kind = map[batch.RowState]string{
		batch.RowWrong: "bad", batch.RowFailed: "bad", batch.RowTodo: "none", batch.RowWaiting: "wait", batch.RowDone: "good", batch.RowLacking: "ask",
	}[row.State]
	for _, o := range row.Outcomes {
		if o.Outcome == policies.Settled {
			out.Settled++
			continue
		}
		out.Open = append(out.Open, openView{named(v.Catalog, o), v.T(batch.OutcomeText(o.Outcome)), o.Reason})
	}
	return out
}

// named is a material with whose it is.
func named(rev *catalog.Revision, o batch.Outcome) string {
	if rev != nil && o.Role != "" {
		if role := rev.Role(o.Role); role != nil {
			return fmt.Sprintf("《%s》（%s）", o.Name, role.Name)
		}
	}
	return "《" + o.Name + "》"
}

// errors sends the errors of a list.
func (s *section) errors(v *frame.Visit) (frame.Answer, error) {
	file, err := s.Lists.Errors(v.Context(), v.Caller, v.Param("id"))
	if err != nil {
		return frame.Answer{}, err
	}
	return frame.Send(xlsxType, "名单错误.xlsx", file), nil
}

// result sends the results, locked; what is wrong with the passphrase is said at it.
func (s *section) result(v *frame.Visit) (frame.Answer, error) {
	form := frame.NewForm(v, "passphrase")
	file, err := s.Results.Result(v.Context(), v.Caller, v.Param("id"), form.Value("passphrase"))
	if err == nil {
		return frame.Send("application/zip", file.Name, file.Content), nil
	}
	if !form.Take(err) {
		return frame.Answer{}, err
	}
	answer, err := s.showWith(v, form)
	return answer.Status(http.StatusUnprocessableEntity), err
}
