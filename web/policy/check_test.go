package policy_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"mianti/web/frame/frametest"
)

func packed(t testing.TB, files fstest.MapFS) []byte {
	t.Helper()
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	for name, f := range files {
		w, err := archive.Create("jinan/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(f.Data); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// send sends a file to the check.
func send(t testing.TB, staff *frametest.Visitor, name string, data []byte) frametest.Page {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/catalog/check", &body)
	r.Header.Set("Content-Type", form.FormDataContentType())
	return staff.Do(r)
}

func TestCheck_SaysWhatLoadingWouldChange(t *testing.T) {
	t.Parallel()
	staff := editor(t, stored{})
	same := send(t, staff, "same.zip", packed(t, shipped(t)))
	if same.Status != http.StatusOK {
		t.Errorf("status %d", same.Status)
	}
	same.Has(t, "可以载入", "没有不同")
	files := shipped(t)
	edit(t, files, "one-things/S01.yaml", "name: 住所(经营场所)相关文件", "name: 住所(经营场所)使用证明")
	other := send(t, staff, "other.zip", packed(t, files))
	other.Has(t, "可以载入", "<del>住所(经营场所)相关文件</del>", "<ins>住所(经营场所)使用证明</ins>", "5 → 4")
}

func TestCheck_ListsEveryFaultByFileAndLine(t *testing.T) {
	t.Parallel()
	staff := editor(t, stored{})
	files := shipped(t)
	edit(t, files, "one-things/S01.yaml", "premises_use == 'residential'", "premises_usage == 'residential'")
	edit(t, files, "departments/GA.yaml", "sensitivity: 3", "sensitivity: "+`"<script>alert(1)</script>"`)
	page := send(t, staff, hostile+".zip", packed(t, files))
	if page.Status != http.StatusUnprocessableEntity {
		t.Errorf("status %d", page.Status)
	}
	before, _, _ := strings.Cut(string(files["one-things/S01.yaml"].Data), "premises_usage")
	page.Has(t, "不能载入", "one-things/S01.yaml", "premises_usage", "departments/GA.yaml", fmt.Sprintf(">%d<", strings.Count(before, "\n")+1))
	page.Lacks(t, "<script>alert", "可以载入")
	for name, data := range map[string][]byte{"none.zip": nil, "text.zip": []byte("not an archive")} {
		bad := send(t, staff, name, data)
		if bad.Status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", name, bad.Status)
		}
		bad.Has(t, "不是完整的 ZIP 压缩包")
	}
	if empty := staff.Post("/catalog/check", nil); empty.Status != http.StatusUnprocessableEntity {
		t.Errorf("no file: %d", empty.Status)
	}
}
