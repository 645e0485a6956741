package journeys

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// TestPolicy_FindsAMaterialRewritesItsConditionAndTriesIt is what an editor does: a
// search, a condition that is wrong and then right, and what it would change.
func TestPolicy_FindsAMaterialRewritesItsConditionAndTriesIt(t *testing.T) {
	b := newTab(t)
	b.signIn("staff", "editor", "/catalog/materials")
	b.fill("q", "授权委托书")
	b.enter()
	b.reads("授权委托书")
	b.visit("/catalog/materials/S01.M2.c")
	b.reads("委托他人代办")
	b.visit("/catalog/materials/S01.M2.c/edit")
	b.fill("when", "agnet && need_seal")
	b.press("检查并试算")
	b.reads("需要改正", "第 1 行第 1 个字符")
	b.look("catalog-edit-wrong")

	b.fill("when", "agent && need_seal")
	b.press("检查并试算")
	b.reads("写法正确", "委托他人代办", "刻制印章", "改了什么")
	b.look("catalog-edit-right")
	if yaml := evaluate[string](b, `document.getElementById("yaml").value`); yaml == "" {
		t.Error("there is no YAML to take along")
	}
}

// TestPolicy_TriesTheRulesByKeyboardAlone asks what a case would need.
func TestPolicy_TriesTheRulesByKeyboardAlone(t *testing.T) {
	b := newTab(t)
	b.signIn("staff", "reviewer", "/catalog")
	b.tabTo(`a[href^="/catalog/trial"]`)
	b.enter()
	b.reads("规则试算")
	b.visit("/catalog/trial?subject=S07")
	b.tabTo(`main button[type="submit"], main form button`)
	b.enter()
	b.reads("二手房")
	b.do(chromedp.WaitVisible(chromedp.CSS("table.trial, table.list")))
}

// TestPolicy_ImportsAListAfterMendingIt is what an editor does with a list that came
// from another platform: the errors first, then what it would change.
func TestPolicy_ImportsAListAfterMendingIt(t *testing.T) {
	b := newTab(t)
	b.signIn("staff", "editor", "/catalog/import")
	b.upload("1.材料代码,2.材料名称*,3.来源渠道,内部编号\r\nS01.M1.d,住所使用证明,30,x\r\nS99.M1.a,甲,10,y\r\n")
	b.press("看会改什么")
	b.reads("不能导入", "有 2 处错误", "不是这一列可以填的值", "目录里没有事项 S99.M1")
	b.look("catalog-import-wrong")

	b.upload("1.材料代码,2.材料名称*,3.来源渠道,内部编号\r\nS01.M1.d,住所使用证明,20政府部门核发,x\r\nS01.M1.e,业主同意书,99,y\r\n")
	b.press("看会改什么")
	b.reads("可以导入", "会改 2 项", "住所使用证明", "第 2 行")
	b.look("catalog-import-right")
	b.fill("title", "实施清单调整")
	b.press("建立草案")
	b.reads("实施清单调整", "S01.M1.d", "S01.M1.e")
}

// TestPolicy_DraftsAMaterialAndAnotherPersonPublishesIt is the life of a draft: an
// editor writes and hands in, a reviewer sends it back, approves and publishes.
func TestPolicy_DraftsAMaterialAndAnotherPersonPublishesIt(t *testing.T) {
	editor := newTab(t)
	editor.signIn("staff", "editor", "/catalog/drafts")
	editor.look("catalog-drafts")
	editor.visit("/catalog/materials/S01.M2.a/edit")
	editor.fill("name", "营业执照（当面核对）")
	editor.press("放进草案")
	editor.reads("已放进草案", "改写材料 S01.M2.a", "营业执照（当面核对）")
	editor.look("catalog-draft")
	here := evaluate[string](editor, "location.pathname")
	editor.visit(here + "/thing?kind=material&code=S01.M2.a")
	editor.look("catalog-draft-thing")
	editor.visit(here + "/merge")
	editor.look("catalog-draft-merge")
	editor.visit(here)
	editor.press("提交审核")
	editor.reads("待审核")

	reviewer := newTab(t)
	reviewer.signIn("staff", "reviewer", here)
	reviewer.look("catalog-draft-review")
	reviewer.press("退回")
	reviewer.reads("请说明理由")
	reviewer.do(chromedp.SendKeys(chromedp.CSS(`[name="reason"]`), "请写明依据"))
	reviewer.press("退回")
	reviewer.reads("已退回", "请写明依据")
	editor.visit(here)
	editor.press("提交审核")
	reviewer.visit(here)
	reviewer.press("审核通过")
	reviewer.press("立即发布")
	reviewer.reads("已发布")
	reviewer.visit("/catalog/materials/S01.M2.a")
	reviewer.reads("营业执照（当面核对）")
}

// TestPolicy_MapsAListAndTeachesTheAssistant is what is done with another department's
// list: some suggestions are accepted, one is rejected, one code is named by hand.
func TestPolicy_MapsAListAndTeachesTheAssistant(t *testing.T) {
	b := newTab(t)
	b.signIn("staff", "editor", "/catalog/suggest")
	b.tabTo(`[name="list"]`)
	b.key("营业执照副本复印件（加盖公章）\n法人身份证正反面\n房本（原件）\n户口簿、结婚证\n营业性演出许可证\n其他相关材料\n经办人身份证（复印件1份）")
	b.press("比对")
	b.reads("7 个名称，8 项材料", "STD-BL", "没有说明是哪一种材料")
	b.look("catalog-suggest-list")
	b.fill("code-3", "STD-HOUSE 房屋产权或使用证明")
	b.press("就是它")
	b.reads("有人确认过这个名称就是「房屋产权或使用证明」", "1 / 8")
	b.press("确认本页 5 项“很可能”")
	b.reads("6 / 8")
}
