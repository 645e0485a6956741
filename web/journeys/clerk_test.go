package journeys

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestClerk_FindsACaseLooksAtItAndSeesHisActs is the day of who approves: from the
// queue to a case, to what is masked in it, to what he hands the applicant, and to
// the record of all that.
func TestClerk_FindsACaseLooksAtItAndSeesHisActs(t *testing.T) {
	b := newTab(t)
	b.signIn("staff", "clerk", "/clerk")
	b.reads("收件台", "JN-S10-0001", "未关闭")
	b.look("clerk-queue")

	b.key("/")
	if focused := evaluate[string](b, "document.activeElement.id"); focused != "number" {
		t.Errorf("/ leads to %q, want the search", focused)
	}
	evaluate[bool](b, `(document.activeElement.value = "") === ""`) // the driver types the key although the page takes it
	b.key("JN-S10")
	b.enter()
	b.reads("JN-S10-0001", "社会组织登记")
	if strings.Contains(b.text(), "JN-S01-0001") {
		t.Error("the search finds another case")
	}
	b.tabTo("table.list tbody a")
	b.enter()
	b.reads("办件 JN-S10-0001", "还要交或补充", "部门核验中", "不用交", "彭*")
	b.look("clerk-case")
	evaluate[int](b, `[...document.querySelectorAll("details")].map((d) => d.open = true).length`)
	b.reads("核验经过", "数据时点", "查看遮盖的内容（留痕）", "凭据", "数据有误：")
	b.look("clerk-case-open")

	page := b.path()
	b.follow(`#parties ~ ul li:nth-child(2) button`)
	b.reads("已留痕")
	if !evaluate[bool](b, `/37\d{15}[\dX]/.test(document.getElementById("parties").parentElement.innerText)`) {
		t.Error("the number is still masked")
	}
	b.look("clerk-case-unmasked")
	b.visit(page)
	if evaluate[bool](b, `/37\d{15}[\dX]/.test(document.body.innerText)`) {
		t.Error("a number is shown in full to who did not ask for it")
	}

	b.visit(page + "/completion")
	b.reads("一次性补正告知书", "济南市示例阅读推广协会", "为什么要交", "经办人")
	b.look("clerk-completion")

	b.visit("/clerk/lookups")
	b.reads("查看遮盖的内容", "读取核验结果", "JN-S10-0001")
	b.look("clerk-lookups")
	b.visit("/clerk/lookups?kind=unmasked")
	if strings.Contains(b.text(), "读取核验结果\tJN") {
		t.Error("another kind is listed")
	}
}

// TestClerk_SaysThatARecordIsWrong opens a correction from the case.
func TestClerk_SaysThatARecordIsWrong(t *testing.T) {
	b := newTab(t)
	b.signIn("staff", "clerk", "/clerk?number=JN-S01-0001&state=")
	b.follow("table.list tbody a")
	page := b.path()
	where := evaluate[string](b, `document.querySelector('.inside a[href*="/correction?"]').getAttribute("href")`)
	b.visit(where)
	b.look("clerk-correction")
	b.do(chromedp.SendKeys(chromedp.CSS("#explanation"), "证件已换发，部门数据仍是旧的"))
	b.fill(evaluate[string](b, `document.querySelector('[name^="claim."]').name`), "应为新的")
	b.follow(`form[action$="/correction"] button[type=submit]`)
	b.reads("校核已提出")
	if b.path() != page {
		t.Errorf("after it: %s, want %s", b.path(), page)
	}
}

// TestClerk_WorksWithoutScripts: the queue, a case and a resolution need none.
func TestClerk_WorksWithoutScripts(t *testing.T) {
	b := newTab(t)
	b.withoutScripts()
	b.visit("/auth/staff/login?return=/clerk")
	b.follow(`a[href*="choose=clerk&"]`)
	b.visit("/clerk?number=JN-S03-0001")
	b.follow("table.list tbody a")
	b.follow(`form[action$="/resolve"] button`)
	b.follow(`a[href="/clerk"].button`)
	b.follow(`.tabs a[href*="state=waiting"]`)
}

// TestClerk_SeesTheAnswerOfAnOfficerWithoutAskingAgain has the page of a case open
// while an officer of another department answers.
func TestClerk_SeesTheAnswerOfAnOfficerWithoutAskingAgain(t *testing.T) {
	b := newTab(t)
	b.signIn("staff", "clerk", "/clerk?number=JN-S04-0001&state=")
	b.follow("table.list tbody a")
	const chip = `[...document.querySelectorAll(".material")].find((m) => m.querySelector("strong").textContent === "公安交管意见").querySelector(".chip").textContent`
	if before := evaluate[string](b, chip); before != "核验中" {
		t.Fatalf("before the answer: %s", before)
	}

	officer := newTab(t)
	officer.signIn("staff", "two", "/styleguide")
	officer.visit("/styleguide")
	said := evaluate[int](officer, `(async () => {
		const send = (path, body) => fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
		await send("/v1/session/department", { department: "GA" });
		const { items } = await (await fetch("/v1/assist-tasks")).json();
		const task = items.find((t) => t.case_number === "JN-S04-0001");
		return (await send("/v1/assist-tasks/" + task.id + "/answer", { result: "confirmed", officer: "演示" })).status;
	})()`)
	if said != 200 {
		t.Fatalf("the answer: %d", said)
	}
	shown := evaluate[bool](b, `new Promise((done) => {
		const look = () => { if (`+chip+` === "已取得") done(true); };
		new MutationObserver(look).observe(document.getElementById("main"), { childList: true, subtree: true });
		setTimeout(() => done(false), 15000);
		look();
	})`)
	if !shown {
		t.Errorf("the answer is not shown:\n%s", b.text())
	}
	b.visit("/clerk/assist?state=answered")
	b.reads("JN-S04-0001", "属实", "演示")
}
