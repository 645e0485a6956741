package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"mianti/examples/jinan"
	"mianti/exchange"
	"mianti/internal/pgtest"
	"mianti/keyring"
	"mianti/ledger"
	"mianti/policies"
	"mianti/store"
)

// TestKill_LeavesNoAnswerUnrecorded kills the server with SIGKILL while it
// resolves, several times, and then holds every answer that a caller received
// against the record.
func TestKill_LeavesNoAnswerUnrecorded(t *testing.T) {
	if testing.Short() {
		t.Skip("kills the server several times")
	}
	t.Run("sqlite", func(t *testing.T) {
		killWhileResolving(t, "sqlite:"+filepath.Join(t.TempDir(), "kill.db"))
	})
	t.Run("postgres", func(t *testing.T) { killWhileResolving(t, pgtest.Database(t)) })
}

func killWhileResolving(t *testing.T, database string) {
	ctx := t.Context()
	k := newKilling(t, ctx, database)
	received := map[string]*exchange.Resolution{}
	// On a machine that is busy with other tests the first rounds can be too short
	// for any answer: then there are more, each longer.
	for round := 0; round < 6 || len(received) == 0 && round < 30; round++ {
		server := k.startServer(t)
		answers := k.resolveAll(t, ctx, server, round)
		// The stand-ins take 60 ms an answer: these delays fall before, between
		// and after the questions and the commit of the first resolutions.
		time.Sleep(time.Duration(40+55*round) * time.Millisecond)
		server.kill(t)
		for r := range answers {
			received[r.ID] = r
		}
	}
	if len(received) == 0 {
		t.Fatal("no round lasted long enough for an answer; the test proved nothing")
	}
	k.checkRecord(t, ctx, received)
	k.checkLog(t, ctx)
	t.Logf("%d answers were received and all were on record", len(received))
}

type killing struct {
	dir, binary, database, secret, sources string
	cases                                  []namedCase
}

// newKilling fills a database and starts the stand-ins,
// which outlive the kills.
func newKilling(t *testing.T, ctx context.Context, database string) *killing {
	k := &killing{dir: t.TempDir(), database: database, secret: newSecret(), binary: os.Args[0]}
	if _, err := fillDemo(ctx, k.database, k.secret); err != nil {
		t.Fatal(err)
	}
	standIns, err := newStandIns(jinan.Files, 1, 10, 60*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: standIns, ReadHeaderTimeout: time.Second}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	writeKeyFile(t, k.keyFile()) // one for all its servers
	k.sources = "http://" + listener.Addr().String() + "/{department}"
	if k.cases, err = readCases(jinan.Files, "cases"); err != nil {
		t.Fatal(err)
	}
	return k
}

func (k *killing) keyFile() string { return filepath.Join(k.dir, "mianti.key") }

// writeKeyFile makes a file of a new key.
func writeKeyFile(t *testing.T, path string) {
	t.Helper()
	line, err := keyring.NewLine(keyring.AES256GCM)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
}

type killable struct {
	process *exec.Cmd
	url     string
}

var listening = regexp.MustCompile(`"address":"(http://[^"]+)"`)

func (k *killing) startServer(t *testing.T, more ...string) *killable {
	t.Helper()
	args := []string{"serve", "--listen", "127.0.0.1:0", "--issuer", "https://mianti.test", "--database", k.database, "--sources-url", k.sources,
		"--key-file", k.keyFile()}
	process := exec.Command(k.binary, append(args, more...)...)
	process.Env = append(os.Environ(), asProgram+"=1")
	errs, err := process.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(errs)
	var printed []string
	for lines.Scan() {
		printed = append(printed, lines.Text())
		if found := listening.FindStringSubmatch(lines.Text()); found != nil {
			go func() {
				for lines.Scan() { // keep the pipe empty
				}
			}()
			return &killable{process: process, url: found[1]}
		}
	}
	t.Fatalf("the server did not start:\n%s", strings.Join(printed, "\n"))
	return nil
}

func (s *killable) kill(t *testing.T) {
	t.Helper()
	if err := s.process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = s.process.Wait() // killed: always an error
}

// resolveAll opens a case of every file in turn and resolves them all at once.
// The channel gives the answers that arrive, and closes when all callers have
// an answer or a broken connection.
func (k *killing) resolveAll(t *testing.T, ctx context.Context, server *killable, round int) <-chan *exchange.Resolution {
	t.Helper()
	c := newClient(server.url, demoSystem+"SPJ", k.secret)
	if err := c.signIn(ctx); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, file := range k.cases {
		if file.Case["one_thing"] != "S01" {
			continue
		}
		body := map[string]any{}
		for key, value := range file.Case {
			body[key] = value
		}
		body["number"] = fmt.Sprintf("KILL-%d-%s", round, file.Name)
		var opened struct {
			ID string `json:"id"`
		}
		if err := c.call(ctx, http.MethodPost, "/v1/cases", body, &opened); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, opened.ID)
	}
	answers := make(chan *exchange.Resolution, 3*len(ids))
	var group sync.WaitGroup
	for range 3 {
		for _, id := range ids {
			group.Go(func() {
				var r exchange.Resolution
				if c.call(ctx, http.MethodPost, "/v1/cases/"+id+"/resolutions", struct{}{}, &r) == nil {
					answers <- &r
				}
			})
		}
	}
	go func() {
		group.Wait()
		close(answers)
	}()
	return answers
}

