package department_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
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
	if duties == nil {
		duties = []policies.Duty{policies.DutySharingOfficer}
	}
	return frametest.Site(t, frametest.Staff("GA", duties...), department.New(department.Config{
		Figures: d, Requests: requests{d}, Grants: grants{d}, Assists: d, Corrections: corrections{d},
	}))
}

func ok(t *testing.T, p frametest.Page) frametest.Page {
	t.Helper()
	if p.Status != http.StatusOK {
		t.Fatalf("status %d: %s", p.Status, p.Body)
	}
	p.Lacks(t, hostile)
	return p
}

func everyPage() []string {
	return []string{
		"/department", "/department/uses", "/department/sources", "/department/sharing", "/department/sharing/q1", "/department/sharing/q2",
		"/department/assists", "/department/assists/t1", "/department/corrections", "/department/corrections/k1", "/department/grants", "/department/grants/g1",
	}
}

func TestPages_ShowWhatOthersWroteInert(t *testing.T) {
	t.Parallel()
	v := visit(t, newDesk())
	for _, path := range everyPage() {
		ok(t, v.Get(path))
	}
	v.Get("/department/sharing/q1").Has(t, "&lt;script&gt;")
}

func TestPages_AreTheSharingOfficersAlone(t *testing.T) {
	t.Parallel()
	v := visit(t, newDesk(), policies.DutyClerk)
	for _, path := range everyPage() {
		if p := v.Get(path); p.Status != http.StatusForbidden {
			t.Errorf("%s for a clerk: %d", path, p.Status)
		}
	}
	v = visit(t, newDesk(), policies.DutyAuditor)
	for path, want := range map[string]int{"/department/uses": 200, "/department/sources": 200, "/department": 403, "/department/sharing/q1": 403} {
		if p := v.Get(path); p.Status != want {
			t.Errorf("%s for an auditor: %d, want %d", path, p.Status, want)
		}
	}
}

func TestHome_PutsTheMostUrgentFirst(t *testing.T) {
	t.Parallel()
	body := ok(t, visit(t, newDesk()).Get("/department")).Body
	correction, assist, request := strings.Index(body, "/department/corrections/k1"), strings.Index(body, "/department/assists/t1"), strings.Index(body, "/department/sharing/q1")
	if correction < 0 || correction > assist || assist > request {
		t.Errorf("correction at %d, assist at %d, request at %d: overdue first, then what ends today", correction, assist, request)
	}
}

func TestHome_ExplainsItselfWhenThereIsNothingToDo(t *testing.T) {
	t.Parallel()
	ok(t, visit(t, &desk{}).Get("/department")).Has(t, "没有待办")
}

func TestRequest_IsDecidedFieldByField(t *testing.T) {
	t.Parallel()
	d := newDesk()
	p := visit(t, d).Post("/department/sharing/q1", url.Values{
		"act": {"decision"}, "version": {"1"}, "officer": {"李示例"}, "agree-name": {"yes"}, "agree-address": {"no"}, "reason-address": {"超出用途"}, "reason-name": {"不会保存"},
	})
	if p.Status != http.StatusSeeOther || d.event == nil {
		t.Fatalf("status %d, %+v", p.Status, d.event)
	}
	want := []sharing.FieldAnswer{{Field: "name", Agreed: true}, {Field: "address", Reason: "超出用途"}}
	if len(d.event.Answers) != 2 || d.event.Answers[0] != want[0] || d.event.Answers[1] != want[1] || d.event.Officer != "李示例" {
		t.Errorf("%+v, want %+v", d.event, want)
	}
}

func TestRequest_ADecisionLacksNoField(t *testing.T) {
	t.Parallel()
	d := newDesk()
	p := visit(t, d).Post("/department/sharing/q1", url.Values{"act": {"decision"}, "agree-name": {"no"}})
	if p.Status != http.StatusUnprocessableEntity || d.event != nil {
		t.Fatalf("status %d, %+v", p.Status, d.event)
	}
	p.Has(t, "请填写签署答复的负责人。", "不同意的，请写明理由。", "请选择是否同意。", `href="#agree-address"`)
}

