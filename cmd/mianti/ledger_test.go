package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"mianti/internal/pgtest"
	"mianti/ledger"
	"mianti/store"
)

// within tries something until it succeeds, for at most as long as sealing may
// rest.
func within(t *testing.T, limit time.Duration, try func() error) {
	t.Helper()
	for until := time.Now().Add(limit); ; time.Sleep(50 * time.Millisecond) {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(until) {
			t.Fatalf("not within %s: %v", limit, err)
		}
	}
}

// command runs a command line and gives its status and what it printed.
func command(t *testing.T, args ...string) (int, string) {
	t.Helper()
	var out bytes.Buffer
	status := run(t.Context(), args, &out, &out)
	return status, out.String()
}

func wantCommand(t *testing.T, status int, says string, args ...string) {
	t.Helper()
	if got, text := command(t, args...); got != status || !strings.Contains(text, says) {
		t.Errorf("%v: status %d, want %d and %q\n%s", args, got, status, says, text)
	}
}

// TestLedger_ReceiptOfAnAnswerIsCheckedWithoutTheExchange resolves a case, gets
// the receipt of it, and checks receipt and log as an outsider does.
func TestLedger_ReceiptOfAnAnswerIsCheckedWithoutTheExchange(t *testing.T) {
	dir := t.TempDir()
	database := "--database=sqlite:" + filepath.Join(dir, "ledger.db")
	d, err := startDemo(t.Context(), strings.TrimPrefix(database, "--database="), "127.0.0.1:0", quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	r := resolveNamed(t, d, "S01-own-premises.yaml")
	own, err := d.as(t.Context(), "SPJ")
	if err != nil {
		t.Fatal(err)
	}
	var receipt ledger.Receipt
	target := "/v1/resolutions/" + r.ID + "/receipt"
	within(t, takeover, func() error { return own.call(t.Context(), http.MethodGet, target, nil, &receipt) })
	other, err := d.as(t.Context(), "BDC")
	if err != nil {
		t.Fatal(err)
	}
	var refused *problem
	if err := other.call(t.Context(), http.MethodGet, target, nil, nil); !errors.As(err, &refused) || refused.Status != http.StatusNotFound {
		t.Errorf("another department's receipt: %v, want 404", err)
	}
	var published struct{ Keys []string }
	if err := own.call(t.Context(), http.MethodGet, "/v1/log/checkpoint", nil, &published); err != nil {
		t.Fatal(err)
	}
	keys, file, tiles := filepath.Join(dir, "keys.json"), filepath.Join(dir, "receipt.json"), filepath.Join(dir, "tiles")
	writeJSON(t, keys, map[string]any{"checkpoint": published.Keys, "keys": []any{}})
	writeJSON(t, file, receipt)
	wantCommand(t, 0, r.Case, "ledger", "prove", file, "--keys", keys)
	forged := receipt
	forged.Leaf = "A" + forged.Leaf[1:]
	writeJSON(t, file, forged)
	wantCommand(t, 1, "", "ledger", "prove", file, "--keys", keys)

	wantCommand(t, 0, "没有发现改动", "ledger", "verify", database)
	wantCommand(t, 0, "没有发现改动", "ledger", "verify", "--tiles", d.url+"/log", "--keys", keys)
	wantCommand(t, 0, "已写出", "ledger", "export", tiles, database)
	wantCommand(t, 0, "没有发现改动", "ledger", "verify", "--tiles", tiles, "--keys", keys, "--checkpoint", filepath.Join(tiles, "checkpoint"))
	wantCommand(t, 0, "已写出", "ledger", "export", tiles, database) // adds what is new
	wantCommand(t, 0, "没有发现改动", "ledger", "verify", database, "--checkpoint", filepath.Join(tiles, "checkpoint"))
	wantCommand(t, 0, `"proof"`, "ledger", "prove", "0", "--tiles", tiles, "--keys", keys)
	wantCommand(t, 0, "127.0.0.1", "ledger", "checkpoint", database)
	wantCommand(t, 1, "--keys", "ledger", "verify", "--tiles", tiles)
	bundle := filepath.Join(tiles, "tile", "entries")
	changeEveryFile(t, bundle)
	wantCommand(t, 1, "被改动", "ledger", "verify", "--tiles", tiles, "--keys", keys)
}

func writeJSON(t *testing.T, path string, value any) {
	t.Helper()
	content, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// changeEveryFile changes an entry in each file below a folder: of a bundle that
// has grown, the file of before stays beside it, and nobody reads it any more.
func changeEveryFile(t *testing.T, folder string) {
	t.Helper()
	changed := 0
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		changed++
		return os.WriteFile(path, bytes.Replace(content, []byte(`"at":"20`), []byte(`"at":"19`), 1), 0o600)
	})
	if err != nil || changed == 0 {
		t.Fatalf("%d files were changed, %v", changed, err)
	}
}

