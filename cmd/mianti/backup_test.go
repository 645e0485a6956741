package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"mianti/backup"
	"mianti/connectors/standin"
	"mianti/examples/jinan"
	"mianti/exchange"
	"mianti/internal/pgtest"
	"mianti/store"
)

// What the process that is killed is told.
var (
	backupInto     = flag.String("backup", "", "folder of a backup, for a process that is killed")
	backupDatabase = flag.String("backup-database", "", "its database")
	backupTools    = flag.String("backup-tools", "", "its PostgreSQL programs")
)

// TestBackup_ComesBackWholeAndWithoutWhatWasDestroyed makes a backup while systems
// ask, goes on, destroys a case, and restores the backup elsewhere with the list of
// what was destroyed since.
func TestBackup_ComesBackWholeAndWithoutWhatWasDestroyed(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		b := newBackupTest(t, "sqlite:"+filepath.Join(t.TempDir(), "live.db"))
		b.run(t, "sqlite:"+filepath.Join(t.TempDir(), "restored.db"))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		b := newBackupTest(t, pgtest.Database(t))
		b.run(t, pgtest.Database(t))
	})
}

// backupTest is a running exchange whose database is copied.
type backupTest struct {
	dir, database, keyFile string
	client                 *client
	cases                  []namedCase
	stop                   func()
}

func newBackupTest(t *testing.T, database string) *backupTest {
	t.Helper()
	b := &backupTest{dir: t.TempDir(), database: database}
	b.keyFile = filepath.Join(b.dir, "mianti.key")
	writeKeyFile(t, b.keyFile)
	secret := newSecret()
	if _, err := fillDemo(t.Context(), database, secret); err != nil {
		t.Fatal(err)
	}
	standIns, err := newStandIns(jinan.Files, 1, 10, 0)
	if err != nil {
		t.Fatal(err)
	}
	var url string
	url, b.stop = serveNode(t, database, b.keyFile, standIns)
	b.client = newClient(url, demoSystem+"SPJ", secret)
	if err := b.client.signIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b.cases, err = readCases(jinan.Files, "cases"); err != nil {
		t.Fatal(err)
	}
	return b
}

// serveNode serves a database, and gives the address and what stops it.
func serveNode(t *testing.T, database, keyFile string, standIns *standin.Server) (url string, stop func()) {
	t.Helper()
	var listeners [2]net.Listener
	for i := range listeners {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listeners[i] = listener
	}
	url = "http://" + listeners[1].Addr().String()
	settings := exchangeSettings{
		Issuer: url, sourceSettings: sourceSettings{SourcesURL: "http://" + listeners[0].Addr().String() + "/{department}"},
		Deadline: 8 * time.Second, SourceDeadline: 2 * time.Second, DataAuthority: "DSJ", CatalogMaterials: store.DefaultHeldMaterials,
	}
	settings.DatabaseURL, settings.KeyFile = database, keyFile
	n, err := newNode(t.Context(), settings, quiet())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 2)
	go func() { ended <- serveHTTP(ctx, listeners[0], standIns) }()
	go func() { ended <- n.serve(ctx, listeners[1]) }()
	return url, func() {
		cancel()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}
}

func (b *backupTest) resolve(ctx context.Context, number string) (*exchange.Resolution, error) {
	for _, file := range b.cases {
		if file.Case["one_thing"] != "S01" {
			continue
		}
		body := map[string]any{}
		for key, value := range file.Case {
			body[key] = value
		}
		body["number"] = number
		var opened struct {
			ID string `json:"id"`
		}
		if err := b.client.call(ctx, http.MethodPost, "/v1/cases", body, &opened); err != nil {
			return nil, err
		}
		var r exchange.Resolution
		return &r, b.client.call(ctx, http.MethodPost, "/v1/cases/"+opened.ID+"/resolutions", struct{}{}, &r)
	}
	return nil, fmt.Errorf("no case of S01")
}

