package citizen_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/policies"
	"mianti/web/frame/frametest"
)

func TestMyPages_AreForApplicantsAlone(t *testing.T) {
	t.Parallel()
	clerk := frametest.Site(t, frametest.Staff("SPJ", policies.DutyClerk), section(t, newFake()))
	for _, path := range []string{"/my", "/my/cases/c1", "/my/cases/c1/commitment", "/my/cases/c1/wrong", "/my/consents/k1", "/my/consents/k1/receipt", "/my/previews/v1", "/my/accesses"} {
		if p := anybody(t).Get(path); p.Status != http.StatusUnauthorized {
			t.Errorf("%s for nobody: %d", path, p.Status)
		}
		if p := clerk.Get(path); p.Status != http.StatusForbidden {
			t.Errorf("%s for a clerk: %d", path, p.Status)
		}
	}
	without := frametest.Site(t, nil, section(t, nil))
	if p := without.Get("/my"); p.Status != http.StatusNotFound {
		t.Errorf("without the use cases: %d", p.Status)
	}
}

// TestPages_ShowWhatOthersWroteInertAndTheWindow: every page of an applicant has
// the way to a counter, and nothing of a record becomes markup.
func TestPages_ShowWhatOthersWroteInertAndTheWindow(t *testing.T) {
	t.Parallel()
	site := applicant(t, newFake())
	for _, path := range []string{"/", "/guide/S06", "/my", "/my/cases/c1", "/my/consents/k1", "/my/consents/k1/receipt", "/my/previews/v1", "/my/accesses",
		"/my/cases/c1/wrong?material=S06.M2.b&party=p1&dataset=D-GA01"} {
		p := site.Get(path)
		if p.Status != http.StatusOK {
			t.Errorf("%s: %d", path, p.Status)
		}
		p.Has(t, "窗口")
		p.Lacks(t, markup)
		if n := strings.Count(p.Body, "<h1"); n != 1 {
			t.Errorf("%s has %d first headings", path, n)
		}
	}
}

func TestMy_PutsFirstWhatWaitsForThePerson(t *testing.T) {
	t.Parallel()
	p := applicant(t, newFake()).Get("/my")
	p.Has(t, "等您办的 2 件事", "市不动产登记中心想查您的数据，等您同意", `href="/my/consents/k1"`, `href="/my/previews/v1"`,
		"不用交 1", "等您表示 1", "核对中 1", "还要交 1", "等部门核实")
}

// A commitment is not exempt: it stands with what is his to do, and has its letter.
func TestCase_TellsTheGroupsAndCountsNoCommitmentAsExempt(t *testing.T) {
	t.Parallel()
	site := applicant(t, newFake())
	p := site.Get("/my/cases/c1")
	p.Has(t, "您不用交 1 项", "等您表示 1 项", "正在核对 1 项", "您还要交 1 项", "您已承诺 1 项", "契税申报", "已经办好",
		`href="/my/cases/c1/wrong?dataset=D-GA01&amp;material=S06.M2.b&amp;party=p1"`, "部门应该有我的记录", `href="/my/previews/v1"`)
	site.Get("/my/cases/c1/commitment").Has(t, "告知承诺书", "婚姻证明", "JN-1")
	if p := site.Get("/my/cases/other"); p.Status != http.StatusNotFound {
		t.Errorf("another's case: %d", p.Status)
	}
}

func TestConsent_IsDecidedOnTheSheetThatWasRead(t *testing.T) {
	t.Parallel()
	f := newFake()
	site := applicant(t, f)
	site.Get("/my/consents/k1").Has(t, "济南水务集团", "权利人", "敏感个人信息", "自行提交纸质材料", "2027-05-22", `value="sha256:read"`)
	p := site.Post("/my/consents/k1/decision", url.Values{"decision": {"given"}, "sheet_digest": {"sha256:read"}})
	if p.Status != http.StatusSeeOther || f.decided != (exchange.ConsentDecision{Decision: catalog.ConsentGiven, SheetDigest: "sha256:read"}) {
		t.Errorf("%d, decided %+v", p.Status, f.decided)
	}
	site.Get(p.Location).Has(t, "已登记：您同意查询", "撤回同意")
	if p := site.Post("/my/consents/k1/withdrawal", nil); p.Status != http.StatusSeeOther || !f.withdrawn {
		t.Errorf("withdrawal: %d", p.Status)
	}
	f.consent.Decision = catalog.ConsentGiven
	file := site.Get("/my/consents/k1/receipt?file=1")
	if file.Header.Get("Content-Disposition") == "" || !json.Valid([]byte(file.Body)) {
		t.Errorf("the receipt as a file: %v", file.Header)
	}
}

