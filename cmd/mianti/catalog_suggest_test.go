package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// suggested runs the command and gives what it prints.
func suggested(t *testing.T, status int, args ...string) (out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if got := run(t.Context(), append([]string{"catalog", "suggest"}, args...), &stdout, &stderr); got != status {
		t.Fatalf("status %d, want %d: %s", got, status, stderr.String())
	}
	return stdout.String(), stderr.String()
}

func listFile(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCatalogSuggest_PrintsAListAsTableAndCSV(t *testing.T) {
	t.Parallel()
	out, _ := suggested(t, 0, listFile(t, "list.txt", "营业执照副本复印件\n其他材料\n"))
	for _, want := range []string{"STD-BL", "很可能", "2 项中 1 项有建议"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	out, _ = suggested(t, 0, "--csv", listFile(t, "list.csv", "序号,材料名称\n1,户口本及身份证\n2,=1+1材料\n"))
	for _, want := range []string{"户口本及身份证,户口本,标准材料,STD-HUKOU,居民户口簿,D-GA02,很可能,", "户口本及身份证,身份证,标准材料,STD-ID,", "'=1+1材料"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func TestCatalogSuggest_PrintsPrecisionAndRecallByList(t *testing.T) {
	t.Parallel()
	out, _ := suggested(t, 0, "--evaluate", "../../catalog/suggest/testdata/labelled")
	for _, want := range []string{"精确率", "召回率", "development/market.csv", "held-back/health.csv", "开发用，合计", "留出的，合计"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func TestCatalogSuggest_RefusesWhatIsNoList(t *testing.T) {
	t.Parallel()
	if _, errs := suggested(t, 1, listFile(t, "list.xlsx", "PK\x03\x04")); !strings.Contains(errs, "不是完整的 XLSX") {
		t.Error(errs)
	}
	if _, errs := suggested(t, 1, listFile(t, "list.txt", "\n 123\n")); !strings.Contains(errs, "名单是空的") {
		t.Error(errs)
	}
	if _, errs := suggested(t, 1, "--evaluate", t.TempDir()); !strings.Contains(errs, "standard.csv") {
		t.Error(errs)
	}
}
