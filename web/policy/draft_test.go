package policy_test

import (
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"mianti/catalog"
	"mianti/catalog/lint"
	"mianti/draft"
	"mianti/effect"
	"mianti/examples/jinan"
	"mianti/policies"
	"mianti/store"
	"mianti/web/frame/frametest"
	"mianti/web/policy"
)

// drafting is the pages over a database with the shipped catalog.
type drafting struct {
	t    *testing.T
	db   *store.Store
	desk *draft.Desk
	all  stored
}

func newDrafting(t *testing.T) *drafting {
	t.Helper()
	address := "sqlite:" + filepath.Join(t.TempDir(), "mianti.db")
	if err := store.Migrate(t.Context(), address); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), store.Config{URL: address, Now: frametest.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	files, err := catalog.Files(jinan.Files)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.SaveRevision(t.Context(), files, store.RevisionMeta{Title: "目录", Version: "1"}); err != nil {
		t.Fatal(err)
	}
	var ids atomic.Int64
	desk := draft.New(draft.Config{
		Drafts: db, Publisher: db, Catalogs: store.NewCatalogs(db), Now: frametest.Now, NewID: func() string { return fmt.Sprintf("d%02d", ids.Add(1)) },
	})
	return &drafting{t, db, desk, stored{}}
}

// as is somebody with a duty in a department; every visitor of one duty is the same
// person.
func (d *drafting) as(person, department string, duties ...policies.Duty) *frametest.Visitor {
	session := frametest.Staff(department, duties...)
	session.Person.ID = person
	return frametest.Site(d.t, session, policy.New(policy.Config{
		Catalogs: d.all, Revisions: d.all, Drafts: d.desk, Effects: &effect.Desk{Past: past{}, Rights: rights{}, Journal: rights{}, Now: frametest.Now},
		Suggestions: desk(d.all),
	}))
}

func (d *drafting) editor() *frametest.Visitor {
	return d.as("p-editor", "SPJ", policies.DutyPolicyEditor)
}

func (d *drafting) reviewer() *frametest.Visitor {
	return d.as("p-reviewer", "DSJ", policies.DutyPolicyReviewer)
}

// post sends a form to a draft's page, with the version that is there.
func (d *drafting) post(v *frametest.Visitor, path string, fields ...string) frametest.Page {
	d.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return v.Post(path, form)
}

func (d *drafting) went(page frametest.Page, to string) {
	d.t.Helper()
	if page.Status != http.StatusSeeOther || page.Location != to {
		d.t.Fatalf("status %d to %q, want to %q\n%s", page.Status, page.Location, to, page.Body)
	}
}

const thingOfDraft = "/catalog/drafts/d01/thing"

