package department_test

import (
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/policies"
	"mianti/sharing"
	"mianti/web/department"
	"mianti/web/frame"
	"mianti/web/frame/frametest"
)

// filled is an application of GA for D-MZ01 as a browser sends it.
func filled() url.Values {
	return url.Values{
		"dataset": {"D-MZ01"}, "fields": {"registration_kind", "registered_on"}, "matters": {"S05.M1"}, "basis": {"《户口登记条例》第十条"}, "scenario": {"出生登记"},
		"scope": {"户籍窗口"}, "purpose": {"核实父母婚姻"}, "manner": {"query"}, "from": {"2026-12-01"}, "until": {"2027-11-30"}, "officer": {"李示例"},
	}
}

func wanted() sharing.Application {
	return sharing.Application{
		Dataset: "D-MZ01", Fields: []string{"registration_kind", "registered_on"}, Matters: []string{"S05.M1"}, Basis: "《户口登记条例》第十条", Scenario: "出生登记",
		Scope: "户籍窗口", Purpose: "核实父母婚姻", Manner: sharing.MannerQuery, From: "2026-12-01", Until: "2027-11-30", Officer: "李示例",
	}
}

func TestApply_ChoosesAmongWhatOtherDepartmentsHave(t *testing.T) {
	t.Parallel()
	v := visit(t, newDesk())
	ok(t, v.Get("/department/sharing")).Has(t, `href="/department/sharing/new"`)
	p := ok(t, v.Get("/department/sharing/new?q=婚姻"))
	p.Has(t, "dataset=D-MZ01", "市民政局", "有条件共享")
	p.Lacks(t, "dataset=D-MZ02", "dataset=D-GA01")
	ok(t, v.Get("/department/sharing/new?q=d-mz02+民政")).Has(t, "dataset=D-MZ02")
	ok(t, v.Get("/department/sharing/new?q=D-GA01")).Has(t, "没有找到数据资源")
}

func TestApply_GoesOnWhereThePageOfDatasetsEnded(t *testing.T) {
	t.Parallel()
	v, seen, path := visit(t, newDesk()), map[string]bool{}, "/department/sharing/new"
	for pages := 0; path != ""; pages++ {
		if pages > 5 {
			t.Fatal("the list has no end")
		}
		body := ok(t, v.Get(path)).Body
		for _, part := range strings.Split(body, "/new?dataset=")[1:] {
			code, _, _ := strings.Cut(part, `"`)
			if seen[code] {
				t.Errorf("%s is listed twice", code)
			}
			seen[code] = true
		}
		_, next, _ := strings.Cut(body, `rel="next" href="`)
		path, _, _ = strings.Cut(next, `"`)
	}
	if want := 89 - 8; len(seen) != want { // the catalog's, without those of GA
		t.Errorf("%d datasets, want %d", len(seen), want)
	}
}

func TestApply_OffersTheDatasetsFieldsAndOwnMatters(t *testing.T) {
	t.Parallel()
	p := ok(t, visit(t, newDesk()).Get("/department/sharing/new?dataset=D-MZ01"))
	p.Has(t, `name="fields" value="spouses"`, "双方姓名", "有条件共享", "依法履职，按办件核验", `name="matters" value="S05.M1"`, `value="2026-11-23"`)
	p.Lacks(t, `value="S01.M1"`) // of another department
}

func TestApply_SaysTheTermsOfAFieldAndOffersNoneThatIsWithheld(t *testing.T) {
	t.Parallel()
	d := newDesk()
	section := department.New(department.Config{Figures: d, Requests: requests{d}, Grants: grants{d}, Assists: d, Corrections: corrections{d}})
	for i := range section.Pages {
		handle := section.Pages[i].Handle
		section.Pages[i].Handle = func(v *frame.Visit) (frame.Answer, error) { // the catalog is this site's own
			fields := v.Catalog.Dataset("D-MZ01").Fields
			fields[0].SharingTerms = catalog.SharingTerms{Scope: "市级部门", Purpose: "核实婚姻" + hostile}
			fields[1].Sharing = catalog.SharingWithheld
			return handle(v)
		}
	}
	p := ok(t, frametest.Site(t, frametest.Staff("GA", policies.DutySharingOfficer), section).Get("/department/sharing/new?dataset=D-MZ01"))
	p.Has(t, "共享范围：市级部门", "目录规定的用途：核实婚姻", "不予共享，不能申请：双方姓名")
	p.Lacks(t, `value="spouses"`)
}

