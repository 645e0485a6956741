package clerk

import (
	"slices"
	"time"

	"mianti/exchange"
	"mianti/policies"
	"mianti/web/frame"
)

// completionView is what the applicant is told at once (一次性告知).
type completionView struct {
	Path, Number, Subject, Department, Officer string
	Now, ResolvedAt                            time.Time
	Applicants                                 []string
	Papers                                     []paperView
	Later                                      []paperView
	Consents                                   []string
	Questions                                  []string
	Checking                                   int
	Nothing                                    bool
}

type paperView struct {
	Name, Whose, Reason, Matters string
	Days                         int
}

// completion is everything that is still to be submitted, to be printed and handed
// over. It names the applicants in full, which is recorded for each.
func (d *desk) completion(v *frame.Visit) (frame.Answer, error) {
	s, err := d.screen(v)
	if err != nil {
		return frame.Answer{}, err
	}
	if s.r == nil {
		return frame.GoSaying(casePath(s.c.ID), "还没有核验，先核验再告知。"), nil
	}
	s.full = map[string]bool{}
	view := completionView{
		Path: casePath(s.c.ID), Number: s.c.Number, Subject: subjectName(s.rev, s.c.Subject), Department: departmentName(s.rev, s.c.Department),
		Now: v.Now, ResolvedAt: s.r.ResolvedAt, Checking: exchange.CountsOf(&s.r.Summary).Checking,
	}
	if v.Session != nil {
		view.Officer = v.Session.Person.Name
	}
	if err := d.nameInFull(v, s, &view); err != nil {
		return frame.Answer{}, err
	}
	for i := range s.r.Materials {
		s.complete(&view, &s.r.Materials[i])
	}
	for _, q := range s.r.Questions {
		view.Questions = append(view.Questions, q.Ask)
	}
	view.Nothing = len(view.Papers)+len(view.Later)+len(view.Consents)+len(view.Questions) == 0
	return frame.Show("completion.html", "一次性补正告知书", view).Bare(), nil
}

// nameInFull finds whom the notice has to name: the applicants, and whoever has
// something to submit.
func (d *desk) nameInFull(v *frame.Visit, s *screen, view *completionView) error {
	var named []string
	for i := range s.c.Parties {
		if s.c.Parties[i].In("applicant") {
			named = append(named, s.c.Parties[i].ID)
		}
	}
	for i := range s.r.Materials {
		m := &s.r.Materials[i]
		if party := partyOf(m); party != "" && told(m) && !slices.Contains(named, party) {
			named = append(named, party)
		}
	}
	for _, id := range named {
		p, err := d.Acts.UnmaskParty(v.Context(), v.Caller, s.c.ID, id)
		if err != nil {
			return err
		}
		s.full[id] = true
		if p.In("applicant") {
			view.Applicants = append(view.Applicants, p.Name)
		}
	}
	return nil
}

// told reports whether the applicant has to be told of a material.
func told(m *exchange.MaterialResult) bool {
	return m.Outcome == policies.Upload || m.Outcome == policies.Deferred || m.Outcome == policies.NeedsConsent
}

func (s *screen) complete(view *completionView, m *exchange.MaterialResult) {
	listed := func(p exchange.Paper) bool { return p.Code == m.Code && p.Party == partyOf(m) }
	if !told(m) || m.Outcome == policies.Upload && !slices.ContainsFunc(s.r.Papers, listed) {
		return // the same paper is on the list already
	}
	paper := paperView{Name: m.Name, Whose: s.whose(m), Reason: m.Reason.Text, Days: m.DueDays, Matters: s.matterOf(m.Code)}
	switch m.Outcome {
	case policies.Upload:
		view.Papers = append(view.Papers, paper)
	case policies.Deferred:
		view.Later = append(view.Later, paper)
	default:
		text := paper.Name
		if paper.Whose != "" {
			text = s.v.T("%s：%s", paper.Whose, paper.Name)
		}
		view.Consents = append(view.Consents, text)
	}
}
