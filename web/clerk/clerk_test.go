package clerk_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
	"mianti/web/frame/frametest"
)

func TestQueue_ShowsWhatTheAddressAsksForAndLeadsToTheCases(t *testing.T) {
	t.Parallel()
	x := newExchanges(t)
	x.page = exchange.CasePage{
		Items: []exchange.CaseBrief{brief("c1", frametest.Now())}, Next: "c1", Prev: "c1",
		Counts: map[exchange.CaseState]int{exchange.CaseNew: 3, exchange.CaseWaiting: 1000, exchange.CaseClosed: 7},
	}
	page := visit(t, x).Get("/clerk?state=waiting&number=JN&subject=S01&order=oldest&after=c9")
	if want := (exchange.CaseFilter{State: exchange.CaseWaiting, Number: "JN", Subject: "S01", Oldest: true, After: "c9", Limit: 30}); x.filter != want {
		t.Errorf("filter %+v, want %+v", x.filter, want)
	}
	page.Has(t, `href="/clerk/cases/c1"`, "JN-c1", "核验中", "不用交 8", "还要交 1", "999&#43;", "企业开办", "data-search",
		"after=c1&amp;number=JN&amp;order=oldest&amp;state=waiting&amp;subject=S01", "before=c1")
}

func TestQueue_ShowsTheOpenCasesWhereNothingIsAsked(t *testing.T) {
	t.Parallel()
	x := newExchanges(t)
	page := visit(t, x).Get("/clerk")
	if x.filter.State != exchange.CaseOpen {
		t.Errorf("state %q", x.filter.State)
	}
	page.Has(t, "没有未关闭的办件")
	visit(t, x).Get("/clerk?number=none").Has(t, "没有符合条件的办件")
}

func TestPages_AreForClerksAlone(t *testing.T) {
	t.Parallel()
	x := newExchanges(t)
	for _, path := range []string{"/clerk", "/clerk/cases/c1", "/clerk/cases/c1/completion", "/clerk/assist", "/clerk/followup", "/clerk/lookups"} {
		if got := frametest.Site(t, nil, sectionOf(x)).Get(path).Status; got != http.StatusUnauthorized {
			t.Errorf("%s without a session: %d", path, got)
		}
		if got := frametest.Site(t, frametest.Staff("SPJ", policies.DutyAuditor), sectionOf(x)).Get(path).Status; got != http.StatusForbidden {
			t.Errorf("%s to an auditor: %d", path, got)
		}
	}
}

func TestCase_ShowsEveryGroupAndMasksWhoeverIsInIt(t *testing.T) {
	t.Parallel()
	x := newExchanges(t)
	page := visit(t, x).Get("/clerk/cases/c1")
	page.Has(t, "还要交或补充", "部门核验中", "不用交", "不适用", "已取得", "还要交", "可后补", "待本人同意", "理由S01.M1.c", body, "王**", "3701***********323",
		"征求授权", "重新核验", "/v1/resolutions/r1/sheet", "/clerk/cases/c1/completion", "一致", "2036-01-01", "数据有误", "/v1/resolutions/r1/evidence/"+x.r.Materials[0].Code+"?party=p2")
	page.Lacks(t, name, person)
	if !slices.Equal(x.done, []string{"read r1"}) {
		t.Errorf("done: %v, want the recorded reading alone", x.done)
	}
}

func TestUnmask_ShowsInFullOnlyWhatWasRecorded(t *testing.T) {
	t.Parallel()
	x := newExchanges(t)
	v, code := visit(t, x), x.r.Materials[0].Code
	page := v.Post("/clerk/cases/c1/unmask", url.Values{"material": {code}, "party": {"p2"}, "resolution": {"r1"}})
	if x.done[0] != "unmask "+code+" p2" {
		t.Errorf("done: %v", x.done)
	}
	page.Has(t, person, "已完整显示并留痕")
	v.Post("/clerk/cases/c1/unmask", url.Values{"party": {"p2"}}).Has(t, person, name)
	x.refused = fault.New(fault.Unavailable, "not-recorded", "读取未能留痕，因此没有给出结果。请稍后重试。")
	refused := v.Post("/clerk/cases/c1/unmask", url.Values{"party": {"p2"}})
	refused.Lacks(t, person, name)
	if refused.Status != http.StatusServiceUnavailable {
		t.Errorf("status %d", refused.Status)
	}
	v.Get("/clerk/cases/c1").Lacks(t, person, name)
}

func TestCase_IsLiveWhileItGoesOnAndSaysWhenItHasChanged(t *testing.T) {
	t.Parallel()
	x := newExchanges(t)
	at := frametest.Now()
	x.r.RetryAt, x.c.Version = &at, 2
	visit(t, x).Get("/clerk/cases/c1").Has(t, `data-live="/v1/resolutions/r1/events"`, `data-version="1"`, "现在刷新", "办件在核验之后有变更")
}

func TestCase_WithoutAResolutionOffersToResolve(t *testing.T) {
	t.Parallel()
	x := newExchanges(t)
	x.r = nil
	v := visit(t, x)
	v.Get("/clerk/cases/c1").Has(t, "还没有核验", "开始核验")
	if page := v.Post("/clerk/cases/c1/resolve", nil); page.Status != http.StatusSeeOther || page.Location != "/clerk/cases/c1" || x.done[0] != "resolve c1" {
		t.Errorf("resolve: %d %s, %v", page.Status, page.Location, x.done)
	}
	if page := v.Post("/clerk/cases/c1/consents", nil); page.Status != http.StatusSeeOther || x.done[1] != "ask c1" {
		t.Errorf("ask: %d, %v", page.Status, x.done)
	}
	if page := v.Get("/clerk/cases/other"); page.Status != http.StatusNotFound {
		t.Errorf("another's case: %d", page.Status)
	}
}

