package journeys

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// application asks for two fields of the population register, until long after any
// grant of the demonstration.
const application = `fetch("/v1/sharing-requests", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({
	dataset: "D-GA01", fields: ["name", "address"], matters: ["S01.M1"], basis: "政务数据共享条例第二十条", scenario: "企业开办", scope: "登记人员",
	purpose: "核实身份", manner: "query", from: (new Date().getFullYear() + 2) + "-01-01", until: (new Date().getFullYear() + 2) + "-12-31", officer: "王示例"})})
	.then((r) => r.status)`

// TestDepartment_DecidesFieldByFieldAndSeesWhoUsedItsData is what a department's
// officer does: what is due, an application field by field, and who used the data.
func TestDepartment_DecidesFieldByFieldAndSeesWhoUsedItsData(t *testing.T) {
	applicant := newTab(t)
	applicant.signIn("staff", "sharing", "/department")
	if status := evaluate[int](applicant, application); status != 201 {
		t.Fatalf("apply: %d", status)
	}
	b := newTab(t)
	b.signIn("staff", "police", "/department")
	b.reads("答复共享申请", "个工作日")
	b.look("department")
	b.follow(`a[href^="/department/sharing/"]`)
	b.reads("逐项答复", "居民身份证")
	b.look("department-request")

	b.do(
		chromedp.Click(chromedp.CSS(`input[name="agree-name"][value="yes"]`)), chromedp.Click(chromedp.CSS(`input[name="agree-address"][value="no"]`)),
		chromedp.SendKeys(chromedp.CSS(`[name="officer"]`), "李示例"),
	)
	b.press("提交答复")
	b.reads("需要改正")
	b.wantAccessible("department-request-wrong")
	b.do(chromedp.SendKeys(chromedp.CSS(`[name="reason-address"]`), "超出登记所需"))
	b.press("提交答复")
	b.reads("已答复。", "部分同意", "超出登记所需")
	b.press("开通")
	b.reads("授权")

	for name, path := range map[string]string{
		"department-uses": "/department/uses", "department-sources": "/department/sources", "department-sharing": "/department/sharing",
		"department-grants": "/department/grants", "department-assists": "/department/assists", "department-corrections": "/department/corrections",
	} {
		b.visit(path)
		b.look(name)
	}
	b.visit("/department/uses")
	b.reads("市行政审批服务局")
	if strings.Contains(b.text(), "370199") {
		t.Error("who used the data names a person")
	}
}

// TestDepartment_AnswersAnApplicationByKeyboardAlone goes from what is due to the
// reason for a refusal without a mouse.
func TestDepartment_AnswersAnApplicationByKeyboardAlone(t *testing.T) {
	applicant := newTab(t)
	applicant.signIn("staff", "sharing", "/department")
	if status := evaluate[int](applicant, strings.ReplaceAll(application, `"S01.M1"`, `"S03.M1"`)); status != 201 {
		t.Fatalf("apply: %d", status)
	}
	b := newTab(t)
	b.signIn("staff", "police", "/department")
	b.tabTo(`a[href^="/department/sharing/"]`)
	b.enter()
	for _, field := range []string{"name", "address"} {
		b.tabTo(`input[name="agree-` + field + `"]`)
		b.key(kb.ArrowDown) // the second of yes and no
		b.tabTo(`[name="reason-` + field + `"]`)
		b.key("与该事项无关")
	}
	b.tabTo(`[name="officer"]`)
	b.key("李示例")
	b.enter()
	b.reads("已答复。", "与该事项无关")
}

// TestDepartment_AppliesForDataOnAPage finds a dataset, fills in its form, is told
// what is missing, and sees the application.
func TestDepartment_AppliesForDataOnAPage(t *testing.T) {
	b := newTab(t)
	b.signIn("staff", "sharing", "/department/sharing/new")
	b.look("department-apply-choose")
	b.visit("/department/sharing/new?dataset=D-GA02")
	b.reads("居民户口簿", "户籍地址")
	b.look("department-apply")
}

// TestOverview_PrintsItsDefinitions is what a leader sees of what has ended.
func TestOverview_PrintsItsDefinitions(t *testing.T) {
	b := newTab(t)
	b.signIn("staff", "auditor", "/overview")
	for end := time.Now().Add(patience); !strings.Contains(b.text(), "÷") && time.Now().Before(end); {
		b.visit("/overview") // what has ended is counted by and by
	}
	b.reads("实际免提交率", "÷", "口径")
	b.look("overview")
	if size := evaluate[int](b, `fetch(document.querySelector('a[href^="/overview/download"]').href).then((r) => r.arrayBuffer()).then((a) => a.byteLength)`); size < 1000 {
		t.Errorf("the workbook has %d bytes", size)
	}
}