func TestDraftPages_FromTheFirstDraftToThePublishedRevision(t *testing.T) {
	t.Parallel()
	d := newDrafting(t)
	editor, reviewer := d.editor(), d.reviewer()
	editor.Get("/catalog/drafts").Has(t, "没有草案", "起草")
	if page := d.post(editor, "/catalog/drafts", "title", ""); page.Status != http.StatusUnprocessableEntity {
		t.Errorf("a draft without a name: %d", page.Status)
	}
	d.went(d.post(editor, "/catalog/drafts", "title", "改营业执照", "why", "依据变了"), "/catalog/drafts/d01")
	page := editor.Get("/catalog/drafts/d01")
	page.Has(t, "还没有改动", "改一个对象", "市行政审批服务局")
	page.Lacks(t, `value="submit"`)
	page = editor.Get(thingOfDraft + "?kind=material&code=S01.M1.a")
	page.Has(t, "code: S01.M1.a", "chain:")
	text := page.Body[strings.Index(page.Body, "code: S01.M1.a"):strings.Index(page.Body, "</textarea>")]
	broken := d.post(editor, thingOfDraft, "kind", "material", "code", "S01.M1.a", "text", "a: [", "do", "save")
	if broken.Status != http.StatusUnprocessableEntity {
		t.Errorf("broken YAML: %d", broken.Status)
	}
	broken.Has(t, "第 ", "YAML 有误")
	faulty := d.post(editor, thingOfDraft, "kind", "material", "code", "S01.M1.a", "text", unescape(text)+"when: nonsense == 1\n", "do", "save")
	if faulty.Status != http.StatusUnprocessableEntity {
		t.Errorf("an unknown fact: %d", faulty.Status)
	}
	faulty.Has(t, "处错误", "nonsense", "<code>when</code>")
	if page := d.post(editor, "/catalog/drafts/d01", "do", "submit"); page.Status != http.StatusUnprocessableEntity {
		t.Errorf("a faulty draft is submitted: %d", page.Status)
	}
	d.went(d.post(editor, thingOfDraft, "kind", "material", "code", "S01.M1.a", "text", unescape(text)+"note: 一句说明\n", "do", "save"), "/catalog/drafts/d01")
	editor.Get("/catalog/drafts/d01").Has(t, "一句说明", "更改", "不改这一项", `value="submit"`)
	d.went(d.post(editor, "/catalog/drafts/d01", "do", "submit"), "/catalog/drafts/d01")
	editor.Get("/catalog/drafts/d01").Lacks(t, `value="approve"`)
	page = reviewer.Get("/catalog/drafts/d01")
	page.Has(t, "审核通过", "退回", "一句说明", "人员 editor")
	page.Lacks(t, `value="submit"`, `value="drop"`)
	if page := d.post(reviewer, "/catalog/drafts/d01", "do", "return"); page.Status != http.StatusUnprocessableEntity {
		t.Errorf("returned without a remark: %d", page.Status)
	}
	d.went(d.post(reviewer, "/catalog/drafts/d01", "do", "approve"), "/catalog/drafts/d01")
	if page := d.post(reviewer, "/catalog/drafts/d01", "do", "schedule", "on", "2020-01-01"); page.Status != http.StatusUnprocessableEntity {
		t.Errorf("a day that is over: %d", page.Status)
	}
	d.went(d.post(reviewer, "/catalog/drafts/d01", "do", "schedule", "on", "2026-12-01"), "/catalog/drafts/d01")
	reviewer.Get("/catalog/drafts").Has(t, "待发布", "2026-12-01")
	d.went(d.post(reviewer, "/catalog/drafts/d01", "do", "publish"), "/catalog/drafts/d01")
	reviewer.Get("/catalog/drafts/d01").Has(t, "已发布", "修订 2")
	reviewer.Get("/catalog/drafts?state=published").Has(t, "改营业执照")
	if number, _ := d.db.LatestRevision(t.Context()); number != 2 {
		t.Errorf("revision %d", number)
	}
}

// unescape takes a text back out of a page.
func unescape(text string) string {
	return strings.NewReplacer("&#39;", "'", "&#34;", `"`, "&lt;", "<", "&gt;", ">", "&amp;", "&", "&#43;", "+").Replace(text)
}

// written gives a material as it stands, with a line more.
func (d *drafting) written(code, more string) string {
	d.t.Helper()
	e, err := d.desk.Catalogs.Thing(d.t.Context(), 1, catalog.ThingMaterial, code)
	if err != nil {
		d.t.Fatal(err)
	}
	text, err := e.YAML()
	if err != nil {
		d.t.Fatal(err)
	}
	return string(text) + more
}

