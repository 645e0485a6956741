package sheet_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/policies"
	"mianti/sheet"
)

const check = "https://mianti.example/check/0199f3a2-7c1e-7d3a-9b52-3d1f0c6e8a11.1.Kx3vJm2q8rT0wYbN5cPzLg"

func moment() time.Time { return time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC) }

// sample is a sheet with long names, several pages of it on paper.
func sample() *exchange.Sheet {
	asOf := time.Date(2026, 11, 20, 16, 30, 0, 0, time.UTC) // the 21st in Shanghai
	s := &exchange.Sheet{
		Number: "0199f3a2-7c1e-7d3a-9b52-3d1f0c6e8a11.1", Code: strings.TrimPrefix(check, "https://mianti.example/check/"),
		Digest: "sha256:" + strings.Repeat("0f", 32), IssuedAt: moment(), ResolvedAt: moment(), CaseNumber: "JN-2026-000123", Subject: "开办餐饮店一件事",
		Department: "市行政审批服务局", Revision: 7, Ruleset: "2026-11-26+000000000000", Status: exchange.StatusComplete,
		Parties: []exchange.SheetParty{
			{ID: "p1", Name: "济南市历下区泉城路街道示例餐饮管理合伙企业（有限合伙）第二分公司", Roles: "申请人"},
			{ID: "p2", Name: "买买提·阿卜杜热合曼·图尔荪尼亚孜", Roles: "法定代表人、股东", Number: "3701***********315"},
		},
	}
	for i := range 14 {
		s.Materials = append(s.Materials, exchange.SheetMaterial{
			Code: "S01.M1." + string(rune('a'+i)), Name: "股东（发起人）主体资格文件或者自然人身份证明以及其他依法应当提交的关联证明材料", Party: "p2",
			Outcome: policies.Settled, Mode: catalog.ModeData, Reason: "已由市公安局的《人口基础信息》核实，无需提交。",
			Records: []exchange.SheetRecord{
				{Department: "市公安局", Dataset: "人口基础信息", AsOf: &asOf, Digest: "sha256:" + strings.Repeat("a1", 32)},
				{Department: "市不动产登记中心", Dataset: "不动产登记信息", Digest: "sha256:" + strings.Repeat("b2", 32), Withheld: i == 1},
			},
		})
	}
	s.Materials = append(s.Materials,
		exchange.SheetMaterial{Code: "S01.M1.x", Name: "<script>alert(1)</script>", Outcome: policies.Upload, Reason: "请上传《租赁合同》。"},
		exchange.SheetMaterial{Code: "S01.M1.y", Name: "承诺书", Outcome: policies.Committed, Mode: catalog.ModeCommit, Reason: "由申请人书面承诺代替，不再提交。"})
	return s
}

func page(t *testing.T, s *exchange.Sheet) string {
	t.Helper()
	var out bytes.Buffer
	if err := sheet.Page(&out, s, check); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestPage_ShowsWhatSettledEachMaterial(t *testing.T) {
	t.Parallel()
	text := page(t, sample())
	for _, want := range []string{
		"JN-2026-000123", "市行政审批服务局", "2026-11-23 17:00", "2026-11-21", "未注明", "数据核验", "已核验，免提交", "需提交", "告知承诺",
		"3701***********315", "买买提·阿卜杜热合曼·图尔荪尼亚孜", "sha256:" + strings.Repeat("a1", 32), "所依据的授权其后已终止", check, `<svg class="qr"`, "&lt;script&gt;",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(text, "<script") {
		t.Error("a name is run as a script")
	}
	for _, outside := range []string{"src=", "href=", "url("} {
		if strings.Contains(text, outside) {
			t.Errorf("the page loads something: %s", outside)
		}
	}
}

func TestCheckPage_SaysWhatIsKnownAndWhatIsNot(t *testing.T) {
	t.Parallel()
	known := &exchange.SheetCheck{
		Number: "r1.1", Digest: "sha256:ab", ResolvedAt: moment(), Department: "市行政审批服务局", Departments: []string{"市公安局", "市不动产登记中心"}, Records: 6,
	}
	ended := *known
	ended.Withheld, ended.Later = 2, 3
	for _, c := range []struct {
		name        string
		check       *exchange.SheetCheck
		want, never []string
	}{
		{"known", known, []string{"由本平台出具", "r1.1", "sha256:ab", "市公安局、市不动产登记中心", "2026-11-23 17:00"}, []string{"终止", "更新的版次", "没有这份"}},
		{"ended", &ended, []string{"由本平台出具", "有 2 条所依据的共享授权或授权同意其后已终止", "第 3 版"}, []string{"没有这份"}},
		{"unknown", nil, []string{"没有这份核验单"}, []string{"由本平台出具的核验单", "sha256"}},
	} {
		var out bytes.Buffer
		if err := sheet.CheckPage(&out, c.check); err != nil {
			t.Fatal(err)
		}
		for _, want := range c.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: lacks %q", c.name, want)
			}
		}
		for _, never := range c.never {
			if strings.Contains(out.String(), never) {
				t.Errorf("%s: has %q", c.name, never)
			}
		}
	}
}