func (b *backupTest) mustResolve(t *testing.T, number string) *exchange.Resolution {
	t.Helper()
	r, err := b.resolve(t.Context(), number)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// underLoad does something while cases are resolved.
func (b *backupTest) underLoad(t *testing.T, do func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int)
	go func() {
		n := 0
		for ; ctx.Err() == nil; n++ {
			if _, err := b.resolve(context.WithoutCancel(ctx), fmt.Sprintf("LOAD-%d", n)); err != nil {
				t.Errorf("while the backup is made: %v", err)
				break
			}
		}
		ended <- n
	}()
	do()
	cancel()
	if n := <-ended; n == 0 {
		t.Error("nothing was resolved while the backup was made")
	}
}

func (b *backupTest) run(t *testing.T, target string) {
	gone, kept := b.mustResolve(t, "GONE"), b.mustResolve(t, "KEPT")
	folder := filepath.Join(b.dir, "backup")
	b.underLoad(t, func() {
		text := said(t, 0, "backup", folder, "--database", b.database, "--key-file", b.keyFile)
		if !strings.Contains(text, "备份里没有密钥") || strings.Contains(text, "没有封印") {
			t.Errorf("backup says: %s", text)
		}
	})
	wantCommand(t, 1, "已经存在", "backup", folder, "--database", b.database, "--key-file", b.keyFile)
	destroyed, checkpoint, tiles := b.goOn(t, gone)
	b.stop()
	wantCommand(t, 0, "清单是本系统密钥封的", "backup", "verify", folder, "--key-file", b.keyFile)

	restore := []string{"restore", folder, "--database", target, "--key-file", b.keyFile, "--destroyed", destroyed, "--checkpoint", checkpoint, "--tiles", tiles}
	if !strings.HasPrefix(target, "sqlite:") {
		wantCommand(t, 1, "数据库不是空的", restore...)
		restore = append(restore, "--replace")
	}
	text := said(t, 0, restore...)
	for _, want := range []string{"没有发现改动", "丢失：", "再次销毁：1 个办件的内容", "case_destroyed"} {
		if !strings.Contains(text, want) {
			t.Errorf("restore does not say %q:\n%s", want, text)
		}
	}
	wantCommand(t, 1, "数据库不是空的", "restore", folder, "--database", target, "--key-file", b.keyFile)
	b.checkRestored(t, target, gone, kept)
	tampered(t, folder, b.keyFile)
}

