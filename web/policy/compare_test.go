package policy_test

import (
	"context"
	"strings"
	"testing"

	"mianti/catalog"
	"mianti/catalog/lint"
	"mianti/policies"
	"mianti/web/frame/frametest"
	"mianti/web/policy"
)

// changed gives the shipped catalog, and the one after it in which a condition and
// a chain are otherwise.
func changed(t testing.TB) stored {
	t.Helper()
	files := shipped(t)
	before := load(t, files, 1)
	edit(t, files, "one-things/S01.yaml", "when: \"premises in ['cluster', 'park']\"", "when: \"premises == 'cluster'\"")
	edit(t, files, "one-things/S01.yaml", "        basis: [条例16(4), 细则25(4)]\n        origin: applicant\n        chain: [{mode: form}, {mode: upload}]", "        basis: [条例16(4), 细则25(4)]\n        origin: applicant\n        chain: [{mode: upload}]")
	return stored{1: before, 2: load(t, files, 2)}
}

func TestCompare_ShowsTwoRevisionsSideBySide(t *testing.T) {
	t.Parallel()
	staff := editor(t, changed(t))
	page := staff.Get("/catalog/revisions/2/changes?since=1")
	page.Has(t, "集群注册托管(园区)证明", "S01.M1.g", "住所(经营场所)来源为“集群注册托管”或“园区”", "/catalog/materials/S01.M1.f?rev=2")
	inOrder(t, page, "<del>premises in [&#39;cluster&#39;, &#39;park&#39;]</del>", "<ins>premises == &#39;cluster&#39;</ins>")
	inOrder(t, page, "<del>表单自动生成\n申请人提交</del>", "<ins>申请人提交</ins>")
	staff.Get("/catalog/revisions/2/changes?since=1&kind=dataset").Has(t, "没有不同")
	staff.Get("/catalog/revisions/1/changes?since=1").Has(t, "没有不同")
	staff.Get("/catalog/revisions").Has(t, "修订 2", "修订 1", `href="/catalog/revisions/2/changes"`)
}

func TestTrial_ShowsWhatTwoRevisionsAskFor(t *testing.T) {
	t.Parallel()
	staff := editor(t, changed(t))
	page := staff.Get("/catalog/trial?subject=S01&rev=2&with=1&f.premises=park&only=changed")
	page.Has(t, "2 项与修订 1 不同", "集群注册托管(园区)证明", "公司章程")
	page.Lacks(t, "公司登记(备案)申请书")
	inOrder(t, page, "集群注册托管(园区)证明", "数据共享", "不适用")
	inOrder(t, page, "公司章程", "表单自动生成", "申请人提交")
	staff.Get("/catalog/trial?subject=S01&rev=2&with=1&f.premises=cluster&only=changed").Has(t, "1 项与修订 1 不同")
}

func TestTrial_AsksWhatDecidesAndSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	staff := editor(t, stored{})
	rev := frametest.Catalog(t)
	trial, err := rev.Try(catalog.TrialInput{Subject: "S07"})
	if err != nil {
		t.Fatal(err)
	}
	page := staff.Get("/catalog/trial?subject=S07")
	page.Has(t, "二手房转移登记及水电气热联合过户", "需同步过户的公用服务")
	if got := strings.Count(page.Body, `class="asked"`); got != len(trial.Questions) {
		t.Errorf("%d are marked as to be asked, want %d", got, len(trial.Questions))
	}
	// Nothing chosen is not known; "none of these" is known.
	staff.Get("/catalog/trial?subject=S07.M5").Has(t, "须先答问题")
	staff.Get("/catalog/trial?subject=S07.M5&f.transfer_utility=-").Lacks(t, "须先答问题")
	staff.Get("/catalog/trial?subject=S04&f.land_area_ha=big").Has(t, "用地面积(公顷)：应为数字")
}

func TestHealth_PrintsItsDefinitionsAndPlaces(t *testing.T) {
	t.Parallel()
	staff := editor(t, stored{})
	page := staff.Get("/catalog/health?rule=vague")
	page.Has(t, "住所(经营场所)相关文件", "one-things/S01.yaml · name", "已说明", "说明：", "建议的修改", "name: 房屋产权或使用证明")
	for _, rule := range lint.Rules() {
		page.Has(t, rule.Name(), rule.Definition())
	}
	page.Has(t, "没有实测数据，以下规则没有检查：", "未测量")
	// A row is marked by what it is about; the last table is of the rules.
	if got := strings.Count(page.Body, `data-label="怎么改"`); got != 5 {
		t.Errorf("%d findings, want 5", got)
	}
	for _, query := range []string{"rule=vague&department=GA", "rule=vague&state=open", "rule=vague&severity=notice", "rule=vague&one_thing=S07"} {
		staff.Get("/catalog/health?"+query).Has(t, "没有发现")
	}
	staff.Get("/catalog/health?rule=conflict").Has(t, "山东省道路运输条例", "/catalog/one-things/S13")
}

// measured gives figures that a test may replace.
type measured struct{ now *lint.Measures }

func (m *measured) Measures(context.Context) (*lint.Measures, error) {
	return m.now, nil
}

func TestHealth_ShowsWhatIsMeasured(t *testing.T) {
	t.Parallel()
	figures := &measured{&lint.Measures{Grants: []policies.Grant{}, Sources: []lint.SourceMeasure{{Source: "GA.D-GA01.query", Dataset: "D-GA01", Asked: 100, Failed: 50}}, Uploads: []lint.UploadMeasure{}}}
	pages := policy.New(policy.Config{Catalogs: stored{}, Revisions: stored{}, Measures: figures})
	staff := frametest.Site(t, frametest.Staff("SPJ", policies.DutyPolicyEditor), pages)
	page := staff.Get("/catalog/health?rule=source")
	page.Has(t, "100 次调用中 50 次没有应答（50.0%，阈值 5.0%）", "/catalog/datasets/D-GA01")
	page.Lacks(t, "未测量")
	figures.now = &lint.Measures{}
	page = staff.Get("/catalog/health?rule=source")
	page.Has(t, "未测量")
	page.Lacks(t, "100 次调用中")
}
