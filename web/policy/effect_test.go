package policy_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/ledger"
	"mianti/policies"
	"mianti/web/frame/frametest"
)

// past are the recorded cases, with what each followed from.
type past map[string]*exchange.Inputs

func (p past) PastCases(_ context.Context, before *exchange.PastCase, _ int) ([]exchange.PastCase, error) {
	var out []exchange.PastCase
	for id := range p {
		if before == nil {
			out = append(out, exchange.PastCase{ID: id, Department: "SPJ", Subject: "S01.M1", Resolution: "resolution-" + id, ResolvedAt: frametest.Now()})
		}
	}
	return out, nil
}

func (p past) CaseInputs(_ context.Context, id string) ([]*exchange.Inputs, error) {
	return []*exchange.Inputs{p[id]}, nil
}

// rights are none, and what is recorded is counted in recorded.
type rights struct{ recorded *[]ledger.Entry }

func (rights) GrantsFor(context.Context, []string) ([]policies.Grant, error) { return nil, nil }
func (rights) Stops(context.Context) ([]policies.Stop, error)                { return nil, nil }

func (r rights) Append(_ context.Context, entries []ledger.Entry) error {
	if r.recorded != nil {
		*r.recorded = append(*r.recorded, entries...)
	}
	return nil
}

// founding is a case of S01.M1 whose facts are such that the articles are asked for.
func founding() past {
	return past{"c1": {
		Resolution: "resolution-c1", Version: 1, Case: "c1", Department: "SPJ", Now: frametest.Now(),
		Facts:   catalog.Facts{"applicant_kind": "company", "ent_type": "ltd", "premises": "own", "premises_use": "commercial", "foreign_party": false, "agent": false, "has_preapproval": false, "accept_commitment": false},
		Parties: []catalog.Party{{ID: "p1", Roles: []string{"applicant"}, Kind: catalog.KindOrganization, Name: "济南示例新设有限公司"}},
	}}
}

// The articles are made from the form at revision 1, and handed in at revision 2.
func TestEffect_ShowsWhatAChangeWouldDo(t *testing.T) {
	t.Parallel()
	var recorded []ledger.Entry
	staff := frametest.Site(t, frametest.Staff("SPJ", policies.DutyPolicyReviewer), sectionOver(changed(t), founding(), rights{&recorded}))
	page := staff.Get("/catalog/effect?before=1&after=2")
	inOrder(t, page, "集群注册托管(园区)证明", "何时要", "<del>住所(经营场所)来源为“集群注册托管”或“园区”</del>", "<ins>住所(经营场所)来源为“集群注册托管”</ins>",
		"公司章程", "办法的顺序", "<del>表单自动生成 → 申请人提交</del>", "<ins>申请人提交</ins>", "须提交与不提交之间的变化", "公司章程", "免提交", "须提交", "没有缺口")
	page.Lacks(t, "结论不同的材料")
	if len(recorded) != 0 {
		t.Errorf("looking at the revisions is recorded as %+v", recorded)
	}

	rerun := staff.Post("/catalog/effect", url.Values{"before": {"1"}, "after": {"2"}, "cases": {"10"}})
	inOrder(t, rerun, "看了最近 1 件，其中涉及改动、已重算的 1 件", "市行政审批服务局", "&#43;1", "结论不同的材料", "公司章程", "核验通过 → 须提交", "resolution-c1")
	rerun.Lacks(t, "济南示例新设有限公司")
	if len(recorded) != 1 || recorded[0].Kind != ledger.EffectMeasured || recorded[0].Person == "" {
		t.Errorf("resolving cases again is recorded as %+v", recorded)
	}
}

func TestEffect_SaysWhatIsWrongAtTheField(t *testing.T) {
	t.Parallel()
	staff := editor(t, changed(t))
	for _, cases := range []string{"", "0", "1001", "all"} {
		page := staff.Post("/catalog/effect", url.Values{"before": {"1"}, "after": {"2"}, "cases": {cases}})
		if page.Status != http.StatusUnprocessableEntity {
			t.Errorf("%q cases: %d", cases, page.Status)
		}
		page.Has(t, `id="cases-fault"`, "请填 1 到 1000 的整数")
	}
	if got := staff.Get("/catalog/effect?before=1&after=9").Status; got != http.StatusNotFound {
		t.Errorf("no such revision: %d", got)
	}
	staff.Get("/catalog/effect?before=1&after=1").Has(t, "要的材料没有不同", "没有这样的变化", "没有缺口")
	editor(t, stored{}).Get("/catalog/effect").Has(t, "还没有修订")
}

// The shipped catalog asks for 29 materials of S10, of which 2 are left (counted in
// catalog/reduction from the scenario list). The articles of revision 2 are one more of S01.
func TestReport_ShowsFiguresWithTheirDefinitions(t *testing.T) {
	t.Parallel()
	staff := editor(t, changed(t))
	page := staff.Get("/catalog/report?rev=1&q=S10")
	page.Has(t, "社会组织登记一件事", "29 份 → 2 份", "15 → 1", "怎么算的", "即最多要交的数", "29 → 2</text>", `id="t-S10"`)
	page.Lacks(t, "企业开办一网通办")
	staff.Get("/catalog/report?rev=2&since=1&q=S01").Has(t, "（&#43;1）")
	staff.Get("/catalog/report?q=nothing").Has(t, "没有这样的一件事")

	book := staff.Get("/catalog/report/workbook?rev=1")
	f, err := excelize.OpenReader(strings.NewReader(book.Body))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := f.GetRows("逐份材料")
	if err != nil || len(rows) != 1+len(frametest.Catalog(t).Materials()) {
		t.Errorf("%d rows of materials, %v", len(rows), err)
	}
	if picture := staff.Get("/catalog/report/picture?rev=1"); !strings.HasPrefix(picture.Header.Get("Content-Type"), "image/svg+xml") || !strings.HasPrefix(picture.Body, "<svg") {
		t.Errorf("the picture is %s", picture.Header.Get("Content-Type"))
	}
}