func TestApply_RefusesWhatNeedsNoApplicationOrIsNotThere(t *testing.T) {
	t.Parallel()
	v := visit(t, newDesk())
	p := v.Get("/department/sharing/new?dataset=D-GA01")
	if p.Status != http.StatusUnprocessableEntity {
		t.Errorf("own data: %d", p.Status)
	}
	p.Has(t, "这是本部门自己的数据，不需要申请。")
	if p := v.Get("/department/sharing/new?dataset=D-XX99"); p.Status != http.StatusNotFound {
		t.Errorf("unknown dataset: %d", p.Status)
	}
	ok(t, visitOf(t, "BB", newDesk()).Get("/department/sharing/new?dataset=D-MZ01")).Has(t, "本部门没有事项")
}

func TestApply_HandsTheApplicationInAndLeadsToIt(t *testing.T) {
	t.Parallel()
	d := newDesk()
	p := visit(t, d).Post("/department/sharing/new", filled())
	if p.Status != http.StatusSeeOther || p.Location != "/department/sharing/q9" {
		t.Errorf("%d to %s", p.Status, p.Location)
	}
	if d.applied == nil || !reflect.DeepEqual(*d.applied, wanted()) {
		t.Errorf("%+v, want %+v", d.applied, wanted())
	}
}

func TestApply_LacksNothingThatTheLawWantsSaid(t *testing.T) {
	t.Parallel()
	d := newDesk()
	v := visit(t, d)
	for _, field := range []string{"fields", "matters", "basis", "scenario", "scope", "manner", "from", "until", "officer"} {
		form := filled()
		form.Del(field)
		p := v.Post("/department/sharing/new", form)
		if p.Status != http.StatusUnprocessableEntity || d.applied != nil {
			t.Errorf("without %s: %d, %+v", field, p.Status, d.applied)
		}
		p.Has(t, `<a href="#`+field+`">`, `id="`+field+`"`)
	}
}

func TestApply_HoldsTextsToTheBoundsOfTheAPI(t *testing.T) {
	t.Parallel()
	v := visit(t, newDesk())
	for field, most := range map[string]int{"basis": 1000, "scenario": 1000, "scope": 1000, "purpose": 1000, "officer": 50} {
		for length, want := range map[int]int{most: http.StatusSeeOther, most + 1: http.StatusUnprocessableEntity} {
			form := filled()
			form.Set(field, strings.Repeat("字", length))
			if p := v.Post("/department/sharing/new", form); p.Status != want {
				t.Errorf("%s of %d: %d, want %d", field, length, p.Status, want)
			}
		}
	}
	form := filled()
	form["matters"] = make([]string, 51)
	if p := v.Post("/department/sharing/new", form); p.Status != http.StatusUnprocessableEntity {
		t.Errorf("51 matters: %d", p.Status)
	}
}

func TestApply_PutsARefusalAtItsFieldAndKeepsWhatWasSent(t *testing.T) {
	t.Parallel()
	d := newDesk()
	d.refuse = fault.New(fault.Invalid, "invalid-sharing-request", "x").With(
		fault.Detail{Location: "body.fields[1]", Message: "「登记日期」不予共享，不能申请。"}, fault.Detail{Location: "body.matters[0]", Message: "这个事项由其他部门办理。"},
		fault.Detail{Location: "body.purpose", Message: "须写明使用用途。"},
	)
	form := filled()
	form.Set("scenario", hostile)
	p := visit(t, d).Post("/department/sharing/new", form)
	if p.Status != http.StatusUnprocessableEntity {
		t.Fatalf("status %d", p.Status)
	}
	p.Has(t, `<a href="#fields">「登记日期」`, `<a href="#matters">`, `<a href="#purpose">`, `value="registration_kind" checked`, "&lt;script&gt;", "户籍窗口")
	p.Lacks(t, hostile)

	d.refuse = fault.New(fault.Conflict, "overlapping-grant", "事项 S05.M1 已有共享授权 g7。").With(fault.Detail{Location: "grant:g7", Message: "数据资源 D-MZ01"})
	visit(t, d).Post("/department/sharing/new", filled()).Has(t, "事项 S05.M1 已有共享授权 g7。")
}

func TestApply_IsTheSharingOfficersAlone(t *testing.T) {
	t.Parallel()
	d := newDesk()
	if p := visit(t, d, policies.DutyClerk, policies.DutyAuditor).Post("/department/sharing/new", filled()); p.Status != http.StatusForbidden || d.applied != nil {
		t.Errorf("%d, %+v", p.Status, d.applied)
	}
}

