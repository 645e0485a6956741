package department_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"mianti/correction"
	"mianti/exchange"
	"mianti/figures"
	"mianti/internal/fault"
	"mianti/policies"
	"mianti/sharing"
	"mianti/web/frame/frametest"
)

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
		"/department", "/department/uses", "/department/sources", "/department/sharing", "/department/sharing/new",
		"/department/sharing/new?dataset=D-MZ01", "/department/sharing/q1", "/department/sharing/q2",
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
		{url.Values{"act": {"answer"}, "reason": {"out_of_date"}, "why": {"已更新"}},
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
	p := visit(t, d).Post("/department/corrections/k1", url.Values{"act": {"answer"}, "why": {"已核对"}})
	if p.Status != http.StatusUnprocessableEntity || d.judged != nil {
		t.Errorf("%d, %+v", p.Status, d.judged)
	}
	p.Has(t, "请选择核实的结果。", "已核对")
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
		"/department": "By deadline", "/department/sharing/new": "Choose the dataset first", "/department/uses": "Who used our data", "/department/sources": "How sources answer", "/department/sharing/q1": "Decide field by field",
		"/department/assists/t1": "Answered by", "/department/corrections/k1": "Whose record", "/department/grants/g1": "Ending soon",
	} {
		ok(t, v.Get(path)).Has(t, text)
	}
}

func TestPages_NameEveryFieldOnce(t *testing.T) {
	t.Parallel()
	v := visit(t, newDesk())
	for _, path := range everyPage() {
		seen := map[string]bool{}
		body := ok(t, v.Get(path)).Body
		for _, found := range regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(body, -1) {
			if seen[found[1]] {
				t.Errorf("%s: two things are called %s", path, found[1])
			}
			seen[found[1]] = true
		}
		for _, found := range regexp.MustCompile(` for="([^"]+)"`).FindAllStringSubmatch(body, -1) {
			if !seen[found[1]] {
				t.Errorf("%s: a label is of %s, which is not there", path, found[1])
			}
		}
	}
}

func TestPages_LeadFromAFaultToItsField(t *testing.T) {
	t.Parallel()
	for path, form := range map[string]url.Values{
		"/department/sharing/q1":     {"act": {"decision"}},
		"/department/assists/t1":     {},
		"/department/corrections/k1": {"act": {"passing_on"}},
		"/department/grants/g1":      {"act": {"narrowing"}},
	} {
		p := visit(t, newDesk()).Post(path, form)
		found := regexp.MustCompile(`<a href="#([^"]+)">`).FindAllStringSubmatch(p.Body, -1)
		if p.Status != http.StatusUnprocessableEntity || len(found) == 0 {
			t.Errorf("%s: status %d, %d faults", path, p.Status, len(found))
		}
		for _, link := range found {
			if !strings.Contains(p.Body, `id="`+link[1]+`"`) {
				t.Errorf("%s: a fault leads to %s, which is not there", path, link[1])
			}
		}
	}
}