func TestDraftPages_TheSecondIsToldSeesBothAndChooses(t *testing.T) {
	t.Parallel()
	d := newDrafting(t)
	editor, reviewer := d.editor(), d.reviewer()
	for i, note := range []string{"第一个人的", "第二个人的"} {
		id := fmt.Sprintf("d%02d", i+1)
		d.went(d.post(editor, "/catalog/drafts", "title", "草案"+id), "/catalog/drafts/"+id)
		d.went(d.post(editor, "/catalog/drafts/"+id+"/thing", "kind", "material", "code", "S01.M1.a", "text", d.written("S01.M1.a", "note: "+note+"\n"), "do", "save"), "/catalog/drafts/"+id)
	}
	editor.Get("/catalog/drafts/d02").Has(t, "同时在改", "草案d01")
	d.went(d.post(editor, "/catalog/drafts/d01", "do", "submit"), "/catalog/drafts/d01")
	d.went(d.post(reviewer, "/catalog/drafts/d01", "do", "approve"), "/catalog/drafts/d01")
	d.went(d.post(reviewer, "/catalog/drafts/d01", "do", "publish"), "/catalog/drafts/d01")
	editor.Get("/catalog/drafts/d02").Has(t, "要先合并", "别人改过")
	page := editor.Get("/catalog/drafts/d02/merge")
	page.Has(t, "第一个人的", "第二个人的", "保留哪一个", "从修订 1 合并到修订 2")
	if page := d.post(editor, "/catalog/drafts/d02/merge", "head", "2"); page.Status != http.StatusUnprocessableEntity {
		t.Errorf("merged without a choice: %d", page.Status)
	}
	if page := d.post(editor, "/catalog/drafts/d02/merge", "head", "1", "take-1", "mine"); page.Status != http.StatusUnprocessableEntity {
		t.Errorf("merged into what is no longer current: %d", page.Status)
	}
	d.went(d.post(editor, "/catalog/drafts/d02/merge", "head", "2", "take-1", "value", "text-1", "两个人的"), "/catalog/drafts/d02")
	page = editor.Get("/catalog/drafts/d02")
	page.Has(t, "两个人的", "第一个人的")
	page.Lacks(t, "要先合并")
	d.went(d.post(editor, "/catalog/drafts/d02", "do", "submit"), "/catalog/drafts/d02")
}