func TestRequest_OffersWhatItsStateAllows(t *testing.T) {
	t.Parallel()
	d := newDesk()
	v := visit(t, d)
	v.Get("/department/sharing/q1").Has(t, `value="decision"`, `value="completion_request"`, `value="extension"`)
	v.Get("/department/sharing/q2").Lacks(t, `value="decision"`, `value="completion_request"`, `value="delivery"`)
	d.requests[0].State = sharing.Agreed
	v.Get("/department/sharing/q1").Has(t, `value="delivery"`)
	d.requests[0].State, d.requests[0].Provider, d.requests[0].Applicant = sharing.Submitted, "SPJ", "GA"
	p := v.Get("/department/sharing/q1")
	p.Has(t, `value="withdrawal"`)
	p.Lacks(t, `value="decision"`)
}

func TestRequest_SaysWhyAnActIsRefused(t *testing.T) {
	t.Parallel()
	d := newDesk()
	d.refuse = fault.New(fault.Conflict, "already-decided", "申请已经答复，不能再改。")
	p := visit(t, d).Post("/department/sharing/q1", url.Values{"act": {"completion_request"}, "missing": {"依据"}})
	if p.Status != http.StatusUnprocessableEntity {
		t.Errorf("status %d", p.Status)
	}
	p.Has(t, "申请已经答复，不能再改。", "依据")
}

func TestAssist_AnswersWithTheTypesOfTheFields(t *testing.T) {
	t.Parallel()
	d := newDesk()
	p := visit(t, d).Post("/department/assists/t1", url.Values{"result": {"confirmed"}, "officer": {"赵示例"}, "field-name": {"周示例"}})
	if p.Status != http.StatusSeeOther || d.answer == nil || d.answer.Fields["name"] != "周示例" || d.answer.Result != exchange.AssistConfirmed {
		t.Errorf("status %d, %+v", p.Status, d.answer)
	}
	d.answer = nil
	p = visit(t, d).Post("/department/assists/t1", url.Values{"field-name": {"周示例"}})
	if p.Status != http.StatusUnprocessableEntity || d.answer != nil {
		t.Errorf("without result and officer: %d, %+v", p.Status, d.answer)
	}
	p.Has(t, "请选择核实的结果。", "请填写答复人。", `value="周示例"`)
}

func TestAssist_WhatIsNotConfirmedHasNoFields(t *testing.T) {
	t.Parallel()
	d := newDesk()
	visit(t, d).Post("/department/assists/t1", url.Values{"result": {"not_found"}, "officer": {"赵示例"}, "field-name": {"周示例"}})
	if d.answer == nil || d.answer.Fields != nil {
		t.Errorf("%+v", d.answer)
	}
}

func TestCorrection_IsTakenAnsweredAndPassedOn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		form url.Values
		want correction.Event
		to   string
	}{
		{url.Values{"act": {"taking"}}, correction.Event{Act: correction.Take}, "/department/corrections/k1"},
		{url.Values{"act": {"answer"}, "result": {"corrected"}, "reason": {"out_of_date"}, "why": {"已更新"}},
			correction.Event{Act: correction.Answer, Result: correction.Corrected, Reason: correction.OutOfDate, Why: "已更新"}, "/department/corrections/k1"},
		{url.Values{"act": {"passing_on"}, "to": {"SPJ"}}, correction.Event{Act: correction.PassOn, To: "SPJ"}, "/department/corrections"},
	} {
		d := newDesk()
		p := visit(t, d).Post("/department/corrections/k1", c.form)
		if p.Status != http.StatusSeeOther || p.Location != c.to || d.judged == nil || *d.judged != c.want {
			t.Errorf("%v: %d to %s, %+v", c.form, p.Status, p.Location, d.judged)
		}
	}
}