func TestConsent_ShowsTheSheetAnewWhenItHasChanged(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.refusal = fault.New(fault.Conflict, "consent-sheet-changed", "知情内容与您所读的不同，没有登记决定。请重新阅读后再决定。")
	p := applicant(t, f).Post("/my/consents/k1/decision", url.Values{"decision": {"given"}, "sheet_digest": {"sha256:old"}})
	if p.Status != http.StatusConflict {
		t.Errorf("status %d", p.Status)
	}
	p.Has(t, "知情内容与您所读的不同", `value="sha256:read"`)
}

func TestPreview_IsReleasedAsItWasSeenOrPaperIsChosen(t *testing.T) {
	t.Parallel()
	f := newFake()
	site := applicant(t, f)
	site.Get("/my/previews/v1").Has(t, "370199199310081195", "居民身份证", `value="sha256:seen"`, "数据有误")
	for decision, want := range map[string]string{"released": "released sha256:seen", "paper": "paper sha256:seen"} {
		p := site.Post("/my/previews/v1", url.Values{"decision": {decision}, "content": {"sha256:seen"}})
		if p.Status != http.StatusSeeOther || p.Location != "/my/cases/c1" || f.released != want {
			t.Errorf("%s: %d %s, said %q", decision, p.Status, p.Location, f.released)
		}
	}
	if p := site.Post("/my/previews/v1", url.Values{"decision": {"awaiting"}, "content": {"sha256:seen"}}); p.Status != http.StatusUnprocessableEntity {
		t.Errorf("another word: %d", p.Status)
	}
}

func TestWrong_SaysWhichFieldsAndWhyOrThatARecordIsMissing(t *testing.T) {
	t.Parallel()
	f := newFake()
	site := applicant(t, f)
	const path = "/my/cases/c1/wrong"
	record := url.Values{"material": {"S06.M2.b"}, "party": {"p1"}, "dataset": {"D-GA01"}}
	p := site.Post(path, record)
	if p.Status != http.StatusUnprocessableEntity {
		t.Errorf("nothing said: %d", p.Status)
	}
	p.Has(t, "请勾选不对的内容", "请说一说哪里不对")
	record["fields"], record["explanation"] = []string{"name"}, []string{"写成了曾用名"}
	if p = site.Post(path, record); p.Status != http.StatusSeeOther || !slices.Equal(f.wrong.Fields, []string{"name"}) || f.wrong.Dataset != "D-GA01" || f.wrong.Party != "p1" {
		t.Errorf("%d, sent %+v", p.Status, f.wrong)
	}
	record["missing"] = []string{"1"}
	if p = site.Post(path, record); p.Status != http.StatusSeeOther || f.wrong.Fields != nil || f.wrong.Claim.Explanation != "写成了曾用名" {
		t.Errorf("a missing record: %d, sent %+v", p.Status, f.wrong)
	}
}

func TestAccesses_TellInSentencesAndLeaveOutOwnReadingsUnlessAsked(t *testing.T) {
	t.Parallel()
	f := newFake()
	site := applicant(t, f)
	p := site.Get("/my/accesses?department=BDC&from=2026-11-01&to=2026-11-23")
	p.Has(t, "市不动产登记中心：查询您的数据：居民身份证（姓名）", "查到记录，已核验", "已封存", "为履行法定职责所必需", "mianti access verify", "/v1/me/export",
		"cursor=7", "department=BDC")
	day := frametest.Now().Format("2006-01-02")
	if !f.query.Others || f.query.Department != "BDC" || f.query.Until.Format("2006-01-02") <= day {
		t.Errorf("asked with %+v: the last day is part of the period", f.query)
	}
	if site.Get("/my/accesses?own=1"); f.query.Others {
		t.Error("own readings are left out although they were asked for")
	}
	for _, bad := range []string{"from=gestern", "from=2026-11-23&to=2026-11-01"} {
		if p := site.Get("/my/accesses?" + bad); p.Status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", bad, p.Status)
		}
	}
}

// TestTexts_HaveTheirEnglish: every Chinese text of a template or a handler.
func TestTexts_HaveTheirEnglish(t *testing.T) {
	t.Parallel()
	texts := map[string]string{}
	for _, name := range []string{"text.en.json", "../frame/text.en.json"} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, &texts); err != nil {
			t.Fatal(err)
		}
	}
	var sources []string
	for _, pattern := range []string{"pages/*.html", "*.go"} {
		found, _ := filepath.Glob(pattern)
		sources = append(sources, found...)
	}
	said := regexp.MustCompile(`(?:\bt|\.T\(|Title:|GoSaying\([^\n]*?,|said :?=|message :?=|frame\.Show\("[a-z]+\.html",) ?"([^"]*\p{Han}[^"]*)"`)
	for _, name := range sources {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range said.FindAllStringSubmatch(string(text), -1) {
			if texts[m[1]] == "" {
				t.Errorf("%s: no English for %q", name, m[1])
			}
		}
	}
}
