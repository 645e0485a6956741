package main

import (
	"bytes"
	"database/sql"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"mianti/examples/jinan"
)

// TestLedgerAndLogs_HoldNoIdentity resolves every case with all its faults, and
// then looks for the names and numbers of the parties in the ledger and in
// everything that was logged.
func TestLedgerAndLogs_HoldNoIdentity(t *testing.T) {
	path := filepath.Join(t.TempDir(), "privacy.db")
	logged := &lockedBuffer{}
	log := slog.New(slog.NewJSONHandler(logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	d, err := startDemo(t.Context(), "sqlite:"+path, "127.0.0.1:0", log)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	cases, err := readCases(jinan.Files, "cases")
	if err != nil {
		t.Fatal(err)
	}
	identities := map[string]bool{}
	for _, file := range cases {
		if _, err := d.resolve(t.Context(), file.caseFile); err != nil {
			t.Fatalf("%s: %v", file.Name, err)
		}
		for _, p := range file.Case["parties"].([]any) {
			party := p.(map[string]any)
			for _, key := range []string{"name", "number"} {
				if value, _ := party[key].(string); value != "" {
					identities[value] = true
				}
			}
		}
	}
	entries := ledgerText(t, path)
	if !strings.Contains(entries, `"kind":"outcome"`) || !strings.Contains(logged.String(), "/v1/cases/:id/resolutions") {
		t.Fatal("nothing was recorded or logged; the search would prove nothing")
	}
	for identity := range identities {
		if strings.Contains(entries, identity) {
			t.Errorf("the ledger holds %q", identity)
		}
		if strings.Contains(logged.String(), identity) {
			t.Errorf("the log holds %q", identity)
		}
	}
}

func ledgerText(t *testing.T, path string) string {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	found, err := db.QueryContext(t.Context(), "SELECT body FROM ledger_entries ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	var all strings.Builder
	for found.Next() {
		var body string
		if err := found.Scan(&body); err != nil {
			t.Fatal(err)
		}
		all.WriteString(body + "\n")
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// lockedBuffer is a buffer that many goroutines may log to.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
