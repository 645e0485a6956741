package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mianti/exchange"
	"mianti/retention"
)

// said runs a command and gives what it prints.
func said(t *testing.T, status int, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if got := run(t.Context(), args, &out, &errs); got != status {
		t.Fatalf("mianti %s: status %d, want %d: %s", strings.Join(args, " "), got, status, errs.String())
	}
	return out.String() + errs.String()
}

// TestRetention_ByCommand destroys a closed case beside a server that runs, and
// reads it there; then it changes the key-encryption key.
func TestRetention_ByCommand(t *testing.T) {
	path := filepath.Join(t.TempDir(), "retention.db")
	d, err := startDemo(t.Context(), "sqlite:"+path, "127.0.0.1:0", quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	database := "--database=sqlite:" + path
	closed, kept := resolveNamed(t, d, "S01-own-premises.yaml"), resolveNamed(t, d, "S13-founding-ordinary.yaml")
	c, err := d.as(t.Context(), "SPJ")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.call(t.Context(), http.MethodPost, "/v1/cases/"+closed.Case+"/closing", map[string]any{"reason": "finished"}, nil); err != nil {
		t.Fatal(err)
	}
	if text := said(t, 1, "retention", "run", database, "--keep-record=2y"); !strings.Contains(text, "第二十九条") {
		t.Errorf("a record of two years: %s", text)
	}
	if text := said(t, 0, "retention", "run", database); !strings.Contains(text, "销毁了 0 个办件") {
		t.Errorf("before the term is over: %s", text)
	}
	if text := said(t, 0, "retention", "run", database, "--keep-payload=0d"); !strings.Contains(text, "销毁了 1 个办件") {
		t.Errorf("when the term is over: %s", text)
	}
	var report retention.Report
	if err := json.Unmarshal([]byte(said(t, 0, "retention", "report", database, "--json")), &report); err != nil {
		t.Fatal(err)
	}
	destroyed, left := 0, 0
	for _, h := range report.Departments {
		destroyed, left = destroyed+h.PurposeDone, left+h.Kept
	}
	if destroyed != 1 || left != 1 || !strings.Contains(report.Terms.Basis.Payload, "第二十七条") {
		t.Errorf("report %+v, want one destroyed and one kept, and the law", report)
	}
	if text := said(t, 0, "retention", "report", database); !strings.Contains(text, "SPJ") || !strings.Contains(text, "办结后保存 30d") {
		t.Errorf("report as a table: %s", text)
	}
	if err := c.call(t.Context(), http.MethodGet, "/v1/cases/"+closed.Case, nil, nil); err == nil || !strings.Contains(err.Error(), "按期销毁") {
		t.Errorf("the case reads: %v, want that it was destroyed", err)
	}
	var outline exchange.Resolution
	if err := c.call(t.Context(), http.MethodGet, "/v1/resolutions/"+closed.ID, nil, &outline); err != nil || outline.Destroyed == nil || outline.Summary != closed.Summary {
		t.Errorf("the resolution reads %+v, %v; want its outline", outline, err)
	}
	if text := said(t, 1, "replay", closed.ID, database); !strings.Contains(text, "按期销毁") {
		t.Errorf("replay of a destroyed resolution: %s", text)
	}
	rewrapsByCommand(t, path, kept.ID)
}

// rewrapsByCommand puts everything under a new key, and takes the old one away.
func rewrapsByCommand(t *testing.T, path, resolution string) {
	t.Helper()
	database := "--database=sqlite:" + path
	before, err := os.ReadFile(path + ".key")
	if err != nil {
		t.Fatal(err)
	}
	line := said(t, 0, "key", "new", "--cipher=sm4-gcm")
	both, only := filepath.Join(t.TempDir(), "both.key"), filepath.Join(t.TempDir(), "new.key")
	for name, content := range map[string]string{both: line + string(before), only: line} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if text := said(t, 1, "replay", resolution, database, "--key-file="+only); !strings.Contains(text, "没有编号为") {
		t.Errorf("with the new key alone, too early: %s", text)
	}
	if text := said(t, 0, "key", "rewrap", database, "--key-file="+both); !strings.Contains(text, "还剩 0 个办件") {
		t.Errorf("rewrap: %s", text)
	}
	if text := said(t, 0, "replay", resolution, database, "--key-file="+only); !strings.Contains(text, resolution) {
		t.Errorf("with the new key alone: %s", text)
	}
	if text := said(t, 1, "replay", resolution, database); !strings.Contains(text, "没有编号为") {
		t.Errorf("with the old key alone: %s", text)
	}
}
