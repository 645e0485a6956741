package journeys

import (
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// phone makes the window as wide as a telephone.
func (b *tab) phone() {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(390, 844))
}

// answer chooses an option of a question by its value.
func (b *tab) answer(fact, value string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS(`label:has(> input[name="` + fact + `"][value="` + value + `"])`)))
}

// TestCitizen_FindsOutWhatToBringWithoutAScript goes from the entrance to the list,
// on a telephone and with scripts switched off.
func TestCitizen_FindsOutWhatToBringWithoutAScript(t *testing.T) {
	b := newTab(t)
	b.phone()
	b.withoutScripts()
	b.visit("/")
	b.fill("q", "我要买新房")
	b.press("查找")
	b.reads("新建商品房交房即办证")
	b.press("新建商品房交房即办证")
	b.reads("是否贷款并办理抵押", "这里不用填姓名和证件号码", "想到窗口办")
	for fact, value := range map[string]string{"has_loan": "true", "agent": "false", "applicant_kind": "person", "tax_first_home": "false", "co_owner": "false", "minor_party": "false"} {
		b.answer(fact, value)
	}
	b.press("看要交什么")
	b.reads("您还要交 1 项", "主债权合同与抵押合同", "再答 1 个问题")
	b.answer("buy_kind", "onhand")
	b.press("更新清单")
	b.reads("您不用交 14 项", "部门核对 3 项", "您还要交 1 项", "一共约 5 个工作日")
	if strings.Contains(b.path(), "370199") {
		t.Errorf("the address says who asks: %s", b.path())
	}
}

// TestCitizen_AnswersTheGuideByKeyboardAlone: search, choice, answers and the button
// are reached by Tab, the arrows, the space bar and Enter.
func TestCitizen_AnswersTheGuideByKeyboardAlone(t *testing.T) {
	b := newTab(t)
	b.visit("/")
	b.tabTo("input[type=search]")
	b.key("S14")
	b.enter()
	b.tabTo(`main a[href="/guide/S14"]`)
	b.enter()
	for range 8 { // each answer may bring another question
		if !evaluate[bool](b, `Boolean(document.querySelector("main form.questions:not(details *) input[type=radio]"))`) {
			break
		}
		b.tabTo("main form.questions:not(details *) input[type=radio]")
		b.key(" ")
		b.tabTo("main form.questions:not(details *) button")
		b.enter()
	}
	b.reads("您不用交", "您还要交", "要多久")
}

// TestCitizen_DecidesAndSeesItRecorded signs in, reads what is asked, says yes, takes
// it back, and finds both in the list of who did what with his data. Without a script.
func TestCitizen_DecidesAndSeesItRecorded(t *testing.T) {
	b := newTab(t)
	b.signIn("citizen", "xu", "/my")
	b.look("my")
	b.press("济南水务集团想查您的数据，等您同意")
	b.look("consent")
	b.phone()
	b.withoutScripts()
	b.visit("/my")
	b.reads("等您办的 1 件事", "济南水务集团想查您的数据")
	b.press("济南水务集团想查您的数据，等您同意")
	b.reads("给谁", "查什么", "不同意会怎样", "到什么时候")
	b.press("同意查询")
	b.reads("已登记：您同意查询", "您已同意")
	b.press("看回执")
	b.reads("授权回执", "您本人在本平台作出")
	b.press("回到这份同意")
	b.press("撤回同意")
	b.reads("已撤回。从现在起不再查询")
	b.press("看这个办件")
	b.reads("供水过户", "您不用交")
	b.visit("/my/accesses")
	b.reads("同意查询", "撤回同意", "征求您的授权同意", "济南水务集团", "怎样知道没有漏、没有改")
}

// TestCitizen_SeesHisCaseAndSaysThatARecordIsWrong opens a case of many matters, sees
// his own record, and has it examined.
func TestCitizen_SeesHisCaseAndSaysThatARecordIsWrong(t *testing.T) {
	b := newTab(t)
	b.signIn("citizen", "xu", "/my")
	b.press("二手房转移登记及水电气热联合过户")
	b.reads("您不用交 8 项", "正在核对 4 项", "您还要交 1 项", "办到哪一步", "市公安局")
	b.look("case")
	b.do(chromedp.Click(chromedp.CSS("summary:has(+ dl)")))
	b.reads("370199199310081195")
	b.press("数据有误")
	b.look("wrong")
	b.do(chromedp.SendKeys(chromedp.CSS(`[name="explanation"]`), "有效期写错了，应为长期。"))
	b.press("提交")
	b.reads("请勾选不对的内容")
	b.do(chromedp.Click(chromedp.CSS(`label:has(> input[name="fields"])`)))
	b.press("提交")
	b.reads("已登记，转给提供数据的部门", "等部门核实")
	b.visit("/my/accesses")
	b.look("accesses")
}

// TestCitizen_PagesForEverybodyAreAccessible looks at the entrance, the questions and
// the list.
func TestCitizen_PagesForEverybodyAreAccessible(t *testing.T) {
	b := newTab(t)
	for name, path := range map[string]string{
		"home": "/", "search": "/?q=%E5%BC%80%E5%85%AC%E5%8F%B8", "search-empty": "/?q=zzz", "guide": "/guide/S05",
		"guide-list": "/guide/S06?has_loan=true&agent=false&applicant_kind=person&tax_first_home=true", "guide-wrong": "/guide/S06?agent=7",
	} {
		b.visit(path)
		if found := regexp.MustCompile(`您不用交|是否|常办的事`).FindString(b.text()); found == "" {
			t.Errorf("%s shows nothing", path)
		}
		b.look(name)
	}
}
