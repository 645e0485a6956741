package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mianti/policies"
	"mianti/store"
)

// TestExplain_SaysFromTheRecordWhyALookUpWasAllowedOrDenied resolves a case, with
// one grant suspended, and reads from the ledger what was decided and why.
func TestExplain_SaysFromTheRecordWhyALookUpWasAllowedOrDenied(t *testing.T) {
	database := "sqlite:" + filepath.Join(t.TempDir(), "explain.db")
	d, err := startDemo(t.Context(), database, "127.0.0.1:0", quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	suspend(t, database, "S01.M1", "D-GA01")
	r := resolveNamed(t, d, "S01-own-premises.yaml")
	var out bytes.Buffer
	if status := run(t.Context(), []string{"explain", r.ID, "--database=" + database}, &out, &out); status != 0 {
		t.Fatalf("explain: %d %s", status, out.String())
	}
	text := out.String()
	for _, want := range []string{
		"核验 " + r.ID, "规则版本　" + policies.Ruleset,
		"共享授权覆盖全部所需数据项：catalog:S01.M1:D-FG02（grant_covers）", "谁来查　部门 SPJ 的系统 demo-SPJ",
		"S01.M1.b（", "不允许，未查询", "共享授权已暂停（grant_suspended）",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("explain does not say %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "370199") {
		t.Error("explain shows a number of somebody")
	}
	out.Reset()
	if status := run(t.Context(), []string{"explain", "nobody", "--database=" + database}, &out, &out); status != 1 || !strings.Contains(out.String(), "没有 nobody 的查询记录") {
		t.Errorf("explain nobody: %d %s", status, out.String())
	}
}

func suspend(t *testing.T, database, matter, dataset string) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{URL: database, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	grants, err := db.GrantsFor(t.Context(), []string{matter})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range grants {
		if g.Dataset != dataset {
			continue
		}
		g.State = policies.GrantSuspended
		if err := db.SaveGrants(t.Context(), []policies.Grant{g}); err != nil {
			t.Fatal(err)
		}
	}
}
