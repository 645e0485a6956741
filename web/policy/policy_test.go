package policy_test

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"mianti/catalog"
	"mianti/draft"
	"mianti/effect"
	"mianti/examples/jinan"
	"mianti/internal/fault"
	"mianti/policies"
	"mianti/web/frame"
	"mianti/web/frame/frametest"
	"mianti/web/policy"
)

// stored are revisions by number.
type stored map[int]*catalog.Revision

func (s stored) Revision(_ context.Context, number int, _ ...string) (*catalog.Revision, error) {
	if rev := s[number]; rev != nil {
		return rev, nil
	}
	return nil, fault.New(fault.NotFound, "unknown-revision", "没有这个目录版本")
}

func (s stored) RevisionHeads(_ context.Context, before, limit int) ([]catalog.RevisionHead, error) {
	var heads []catalog.RevisionHead
	for n := 1000; n > 0 && len(heads) < limit; n-- {
		if rev := s[n]; rev != nil && (before == 0 || n < before) {
			heads = append(heads, catalog.RevisionHead{Number: n, Digest: rev.Digest, Title: rev.Title, Version: rev.Version, Loaded: frametest.Now().Add(-time.Hour)})
		}
	}
	return heads, nil
}

// noDrafts keeps none.
type noDrafts struct{ kept }

type kept interface{ draft.Drafts }

func (noDrafts) Drafts(context.Context, draft.Filter) ([]draft.Outline, error) { return nil, nil }

// shipped gives the files of the shipped catalog, to be changed.
func shipped(t testing.TB) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	err := fs.WalkDir(jinan.Files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(jinan.Files, name)
		files[name] = &fstest.MapFile{Data: content}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func edit(t testing.TB, files fstest.MapFS, name, old, replacement string) {
	t.Helper()
	text := string(files[name].Data)
	if !strings.Contains(text, old) {
		t.Fatalf("%s does not hold %q", name, old)
	}
	files[name] = &fstest.MapFile{Data: []byte(strings.Replace(text, old, replacement, 1))}
}

func load(t testing.TB, files fs.FS, number int) *catalog.Revision {
	t.Helper()
	rev, err := catalog.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	rev.Number = number
	return rev
}

func section(all stored) frame.Section {
	return sectionOver(all, past{}, rights{})
}

// sectionOver is section, with recorded cases.
func sectionOver(all stored, cases past, of rights) frame.Section {
	return policy.New(policy.Config{Catalogs: all, Revisions: all, Drafts: draft.New(draft.Config{Drafts: noDrafts{}}), Effects: &effect.Desk{Past: cases, Rights: of, Journal: of, Now: frametest.Now}, Suggestions: desk(all)})
}

func editor(t testing.TB, all stored) *frametest.Visitor {
	return frametest.Site(t, frametest.Staff("SPJ", policies.DutyPolicyEditor), section(all))
}

// paths are all pages, with the things of the shipped catalog.
func paths() []string {
	return []string{
		"/catalog", "/catalog/one-things/S01", "/catalog/matters", "/catalog/matters/S01.M1", "/catalog/materials", "/catalog/materials/S01.M1.d",
		"/catalog/materials/S01.M1.d/edit", "/catalog/datasets", "/catalog/datasets/D-GA01", "/catalog/departments", "/catalog/revisions",
		"/catalog/revisions/2/changes?since=1", "/catalog/check", "/catalog/export", "/catalog/import", "/catalog/trial", "/catalog/trial?subject=S01", "/catalog/trial?subject=S01.M1&rev=2&with=1", "/catalog/health", "/catalog/suggest",
		"/catalog/effect", "/catalog/effect?before=1&after=2", "/catalog/report", "/catalog/report?since=1",
	}
}

func TestPages_AreForPolicyStaffAlone(t *testing.T) {
	t.Parallel()
	all := stored{1: load(t, shipped(t), 1), 2: load(t, shipped(t), 2)}
	nobody := frametest.Site(t, nil, section(all))
	clerk := frametest.Site(t, frametest.Staff("SPJ", policies.DutyClerk, policies.DutyAuditor, policies.DutyDepartmentAdmin), section(all))
	reviewer := frametest.Site(t, frametest.Staff("SPJ", policies.DutyPolicyReviewer), section(all))
	staff := editor(t, all)
	for _, path := range paths() {
		for who, got := range map[string][2]int{
			"nobody": {nobody.Get(path).Status, http.StatusUnauthorized}, "a clerk": {clerk.Get(path).Status, http.StatusForbidden},
			"a reviewer": {reviewer.Get(path).Status, http.StatusOK}, "an editor": {staff.Get(path).Status, http.StatusOK},
		} {
			if got[0] != got[1] {
				t.Errorf("%s: %s gets %d, want %d", path, who, got[0], got[1])
			}
		}
	}
}

func TestPages_OfWhatIsNotThere(t *testing.T) {
	t.Parallel()
	staff := editor(t, stored{})
	for _, path := range []string{
		"/catalog/one-things/S99", "/catalog/matters/S99.M1", "/catalog/materials/S99.M1.a", "/catalog/materials/S99.M1.a/edit", "/catalog/datasets/D-XX",
		"/catalog/revisions/9/changes", "/catalog/revisions/x/changes", "/catalog?rev=9", "/catalog/trial?subject=S01&with=9",
	} {
		if got := staff.Get(path).Status; got != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", path, got)
		}
	}
	page := staff.Get("/catalog/trial?subject=S99")
	if page.Status != http.StatusUnprocessableEntity {
		t.Errorf("a trial of nothing: %d", page.Status)
	}
	page.Has(t, "目录中没有 S99")
}