// A folder of tiles that was kept does not take up a log that was written anew.
func TestLedger_ExportRefusesARewrittenLog(t *testing.T) {
	dir := t.TempDir()
	signer, err := ledger.NewSigner("mianti.example/log", bytes.Repeat([]byte{5}, 32))
	if err != nil {
		t.Fatal(err)
	}
	logOf := func(name string, cases ...string) string {
		url := "sqlite:" + filepath.Join(dir, name)
		if err := store.Migrate(t.Context(), url); err != nil {
			t.Fatal(err)
		}
		db, err := store.Open(t.Context(), store.Config{URL: url, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		for _, c := range cases {
			if err := db.Append(t.Context(), []ledger.Entry{{Kind: ledger.Intent, At: time.Unix(0, 0).UTC(), Case: c}}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := store.NewLog(db).Seal(t.Context(), signer, store.SealBatch); err != nil {
			t.Fatal(err)
		}
		return "--database=" + url
	}
	tiles, keys := filepath.Join(dir, "tiles"), filepath.Join(dir, "keys.txt")
	if err := os.WriteFile(keys, []byte(signer.VKey()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantCommand(t, 0, "已写出 3 条", "ledger", "export", tiles, logOf("first.db", "a", "b", "c"))
	kept := filepath.Join(tiles, "checkpoint")
	grown, anew, short := logOf("grown.db", "a", "b", "c", "d"), logOf("anew.db", "a", "x", "c", "d"), logOf("short.db", "a", "b")
	wantCommand(t, 1, "被改写", "ledger", "export", tiles, anew)
	wantCommand(t, 1, "被截短", "ledger", "export", tiles, short)
	wantCommand(t, 1, "被改写", "ledger", "verify", anew, "--checkpoint", kept)
	wantCommand(t, 1, "截去", "ledger", "verify", short, "--checkpoint", kept)
	wantCommand(t, 0, "没有发现改动", "ledger", "verify", anew) // in itself it is as it should be
	wantCommand(t, 0, "没有发现改动", "ledger", "verify", grown, "--checkpoint", kept)
	wantCommand(t, 0, "已写出 4 条", "ledger", "export", tiles, grown)
	wantCommand(t, 0, "没有发现改动", "ledger", "verify", "--tiles", tiles, "--keys", keys)
}

// TestLedger_NamesTheEntryThatTheOwnerOfTheDatabaseChanged has a superuser change
// a row past the triggers, and reads its name from the command.
func TestLedger_NamesTheEntryThatTheOwnerOfTheDatabaseChanged(t *testing.T) {
	url := pgtest.Database(t)
	db, err := store.Open(t.Context(), store.Config{URL: url, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	signer, err := ledger.NewSigner("mianti.example/log", bytes.Repeat([]byte{5}, 32))
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if err := db.Append(t.Context(), []ledger.Entry{{Kind: ledger.GrantGiven, At: time.Unix(0, 0).UTC(), Object: "grant:g1"}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := store.NewLog(db).Seal(t.Context(), signer, store.SealBatch); err != nil {
		t.Fatal(err)
	}
	wantCommand(t, 0, "没有发现改动", "ledger", "verify", "--database="+url)
	owner, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close(context.WithoutCancel(t.Context()))
	if _, err := owner.Exec(t.Context(), "ALTER TABLE ledger_entries DISABLE TRIGGER ALL; UPDATE ledger_entries SET body = replace(body, 'grant:g1', 'grant:g2') WHERE id = 4"); err != nil {
		t.Fatal(err)
	}
	wantCommand(t, 1, "第 3 条（存证编号 4）被改动", "ledger", "verify", "--database="+url)
}
