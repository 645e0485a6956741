package batch

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"

	"mianti/batch"
	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/web/frame"
)

// newView is the form of a new batch. Before a matter was chosen it has the matters
// alone.
type newView struct {
	Form    *frame.Form
	Choices []choice
	Subject string // that was chosen
	Name    string
	Columns []batch.Column
	Systems []frame.Option
	MaxRows int
}

// choice is something that the department can have verified.
type choice struct{ Code, Name, Kind string }

// newBatch asks first for what, then for the list.
func (s *section) newBatch(v *frame.Visit) (frame.Answer, error) {
	form := frame.NewForm(v, "subject", "purpose", "basis", "per_day", "system", "file")
	form.Set("per_day", "5000")
	return s.showNew(v, form)
}

func (s *section) showNew(v *frame.Visit, form *frame.Form) (frame.Answer, error) {
	rev, err := v.Revision()
	if err != nil {
		return frame.Answer{}, err
	}
	view := &newView{Form: form, Choices: choices(rev, v), MaxRows: batch.MaxRows}
	at := slices.IndexFunc(view.Choices, func(c choice) bool { return c.Code == form.Value("subject") })
	if at < 0 {
		return frame.Show("choose.html", "新建批量核验", view), nil
	}
	view.Subject, view.Name = view.Choices[at].Code, view.Choices[at].Name
	if view.Columns, err = s.Intake.Columns(v.Context(), view.Subject); err != nil {
		return frame.Answer{}, err
	}
	systems, err := s.Intake.Systems(v.Context(), v.Caller)
	if err != nil {
		return frame.Answer{}, err
	}
	if len(systems) > 1 {
		for _, system := range systems {
			view.Systems = append(view.Systems, frame.Option{Value: system, Title: system})
		}
	}
	return frame.Show("new.html", "新建批量核验", view), nil
}

// choices are the matters that the department handles, and the one-things that it
// leads.
func choices(rev *catalog.Revision, v *frame.Visit) []choice {
	var out []choice
	for _, thing := range rev.OneThings() {
		if thing.Lead == v.Caller.Department {
			out = append(out, choice{thing.Code, thing.Name, v.T("一件事")})
		}
	}
	for _, m := range rev.Matters() {
		if m.Department == v.Caller.Department {
			out = append(out, choice{m.Code, m.Name, v.T("事项")})
		}
	}
	return out
}

// handIn takes a list in.
func (s *section) handIn(v *frame.Visit) (frame.Answer, error) {
	select {
	case s.uploads <- struct{}{}:
		defer func() { <-s.uploads }()
	default:
		return frame.Answer{}, fault.New(fault.Unavailable, "unavailable", "正在接收别的名单，请稍后再提交。")
	}
	form := frame.NewForm(v, "subject", "purpose", "basis", "per_day", "system", "file")
	form.Require(v.T("请填写这一项。"), "purpose", "basis", "per_day")
	content, err := uploaded(v)
	if err != nil {
		return frame.Answer{}, err
	}
	if len(content) == 0 {
		form.Fail("file", v.T("请选择名单文件（XLSX 或 CSV）。"))
	}
	if !form.OK() {
		return s.wrong(v, form)
	}
	b, err := s.Intake.Submit(v.Context(), v.Caller, batch.Submission{
		Subject: form.Value("subject"), Purpose: form.Value("purpose"), Basis: form.Value("basis"), PerDay: whole(form.Value("per_day")),
		System: form.Value("system"), File: content,
	})
	if err != nil {
		if atTheList(v, form, err) || form.Take(err) {
			return s.wrong(v, form)
		}
		return frame.Answer{}, err
	}
	if b.State == batch.Invalid {
		return frame.Go("/batch/" + b.ID), nil // which says so itself
	}
	return frame.GoSaying("/batch/"+b.ID, "名单已校验，没有错误。还没有开始核验。"), nil
}

func (s *section) wrong(v *frame.Visit, form *frame.Form) (frame.Answer, error) {
	answer, err := s.showNew(v, form)
	return answer.Status(http.StatusUnprocessableEntity), err
}

// atTheList puts what is wrong with the file itself at its field, each with its
// place in it.
func atTheList(v *frame.Visit, form *frame.Form, err error) bool {
	f := fault.As(err)
	if f == nil || (f.Code != "invalid-list" && f.Kind != fault.TooLarge) {
		return false
	}
	if len(f.Details) == 0 {
		form.Fail("file", v.T(f.Message))
	}
	for _, d := range f.Details {
		if d.Location == "file" {
			form.Fail("file", v.T(d.Message))
			continue
		}
		form.Fail("file", d.Location+v.T("：")+v.T(d.Message))
	}
	return true
}

// uploaded gives the file that was sent; nothing for none.
func uploaded(v *frame.Visit) ([]byte, error) {
	file, _, err := v.Request().FormFile("file")
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.New(fault.Invalid, "bad-form", "文件没有完整送达，请重新提交。").Because(err)
	}
	content, err := io.ReadAll(file)
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, fault.New(fault.Invalid, "bad-form", "文件没有完整送达，请重新提交。").Because(err)
	}
	return content, nil
}

// whole reads a whole number as people write it; 0 for none.
func whole(text string) int {
	n := 0
	for _, r := range text {
		switch {
		case r == ',' || r == '，' || r == ' ':
		case r < '0' || r > '9' || n > batch.MaxRows:
			return 0
		default:
			n = n*10 + int(r-'0')
		}
	}
	return n
}

// template sends an empty list.
func (s *section) template(v *frame.Visit) (frame.Answer, error) {
	var out bytes.Buffer
	if err := s.Intake.Template(v.Context(), v.Param("code"), &out); err != nil {
		return frame.Answer{}, err
	}
	return frame.Send(xlsxType, "名单模板-"+v.Param("code")+".xlsx", out.Bytes()), nil
}