func TestDraftPages_AMaterialIsPutIntoADraftFromItsOwnPage(t *testing.T) {
	t.Parallel()
	d := newDrafting(t)
	editor := d.editor()
	const page = "/catalog/materials/S01.M1.a/edit"
	e, err := d.desk.Catalogs.Revision(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	m := e.Material("S01.M1.a")
	form := url.Values{"name": {m.Name}, "when": {m.When}, "basis": {strings.Join(m.Basis, "\n")}, "note": {"从材料页改的"}, "do": {"draft"}}
	for _, step := range m.Chain {
		form.Add("mode", string(step.Mode))
		form.Add("step_when", step.When)
		form.Add("step_department", step.Department)
		form.Add("amount", fmt.Sprint(max(step.Days, step.Minutes, step.Months)))
	}
	editor.Get(page).Has(t, "放进草案", "新的草案")
	d.went(editor.Post(page, form), "/catalog/drafts/d01")
	editor.Get("/catalog/drafts/d01").Has(t, "改写材料 S01.M1.a", "从材料页改的")
	form.Set("note", "又改了一次")
	form.Set("draft", "d01")
	d.went(editor.Post(page, form), "/catalog/drafts/d01")
	view := editor.Get("/catalog/drafts/d01")
	view.Has(t, "又改了一次")
	view.Lacks(t, "从材料页改的")
	form.Set("draft", "none")
	if got := editor.Post(page, form).Status; got != http.StatusNotFound {
		t.Errorf("a draft that is not there: %d", got)
	}
}

func TestDraftPages_RollBackBeginsADraft(t *testing.T) {
	t.Parallel()
	d := newDrafting(t)
	editor := d.editor()
	files, err := d.db.Files(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	things, _ := catalog.Things(map[string][]byte{"facts.yaml": files["facts.yaml"]})
	parts, faults := catalog.Apply(files, []catalog.Edit{{Kind: catalog.ThingMaterial, Code: "S01.M1.a"}})
	if len(faults) > 0 || len(things) == 0 {
		t.Fatal(faults)
	}
	if _, err := d.db.PublishRevision(t.Context(), store.Publication{Base: 1, Parts: parts}); err != nil {
		t.Fatal(err)
	}
	editor.Get("/catalog/drafts?restore=1").Has(t, "起草恢复到修订 1")
	d.went(d.post(editor, "/catalog/drafts", "restore", "1", "why", "删错了"), "/catalog/drafts/d01")
	editor.Get("/catalog/drafts/d01").Has(t, "恢复到修订 1", "到修订 1", "新增", "S01.M1.a")
	if page := d.post(editor, "/catalog/drafts", "restore", "2"); page.Status != http.StatusUnprocessableEntity {
		t.Errorf("rolled back to what is: %d", page.Status)
	}
	if page := d.post(editor, "/catalog/drafts", "restore", "9"); page.Status != http.StatusNotFound {
		t.Errorf("rolled back to what never was: %d", page.Status)
	}
}

func TestDraftPages_RemoveAnEditWithdrawAndRefuseOthers(t *testing.T) {
	t.Parallel()
	d := newDrafting(t)
	editor := d.editor()
	d.went(d.post(editor, "/catalog/drafts", "title", "<script>alert(1)</script>"), "/catalog/drafts/d01")
	d.went(d.post(editor, thingOfDraft, "kind", "material", "code", "S01.M1.a", "do", "remove"), "/catalog/drafts/d01")
	page := editor.Get("/catalog/drafts/d01")
	page.Has(t, "删除", "S01.M1.a")
	page.Lacks(t, "<script>alert")
	editor.Get(thingOfDraft+"?kind=material&code=S01.M1.a").Has(t, "删除")
	stale := d.post(editor, "/catalog/drafts/d01", "do", "drop", "kind", "material", "code", "S01.M1.a", "version", "1")
	if stale.Status != http.StatusUnprocessableEntity {
		t.Errorf("an old page: %d", stale.Status)
	}
	stale.Has(t, "已有变更")
	d.went(d.post(editor, "/catalog/drafts/d01", "do", "drop", "kind", "material", "code", "S01.M1.a"), "/catalog/drafts/d01")
	other := d.as("p-other", "GA", policies.DutyPolicyEditor)
	other.Get("/catalog/drafts/d01").Lacks(t, "改一个对象", "撤销草案")
	if got := d.post(other, "/catalog/drafts/d01", "do", "withdraw", "reason", "不要").Status; got != http.StatusForbidden {
		t.Errorf("another department withdraws: %d", got)
	}
	if got := d.post(editor, "/catalog/drafts/d01", "do", "nothing").Status; got != http.StatusUnprocessableEntity {
		t.Errorf("nothing is done: %d", got)
	}
	d.went(d.post(editor, "/catalog/drafts/d01", "do", "withdraw", "reason", "不改了"), "/catalog/drafts/d01")
	editor.Get("/catalog/drafts/d01").Has(t, "已撤销", "不改了")
	if got := editor.Get("/catalog/drafts/none").Status; got != http.StatusNotFound {
		t.Errorf("a draft that is not there: %d", got)
	}
	if got := editor.Get(thingOfDraft + "?kind=house&code=x"); got.Status != http.StatusSeeOther {
		t.Errorf("a thing of no kind: %d", got.Status)
	}
}

// TestHealth_PutsASuggestedChangeIntoADraft: into a new one, into one that is there,
// and not over what somebody has written.
func TestHealth_PutsASuggestedChangeIntoADraft(t *testing.T) {
	t.Parallel()
	d := newDrafting(t)
	editor := d.editor()
	const page = "/catalog/health?rule=vague"
	editor.Get(page).Has(t, "放进草案", "新的草案")
	finding := []string{"of_rule", "vague", "of_code", "S01.M1.d", "of_key", "name"}
	d.went(d.post(editor, page, finding...), "/catalog/drafts/d01")
	editor.Get("/catalog/drafts/d01").Has(t, "模糊兜底的一律明确：S01.M1.d", "房屋产权或使用证明", "名称含“相关”")
	again := d.post(editor, page, append(finding, "draft", "d01")...)
	if again.Status != http.StatusUnprocessableEntity {
		t.Errorf("over what was written: %d", again.Status)
	}
	again.Has(t, "已经改了 S01.M1.d")
	d.went(d.post(editor, page, "of_rule", "vague", "of_code", "S02.M2.c", "of_key", "name", "draft", "d01"), "/catalog/drafts/d01")
	editor.Get("/catalog/drafts/d01").Has(t, "S01.M1.d", "S02.M2.c")
	if gone := d.post(editor, page, "of_rule", "vague", "of_code", "S99.M1.a", "of_key", "name"); gone.Status != http.StatusConflict {
		t.Errorf("a finding that is not there: %d", gone.Status)
	}
}

// TestHealth_ExplainsAFindingInADraft: an open finding of the current catalog is
// explained, with a reason, and only with one.
func TestHealth_ExplainsAFindingInADraft(t *testing.T) {
	t.Parallel()
	d := newDrafting(t)
	pages := policy.New(policy.Config{Catalogs: d.all, Revisions: d.all, Drafts: d.desk, Measures: &measured{&lint.Measures{
		Sources: []lint.SourceMeasure{{Source: "GA.D-GA01.query", Dataset: "D-GA01", Asked: 100, Failed: 50}},
	}}})
	editor := frametest.Site(t, frametest.Staff("SPJ", policies.DutyPolicyEditor), pages)
	const page = "/catalog/health?rule=source"
	editor.Get(page).Has(t, "说明为什么不改")
	finding := []string{"do", "explain", "of_rule", "source", "of_code", "GA.D-GA01.query", "of_key", "sources"}
	silent := d.post(editor, page, append(finding, "why", " ")...)
	if silent.Status != http.StatusUnprocessableEntity {
		t.Errorf("without a reason: %d", silent.Status)
	}
	silent.Has(t, "请写明 GA.D-GA01.query 这处发现为什么维持原样。")
	d.went(d.post(editor, page, append(finding, "why", "省厅迁移机房，下月恢复")...), "/catalog/drafts/d01")
	editor.Get("/catalog/drafts/d01").Has(t, "体检说明", "source-GA.D-GA01.query-sources")
	kept, err := d.desk.Draft(t.Context(), policies.Caller{Department: "SPJ"}, "d01")
	if err != nil || len(kept.Faults) > 0 || !strings.Contains(string(kept.Edits[0].Value), "省厅迁移机房，下月恢复") {
		t.Errorf("%v %+v", err, kept)
	}
}

func TestDraftPages_TheEffectOfADraftIsMeasured(t *testing.T) {
	t.Parallel()
	d := newDrafting(t)
	editor := d.editor()
	d.went(d.post(editor, "/catalog/drafts", "title", "不再要申请书"), "/catalog/drafts/d01")
	d.went(d.post(editor, thingOfDraft, "kind", "material", "code", "S01.M1.a", "do", "remove"), "/catalog/drafts/d01")
	editor.Get("/catalog/drafts/d01").Has(t, "/catalog/drafts/d01/effect")
	page := editor.Get("/catalog/drafts/d01/effect")
	if page.Status != http.StatusOK {
		t.Fatalf("%d\n%s", page.Status, page.Body)
	}
	page.Has(t, "不再要申请书", "与修订 1 比", "公司登记(备案)申请书")
	if got := d.post(editor, thingOfDraft, "kind", "matter", "code", "S99.M1", "do", "remove").Status; got != http.StatusUnprocessableEntity {
		t.Errorf("what is not there is removed: %d", got)
	}
	if got := editor.Get("/catalog/drafts/d01/effect").Status; got != http.StatusConflict {
		t.Errorf("the effect of a faulty draft: %d", got)
	}
}