// checkRecord holds what was received against what was stored.
func (k *killing) checkRecord(t *testing.T, ctx context.Context, received map[string]*exchange.Resolution) {
	t.Helper()
	db, err := (&databaseSetting{DatabaseURL: k.database, KeyFile: k.keyFile()}).openUnlocked(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for id, r := range received {
		stored, err := db.Resolution(ctx, "SPJ", id)
		if err != nil {
			t.Errorf("resolution %s was answered but is not stored: %v", id, err)
			continue
		}
		if got, want := asJSON(t, stored), asJSON(t, r); got != want {
			t.Errorf("resolution %s: stored is not what was answered:\n%s\n%s", id, got, want)
		}
		entries, err := db.Entries(ctx, r.Case)
		if err != nil {
			t.Fatal(err)
		}
		checkEntries(t, r, entries)
	}
}

// checkEntries wants an intent before an outcome for every question that the
// resolution tells of, and an entry for the whole.
func checkEntries(t *testing.T, r *exchange.Resolution, entries []ledger.Entry) {
	t.Helper()
	intended, came := map[string]bool{}, map[string]bool{}
	whole := false
	for _, e := range entries {
		if e.Resolution != r.ID {
			continue
		}
		key := e.Mode + " " + e.Dataset
		switch e.Kind {
		case ledger.Intent:
			intended[key] = true
		case ledger.Outcome:
			if !intended[key] {
				t.Errorf("resolution %s: the outcome of %s has no intent before it", r.ID, key)
			}
			came[key] = true
		case ledger.Resolved:
			whole = true
		}
	}
	if !whole {
		t.Errorf("resolution %s has no entry of its own", r.ID)
	}
	for _, m := range r.Materials {
		if m.Outcome != policies.Settled || m.Evidence == nil || !strings.Contains(m.Evidence.Source, ".D-") {
			continue
		}
		if key := string(m.Mode) + " " + m.Evidence.Dataset; !came[key] {
			t.Errorf("resolution %s: %s was settled by %s without an outcome on record", r.ID, m.Code, key)
		}
	}
}

func asJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// quiet is a logger for tests.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// takeover is how long sealing may rest when the server that did it is gone.
const takeover = 5 * time.Second

// checkLog wants all that was recorded before the kills to be sealed by a server
// that starts afterwards, and the log to be whole.
func (k *killing) checkLog(t *testing.T, ctx context.Context) {
	t.Helper()
	server := k.startServer(t)
	defer server.kill(t)
	db, err := store.Open(ctx, store.Config{URL: k.database, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	log := store.NewLog(db)
	within(t, takeover, func() error {
		waiting, err := log.Waiting(ctx)
		if err == nil && waiting > 0 {
			err = fmt.Errorf("%d entries wait", waiting)
		}
		return err
	})
	vkeys, err := log.VKeys(ctx)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := ledger.ParseKeys(vkeys)
	if err != nil || len(vkeys) != 1 {
		t.Fatalf("keys %v, %v; want one, whichever server signed", vkeys, err)
	}
	report, err := ledger.Verification{Keys: keys}.Verify(ctx, log)
	if err != nil || len(report.Faults) > 0 || report.Size == 0 {
		t.Errorf("after the kills: %+v, %v", report, err)
	}
}

// TestKill_TheOtherServerSealsOn kills one of two servers on one database, each in
// turn, and wants the other to seal what is recorded after that.
func TestKill_TheOtherServerSealsOn(t *testing.T) {
	if testing.Short() {
		t.Skip("kills servers")
	}
	ctx := t.Context()
	k := newKilling(t, ctx, pgtest.Database(t))
	db, err := store.Open(ctx, store.Config{URL: k.database, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	log := store.NewLog(db)
	first, second := k.startServer(t), k.startServer(t)
	for round := range 2 {
		first.kill(t)
		if err := db.Append(ctx, []ledger.Entry{{Kind: ledger.SignedIn, At: time.Now().UTC(), Person: "somebody"}}); err != nil {
			t.Fatal(err)
		}
		within(t, takeover, func() error {
			waiting, err := log.Waiting(ctx)
			if err == nil && waiting > 0 {
				err = fmt.Errorf("round %d: %d entries wait", round, waiting)
			}
			return err
		})
		first, second = second, k.startServer(t)
	}
	first.kill(t)
	second.kill(t)
	k.checkLog(t, ctx)
}
