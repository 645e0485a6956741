package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// load runs mianti source load on a file of the given name and content.
func (x *tried) load(t *testing.T, name, content string, args ...string) (int, string) {
	t.Helper()
	path := filepath.Join(x.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	args = append([]string{"source", "load", "CC.file", path, "--catalog=" + filepath.Join(x.dir, "catalog"), "--database=" + x.database()}, args...)
	return runs(t, append(args, "--subject-key-file="+filepath.Join(x.dir, "key"))...)
}

const (
	fileHead = "主体名称,主体号码,姓名,公民身份号码,有效期止\r\n"
	fileRow  = probeName + "," + probeNumber + "," + probeName + "," + probeNumber + ",2036-01-01\r\n"
)

func TestSourceLoad_LoadsAFileThatIsThenAsked(t *testing.T) {
	t.Parallel()
	x := newTried(t)
	x.migrated(t)
	status, text := x.run(t, "try", "CC.file")
	if status != 1 {
		t.Errorf("before: status %d, want 1", status)
	}
	wantSaid(t, text, "down")
	today := time.Now().UTC().Format("20060102") // earlier today in China, or yesterday there
	if status, text = x.load(t, "all-"+today+".csv", fileHead+fileRow); status != 0 {
		t.Errorf("load: status %d", status)
	}
	wantSaid(t, text, "已载入 1 行")
	status, text = x.load(t, "all-"+today+".csv", fileHead+fileRow)
	if status != 0 {
		t.Errorf("again: status %d", status)
	}
	wantSaid(t, text, "没有改动")
	if status, text = x.run(t, "try", "CC.file"); status != 0 {
		t.Errorf("after: status %d", status)
	}
	wantSaid(t, text, "查到 1 条记录", "王*", "found")
	if status, text = x.run(t, "check", "CC.file"); status != 0 {
		t.Errorf("check: status %d", status)
	}
	wantSaid(t, text, "ok              数据够新", "not applicable  时限一到就结束", "没有通过 0")
}

func TestSourceLoad_RefusesAnOlderFileUnlessForced(t *testing.T) {
	t.Parallel()
	x := newTried(t)
	x.migrated(t)
	if status, text := x.load(t, "new.csv", fileHead+fileRow, "--as-of=2026-11-20"); status != 0 {
		t.Fatal(text)
	}
	status, text := x.load(t, "old.csv", fileHead+fileRow, "--as-of=2026-11-19")
	if status != 1 {
		t.Errorf("status %d, want 1", status)
	}
	wantSaid(t, text, "旧")
	if status, text = x.load(t, "old.csv", fileHead+fileRow, "--as-of=2026-11-19", "--force"); status != 0 {
		t.Errorf("forced: status %d", status)
	}
	wantSaid(t, text, "2026-11-19")
}

func TestSourceLoad_LoadsNothingOfAFileWithErrors(t *testing.T) {
	t.Parallel()
	x := newTried(t)
	x.migrated(t)
	wrong := probeName + ",370199198805163316," + probeName + "," + probeNumber + ",2036-01-01\r\n" // a wrong check digit
	status, text := x.load(t, "all-20261120.csv", fileHead+fileRow+strings.Repeat(wrong, 25))
	if status != 1 {
		t.Errorf("status %d, want 1", status)
	}
	wantSaid(t, text, "25 处错误", "subject-number", "另有 5 处", "errors.csv")
	report, err := os.ReadFile(filepath.Join(x.dir, "all-20261120.csv.errors.csv"))
	if err != nil {
		t.Fatal(err)
	}
	// A heading and a line for each error.
	if lines := strings.Count(string(report), "\n"); lines != 26 {
		t.Errorf("the report has %d lines, want 26", lines)
	}
	wantSaid(t, string(report), "subject-number")
	if _, text = x.run(t, "try", "CC.file"); !strings.Contains(text, "down") {
		t.Errorf("something was loaded:\n%s", text)
	}
}

func TestSourceLoad_SaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	x := newTried(t)
	x.migrated(t)
	for _, c := range []struct {
		name, file string
		args       []string
		says       string
	}{
		{"no moment", "all.csv", nil, "20261123"},
		{"a day that is none", "all.csv", []string{"--as-of=2026-13-01"}, "--as-of"},
	} {
		status, text := x.load(t, c.file, fileHead+fileRow, c.args...)
		if status != 1 {
			t.Errorf("%s: status %d, want 1", c.name, status)
		}
		wantSaid(t, text, c.says)
	}
	path := filepath.Join(x.dir, "all.csv")
	for _, c := range []struct {
		name string
		args []string
		says string
	}{
		{"no key", []string{"load", "CC.file", path, "--catalog=" + filepath.Join(x.dir, "catalog"), "--key-file=" + path + ".none"}, "MIANTI_KEY_FILE"},
		{"no catalog", []string{"load", "CC.file", path, "--subject-key-file=" + filepath.Join(x.dir, "key")}, "load a catalog first"},
		{"an unknown source", []string{"load", "CC.nowhere", path, "--catalog=" + filepath.Join(x.dir, "catalog"), "--subject-key-file=" + filepath.Join(x.dir, "key")}, "CC.nowhere"},
	} {
		status, text := runs(t, append(append([]string{"source"}, c.args...), "--database="+x.database())...)
		if status != 1 {
			t.Errorf("%s: status %d, want 1", c.name, status)
		}
		wantSaid(t, text, c.says)
	}
}
