package citizen_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"mianti/web/frame/frametest"
)

// first gives the code of the first thing under a heading of the entrance.
func first(p frametest.Page, after string) string {
	_, rest, _ := strings.Cut(p.Body, after)
	found := regexp.MustCompile(`href="/guide/([^"?]+)"`).FindStringSubmatch(rest)
	if found == nil {
		return ""
	}
	return found[1]
}

func TestHome_FindsThingsByTheWordsPeopleUse(t *testing.T) {
	t.Parallel()
	site := anybody(t)
	for asked, want := range map[string]string{
		"开公司": "S01", "我想 开店": "S01", "孩子上学": "S05", "买二手房": "S07", "房产证": "S06", "货车": "S11", "驾校": "S13", "公积金": "S01.M6",
		"S06": "S06", "s06.m2": "S06.M2", "义务教育": "S05", "大件": "S12",
	} {
		p := site.Get("/?q=" + url.QueryEscape(asked))
		got := first(p, `id="found"`)
		if asked == "公积金" { // whichever one-thing it stands in
			got, want = got[:3], want[:3]
		}
		if p.Status != http.StatusOK || got != want {
			t.Errorf("%s: %d, first %s, want %s", asked, p.Status, got, want)
		}
	}
}

func TestHome_ExplainsThatNothingWasFoundAndShowsWhatWasTypedInert(t *testing.T) {
	t.Parallel()
	p := anybody(t).Get("/?q=" + url.QueryEscape(markup))
	p.Has(t, "没有找到与", "政务服务窗口", "登录我的办件", "工作人员入口", `href="/guide/S14"`)
	p.Lacks(t, markup)
}

// all are answers after which nothing of S06 is open; the counts are derived in
// examples/jinan/guide_test.go.
const all = "agent=false&applicant_kind=person&tax_first_home=false&buy_kind=onhand&co_owner=false&minor_party=false"

func TestGuide_AsksFirstAndThenShowsThreeGroups(t *testing.T) {
	t.Parallel()
	site := anybody(t)
	asks := site.Get("/guide/S06")
	asks.Has(t, "是否贷款并办理抵押", "看要交什么", "不用填姓名和证件号码", "想到窗口办")
	asks.Lacks(t, "您不用交")
	if n := strings.Count(asks.Body, "<legend>"); n != 6 {
		t.Errorf("%d questions on the first screen, want 6", n)
	}
	done := site.Get("/guide/S06?has_loan=false&" + all)
	done.Has(t, "您不用交 13 项", "部门核对 2 项", "您什么都不用交", "前一步“契税申报缴纳(新建商品房)”办好后自动取得", "由市公安局的电子证照核对", "打印这份清单", "一共约 4 个工作日")
	done.Lacks(t, "再答 1 个")
	loan := site.Get("/guide/S06?has_loan=true&" + all)
	loan.Has(t, "您还要交 1 项", "主债权合同与抵押合同")
}

// What somebody does not know stays open, and he is not asked for it again.
func TestGuide_LeavesOpenWhatSomebodyDoesNotKnow(t *testing.T) {
	t.Parallel()
	p := anybody(t).Get("/guide/S06?has_loan=%3F&" + all)
	p.Has(t, "看您怎么回答的 3 项", "改一改我的回答（7 个）", `value="?" checked`)
	p.Lacks(t, "再答 1 个")
}

func TestGuide_KeepsOfTheAddressWhatIsAnAnswerAndNothingElse(t *testing.T) {
	t.Parallel()
	site := anybody(t)
	p := site.Get("/guide/S06?agent=false&name=" + url.QueryEscape("张三") + "&business_address=" + url.QueryEscape("某路1号"))
	if p.Status != http.StatusUnprocessableEntity {
		t.Errorf("a text is taken: %d", p.Status)
	}
	p.Has(t, `name="agent" value="false"`, "这里不收姓名、号码和地址")
	p.Lacks(t, "张三", "某路1号")
	wrong := site.Get("/guide/S06?agent=" + url.QueryEscape("张三"))
	if wrong.Status != http.StatusUnprocessableEntity {
		t.Errorf("a name for an answer is taken: %d", wrong.Status)
	}
	wrong.Has(t, "请从列出的几项里选。")
}

func TestGuide_IsThereForASingleMatterAndForNothingUnknown(t *testing.T) {
	t.Parallel()
	site := anybody(t)
	p := site.Get("/guide/S02.M3?applicant_kind=company")
	p.Has(t, "税务登记迁入确认", "您不用交 1 项", `href="/guide/S02"`)
	if p := site.Get("/guide/S99"); p.Status != http.StatusNotFound {
		t.Errorf("an unknown thing: %d", p.Status)
	}
}