// goOn destroys a case after the backup, and keeps elsewhere what an operator keeps.
func (b *backupTest) goOn(t *testing.T, gone *exchange.Resolution) (destroyed, checkpoint, tiles string) {
	t.Helper()
	if err := b.client.call(t.Context(), http.MethodPost, "/v1/cases/"+gone.Case+"/closing", map[string]any{"reason": "finished"}, nil); err != nil {
		t.Fatal(err)
	}
	keep := func(name, text string) string {
		path := filepath.Join(b.dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	said(t, 0, "retention", "run", "--database", b.database, "--key-file", b.keyFile, "--keep-payload=0d")
	list := said(t, 0, "retention", "destroyed", "--database", b.database)
	if !strings.Contains(list, gone.Case) || strings.Count(list, "\n") != 1 {
		t.Fatalf("destroyed: %s, want case %s alone", list, gone.Case)
	}
	tiles = filepath.Join(b.dir, "tiles")
	db, err := store.Open(t.Context(), store.Config{URL: b.database, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	within(t, takeover, func() error {
		if waiting, err := store.NewLog(db).Waiting(t.Context()); err != nil || waiting > 0 {
			return fmt.Errorf("%d wait, %w", waiting, err)
		}
		return nil
	})
	said(t, 0, "ledger", "export", tiles, "--database", b.database)
	return keep("destroyed.jsonl", list), keep("checkpoint", said(t, 0, "ledger", "checkpoint", "--database", b.database)), tiles
}

// checkRestored reads in the restored database what was resolved before the backup.
func (b *backupTest) checkRestored(t *testing.T, target string, gone, kept *exchange.Resolution) {
	t.Helper()
	db, err := (&databaseSetting{DatabaseURL: target, KeyFile: b.keyFile}).openUnlocked(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	got, err := db.Resolution(t.Context(), "SPJ", kept.ID)
	if err != nil || asJSON(t, got) != asJSON(t, kept) {
		t.Errorf("a resolution of before: %v\n%s\nwant\n%s", err, asJSON(t, got), asJSON(t, kept))
	}
	if got, err = db.Resolution(t.Context(), "SPJ", gone.ID); err != nil || got.Destroyed == nil {
		t.Errorf("what was destroyed after the backup has come back: %+v, %v", got, err)
	}
}

// tampered changes a backup and wants it found, with the manifest and without.
func tampered(t *testing.T, folder, keyFile string) {
	t.Helper()
	change := func(name string, from, to []byte) (undo func()) {
		path := filepath.Join(folder, name)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		changed := bytes.Replace(text, from, to, 1)
		if from == nil {
			changed = append(bytes.Clone(text[:len(text)-1]), text[len(text)-1]^1)
		}
		if bytes.Equal(changed, text) {
			t.Fatalf("%s was not changed", name)
		}
		if err := os.WriteFile(path, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		return func() {
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	verify := []string{"backup", "verify", folder, "--key-file", keyFile}
	data := backup.PostgresName
	if _, err := os.Stat(filepath.Join(folder, data)); err != nil {
		data = backup.SQLiteName
	}
	undo := change(data, nil, nil)
	wantCommand(t, 1, data+" 与清单不符", verify...)
	undo()
	undo = change(backup.ManifestName, []byte(`"waiting"`), []byte(`"waited"`))
	wantCommand(t, 1, "不是用本系统密钥封的", verify...)
	undo()
	if err := os.Remove(filepath.Join(folder, backup.DestroyedName)); err != nil {
		t.Fatal(err)
	}
	wantCommand(t, 1, backup.DestroyedName+" 不见了", verify...)
}

// TestBackup_BrokenOffLeavesNothingThatLooksWhole has pg_dump fail on a full disk, and
// this program killed, in the middle.
func TestBackup_BrokenOffLeavesNothingThatLooksWhole(t *testing.T) {
	t.Parallel()
	database, dir := pgtest.Database(t), t.TempDir()
	tool := func(name, script string) string {
		folder := filepath.Join(dir, name)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		text := "#!/bin/sh\nif [ \"$1\" = --version ]; then echo 'pg_dump (PostgreSQL) 99.1'; exit; fi\n" +
			"for a; do case $a in --file=*) file=${a#--file=};; esac; done\nprintf half > \"$file\"\n" + script
		if err := os.WriteFile(filepath.Join(folder, "pg_dump"), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		return folder
	}
	full := filepath.Join(dir, "full")
	wantCommand(t, 1, "No space left on device", "backup", full, "--database", database, "--pg-tools", tool("a", "echo 'pg_dump: error: No space left on device' >&2; exit 1\n"))
	if left, err := filepath.Glob(full + "*"); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}

	killed := filepath.Join(dir, "killed")
	process := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestBackup_InAProcessOfItsOwn$", "-backup", killed, "-backup-database", database, "-backup-tools", tool("b", "kill -9 $PPID\n"))
	err := process.Run()
	if status, ok := process.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Fatalf("the process was not killed: %v", err)
	}
	if _, err := os.Stat(killed); !os.IsNotExist(err) {
		t.Errorf("%s is there: %v", killed, err)
	}
	wantCommand(t, 1, "没有做完", "backup", "verify", killed+".partial")
	wantCommand(t, 0, "备份已做好", "backup", killed, "--database", database) // in the same place, once more
}

// TestBackup_InAProcessOfItsOwn is the process that is killed.
func TestBackup_InAProcessOfItsOwn(t *testing.T) {
	if *backupInto == "" {
		return // TestBackup_BrokenOffLeavesNothingThatLooksWhole starts it
	}
	said(t, 0, "backup", *backupInto, "--database", *backupDatabase, "--pg-tools", *backupTools)
}