// hostile is what somebody might write into a catalog.
const hostile = `<script>alert(1)</script><b onmouseover=x>{{.}}`

// TestPages_ShowTheCatalogInert puts markup into every name and note that a page
// shows.
func TestPages_ShowTheCatalogInert(t *testing.T) {
	t.Parallel()
	files := shipped(t)
	for _, name := range []string{"公司设立登记", "住所(经营场所)相关文件", "企业开办一网通办", "用途允许：未申报住改商的，用途不得为住宅"} {
		for file, f := range files {
			if strings.HasPrefix(file, "one-things/S01") {
				files[file] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(string(f.Data), name, "'"+hostile+"'"))}
			}
		}
	}
	edit(t, files, "departments/GA.yaml", "name: 居民身份证", "name: '"+hostile+"'")
	edit(t, files, "departments/GA.yaml", "name: 市公安局", "name: '"+hostile+"'")
	edit(t, files, "facts.yaml", "label: 企业}", "label: '"+hostile+"'}")
	edit(t, files, "facts.yaml", "ask: 是否委托他人代办", "ask: '"+hostile+"'")
	edit(t, files, "catalog.yaml", "title: ", "title: '"+hostile+"' # ")
	staff := editor(t, stored{1: load(t, shipped(t), 1), 2: load(t, files, 2)})
	for _, path := range paths() {
		separator := "?"
		if strings.Contains(path, "?") {
			separator = "&"
		}
		page := staff.Get(path + separator + "rev=2&q=" + url.QueryEscape(hostile))
		page.Lacks(t, "<script>alert", "<b onmouseover")
		if page.Status != http.StatusOK {
			t.Errorf("%s: %d", path, page.Status)
		}
	}
}

// rows counts the rows of the list on a page.
func rows(page frametest.Page) int {
	return strings.Count(page.Body, "<tr>") - strings.Count(page.Body, "<thead><tr>")
}

