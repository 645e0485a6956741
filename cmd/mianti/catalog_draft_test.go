package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"mianti/draft"
	"mianti/policies"
	"mianti/store"
)

// copyCatalog copies the small catalog to a folder of its own.
func copyCatalog(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../examples/kinds")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// loadCopy loads it; the secrets of its sources are there.
func loadCopy(t *testing.T, dir, database string) {
	t.Helper()
	secrets := t.TempDir()
	for _, name := range []string{"gc-client-secret", "gc-sm2-key", "qd-app-key", "qd-sign-key", "ys-database-password"} {
		if err := os.WriteFile(filepath.Join(secrets, name), []byte("a secret of a test"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mianti(t, 0, "catalog", "load", dir, database, "--secrets-dir="+secrets)
}

func replaceIn(t *testing.T, file, old, fresh string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		t.Fatalf("%s does not say %q", file, old)
	}
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(text), old, fresh)), 0o600); err != nil {
		t.Fatal(err)
	}
}

func draftNamed(t *testing.T, output string) string {
	t.Helper()
	found := regexp.MustCompile(`草案 ([0-9a-f-]{36})：`).FindStringSubmatch(output)
	if found == nil {
		t.Fatalf("no draft in\n%s", output)
	}
	return found[1]
}

// reviewed approves a draft as a reviewer would on his page.
func reviewed(t *testing.T, path, id string) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{URL: "sqlite:" + path, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	desk := newDrafts(db, store.NewCatalogs(db))
	by := policies.Caller{Person: "reviewer", Department: "SL", Duties: []policies.Duty{policies.DutyPolicyReviewer}}
	if _, err := desk.Act(t.Context(), by, id, 0, draft.Event{Act: draft.Approve}); err != nil {
		t.Fatal(err)
	}
}

func TestCatalogDraft_FromAFolderIsComparedReviewedPublishedAndRolledBack(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "mianti.db")
	database := "--database=sqlite:" + path
	mianti(t, 0, "migrate", database)
	if out := mianti(t, 0, "catalog", "draft", "list", database); !strings.Contains(out, "mianti catalog draft create") {
		t.Errorf("an empty list says %q", out)
	}
	dir := copyCatalog(t)
	loadCopy(t, dir, database)
	replaceIn(t, filepath.Join(dir, "one-things", "K01.yaml"), "name: 户籍证明", "name: 户口簿")
	out := mianti(t, 0, "catalog", "draft", "create", "--title=改名称", dir, database)
	id := draftNamed(t, out)
	if !strings.Contains(out, "改 1 项") {
		t.Errorf("created:\n%s", out)
	}
	if out := mianti(t, 0, "catalog", "diff", id, database); !strings.Contains(out, "更改材料 K01.M1.a 户口簿") || !strings.Contains(out, "- \"户籍证明\"") || !strings.Contains(out, "+ \"户口簿\"") {
		t.Errorf("differences:\n%s", out)
	}
	if out := mianti(t, 1, "catalog", "publish", id, database); !strings.Contains(out, "不能自己审核或者发布") {
		t.Errorf("published without a review:\n%s", out)
	}
	mianti(t, 0, "catalog", "draft", "submit", id, database)
	reviewed(t, path, id)
	if out := mianti(t, 0, "catalog", "draft", "list", "--open", database); !strings.Contains(out, "审核通过") {
		t.Errorf("listed:\n%s", out)
	}
	if out := mianti(t, 1, "catalog", "rollback", "--why=试", "1", database); !strings.Contains(out, "不需要恢复") {
		t.Errorf("rolled back to what is:\n%s", out)
	}
	loadCopy(t, dir, database)
	if out := mianti(t, 0, "catalog", "rollback", "--why=改错了", "1", database); !strings.Contains(out, "恢复到修订 1") || !strings.Contains(out, "改 1 项") {
		t.Errorf("a draft that rolls back:\n%s", out)
	}
	if out := mianti(t, 0, "catalog", "rollback", "--at-once", "--why=有害", "1", database); !strings.Contains(out, "发布为修订 3") {
		t.Errorf("rolled back at once:\n%s", out)
	}
}

func TestCatalogDraft_OfAListOfEditsShowsFaultsAndConflicts(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "mianti.db")
	database := "--database=sqlite:" + path
	mianti(t, 0, "migrate", database)
	dir := copyCatalog(t)
	loadCopy(t, dir, database)
	file := filepath.Join(dir, "edits.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("- kind: house\n  code: x\n  value: null\n")
	if out := mianti(t, 1, "catalog", "draft", "create", "--title=改", file, database); !strings.Contains(out, "edits.yaml:1") {
		t.Errorf("a list with a fault:\n%s", out)
	}
	write("- kind: role\n  code: applicant\n  value: {code: applicant, name: 申请者, kinds: [person]}\n- kind: matter\n  code: K01.M9\n  value: null\n")
	out := mianti(t, 0, "catalog", "draft", "create", "--title=改", file, database)
	if !strings.Contains(out, "错误：事项 K01.M9") {
		t.Errorf("a fault is not shown at its edit:\n%s", out)
	}
	write("- kind: role\n  code: applicant\n  value: {code: applicant, name: 申请者, kinds: [person]}\n")
	id := draftNamed(t, mianti(t, 0, "catalog", "draft", "create", "--title=改", file, database))
	if out := mianti(t, 0, "catalog", "draft", "show", id, database); !strings.Contains(out, "同时在改") {
		t.Errorf("who else changes the same:\n%s", out)
	}
	replaceIn(t, filepath.Join(dir, "roles.yaml"), "name: 申请人", "name: 办事人")
	loadCopy(t, dir, database)
	if out := mianti(t, 1, "catalog", "draft", "merge", id, database); !strings.Contains(out, "办事人") || !strings.Contains(out, "--take") {
		t.Errorf("conflicts:\n%s", out)
	}
	if out := mianti(t, 0, "catalog", "draft", "merge", "--take=mine", id, database); !strings.Contains(out, "依据修订 2") {
		t.Errorf("merged:\n%s", out)
	}
	mianti(t, 0, "catalog", "draft", "withdraw", "--why=不改了", id, database)
}
