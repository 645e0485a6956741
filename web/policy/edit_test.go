package policy_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"mianti/web/frame/frametest"
)

// form is what the page of S01.M1.e sends when nothing was changed.
func form(changes ...string) url.Values {
	values := url.Values{
		"name": {"利害关系业主同意(住改商)"}, "when": {"premises_use == 'residential'"}, "basis": {"民法典279（待核）"}, "note": {""},
		"mode": {"commit", "upload"}, "step_when": {"accept_commitment", ""}, "step_department": {"", ""}, "amount": {"", ""}, "do": {"check"},
	}
	for i := 0; i+1 < len(changes); i += 2 {
		values[changes[i]] = strings.Split(changes[i+1], "|")
	}
	return values
}

const editPath = "/catalog/materials/S01.M1.e/edit"

// inOrder fails when the texts are not on the page one after another.
func inOrder(t *testing.T, page frametest.Page, texts ...string) {
	t.Helper()
	rest := page.Body
	for _, text := range texts {
		_, after, ok := strings.Cut(rest, text)
		if !ok {
			t.Fatalf("the page does not have %q after the others:\n%s", text, page.Body)
		}
		rest = after
	}
}

func TestEdit_ShowsTheMaterialAsItIs(t *testing.T) {
	t.Parallel()
	staff := editor(t, stored{})
	for _, page := range []frametest.Page{staff.Get(editPath), staff.Post(editPath, form())} {
		if page.Status != http.StatusOK {
			t.Errorf("status %d", page.Status)
		}
		page.Has(t, "写法正确", "房屋规划用途为“住宅”", "还没有改动", "code: S01.M1.e", "- {mode: commit, when: accept_commitment}")
	}
}

func TestEdit_OrdersTheChainByButtons(t *testing.T) {
	t.Parallel()
	staff := editor(t, stored{})
	for do, want := range map[string][]string{
		"up-2":     {"chain:", "- {mode: upload}", "- {mode: commit, when: accept_commitment}"},
		"down-1":   {"chain:", "- {mode: upload}", "- {mode: commit, when: accept_commitment}"},
		"remove-1": {"chain:", "- {mode: upload}"},
		"add":      {"chain:", "- {mode: commit", "- {mode: upload}", "- {mode: upload}"},
		"up-1":     {"chain:", "- {mode: commit", "- {mode: upload}"}, // there is nothing above it
		"down-9":   {"chain:", "- {mode: commit", "- {mode: upload}"},
	} {
		page := staff.Post(editPath, form("do", do))
		_, text, _ := strings.Cut(page.Body, `id="yaml"`)
		inOrder(t, frametest.Page{Body: text}, want...)
		if do == "remove-1" && strings.Contains(text, "commit") {
			t.Error("the removed step is still there")
		}
	}
	// A step after an unconditional upload is never reached, and loading says so.
	page := staff.Post(editPath, form("do", "up-2"))
	page.Has(t, "这一步不会用到")
	if page.Status != http.StatusUnprocessableEntity {
		t.Errorf("status %d", page.Status)
	}
}

func TestEdit_SaysWhatIsWrongWithAConditionAndWhere(t *testing.T) {
	t.Parallel()
	staff := editor(t, stored{})
	page := staff.Post(editPath, form("when", "agent && premises == 'castle'", "step_when", "nobody|"))
	if page.Status != http.StatusUnprocessableEntity {
		t.Errorf("status %d", page.Status)
	}
	page.Has(t, "第 1 行第 22 个字符：", "没有选项 &#34;castle&#34;", "没有名为 nobody 的情形", `href="#when"`, `href="#step-when-1"`, "有 2 处需要改正，不能试算", `id="step-when-1"`)
	page.Lacks(t, "还没有保存")
}

func TestEdit_ShowsWhatWouldComeOutOtherwise(t *testing.T) {
	t.Parallel()
	staff := editor(t, stored{})
	page := staff.Post(editPath, form("when", "", "mode", "form|upload", "step_when", "|", "f.premises_use", "residential", "f.accept_commitment", "false"))
	if page.Status != http.StatusOK {
		t.Fatalf("status %d", page.Status)
	}
	page.Has(t, "need: required", "有变化", "适用条件")
	inOrder(t, page, "试算结果", "申请人提交", "先走这一步", "表单自动生成", "先走这一步")
	page.Lacks(t, "还没有改动")
}

func TestEdit_GivesTheYAMLToTakeAlong(t *testing.T) {
	t.Parallel()
	rev := frametest.Catalog(t)
	page := editor(t, stored{}).Post(editPath, form("when", "agent", "do", "download"))
	if got := page.Header.Get("Content-Disposition"); !strings.Contains(got, "S01.M1.e.yaml") {
		t.Errorf("disposition %q", got)
	}
	_, m, faults, err := rev.Redraft([]byte(page.Body))
	if err != nil || len(faults) > 0 || m.When != "agent" {
		t.Errorf("%v %v\n%s", err, faults, page.Body)
	}
}

// TestEdit_ChangesNothing: what was tried is on no other page.
func TestEdit_ChangesNothing(t *testing.T) {
	t.Parallel()
	staff := editor(t, stored{})
	staff.Post(editPath, form("name", "改过的名称", "when", "agent"))
	page := staff.Get("/catalog/materials/S01.M1.e")
	page.Has(t, "利害关系业主同意(住改商)", "房屋规划用途为“住宅”")
	page.Lacks(t, "改过的名称")
}
