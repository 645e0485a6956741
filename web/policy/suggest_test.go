package policy_test

import (
	"bytes"
	"context"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"mianti/catalog"
	"mianti/catalog/suggest"
	"mianti/examples/jinan"
	"mianti/ledger"
	"mianti/policies"
	"mianti/web/frame/frametest"
)

// mappings keeps what is decided, and has the newest revision or the shipped one.
type mappings struct {
	all stored

	mu      sync.Mutex
	decided []suggest.MappingDecision
	shipped *catalog.Revision
}

func (m *mappings) Current(context.Context, ...string) (*catalog.Revision, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if rev := m.all[1]; rev != nil {
		return rev, nil
	}
	if m.shipped == nil {
		rev, err := catalog.Load(jinan.Files)
		if err != nil {
			return nil, err
		}
		m.shipped = rev
	}
	return m.shipped, nil
}

func (m *mappings) MappingDecisions(context.Context) ([]suggest.MappingDecision, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]suggest.MappingDecision{}, m.decided...), nil
}

func (m *mappings) KeepMappingDecision(_ context.Context, _ string, d suggest.MappingDecision, _ ledger.Entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.decided = append(m.decided, d)
	return nil
}

func desk(all stored) *suggest.Desk {
	m := &mappings{all: all}
	return suggest.NewDesk(suggest.Config{Catalogs: m, Decisions: m, Now: frametest.Now})
}

const namesOfTest = "营业执照副本复印件\n法人身份证正反面\n其他相关材料"

func decided(staff *frametest.Visitor, do string, more ...string) frametest.Page {
	form := url.Values{"list": {namesOfTest}, "do": {do}}
	for i := 0; i+1 < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return staff.Post("/catalog/suggest", form)
}

func TestSuggest_ShowsTheMaterialHowSureAndWhy(t *testing.T) {
	t.Parallel()
	staff := editor(t, stored{})
	page := decided(staff, "")
	if page.Status != http.StatusOK {
		t.Fatalf("%d", page.Status)
	}
	page.Has(t, "3 个名称，3 项材料", "STD-BL", "STD-ID", "D-GA01", "很可能", "没有说明是哪一种材料", "accept|standard_material|STD-BL|营业执照", "0 / 3")
}

func TestSuggest_UsesWhatWasAcceptedRejectedAndNamed(t *testing.T) {
	t.Parallel()
	staff := editor(t, stored{})
	decided(staff, "accept|standard_material|STD-BL|营业执照").Has(t, "已确认", "1 / 3")
	page := decided(staff, "reject|standard_material|STD-ID|法人身份证")
	page.Has(t, "已否定", "曾建议「身份证明」", "2 / 3")
	page.Lacks(t, "accept|standard_material|STD-ID")
	wrong := decided(staff, "assign|2|法人身份证", "code-2", "STD-NONE")
	if wrong.Status != http.StatusUnprocessableEntity {
		t.Errorf("a code that is not there: %d", wrong.Status)
	}
	wrong.Has(t, `href="#code-2"`, "目录中没有这个代码", `value="STD-NONE"`)
	decided(staff, "assign|2|法人身份证", "code-2", "C05 法定代表人(负责人)身份证明").Has(t, "C05", "2 / 3")
}

func TestSuggest_AcceptsTheSureOnesOfAPageTogether(t *testing.T) {
	t.Parallel()
	staff := editor(t, stored{})
	form := url.Values{"list": {namesOfTest}, "do": {"accept-all"}, "sure": {"standard_material|STD-BL|营业执照", "standard_material|STD-ID|法人身份证"}}
	staff.Post("/catalog/suggest", form).Has(t, "2 / 3")
}