// fontFile is one that the tests' machine has.
const fontFile = "/usr/share/fonts/truetype/arphic-gbsn00lp/gbsn00lp.ttf"

func font(t *testing.T) *sheet.Font {
	t.Helper()
	f, err := sheet.ReadFont(fontFile)
	if err != nil {
		t.Fatalf("no Chinese font: run tools/install-test-tools.sh font, or install the Debian package fonts-arphic-gbsn00lp: %v", err)
	}
	return f
}

// What poppler reads out of the PDF is what the sheet says.
func TestPDF_HoldsTheTextOfTheSheet(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("pdftotext"); err != nil {
		t.Fatal("pdftotext is not installed: run tools/install-test-tools.sh pdftotext, or install the Debian package poppler-utils")
	}
	s := sample()
	var out, again bytes.Buffer
	if err := sheet.PDF(&out, s, check, font(t)); err != nil {
		t.Fatal(err)
	}
	if err := sheet.PDF(&again, s, check, font(t)); err != nil || !bytes.Equal(out.Bytes(), again.Bytes()) {
		t.Errorf("the same sheet gives other bytes, or %v", err)
	}
	if out.Len() > 400<<10 {
		t.Errorf("%d bytes: the whole font is in it", out.Len())
	}
	file := filepath.Join(t.TempDir(), "sheet.pdf")
	if err := os.WriteFile(file, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	read, err := exec.CommandContext(t.Context(), "pdftotext", "-raw", file, "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(string(read)), "")
	for _, want := range []string{
		"免提交材料核验单", s.Number, s.CaseNumber, s.Subject, s.Department, "2026-11-2317:00", s.Digest, check,
		s.Parties[0].Name, s.Parties[1].Name, "3701***********315", s.Materials[0].Name, "市公安局《人口基础信息》数据时点2026-11-21",
		"所依据的授权其后已终止", strings.Repeat("b2", 32), "第2页", "承诺书", "<script>alert(1)</script>",
	} {
		if !strings.Contains(text, strings.Join(strings.Fields(want), "")) {
			t.Errorf("the PDF lacks %q", want)
		}
	}
	if strings.Count(text, s.Materials[0].Name) != 14 {
		t.Errorf("%d of 14 materials are whole", strings.Count(text, s.Materials[0].Name))
	}
}

// A rare letter of a name is not left out or printed as a box.
func TestPDF_RefusesANameThatTheFontLacksLettersOf(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"王䶮", "𠮷野", "王\u0300"} {
		s := sample()
		s.Parties[1].Name = name
		var out bytes.Buffer
		if err := sheet.PDF(&out, s, check, font(t)); !errors.Is(err, sheet.ErrLetters) || out.Len() > 0 {
			t.Errorf("%s: %v, %d bytes", name, err, out.Len())
		}
		if !strings.Contains(page(t, s), name) {
			t.Errorf("%s is not on the page", name)
		}
	}
}

func TestReadFont_RefusesWhatIsNoFontForIt(t *testing.T) {
	t.Parallel()
	whole, err := os.ReadFile(fontFile)
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string][]byte{
		"text": []byte("x"), "nothing": nil, "cut short": whole[:len(whole)/3], "a beginning": append([]byte{0, 1, 0, 0, 0, 9}, make([]byte, 500)...),
	} {
		file := filepath.Join(t.TempDir(), "font.ttf")
		if err := os.WriteFile(file, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := sheet.ReadFont(file); err == nil {
			t.Errorf("%s is taken for a font", name)
		}
	}
	if _, err := sheet.ReadFont(filepath.Join(t.TempDir(), "none.ttf")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}