// incomplete is a request of GA that has been asked for completion.
func incomplete() *desk {
	d := newDesk()
	r := &d.requests[0]
	r.Applicant, r.Provider, r.Application, r.State, r.Deadline = "GA", "MZ", wanted(), sharing.Incomplete, nil
	r.Completion = &sharing.Completion{Missing: "请写明依据的条款", AskedAt: at(-1)}
	return d
}

func TestRequest_IsCompletedByItsApplicantFromWhatItSaid(t *testing.T) {
	t.Parallel()
	d := incomplete()
	p := ok(t, visit(t, d).Get("/department/sharing/q1"))
	p.Has(t, `value="completion"`, `value="withdrawal"`, `value="registered_on" checked`, `value="S05.M1" checked`, "户籍窗口", `value="2027-11-30"`, "请写明依据的条款")
	p.Lacks(t, `value="spouses" checked`, `value="decision"`)

	form := filled()
	form.Set("act", "completion")
	form.Set("dataset", "D-MZ02") // it stays what was applied for
	form.Set("basis", "《户口登记条例》第十条第二款")
	p = visit(t, d).Post("/department/sharing/q1", form)
	want := wanted()
	want.Basis = "《户口登记条例》第十条第二款"
	if p.Status != http.StatusSeeOther || d.event == nil || d.event.Act != sharing.Complete || !reflect.DeepEqual(*d.event.Application, want) {
		t.Errorf("status %d, %+v", p.Status, d.event)
	}
}

func TestRequest_KeepsACompletionThatIsNotRight(t *testing.T) {
	t.Parallel()
	d, form := incomplete(), filled()
	form.Set("act", "completion")
	form.Del("fields")
	p := visit(t, d).Post("/department/sharing/q1", form)
	if p.Status != http.StatusUnprocessableEntity || d.event != nil {
		t.Fatalf("status %d, %+v", p.Status, d.event)
	}
	p.Has(t, `<a href="#fields">请选择至少一个数据项。`, "户籍窗口")
	p.Lacks(t, `value="registered_on" checked`)
}

func TestRequest_OnlyItsApplicantCompletesItAndOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	d := incomplete()
	visitOf(t, "MZ", d).Get("/department/sharing/q1").Lacks(t, `value="completion"`, `value="withdrawal"`)
	d.requests[0].State = sharing.Resubmitted
	visit(t, d).Get("/department/sharing/q1").Lacks(t, `value="completion"`)
}

func TestRequest_ThatNobodyAnsweredInTimeCanBeTakenBack(t *testing.T) {
	t.Parallel()
	d := incomplete()
	d.requests[0].State = sharing.Expired
	p := visit(t, d).Get("/department/sharing/q1")
	p.Has(t, `value="withdrawal"`)
	p.Lacks(t, `value="completion"`)
	d.requests[0].Grants = []string{"g1"}
	visit(t, d).Get("/department/sharing/q1").Lacks(t, `value="withdrawal"`)
}

func TestRequest_TheAuthorityAloneConsentsToMoreTime(t *testing.T) {
	t.Parallel()
	d := newDesk()
	d.requests[0].Extension = &sharing.Extension{Days: 5, Reason: "核对目录", AskedAt: at(-1)}
	for of, want := range map[string]bool{"DSJ": true, "GA": false, "SPJ": false, "MZ": false} {
		if has := strings.Contains(visitOf(t, of, d).Get("/department/sharing/q1").Body, `value="extension_consent"`); has != want {
			t.Errorf("%s can consent: %t", of, has)
		}
	}
}

func TestRequest_ARefusedReasonIsAtTheFieldOfItsAct(t *testing.T) {
	t.Parallel()
	d := newDesk()
	d.refuse = fault.New(fault.Invalid, "invalid-decision", "x").With(fault.Detail{Location: "body.fields[1].reason", Message: "不能含有身份号码等个人信息。"})
	visit(t, d).Post("/department/sharing/q1", url.Values{
		"act": {"decision"}, "officer": {"李示例"}, "agree-name": {"yes"}, "agree-address": {"no"}, "reason-address": {"超出用途"},
	}).Has(t, `<a href="#reason-address">`)
	d = incomplete()
	d.refuse = fault.New(fault.Invalid, "reason-missing", "x").With(fault.Detail{Location: "body.reason", Message: "不能有不可见字符。"})
	visit(t, d).Post("/department/sharing/q1", url.Values{"act": {"withdrawal"}, "why": {"不再需要"}}).Has(t, `<a href="#why">`, "户籍窗口")
}