func TestSuggest_ExportsTheDecidedListWithoutFormulas(t *testing.T) {
	t.Parallel()
	staff := editor(t, stored{})
	page := staff.Post("/catalog/suggest", url.Values{"list": {"营业执照\n=HYPERLINK(\"x\")材料"}, "do": {"export"}})
	if page.Status != http.StatusOK || !strings.HasPrefix(page.Body, "\ufeff材料名称,") {
		t.Fatalf("%d %q", page.Status, page.Body)
	}
	page.Has(t, "营业执照,营业执照,很可能,标准材料,STD-BL,营业执照,D-SC01,", `'=HYPERLINK`)
}

func TestSuggest_ReadsAFileAndSaysWhatIsWrongAtItsField(t *testing.T) {
	t.Parallel()
	staff := editor(t, stored{})
	post := func(data string) frametest.Page {
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		part, err := form.CreateFormFile("file", "list.csv")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = part.Write([]byte(data))
		_ = form.Close()
		r := httptest.NewRequest(http.MethodPost, "/catalog/suggest", &body)
		r.Header.Set("Content-Type", form.FormDataContentType())
		return staff.Do(r)
	}
	post("某局材料清单\n序号,材料名称,份数\n1,营业执照副本,1\n2,户口本,1\n").Has(t, "2 个名称，2 项材料", "STD-BL", "STD-HUKOU")
	for data, says := range map[string]string{"PK\x03\x04broken": "不是完整的 XLSX", "1,2\n3,4\n": "没有找到材料名称"} {
		page := post(data)
		if page.Status != http.StatusUnprocessableEntity {
			t.Errorf("%q: %d", data, page.Status)
		}
		page.Has(t, says, `href="#file"`)
	}
	empty := staff.Post("/catalog/suggest", url.Values{"list": {" \n"}})
	if empty.Status != http.StatusUnprocessableEntity {
		t.Errorf("an empty list: %d", empty.Status)
	}
	empty.Has(t, `href="#list"`)
}

func TestSuggest_GoesThroughALongListByPages(t *testing.T) {
	t.Parallel()
	staff := editor(t, stored{})
	form := url.Values{"list": {strings.Repeat("营业执照\n", 120)}, "do": {"page|3"}}
	page := staff.Post("/catalog/suggest", form)
	page.Has(t, "第 3 页，共 3 页", `id="row-120"`, `id="row-101"`)
	page.Lacks(t, `id="row-100"`)
}

// What is confirmed becomes a draft: the materials of the catalog that are called so get
// the standard material, and keep all else.
func TestSuggest_PutsWhatIsConfirmedIntoADraft(t *testing.T) {
	t.Parallel()
	d := newDrafting(t)
	editor := d.editor()
	form := url.Values{"list": {"机动车行驶证\n其他相关材料"}}
	editor.Post("/catalog/suggest", form).Lacks(t, "同名材料的对应放进草案")
	form.Set("do", "accept|standard_material|STD-VEHICLE-LICENCE|机动车行驶证")
	editor.Post("/catalog/suggest", form).Has(t, "已确认", "把目录中 1 份同名材料的对应放进草案")
	form.Set("do", "draft")
	d.went(editor.Post("/catalog/suggest", form), "/catalog/drafts/d01")
	editor.Get("/catalog/drafts/d01").Has(t, "按映射对应 1 份材料", "STD-VEHICLE-LICENCE")
	kept, err := d.desk.Draft(t.Context(), policies.Caller{Department: "SPJ"}, "d01")
	if err != nil || len(kept.Faults) > 0 || len(kept.Edits) != 1 {
		t.Fatalf("%v %+v", err, kept)
	}
	changes, err := d.desk.Changes(t.Context(), "d01")
	if err != nil || len(changes) != 1 || len(changes[0].Fields) != 1 || changes[0].Fields[0].New != "STD-VEHICLE-LICENCE" {
		t.Errorf("%v %+v: want the standard material alone", err, changes)
	}
	form.Set("list", "其他相关材料")
	if got := editor.Post("/catalog/suggest", form).Status; got != http.StatusConflict {
		t.Errorf("nothing to map: %d", got)
	}
}
