package department

import (
	"slices"
	"time"

	"mianti/correction"
	"mianti/exchange"
	"mianti/figures"
	"mianti/policies"
	"mianti/sharing"
	"mianti/web/frame"
)

// todo is one thing that waits for the department.
type todo struct {
	Kind, Title, Text, Path string
	Due                     time.Time
}

type homeView struct {
	around
	Todos []todo
	// More says that there are more than are shown.
	More                           bool
	Requests, Assists, Corrections int
	Late                           int
	Sick                           []figures.SourceTime
	Ending                         []sharing.Grant
}

// waiting is how many of each kind the first page looks at.
const waiting = 100

// endingSoon is how near the end of a grant is when it is told.
const endingSoon = 30 * 24 * time.Hour

// home shows what waits for the department, the most urgent first.
func (p *pages) home(v *frame.Visit) (frame.Answer, error) {
	data := homeView{around: p.around(v, "/department")}
	for _, gather := range []func(*frame.Visit, *homeView) error{p.waitingRequests, p.waitingAssists, p.waitingCorrections, p.watched} {
		if err := gather(v, &data); err != nil {
			return frame.Answer{}, err
		}
	}
	slices.SortStableFunc(data.Todos, func(a, b todo) int { return a.Due.Compare(b.Due) })
	for _, t := range data.Todos {
		if !v.Now.Before(t.Due) {
			data.Late++
		}
	}
	if data.More = len(data.Todos) > pageSize; data.More {
		data.Todos = data.Todos[:pageSize]
	}
	return frame.Show("home.html", "部门数据 · 待办", data), nil
}

func (p *pages) waitingRequests(v *frame.Visit, data *homeView) error {
	for _, state := range []sharing.State{sharing.Submitted, sharing.Resubmitted, sharing.Agreed, sharing.PartlyAgreed} {
		found, err := p.Config.Requests.List(v.Context(), v.Caller, sharing.AsProvider, sharing.Filter{State: state, Limit: waiting})
		if err != nil {
			return err
		}
		for i := range found {
			r := &found[i]
			if r.Deadline == nil {
				continue
			}
			what := "答复共享申请"
			if state == sharing.Agreed || state == sharing.PartlyAgreed {
				what = "开通共享"
			}
			data.Requests++
			data.Todos = append(data.Todos, todo{
				Kind: v.T(what), Title: data.Dataset(r.Application.Dataset), Text: data.Department(r.Applicant), Path: "/department/sharing/" + r.ID, Due: r.Deadline.DueAt,
			})
		}
	}
	return nil
}

func (p *pages) waitingAssists(v *frame.Visit, data *homeView) error {
	found, err := p.Config.Assists.AssistTasks(v.Context(), v.Caller, exchange.AssistFilter{State: exchange.AssistOpen, Limit: waiting})
	if err != nil {
		return err
	}
	for i := range found {
		t := &found[i]
		data.Assists++
		data.Todos = append(data.Todos, todo{
			Kind: v.T("答复协查"), Title: data.Material(t.Material), Text: data.Department(t.Receiver), Path: "/department/assists/" + t.ID, Due: t.DueAt,
		})
	}
	return nil
}

func (p *pages) waitingCorrections(v *frame.Visit, data *homeView) error {
	for _, state := range []correction.State{correction.Open, correction.Taken, correction.Ordered} {
		found, err := p.Config.Corrections.List(v.Context(), v.Caller, correction.AsProvider, correction.Filter{State: state, Limit: waiting})
		if err != nil {
			return err
		}
		for i := range found {
			c := &found[i]
			if c.Deadline == nil {
				continue
			}
			data.Corrections++
			data.Todos = append(data.Todos, todo{
				Kind: v.T("核实更正"), Title: data.Dataset(c.Dataset), Text: data.Department(c.Receiver), Path: "/department/corrections/" + c.ID, Due: c.Deadline.DueAt,
			})
		}
	}
	return nil
}

// watched finds what has no deadline and is to be looked at: sources that do not
// answer, and grants that end soon.
func (p *pages) watched(v *frame.Visit, data *homeView) error {
	sources, err := p.Config.Figures.Sources(v.Context(), v.Caller, v.Caller.Department, 1)
	if err != nil {
		return err
	}
	for i := range sources {
		if !sources[i].Well() {
			data.Sick = append(data.Sick, sources[i])
		}
	}
	grants, err := p.Config.Grants.ListGrants(v.Context(), v.Caller, sharing.AsApplicant, sharing.GrantFilter{State: policies.GrantActive, Limit: waiting})
	if err != nil {
		return err
	}
	for i := range grants {
		if left := grants[i].Until.Sub(v.Now); left > 0 && left < endingSoon {
			data.Ending = append(data.Ending, grants[i])
		}
	}
	return nil
}
