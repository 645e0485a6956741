package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mianti/catalog"
	"mianti/catalog/lint"
	"mianti/examples/jinan"
)

// jinanFolder writes the shipped catalog into a folder, with one place changed.
func jinanFolder(t *testing.T, name, old, by string) string {
	t.Helper()
	files, err := catalog.Files(jinan.Files)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for file, content := range files {
		if file == name {
			if !strings.Contains(string(content), old) {
				t.Fatalf("%s does not hold %q", name, old)
			}
			content = []byte(strings.Replace(string(content), old, by, 1))
		}
		path := filepath.Join(dir, filepath.FromSlash(file))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// placeIn gives "file:line" of the first line of a shipped file that holds a text.
func placeIn(t *testing.T, name, text string) string {
	t.Helper()
	content, err := jinan.Files.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before, _, found := strings.Cut(string(content), text)
	if !found {
		t.Fatalf("%s does not hold %q", name, text)
	}
	return fmt.Sprintf("%s:%d", name, strings.Count(before, "\n")+1)
}

func TestCatalogLint_OfTheShippedCatalogHasNothingOpen(t *testing.T) {
	t.Parallel()
	status, text := runs(t, "catalog", "lint", "--fail-on=notice")
	if status != 0 {
		t.Errorf("status %d", status)
	}
	wantSaid(t, text, "材料 418", "0 处，已说明 225", "未测量")
	status, text = runs(t, "catalog", "lint", "--rule=conflict", "--explained")
	if status != 0 {
		t.Errorf("status %d", status)
	}
	wantSaid(t, text, placeIn(t, "one-things/S13.yaml", "variants: {conflict:")+": 警告 S13", "说明：教学案例", "[conflict]")
}

func TestCatalogLint_SaysWhereAndEndsAsAsked(t *testing.T) {
	t.Parallel()
	dir := jinanFolder(t, "one-things/S13.yaml", "name: 购车发票", "name: 其他购车材料")
	status, text := runs(t, "catalog", "lint", dir)
	if status != 0 {
		t.Errorf("status %d for findings that nobody minds", status)
	}
	wantSaid(t, text, placeIn(t, "one-things/S13.yaml", "name: 购车发票")+": 错误 S13.M3.b 其他购车材料：名称含“其他” [vague]")
	if status, text = runs(t, "catalog", "lint", dir, "--fail-on=error"); status != 1 {
		t.Errorf("status %d for an error that is minded", status)
	}
	wantSaid(t, text, "有 1 处没有说明的错误")
	if status, _ = runs(t, "catalog", "lint", dir, "--rule=nonsense"); status != 1 {
		t.Errorf("status %d for a rule that is none", status)
	}
	if _, text = runs(t, "catalog", "lint", dir, "--severity=notice"); strings.Contains(text, "[vague]") {
		t.Error("an error among the notices")
	}
}

func TestCatalogLint_PrintsForMachines(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		old, by, rule string
		status        int
	}{
		"a finding": {"name: 购车发票", "name: 其他购车材料", "vague", 0},
		"a fault":   {"mode: upload}]", "mode: upload, when: agency}]", "unknown-fact", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out, errs bytes.Buffer
			dir := jinanFolder(t, "one-things/S13.yaml", c.old, c.by)
			if status := run(t.Context(), []string{"catalog", "lint", dir, "--json"}, &out, &errs); status != c.status {
				t.Errorf("status %d, want %d", status, c.status)
			}
			var report lint.Report
			if err := json.Unmarshal(out.Bytes(), &report); err != nil {
				t.Fatal(err)
			}
			if len(report.Findings) != 1 {
				t.Fatalf("%+v", report.Findings)
			}
			got := report.Findings[0]
			if place := fmt.Sprintf("%s:%d", got.File, got.Line); string(got.Rule) != c.rule || got.Severity != lint.Error || place != placeIn(t, "one-things/S13.yaml", c.old) {
				t.Errorf("%s %+v", place, got)
			}
		})
	}
}

// TestCatalogLint_OfADatabaseIsMeasured: a new database has no grants, so that every
// look-up in another department's records lacks one.
func TestCatalogLint_OfADatabaseIsMeasured(t *testing.T) {
	t.Parallel()
	database := "--database=sqlite:" + filepath.Join(t.TempDir(), "lint.db")
	mianti(t, 0, "migrate", database)
	mianti(t, 0, "catalog", "load", database)
	status, text := runs(t, "catalog", "lint", database, "--rule=grant")
	if status != 0 {
		t.Errorf("status %d", status)
	}
	wantSaid(t, text, "警告 S01.M2.a 营业执照：D-SC01（营业执照(市场主体登记)）没有有效的共享授权 [grant]")
	if strings.Contains(text, "未测量") {
		t.Error("says that it was not measured")
	}
}
