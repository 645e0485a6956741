package backup_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mianti/backup"
	"mianti/internal/fault"
	"mianti/store"
)

// tool makes a folder with a program that says a version, and notes how it was called.
func tool(t *testing.T, name, version string) (folder, noted string) {
	t.Helper()
	folder = t.TempDir()
	noted = filepath.Join(folder, "called")
	script := "#!/bin/sh\nif [ \"$1\" = --version ]; then echo \"" + name + " (PostgreSQL) " + version + "\"; exit; fi\n" +
		"{ printf '%s\\n' \"$@\"; echo \"in the environment: $PGPASSWORD\"; } > \"" + noted + "\"\n"
	if err := os.WriteFile(filepath.Join(folder, name), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return folder, noted
}

func TestDump_SaysWhatToInstallForANewerServer(t *testing.T) {
	t.Parallel()
	folder, noted := tool(t, "pg_dump", "15.7 (Debian 15.7-0+deb12u1)")
	_, err := backup.Tools{Dir: folder}.Dump(t.Context(), backup.Server{Version: "17.2"}, "s", "file")
	refused := fault.As(err)
	if refused == nil || refused.Code != "old-pg-tools" || !strings.Contains(refused.Message, "postgresql-client-17") {
		t.Errorf("Dump of a newer server: %v", err)
	}
	if _, err := os.Stat(noted); err == nil {
		t.Error("it was run all the same")
	}
	if _, err := (backup.Tools{Dir: t.TempDir()}).Dump(t.Context(), backup.Server{Version: "17.2"}, "s", "file"); fault.As(err) == nil || fault.As(err).Code != "no-pg-tools" {
		t.Errorf("Dump without a tool: %v", err)
	}
}

// TestDump_KeepsThePasswordOffTheCommandLine wants what every user of the machine can
// read to hold no password, wherever the address has it.
func TestDump_KeepsThePasswordOffTheCommandLine(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"postgres://mianti:s3cr%21et@db.example:5433/mianti?sslmode=verify-full&default_query_exec_mode=exec",
		"postgres://mianti@db.example:5433/mianti?password=s3cr%21et&sslmode=verify-full",
	} {
		address, password, ok, err := store.PostgresAddress(url)
		if err != nil || !ok || password != "s3cr!et" {
			t.Fatalf("PostgresAddress(%s) = %s, %v", url, address, err)
		}
		folder, noted := tool(t, "pg_dump", "99.0")
		_, err = backup.Tools{Dir: folder}.Dump(t.Context(), backup.Server{Address: address, Password: password, Version: "15.1"}, "00-1", "file")
		if err != nil {
			t.Fatal(err)
		}
		called, err := os.ReadFile(noted)
		if err != nil {
			t.Fatal(err)
		}
		arguments, environment, _ := strings.Cut(string(called), "in the environment: ")
		if strings.Contains(arguments, "s3cr") || strings.TrimSpace(environment) != "s3cr!et" {
			t.Errorf("called with:\n%s", called)
		}
		for _, want := range []string{"--dbname=postgres://mianti@db.example:5433/mianti?sslmode=verify-full\n", "--snapshot=00-1\n", "--no-password\n"} {
			if !strings.Contains(arguments, want) {
				t.Errorf("no %q in:\n%s", want, arguments)
			}
		}
	}
}

func TestCheckServer_RefusesAnOlderOne(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to string
		want     bool
	}{{"15.18 (Debian 15.18-0+deb12u1)", "15.2", true}, {"15.18", "17.1", true}, {"17.1", "15.18", false}} {
		if err := backup.CheckServer(c.from, c.to); (err == nil) != c.want {
			t.Errorf("from %s to %s: %v", c.from, c.to, err)
		}
	}
}

func TestReadDestroyed_RefusesWhatIsNoList(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "list")
	for text, want := range map[string]int{"": 0, `{"case":"c1","at":"2026-11-23T00:00:00Z"}` + "\n" + `{"batch":"b1","at":"2026-11-23T00:00:00Z"}`: 2, "{}": -1, "nothing": -1} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		list, err := backup.ReadDestroyed(path)
		if (want < 0) != (err != nil) || want >= 0 && len(list) != want {
			t.Errorf("%q: %d, %v; want %d", text, len(list), err, want)
		}
	}
}
