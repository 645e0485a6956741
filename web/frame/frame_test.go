package frame_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"

	"mianti/internal/fault"
	"mianti/policies"
	"mianti/web/frame"
	"mianti/web/frame/frametest"
)

// hostile is what somebody might put wherever a text comes from outside.
const hostile = `<script>alert(1)</script>"onmouseover='x'{{.}}`

// probe is a section with one page for clerks, one for everybody, and a form.
func probe() frame.Section {
	clerk := []policies.Duty{policies.DutyClerk}
	return frame.Section{
		Name: "probe",
		Files: fstest.MapFS{
			"pages/text.html": {Data: []byte(`{{define "content"}}<p>{{t .}}</p>{{end}}`)},
			"pages/form.html": {Data: []byte(`{{define "content"}}{{template "errors" .}}{{template "field" (field . "number" "编号")}}{{end}}`)},
			"text.en.json":    {Data: []byte(`{"只给审批人员":"for clerks"}`)},
		},
		Menu: []frame.MenuItem{{Title: "只给审批人员", Path: "/probe/clerk", Duties: clerk}},
		Pages: []frame.Page{
			{Path: "/probe/clerk", Duties: clerk, Handle: func(*frame.Visit) (frame.Answer, error) {
				return frame.Show("text.html", "标题", "只给审批人员"), nil
			}},
			{Path: "/probe/hostile", Handle: func(*frame.Visit) (frame.Answer, error) { return frame.Show("text.html", hostile, hostile), nil }},
			{Path: "/probe/away", Handle: func(*frame.Visit) (frame.Answer, error) {
				return frame.Answer{}, fault.New(fault.Unavailable, "away", hostile)
			}},
			{Method: http.MethodPost, Path: "/probe/form", Handle: sendForm},
		},
	}
}

func sendForm(v *frame.Visit) (frame.Answer, error) {
	form := frame.NewForm(v, "number")
	form.Require("请填写编号", "number")
	form.Take(fault.New(fault.Invalid, "invalid", "有误").With(fault.Detail{Location: "body.number", Message: "编号不对"}))
	if form.Value("number") == "ok" {
		return frame.GoSaying("/probe/clerk", "已保存"), nil
	}
	return frame.Show("form.html", "表单", form).Status(http.StatusUnprocessableEntity), nil
}

func TestPage_IsForWhoHasItsDutyAlone(t *testing.T) {
	t.Parallel()
	nobody := frametest.Site(t, nil, probe()).Get("/probe/clerk?q=1")
	if nobody.Status != http.StatusUnauthorized {
		t.Errorf("who has not signed in gets %d", nobody.Status)
	}
	nobody.Has(t, "/auth/staff/login?return=%2Fprobe%2Fclerk%3Fq%3D1", "/auth/citizen/login")
	nobody.Lacks(t, "只给审批人员")
	other := frametest.Site(t, frametest.Staff("SPJ", policies.DutyAuditor), probe()).Get("/probe/clerk")
	if other.Status != http.StatusForbidden {
		t.Errorf("who has another duty gets %d", other.Status)
	}
	other.Has(t, "需要的岗位：", "审批人员")
	clerk := frametest.Site(t, frametest.Staff("SPJ", policies.DutyClerk), probe()).Get("/probe/clerk")
	if clerk.Status != http.StatusOK {
		t.Errorf("a clerk gets %d", clerk.Status)
	}
	clerk.Has(t, `<a href="/probe/clerk" aria-current="page">只给审批人员</a>`, "<h1>标题</h1>", `<html lang="zh-CN">`)
}

func TestPage_ShowsWhatComesFromOutsideInert(t *testing.T) {
	t.Parallel()
	site := frametest.Site(t, nil, probe())
	for _, path := range []string{"/probe/hostile", "/probe/away", "/probe/" + url.PathEscape(hostile)} {
		page := site.Get(path)
		page.Lacks(t, "<script>alert", `"onmouseover`)
		if policy := page.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q", path, policy)
		}
	}
}

func TestProblem_HasTheStatusOfItsKindAndARemedy(t *testing.T) {
	t.Parallel()
	site := frametest.Site(t, nil, probe())
	away := site.Get("/probe/away")
	if away.Status != http.StatusServiceUnavailable {
		t.Errorf("status %d", away.Status)
	}
	away.Has(t, "再试一次", `href="/probe/away"`, "request-1")
	if missing := site.Get("/nowhere"); missing.Status != http.StatusNotFound {
		t.Errorf("status %d", missing.Status)
	}
	if wrongMethod := site.Get("/probe/form"); wrongMethod.Status != http.StatusNotFound {
		t.Errorf("status %d", wrongMethod.Status)
	}
}

