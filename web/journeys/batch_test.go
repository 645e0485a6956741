package journeys

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// The lists of the journey: companies of the stand-in population.
const (
	listHeading = "办件编号,申请人姓名或名称,申请人号码,申请人类型\r\n"
	goodRows    = "批-01,济南云杉科技有限公司,91370102MA9X10017T,企业\r\n" +
		"批-02,泉城示例置业有限公司,91370102MA9X10033G,企业\r\n" +
		"批-03,济南平安驾校示例有限公司,91370102MA9X1005X3,企业\r\n"
	badRows = "批-01,=cmd|'/c calc'!A1,91370102MA9X10025M,企业\r\n" +
		"批-05,济南大件物流（示例）有限公司,9.13701E+17,企业\r\n" +
		"批-06,<b>济南精工</b>机械示例有限公司,91370102MA9X10084X,个人独资\r\n"
)

// upload chooses a list for the form that is open.
func (b *tab) upload(content string) {
	b.t.Helper()
	file := filepath.Join(b.t.TempDir(), "名单.csv")
	if err := os.WriteFile(file, []byte("\ufeff"+content), 0o600); err != nil {
		b.t.Fatal(err)
	}
	b.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}))
}

// handIn fills in the form of a new batch and sends it.
func (b *tab) handIn(content string) {
	b.t.Helper()
	b.do(
		chromedp.SetValue(chromedp.CSS("#purpose"), "涉企许可证件地址变更年度核查"),
		chromedp.SetValue(chromedp.CSS("#basis"), "《优化营商环境条例》第三十六条"),
	)
	b.upload(content)
	b.press("提交并校验")
}

// TestBatch_FromAListWithErrorsToItsResults goes the whole way of a clerk.
func TestBatch_FromAListWithErrorsToItsResults(t *testing.T) {
	b := newTab(t)
	b.signIn("staff", "clerk", "/batch")
	b.reads("还没有批次")
	b.look("batch-empty")
	b.press("新建批量核验")
	b.look("batch-choose")
	b.do(chromedp.SetValue(chromedp.CSS("#subject"), "S02.M7"))
	b.press("下一步")
	b.reads("涉企许可证件地址变更", "申请人姓名或名称", "下载模板")
	b.look("batch-new")

	b.handIn("姓名,手机号\r\n王,1\r\n")
	b.reads("列名“姓名”不认识", "第 1 行第 2 列")
	b.look("batch-new-wrong")

	b.handIn(listHeading + goodRows + badRows)
	b.reads("6 行中有 3 行不符合要求", "与第 2 行的办件编号相同", "末几位已经丢失")
	b.look("batch-errors")
	b.press("提交改正后的名单")
	b.handIn(listHeading + goodRows)
	b.reads("3 行全部符合要求")
	b.look("batch-ready")

	b.press("开始核验 3 行")
	b.look("batch-running")
	for range 60 {
		if evaluate[bool](b, `document.querySelector(".chip").innerText === "已完成"`) {
			break
		}
		time.Sleep(500 * time.Millisecond) // the page follows by itself; this waits for it
	}
	b.visit(b.path() + "?rows=all")
	b.reads("已完成", "批-01", "项材料已核实")
	b.look("batch-finished")
	b.visit("/batch")
	b.reads("有错误待处理", "已完成")
	b.look("batch-list")
}
