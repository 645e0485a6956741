package department_test

import (
	"context"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/correction"
	"mianti/exchange"
	"mianti/figures"
	"mianti/internal/fault"
	"mianti/policies"
	"mianti/sharing"
	"mianti/web/department"
	"mianti/web/frame/frametest"
)

// hostile is a text as a department, a catalog or a person might send it.
const hostile = `<script>alert("x")</script>`

// desk is the use cases, with something of each kind, and what was asked of them.
type desk struct {
	requests    []sharing.Request
	grants      []sharing.Grant
	tasks       []exchange.AssistTask
	corrections []correction.Correction
	used        figures.Used
	sources     []figures.SourceTime

	applied    *sharing.Application
	event      *sharing.Event
	grantEvent *sharing.GrantEvent
	answer     *exchange.AssistAnswer
	judged     *correction.Event
	useQuery   *figures.UseQuery
	refuse     error // of every act
}

func (d *desk) Used(_ context.Context, _ policies.Caller, q figures.UseQuery) (*figures.Used, error) {
	d.useQuery = &q
	return &d.used, d.refuse
}

func (d *desk) Sources(context.Context, policies.Caller, string, int) ([]figures.SourceTime, error) {
	return d.sources, nil
}

type requests struct{ *desk }

func (d requests) List(_ context.Context, _ policies.Caller, _ sharing.Side, f sharing.Filter) ([]sharing.Request, error) {
	var out []sharing.Request
	for _, r := range d.requests {
		if f.State == "" || r.State == f.State {
			out = append(out, r)
		}
	}
	return out[:min(len(out), f.Limit)], nil
}

func (d requests) Request(_ context.Context, _ policies.Caller, id string) (*sharing.Request, error) {
	for _, r := range d.requests {
		if r.ID == id {
			return &r, nil
		}
	}
	return nil, fault.New(fault.NotFound, "unknown-sharing-request", "没有这个共享申请")
}

func (d requests) Submit(_ context.Context, by policies.Caller, a sharing.Application) (*sharing.Request, error) {
	d.applied = &a
	return &sharing.Request{ID: "q9", Applicant: by.Department, Application: a}, d.refuse
}

func (d requests) Act(_ context.Context, _ policies.Caller, id string, _ int, e sharing.Event) (*sharing.Request, error) {
	d.event = &e
	d.desk.event = &e
	return nil, d.refuse
}

type grants struct{ *desk }

func (d grants) ListGrants(context.Context, policies.Caller, sharing.Side, sharing.GrantFilter) ([]sharing.Grant, error) {
	return d.grants, nil
}

func (d grants) Grant(context.Context, policies.Caller, string) (*sharing.Grant, error) {
	g := d.desk.grants[0]
	return &g, nil
}

func (d grants) ActOnGrant(_ context.Context, _ policies.Caller, _ string, _ int, e sharing.GrantEvent) (*sharing.Grant, error) {
	d.desk.grantEvent = &e
	return nil, d.refuse
}

func (d *desk) AssistTasks(_ context.Context, _ policies.Caller, f exchange.AssistFilter) ([]exchange.AssistTask, error) {
	return d.tasks[:min(len(d.tasks), f.Limit)], nil
}

func (d *desk) AssistTask(context.Context, policies.Caller, string) (*exchange.AssistTask, error) {
	t := d.tasks[0]
	t.Subject = &exchange.AssistSubject{Name: "周示例", Number: "370199198805163315"}
	return &t, nil
}

func (d *desk) AnswerAssist(_ context.Context, _ policies.Caller, _ string, in exchange.AssistAnswer) (*exchange.AssistTask, error) {
	d.answer = &in
	return nil, d.refuse
}

type corrections struct{ *desk }

func (d corrections) List(_ context.Context, _ policies.Caller, _ correction.Side, f correction.Filter) ([]correction.Brief, error) {
	var out []correction.Brief
	for _, c := range d.desk.corrections {
		if f.State == "" || c.State == f.State {
			out = append(out, correction.Brief{ID: c.ID, Dataset: c.Dataset, Fields: c.Fields, Receiver: c.Receiver, State: c.State, OpenedAt: c.OpenedAt, Deadline: c.Deadline})
		}
	}
	return out, nil
}

func (d corrections) Correction(context.Context, policies.Caller, string) (*correction.View, error) {
	return &correction.View{Correction: d.desk.corrections[0], About: &exchange.AssistSubject{Name: "周示例", Number: "370199198805163315"}}, nil
}