func TestCompletion_TellsAllAtOnceAndRecordsWhomItNames(t *testing.T) {
	t.Parallel()
	x := newExchanges(t)
	page := visit(t, x).Get("/clerk/cases/c1/completion")
	page.Has(t, "一次性补正告知书", "JN-2026-1", body, name, "材料S01.M1.c", "理由S01.M1.c", "5 个工作日内补交", "材料S01.M1.g", "演示·人员", "2026-11-23", "窗口")
	page.Lacks(t, person, x.r.Materials[0].Name, "材料S01.M1.e", "材料S01.M1.f")
	if want := []string{"read r1", "unmask p1", "unmask p2"}; !slices.Equal(x.done, want) {
		t.Errorf("done %v, want %v", x.done, want)
	}
}

func TestCorrection_OpensWithWhatIsSaidAndShowsWhatIsWrongAtItsField(t *testing.T) {
	t.Parallel()
	x := newExchanges(t)
	v := visit(t, x)
	v.Get("/clerk/cases/c1/correction?material=S01.M1.b&party=p2&dataset=D-GA01").Has(t, `name="claim.name"`, "王**", "为什么认为有误")
	form := url.Values{"material": {"S01.M1.b"}, "party": {"p2"}, "dataset": {"D-GA01"}, "claim.name": {"王建军"}, "explanation": {"户口簿已变更"}}
	if page := v.Post("/clerk/cases/c1/correction", form); page.Status != http.StatusSeeOther || page.Location != "/clerk/cases/c1" {
		t.Fatalf("status %d: %s", page.Status, page.Body)
	}
	if s := x.submission; s.Case != "c1" || s.Dataset != "D-GA01" || s.Claim.Fields["name"] != "王建军" || len(s.Claim.Fields) != 1 || s.Claim.Explanation != "户口簿已变更" {
		t.Errorf("submitted %+v", s)
	}
	x.refused = fault.New(fault.Invalid, "invalid-correction", "校核申请有 1 处不符合要求，没有登记。").
		With(fault.Detail{Location: "body.claim.explanation", Code: "invalid-text", Message: "请说明为什么认为有误。"})
	page := v.Post("/clerk/cases/c1/correction", form)
	if page.Status != http.StatusUnprocessableEntity {
		t.Errorf("status %d", page.Status)
	}
	page.Has(t, `href="#explanation"`, "请说明为什么认为有误。", "王建军")
}

func TestLists_ShowWhatThereIsAndSayWhenThereIsNothing(t *testing.T) {
	t.Parallel()
	x := newExchanges(t)
	v := visit(t, x)
	v.Get("/clerk/followup").Has(t, "没有等待后补的材料")
	v.Get("/clerk/assist").Has(t, "没有等待答复的协查")
	v.Get("/clerk/assist?state=answered").Has(t, "没有已答复的协查")
	v.Get("/clerk/lookups").Has(t, "没有用证记录")
	now := frametest.Now()
	for range 31 {
		x.follow = append(x.follow, exchange.FollowUp{FollowUpKey: exchange.FollowUpKey{Case: "c1", Material: "S01.M1.d", Party: "p2"}, CaseNumber: "JN-1", Name: "章程", Since: now, DueAt: now.AddDate(0, 0, 5)})
		x.tasks = append(x.tasks, exchange.AssistTask{ID: "t1", Case: "c1", CaseNumber: "JN-1", Material: "S01.M1.b", Department: "GA", AskedAt: now, DueAt: now.AddDate(0, 0, -1)})
		x.acts = append(x.acts, exchange.Act{Number: 44, CaseNumber: "JN-1", Entry: ledger.Entry{Kind: ledger.Intent, At: now, Case: "c1", Material: "S01.M1.b", Dataset: "D-GA01", Fields: []string{"name"}, Result: "ok"}})
	}
	v.Get("/clerk/followup").Has(t, "JN-1", "章程", "还剩 5 个工作日", "after=c1%2FS01.M1.d%2Fp2")
	v.Get("/clerk/assist").Has(t, "JN-1", "待答复", "已超期", "after=t1")
	page := v.Get("/clerk/lookups?kind=intent")
	page.Has(t, "JN-1", "查询", "查到并相符", "姓名", "/v1/cases/c1/entries/44/receipt", "before=44")
	if n := strings.Count(page.Body, "/entries/44/receipt"); n != 30 {
		t.Errorf("%d rows on a page", n)
	}
}

func TestCase_ShowsWhatComesFromOutsideInert(t *testing.T) {
	t.Parallel()
	x := newExchanges(t)
	const hostile = `<script>alert(1)</script>`
	x.r.Materials[0].Name, x.r.Materials[1].Reason.Text = hostile, hostile
	x.r.Materials[0].Evidence.Fields["name"] = `"><img src=x onerror=alert(1)>`
	x.c.Parties[0].Name = hostile
	for _, path := range []string{"/clerk/cases/c1", "/clerk/cases/c1/completion"} {
		visit(t, x).Get(path).Lacks(t, hostile, "<img")
	}
}
