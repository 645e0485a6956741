package policy_test

import (
	"bytes"
	"context"
	"fmt"
	"html"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mianti/catalog"
	"mianti/catalog/interchange"
	"mianti/internal/fault"
	"mianti/policies"
	"mianti/web/frame/frametest"
	"mianti/web/policy"
)

// shelved is one revision with its files.
type shelved struct {
	rev   *catalog.Revision
	files map[string][]byte
}

func (s *shelved) Current(context.Context, ...string) (*catalog.Revision, error) { return s.rev, nil }

func (s *shelved) Revision(_ context.Context, number int, _ ...string) (*catalog.Revision, error) {
	if number != s.rev.Number {
		return nil, fault.New(fault.NotFound, "no-such-revision", "没有")
	}
	return s.rev, nil
}

func (s *shelved) EachOneThing(_ context.Context, _ int, each func(*catalog.Revision) error) error {
	return each(s.rev)
}

func (s *shelved) Drafted(_ context.Context, _ int, edits []catalog.Edit, _ ...string) (*catalog.Drafted, error) {
	return interchange.Drafted(s.files, edits)
}

func (s *shelved) File(_ context.Context, _ int, path string) ([]byte, error) {
	return s.files[path], nil
}

func (s *shelved) EachFile(_ context.Context, _ int, each func(catalog.Part) error) error {
	for _, path := range slices.Sorted(maps.Keys(s.files)) {
		if err := each(catalog.Part{Path: path, Content: s.files[path]}); err != nil {
			return err
		}
	}
	return nil
}

// begun is what a draft was begun with.
type begun struct {
	title string
	base  int
	edits []catalog.Edit
}

// importer is a visitor of the pages, with the drafts that he begins.
func importer(t *testing.T) (*frametest.Visitor, *[]begun) {
	t.Helper()
	files, err := catalog.Files(shipped(t))
	if err != nil {
		t.Fatal(err)
	}
	one := &shelved{load(t, shipped(t), 1), files}
	drafts := &[]begun{}
	config := policy.Config{
		Catalogs: one, Revisions: stored{1: one.rev}, Interchange: &interchange.Desk{Catalogs: one, Files: one, Address: "https://mianti.example"},
		BeginDraft: func(_ context.Context, _ policies.Caller, title string, base int, edits []catalog.Edit) (string, error) {
			*drafts = append(*drafts, begun{title, base, edits})
			return fmt.Sprintf("/catalog/drafts/%d", len(*drafts)), nil
		},
	}
	return frametest.Site(t, frametest.Staff("SPJ", policies.DutyPolicyEditor), policy.New(config)), drafts
}

// sends sends the form of the import, with a file if there is one.
func sends(t *testing.T, staff *frametest.Visitor, fields map[string]string, file []byte) frametest.Page {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, value := range fields {
		if err := form.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	if file != nil {
		part, err := form.CreateFormFile("file", "list.csv")
		if err == nil {
			_, err = part.Write(file)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/catalog/import", &body)
	r.Header.Set("Content-Type", form.FormDataContentType())
	return staff.Do(r)
}

func TestImport_ShowsWhatWouldChangeAndBeginsADraftOfIt(t *testing.T) {
	t.Parallel()
	staff, drafts := importer(t)
	page := sends(t, staff, nil, []byte("材料代码,材料名称\nS01.M1.d,住所使用证明\nS01.M1.a,公司登记(备案)申请书\n"))
	if page.Status != http.StatusOK {
		t.Errorf("status %d", page.Status)
	}
	page.Has(t, "可以导入", "<del>住所(经营场所)相关文件</del>", "<ins>住所使用证明</ins>", "S01.M1.d", "第 2 行")
	if len(*drafts) != 0 {
		t.Fatal("a draft was begun by looking")
	}
	hidden := regexp.MustCompile(`name="edits" value="([^"]*)"`).FindStringSubmatch(page.Body)
	if hidden == nil {
		t.Fatal("the page does not carry the edits")
	}
	made := sends(t, staff, map[string]string{"do": "draft", "title": "住所材料改名", "base": "1", "edits": html.UnescapeString(hidden[1])}, nil)
	if made.Status != http.StatusSeeOther || len(*drafts) != 1 {
		t.Fatalf("status %d, drafts %+v", made.Status, *drafts)
	}
	got := (*drafts)[0]
	if got.title != "住所材料改名" || got.base != 1 || len(got.edits) != 1 || got.edits[0].Code != "S01.M1.d" || !strings.Contains(string(got.edits[0].Value), "住所使用证明") {
		t.Errorf("begun with %+v", got)
	}
}

func TestImport_ListsEveryErrorBySheetRowAndColumn(t *testing.T) {
	t.Parallel()
	staff, drafts := importer(t)
	page := sends(t, staff, nil, []byte("材料代码,材料名称,来源渠道\nS01.M1.d,"+hostile+",天上\nS99.M1.a,甲,10\n"))
	if page.Status != http.StatusUnprocessableEntity {
		t.Errorf("status %d", page.Status)
	}
	page.Has(t, "不能导入", "有 2 处错误", "来源渠道", "请填：申请人自备、政府部门核发、其他", ">2<", ">3<", "没有事项", "S99.M1")
	page.Lacks(t, "<script>alert", "建立草案")
	if none := sends(t, staff, nil, nil); none.Status != http.StatusUnprocessableEntity {
		t.Errorf("no file: %d", none.Status)
	}
	if bad := sends(t, staff, map[string]string{"do": "draft", "edits": "nonsense", "base": "1"}, nil); bad.Status != http.StatusUnprocessableEntity {
		t.Errorf("broken edits: %d", bad.Status)
	}
	if len(*drafts) != 0 {
		t.Error("a draft was begun of a file with errors")
	}
}

func TestExport_SendsWhatTheImportTakes(t *testing.T) {
	t.Parallel()
	staff, _ := importer(t)
	list := staff.Get("/catalog/export")
	list.Has(t, "工作簿（XLSX）", "映射", "format=csv")
	list.Lacks(t, "谁为哪个事项")
	for _, query := range []string{"format=xlsx", "format=csv&kind=%E6%9D%90%E6%96%99", "format=yaml"} {
		file := staff.Get("/catalog/export/file?" + query)
		if file.Status != http.StatusOK || !strings.HasPrefix(file.Header.Get("Content-Disposition"), "attachment") {
			t.Fatalf("%s: %d %v", query, file.Status, file.Header)
		}
		sends(t, staff, nil, []byte(file.Body)).Has(t, "没有不同")
	}
	if got := staff.Get("/catalog/export/file?format=doc").Status; got != http.StatusUnprocessableEntity {
		t.Errorf("an unknown format: %d", got)
	}
}
