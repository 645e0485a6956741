package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"mianti/policies"
	"mianti/store"
)

// mianti runs one command line on a database, and gives what it prints.
func mianti(t *testing.T, want int, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	if got := run(t.Context(), args, &out, &out); got != want {
		t.Fatalf("%v: status %d, want %d\n%s", args, got, want, out.String())
	}
	return out.String()
}

func TestGrant_IsListedSuspendedResumedAndEnded(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "mianti.db")
	database := "--database=sqlite:" + path
	mianti(t, 0, "migrate", database)
	mianti(t, 0, "catalog", "load", "../../examples/jinan", database)
	mianti(t, 0, "grant", "from-catalog", database)
	one := []string{"grant", "list", database, "--department=SPJ", "--matter=S01.M1", "--dataset=D-GA01"}
	if text := mianti(t, 0, one...); !strings.Contains(text, "catalog:S01.M1:D-GA01") || !strings.Contains(text, "有效") || strings.Contains(text, "D-GA02") {
		t.Fatalf("listed:\n%s", text)
	}
	const id = "catalog:S01.M1:D-GA01"
	for _, step := range []struct {
		act    string
		status int
		state  policies.GrantState
		says   string
	}{
		{"resume", 1, policies.GrantActive, "没有暂停"},
		{"suspend", 0, policies.GrantSuspended, "已暂停"},
		{"suspend", 1, policies.GrantSuspended, "已经暂停"},
		{"resume", 0, policies.GrantActive, "已恢复"},
		{"terminate", 0, policies.GrantTerminated, "已终止"},
		{"resume", 1, policies.GrantTerminated, "已经终止"},
	} {
		if text := mianti(t, step.status, "grant", step.act, id, "--reason=超范围使用", database); !strings.Contains(text, step.says) {
			t.Errorf("%s says %q, want %q", step.act, text, step.says)
		}
		var line grantLine
		if err := json.Unmarshal([]byte(mianti(t, 0, append(one, "--json")...)), &line); err != nil || line.State != string(step.state) {
			t.Errorf("after %s: %+v (%v), want %s", step.act, line, err, step.state)
		}
	}
	mianti(t, 0, "grant", "from-catalog", database) // what has ended stays so
	if text := mianti(t, 0, append(one, "--state=active")...); !strings.Contains(text, "没有这样的共享授权") {
		t.Errorf("an ended grant is in force again:\n%s", text)
	}
	wantWhy(t, path, "grant_suspended grant_resumed grant_terminated", "超范围使用")
}

// wantWhy checks the kinds of the entries, and that each says why and by what.
func wantWhy(t *testing.T, path, kinds, why string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), "SELECT body FROM ledger_entries WHERE kind <> 'catalog_loaded' ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var got []string
	for rows.Next() {
		var body string
		var e struct{ Kind, Why, System, Object, Grant string }
		if err := rows.Scan(&body); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(body), &e); err != nil || e.Why != why || e.System != "mianti" || e.Object != "grant:"+e.Grant {
			t.Errorf("entry %s (%v)", body, err)
		}
		got = append(got, e.Kind)
	}
	if strings.Join(got, " ") != kinds {
		t.Errorf("entries %v, want %s", got, kinds)
	}
}

func TestGrant_ChangesNothingWithoutAReason(t *testing.T) {
	t.Parallel()
	url := "sqlite:" + filepath.Join(t.TempDir(), "mianti.db")
	if err := store.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	mianti(t, 0, "catalog", "load", "../../examples/jinan", "--database="+url)
	mianti(t, 0, "grant", "from-catalog", "--database="+url)
	mianti(t, 2, "grant", "suspend", "catalog:S01.M1:D-GA01", "--database="+url)
	if text := mianti(t, 1, "grant", "suspend", "catalog:S01.M1:D-GA01", "--reason= ", "--database="+url); !strings.Contains(text, "请说明理由") {
		t.Errorf("says %q", text)
	}
	if text := mianti(t, 1, "grant", "suspend", "g0", "--reason=x", "--database="+url); !strings.Contains(text, "没有这个共享授权") {
		t.Errorf("says %q", text)
	}
	if text := mianti(t, 0, "grant", "list", "--state=suspended", "--database="+url); !strings.Contains(text, "没有这样的共享授权") {
		t.Errorf("something is suspended:\n%s", text)
	}
}
