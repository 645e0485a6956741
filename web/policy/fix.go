package policy

import (
	"net/http"

	"mianti/catalog"
	"mianti/catalog/lint"
	"mianti/draft"
	"mianti/internal/fault"
	"mianti/web/frame"
)

// draftFix puts the change that a finding suggests into a draft.
func (s *section) draftFix(v *frame.Visit) (frame.Answer, error) {
	shelf, b, err := s.at(v, "health")
	if err != nil {
		return frame.Answer{}, err
	}
	f := shelf.found(lint.Rule(v.Form("of_rule")), v.Form("of_code"), v.Form("of_key"))
	if b.Rev != 0 || f == nil || f.Fix == nil {
		return frame.Answer{}, fault.New(fault.Conflict, "finding-gone", "现行目录里已经没有这处发现，或者没有建议的修改。请回到体检页重新查看。")
	}
	id, err := s.putFix(v, f, v.Form("draft"))
	if err == nil {
		return frame.GoSaying("/catalog/drafts/"+id, "已放进草案。"), nil
	}
	form := healthForm(v)
	if !form.Take(err) {
		return frame.Answer{}, err
	}
	answer, err := s.showHealth(v, form)
	return answer.Status(http.StatusUnprocessableEntity), err
}

// found gives a finding; nil for one that is not there.
func (s *shelf) found(rule lint.Rule, code, key string) *lint.Finding {
	for i := range s.findings {
		if f := &s.findings[i].Finding; f.Rule == rule && f.Code == code && f.Key == key {
			return f
		}
	}
	return nil
}

// putFix puts a change into a draft, or into a new one, and gives its id. A thing
// that the draft already changes is not written over: somebody meant it so.
func (s *section) putFix(v *frame.Visit, f *lint.Finding, id string) (string, error) {
	if id == "" {
		made, err := s.Drafts.Create(v.Context(), v.Caller, draft.Opening{
			Title: f.Rule.Name() + "：" + f.Code + " " + f.Name, Why: f.Reason + "（" + f.Clause + "）", Edits: []catalog.Edit{*f.Fix},
		})
		if err != nil {
			return "", err
		}
		return made.ID, nil
	}
	known, err := s.Drafts.Draft(v.Context(), v.Caller, id)
	if err != nil {
		return "", err
	}
	if known.Edit(draft.Thing{Kind: f.Fix.Kind, Code: f.Fix.Code}) != nil {
		return "", fault.New(fault.Invalid, "already-edited", "草案“%s”已经改了 %s，请在草案里接着改。", known.Title, f.Code)
	}
	_, err = s.Drafts.Put(v.Context(), v.Caller, id, known.Version, *f.Fix)
	return id, err
}