// TestLists_FilterByTheAddress derives each count from the catalog itself.
func TestLists_FilterByTheAddress(t *testing.T) {
	t.Parallel()
	rev := frametest.Catalog(t)
	staff := editor(t, stored{})
	count := func(keep func(m *catalog.Material) bool) int {
		n := 0
		for _, m := range rev.Materials() {
			if keep(m) {
				n++
			}
		}
		return n
	}
	mode := func(m *catalog.Material, mode catalog.Mode) bool {
		for _, s := range m.Chain {
			if s.Mode == mode {
				return true
			}
		}
		return false
	}
	datasets := 0
	for _, d := range rev.Datasets() {
		if d.Sharing == catalog.SharingUnconditional {
			datasets++
		}
	}
	for path, want := range map[string]int{
		"/catalog/materials?mode=assist":   count(func(m *catalog.Material) bool { return mode(m, catalog.ModeAssist) }),
		"/catalog/materials?one_thing=S12": count(func(m *catalog.Material) bool { return strings.HasPrefix(m.Code, "S12.") }),
		"/catalog/materials?department=GA": count(func(m *catalog.Material) bool { return rev.MatterOf(m.Code).Department == "GA" }),
		"/catalog/materials?need=conditional&q=S05": count(func(m *catalog.Material) bool {
			return strings.HasPrefix(m.Code, "S05") && m.Need == catalog.NeedConditional
		}),
		"/catalog/materials?q=nothing-is-called-so":       0,
		"/catalog/materials?common=C02":                   count(func(m *catalog.Material) bool { return m.Common == "C02" }),
		"/catalog/matters?one_thing=S04":                  len(rev.OneThing("S04").Matters),
		"/catalog/matters?q=" + url.QueryEscape("s01.m7"): 1,
		"/catalog/datasets?sharing=unconditional":         datasets,
		"/catalog/departments":                            len(rev.Departments()),
	} {
		page := staff.Get(path)
		if got := rows(page); got != want || want > 50 {
			t.Errorf("%s: %d rows, want %d", path, got, want)
		}
		if want == 0 {
			page.Has(t, "没有符合的材料", "清除")
		}
	}
}

func TestLists_PageAndSortByTheAddress(t *testing.T) {
	t.Parallel()
	rev := frametest.Catalog(t)
	staff := editor(t, stored{})
	total := len(rev.Materials())
	first, second := staff.Get("/catalog/materials"), staff.Get("/catalog/materials?page=2&mode=")
	first.Has(t, fmt.Sprintf("第 1–50 项，共 %d 项", total), `href="/catalog/materials?page=2"`, rev.Materials()[0].Code)
	second.Has(t, fmt.Sprintf("第 51–100 项，共 %d 项", total), `href="/catalog/materials?page=3"`, `href="/catalog/materials"`, rev.Materials()[50].Code)
	second.Lacks(t, ">"+rev.Materials()[49].Code+"<")
	last := (total + 49) / 50
	if got, want := rows(staff.Get(fmt.Sprintf("/catalog/materials?page=%d", last))), total-(last-1)*50; got != want {
		t.Errorf("the last page has %d rows, want %d", got, want)
	}
	most := rev.Matters()[0]
	for _, m := range rev.Matters() {
		if len(m.Materials) > len(most.Materials) {
			most = m
		}
	}
	sorted := staff.Get("/catalog/matters?sort=materials").Body
	if at := strings.Index(sorted, "/catalog/matters/S"); !strings.HasPrefix(sorted[at:], "/catalog/matters/"+most.Code+`"`) {
		t.Errorf("the first is %.40s, want %s", sorted[at:], most.Code)
	}
}

func TestMaterial_ShowsWhenWhyAndHow(t *testing.T) {
	t.Parallel()
	staff := editor(t, stored{})
	staff.Get("/catalog/materials/S01.M1.e").Has(t,
		"<h1>利害关系业主同意(住改商)</h1>", "房屋规划用途为“住宅”", "premises_use == &#39;residential&#39;", "民法典", "279", "待核", "告知承诺", "申请人提交", "/catalog/matters/S01.M1")
	staff.Get("/catalog/materials/S01.M1.j").Has(t, "/catalog/datasets/D-FG02", "/catalog/datasets/D-SC04", "失信类别", "是否修复", "核验条件")
	staff.Get("/catalog/materials/S07.M3.f").Has(t, "没有依据", "体检发现")
	staff.Get("/catalog/datasets/D-GA01").Has(t, "公民身份号码", "有条件共享", "敏感级别 3", "电子证照接口", "/catalog/materials/S01.M1.b")
	staff.Get("/catalog/matters/S01.M2").Has(t, "刻制印章", "/catalog/matters/S01.M1", "/catalog/matters/S01.M8")
}
