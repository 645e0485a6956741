package batch

import (
	"errors"

	"mianti/batch"
	"mianti/internal/fault"
	"mianti/web/frame"
)

// start begins; with errors only when it is said that these rows are left out.
func (s *section) start(v *frame.Visit) (frame.Answer, error) {
	_, err := s.Acts.Start(v.Context(), v.Caller, v.Param("id"), v.Form("leave_out") == "yes")
	return s.done(v, err, "已经开始核验。可以离开本页，核验在后台继续。")
}

func (s *section) pause(v *frame.Visit) (frame.Answer, error) {
	_, err := s.Acts.Pause(v.Context(), v.Caller, v.Param("id"), v.Form("reason"))
	return s.done(v, err, "已经暂停。正在核验的几行完成后停下。")
}

func (s *section) resume(v *frame.Visit) (frame.Answer, error) {
	_, err := s.Acts.Resume(v.Context(), v.Caller, v.Param("id"), v.Form("reason"))
	return s.done(v, err, "已经继续核验。")
}

// cancelView asks once more.
type cancelView struct {
	itemView
	Form *frame.Form
}

func (s *section) askCancel(v *frame.Visit) (frame.Answer, error) {
	b, err := s.Lists.Batch(v.Context(), v.Caller, v.Param("id"))
	if err != nil {
		return frame.Answer{}, err
	}
	if b.State.Ended() || b.State == batch.Receiving {
		return frame.GoSaying("/batch/"+b.ID, "批次已经结束，不能取消。"), nil
	}
	return frame.Show("cancel.html", "取消批量核验", &cancelView{itemView: itemOf(v, b), Form: frame.NewForm(v, "reason")}), nil
}

func (s *section) cancel(v *frame.Visit) (frame.Answer, error) {
	_, err := s.Acts.Cancel(v.Context(), v.Caller, v.Param("id"), v.Form("reason"))
	return s.done(v, err, "已经取消。没有核验的行不再核验，已核验的不变。")
}

// done goes back to the batch. What its state does not allow is said there: somebody
// was quicker.
func (s *section) done(v *frame.Visit, err error, message string) (frame.Answer, error) {
	path := "/batch/" + v.Param("id")
	if f := fault.As(err); f != nil && errors.Is(err, fault.Conflict) {
		return frame.GoSaying(path, f.Message), nil
	}
	if err != nil {
		return frame.Answer{}, err
	}
	return frame.GoSaying(path, message), nil
}