func (d corrections) Act(_ context.Context, _ policies.Caller, _ string, _ int, e correction.Event) (*correction.View, error) {
	d.judged = &e
	d.desk.judged = &e
	return nil, d.refuse
}

// at is a moment before or after the tests' now, in days.
func at(days int) time.Time { return frametest.Now().AddDate(0, 0, days) }

// newDesk has one thing of each kind for GA.
func newDesk() *desk {
	d := &desk{}
	r := sharing.Request{
		ID: "q1", Applicant: "SPJ", Provider: "GA", State: sharing.Submitted, ReceivedAt: at(-3), Version: 1,
		Application: sharing.Application{
			Dataset: "D-GA01", Matters: []string{"S01.M1"}, Basis: "《市场主体登记管理条例》第十六条", Scenario: "企业开办" + hostile, Scope: "登记人员",
			Purpose: "核实股东身份", Manner: sharing.MannerQuery, From: "2026-12-01", Until: "2027-11-30", Officer: "王示例",
		},
		Items:    []sharing.Item{{Field: "name", Class: catalog.SharingConditional}, {Field: "address", Class: catalog.SharingUnconditional}},
		Deadline: &sharing.Deadline{Article: "21", DueAt: at(1)}, History: []sharing.Note{{Act: "submission", At: at(-3), Department: "SPJ"}},
	}
	delivered := r
	delivered.ID, delivered.State, delivered.Deadline = "q2", sharing.Delivered, nil
	d.requests = []sharing.Request{r, delivered}
	d.grants = []sharing.Grant{{
		Grant:   policies.Grant{ID: "g1", Department: "SPJ", Matter: "S01.M1", Dataset: "D-GA01", Fields: []string{"name", "address"}, Basis: "条例", From: at(-100), Until: at(20), State: policies.GrantActive},
		Version: 1,
	}}
	d.tasks = []exchange.AssistTask{{
		ID: "t1", Department: "GA", Receiver: "SPJ", CaseNumber: "JN-2026-0001", Matter: "S01.M1", Material: "S01.M1.a", Dataset: "D-GA01", Fields: []string{"name"},
		Question: "请核实身份信息" + hostile, Purpose: "企业开办", AskedAt: at(-1), DueAt: at(-0).Add(time.Hour), State: exchange.AssistOpen,
	}}
	d.corrections = []correction.Correction{{
		ID: "k1", RecordRef: exchange.RecordRef{Dataset: "D-GA01"}, Fields: []string{"address"}, Provider: "GA", Receiver: "SPJ", CaseNumber: "JN-2026-0001",
		Material: "S01.M1.a", Claim: correction.Claim{Fields: map[string]string{"address": hostile}, Explanation: "搬家了"}, State: correction.Open, OpenedAt: at(-15),
		Deadline: &correction.Term{Article: "26", DueAt: at(-2)}, History: []correction.Trace{{Act: correction.Submit, At: at(-15), Department: "SPJ"}}, Version: 1,
	}}
	d.used = figures.Used{
		Totals: []figures.UseTotal{{Dataset: "D-GA01", Department: "SPJ", Matter: "S01.M1", Result: "ok", N: 1200}, {Dataset: "D-GA01", Department: "SPJ", Matter: "S01.M1", Result: "not_found", N: 30}},
		Uses:   []figures.Use{{Number: 4711, At: at(0), Dataset: "D-GA01", Department: "SPJ", Matter: "S01.M1", Material: "S01.M1.a", Result: "ok", Case: "c1", Grant: "g1"}},
		Next:   4711,
	}
	failed := at(0)
	d.sources = []figures.SourceTime{{Source: "GA.D-GA01.query", Dataset: "D-GA01", Department: "GA", Asked: 40, Answered: 38, Failed: 2, P50: 12, P95: 180, LastFailure: &failed}}
	return d
}

// visit signs in a sharing officer of GA.
func visit(t *testing.T, d *desk, duties ...policies.Duty) *frametest.Visitor {
	t.Helper()
	return visitOf(t, "GA", d, duties...)
}

// visitOf signs in a sharing officer of a department. DSJ is the authority.
func visitOf(t *testing.T, of string, d *desk, duties ...policies.Duty) *frametest.Visitor {
	t.Helper()
	if duties == nil {
		duties = []policies.Duty{policies.DutySharingOfficer}
	}
	return frametest.Site(t, frametest.Staff(of, duties...), department.New(department.Config{
		Figures: d, Requests: requests{d}, Grants: grants{d}, Assists: d, Corrections: corrections{d}, Authority: "DSJ",
	}))
}
