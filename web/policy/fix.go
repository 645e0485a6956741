package policy

import (
	"net/http"
	"strings"
	"time"

	"mianti/catalog"
	"mianti/catalog/lint"
	"mianti/draft"
	"mianti/internal/fault"
	"mianti/web/frame"
)

// draftFix answers a finding by a draft: with the change that it suggests, or with an
// explanation.
func (s *section) draftFix(v *frame.Visit) (frame.Answer, error) {
	shelf, b, err := s.at(v, "health")
	if err != nil {
		return frame.Answer{}, err
	}
	f := shelf.found(lint.Rule(v.Form("of_rule")), v.Form("of_code"), v.Form("of_key"))
	if b.Rev != 0 || f == nil {
		return frame.Answer{}, fault.New(fault.Conflict, "finding-gone", "现行目录里已经没有这处发现。请回到体检页重新查看。")
	}
	form := healthForm(v)
	id, err := s.answerFinding(v, shelf, f)
	if err == nil {
		return frame.GoSaying("/catalog/drafts/"+id, "已放进草案。"), nil
	}
	if !form.Take(err) {
		return frame.Answer{}, err
	}
	answer, err := s.showHealth(v, form)
	return answer.Status(http.StatusUnprocessableEntity), err
}

// answerFinding puts the suggested change of a finding into a draft, or an explanation
// where the visitor gives one, and says into which.
func (s *section) answerFinding(v *frame.Visit, shelf *shelf, f *lint.Finding) (string, error) {
	if v.Form("do") != "explain" {
		if f.Fix == nil {
			return "", fault.New(fault.Invalid, "no-suggestion", "这处发现没有建议的修改。")
		}
		return s.putEdit(v, f, *f.Fix)
	}
	why := strings.TrimSpace(v.Form("why"))
	if why == "" {
		return "", fault.New(fault.Invalid, "no-reason", "请写明 %s 这处发现为什么维持原样。", f.Code)
	}
	edit, err := lint.Explain(f, lint.Explanation{Why: why, By: nameOf(shelf.rev, v.Caller.Department), On: v.Now.In(catalog.TimeZone()).Format(time.DateOnly)})
	if err != nil {
		return "", err
	}
	return s.putEdit(v, f, edit)
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

// putEdit puts a change into a draft, or into a new one, and gives its id. A thing
// that the draft already changes is not written over: somebody meant it so.
func (s *section) putEdit(v *frame.Visit, f *lint.Finding, edit catalog.Edit) (string, error) {
	id := v.Form("draft")
	if id == "" {
		made, err := s.Drafts.Create(v.Context(), v.Caller, draft.Opening{
			Title: f.Rule.Name() + "：" + f.Code + " " + f.Name, Why: f.Reason + "（" + f.Clause + "）", Edits: []catalog.Edit{edit},
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
	if known.Edit(draft.Thing{Kind: edit.Kind, Code: edit.Code}) != nil {
		return "", fault.New(fault.Invalid, "already-edited", "草案“%s”已经改了 %s，请在草案里接着改。", known.Title, edit.Code)
	}
	_, err = s.Drafts.Put(v.Context(), v.Caller, id, known.Version, edit)
	return id, err
}