func TestCorrection_RefusesAnAnswerWithoutReason(t *testing.T) {
	t.Parallel()
	d := newDesk()
	p := visit(t, d).Post("/department/corrections/k1", url.Values{"act": {"answer"}, "result": {"upheld"}})
	if p.Status != http.StatusUnprocessableEntity || d.judged != nil {
		t.Errorf("%d, %+v", p.Status, d.judged)
	}
	p.Has(t, "请选择理由。")
}

func TestGrant_IsSuspendedNarrowedAndEndedWithAReason(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		form url.Values
		ok   bool
	}{
		{url.Values{"act": {"suspension"}, "reason": {"超出用途使用"}}, true},
		{url.Values{"act": {"suspension"}}, false},
		{url.Values{"act": {"narrowing"}, "reason": {"不再需要"}, "fields": {"name"}}, true},
		{url.Values{"act": {"narrowing"}, "reason": {"不再需要"}, "fields": {"name", "address"}}, false},
		{url.Values{"act": {"narrowing"}, "reason": {"不再需要"}}, false},
		{url.Values{"act": {"correction_order"}, "reason": {"整改"}}, false},
		{url.Values{"act": {"forgetting"}, "reason": {"x"}}, false},
	} {
		d := newDesk()
		p := visit(t, d).Post("/department/grants/g1", c.form)
		if (p.Status == http.StatusSeeOther) != c.ok || (d.grantEvent != nil) != c.ok {
			t.Errorf("%v: %d, %+v", c.form, p.Status, d.grantEvent)
		}
	}
}

func TestUses_FiltersByTheAddressAndTurnsPages(t *testing.T) {
	t.Parallel()
	d := newDesk()
	p := ok(t, visit(t, d).Get("/department/uses?dataset=D-GA01&result=ok&from=2026-11-01&after=12&matter=S01.M1"))
	want := figures.UseQuery{From: "2026-11-01", Dataset: "D-GA01", Matter: "S01.M1", Result: "ok", Before: 12, Limit: 30}
	if *d.useQuery != want {
		t.Errorf("%+v, want %+v", *d.useQuery, want)
	}
	p.Has(t, "1,230", "after=4711", "4711")
}

func TestUses_SaysWhatIsWrongWithTheDates(t *testing.T) {
	t.Parallel()
	d := newDesk()
	d.refuse = fault.New(fault.Invalid, "invalid-figures", "x").With(fault.Detail{Location: "query.until", Message: "结束日期早于开始日期。"})
	p := visit(t, d).Get("/department/uses?from=2026-11-02&until=2026-11-01")
	if p.Status != http.StatusUnprocessableEntity {
		t.Errorf("status %d", p.Status)
	}
	p.Has(t, "结束日期早于开始日期。", `href="#until"`)
}

func TestList_GoesOnWhereThePageEnded(t *testing.T) {
	t.Parallel()
	d := newDesk()
	for len(d.requests) < 31 {
		d.requests = append(d.requests, d.requests[1])
	}
	d.requests[29].ID = "last"
	p := ok(t, visit(t, d).Get("/department/sharing?as=provider"))
	p.Has(t, `href="/department/sharing?after=last&amp;as=provider"`)
}

func TestPages_AreThereInEnglish(t *testing.T) {
	t.Parallel()
	v := visit(t, newDesk())
	v.Post("/preferences", url.Values{"language": {"en"}, "back": {"/department"}})
	for path, text := range map[string]string{
		"/department": "By deadline", "/department/uses": "Who used our data", "/department/sources": "How sources answer", "/department/sharing/q1": "Decide field by field",
		"/department/assists/t1": "Answered by", "/department/corrections/k1": "Whose record", "/department/grants/g1": "Ending soon",
	} {
		ok(t, v.Get(path)).Has(t, text)
	}
}