// TestProblem_OfOneVisitIsNotTheNextOnes: a page that failed for one visitor is shown
// to the next.
func TestProblem_OfOneVisitIsNotTheNextOnes(t *testing.T) {
	t.Parallel()
	fails := true
	section := probe()
	section.Pages = append(section.Pages, frame.Page{Path: "/probe/sometimes", Handle: func(*frame.Visit) (frame.Answer, error) {
		if fails {
			return frame.Answer{}, fault.New(fault.NotFound, "gone", "没有了")
		}
		return frame.Show("text.html", "标题", "在这里"), nil
	}})
	site := frametest.Site(t, nil, section)
	if got := site.Get("/probe/sometimes").Status; got != http.StatusNotFound {
		t.Errorf("status %d", got)
	}
	fails = false
	if page := site.Get("/probe/sometimes"); page.Status != http.StatusOK || !strings.Contains(page.Body, "在这里") {
		t.Errorf("status %d after an earlier visit failed", page.Status)
	}
}

func TestForm_PutsWhatIsWrongAtItsFieldAndOnTop(t *testing.T) {
	t.Parallel()
	page := frametest.Site(t, nil, probe()).Post("/probe/form", url.Values{"number": {"  "}})
	if page.Status != http.StatusUnprocessableEntity {
		t.Errorf("status %d", page.Status)
	}
	page.Has(t, "有 2 处需要改正", `<a href="#number">请填写编号</a>`, `<a href="#number">编号不对</a>`, `aria-invalid="true"`, `id="number-fault"`)
}

func TestForm_OfAnotherSiteIsRefused(t *testing.T) {
	t.Parallel()
	site := frametest.Site(t, nil, probe())
	r := httptest.NewRequest(http.MethodPost, "/probe/form", strings.NewReader("number=ok"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if page := site.Do(r); page.Status != http.StatusForbidden {
		t.Errorf("status %d", page.Status)
	}
}

func TestForm_OverItsBoundIsRefusedWhole(t *testing.T) {
	t.Parallel()
	page := frametest.Site(t, nil, probe()).Post("/probe/form", url.Values{"number": {strings.Repeat("9", 70<<10)}})
	if page.Status != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d", page.Status)
	}
	page.Has(t, "64 KB")
}

func TestMessage_IsShownOnce(t *testing.T) {
	t.Parallel()
	site := frametest.Site(t, frametest.Staff("SPJ", policies.DutyClerk), probe())
	sent := site.Post("/probe/form", url.Values{"number": {"ok"}})
	if sent.Status != http.StatusSeeOther || sent.Location != "/probe/clerk" {
		t.Fatalf("%d to %q", sent.Status, sent.Location)
	}
	site.Get(sent.Location).Has(t, "已保存")
	site.Get(sent.Location).Lacks(t, "已保存")
}

func TestPreferences_ChangeLanguageAndSizeAndGoBackOnThisSiteAlone(t *testing.T) {
	t.Parallel()
	site := frametest.Site(t, frametest.Staff("SPJ", policies.DutyClerk), probe())
	if p := site.Post("/preferences", url.Values{"language": {"en"}, "back": {"/probe/clerk?q=1"}}); p.Location != "/probe/clerk?q=1" {
		t.Errorf("back to %q", p.Location)
	}
	for _, elsewhere := range []string{"https://evil.example/", "//evil.example/", `/\evil.example`, "", "javascript:alert(1)"} {
		if p := site.Post("/preferences", url.Values{"size": {"large"}, "back": {elsewhere}}); p.Location != "/" {
			t.Errorf("%q: back to %q", elsewhere, p.Location)
		}
	}
	site.Post("/preferences", url.Values{"theme": {"purple"}})
	site.Get("/probe/clerk").Has(t, `<html lang="en" class="large">`, "for clerks")
}

func TestDeadline_CountsWorkingDays(t *testing.T) {
	t.Parallel()
	site := frametest.Site(t, nil)
	site.Get("/styleguide").Has(t, "还剩 30 个工作日", "还剩 1 个工作日", "已超期 10 个工作日")
}

// TestAsset_IsNamedByItsContent: a browser may keep it for good.
func TestAsset_IsNamedByItsContent(t *testing.T) {
	t.Parallel()
	site := frametest.Site(t, nil)
	page := site.Get("/styleguide").Body
	at := strings.Index(page, "/assets/style-")
	if at < 0 {
		t.Fatal("the page has no style")
	}
	style := site.Get(page[at : at+strings.IndexByte(page[at:], '"')])
	if style.Status != http.StatusOK || !strings.Contains(style.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("%d %v", style.Status, style.Header)
	}
	if other := site.Get("/assets/style-000000000000.css"); other.Status != http.StatusNotFound {
		t.Errorf("another name: %d", other.Status)
	}
	if whole := len(page) + len(style.Body); whole > 100<<10 {
		t.Errorf("page and style are %d bytes", whole)
	}
}
