package secret_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/secret"
)

const canary = "canary-word-that-nobody-may-see"

var _ connectors.Secrets = (*secret.Store)(nil)

func TestSecret_IsTheFileOfItsNameOrTheVariable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "ga-app-key", "from the file\n", 0o600)
	write(t, dir, "ga-both", "file\r\n", 0o640)
	write(t, dir, "ga-inner", "a\nb\n", 0o600)
	write(t, dir, "ga-empty", "\n", 0o600)
	environment := map[string]string{"MIANTI_SECRET_GA_BOTH": "variable", "MIANTI_SECRET_GA_SET": "set\n", "MIANTI_SECRET_GA_EMPTY": "instead"}
	store := secret.New(secret.Options{Dir: dir, Getenv: func(name string) string { return environment[name] }, Now: time.Now})
	for ref, want := range map[catalog.SecretRef]string{
		"ga-app-key": "from the file", "ga-both": "file", "ga-inner": "a\nb", "ga-set": "set",
	} {
		if got, err := store.Secret(ref); err != nil || string(got) != want {
			t.Errorf("%s: got %q, %v, want %q", ref, got, err, want)
		}
	}
	// An empty file is one that is being written: nothing else stands for it.
	if got, err := store.Secret("ga-empty"); err == nil {
		t.Errorf("got %q for an empty file", got)
	}
}

func TestSecret_SaysWhereItWasLookedForAndNeverWhatItHolds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "outside")
	write(t, filepath.Dir(outside), "outside", canary, 0o600)
	write(t, dir, "ga-open", canary, 0o604)
	write(t, dir, "ga-large", canary+strings.Repeat("x", 64<<10), 0o600)
	if err := os.Symlink(outside, filepath.Join(dir, "ga-away")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "ga-folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	store := secret.New(secret.Options{Dir: dir, Getenv: func(string) string { return "" }, Now: time.Now})
	for ref, wants := range map[catalog.SecretRef][]string{
		"ga-none":        {`"ga-none"`, dir, "MIANTI_SECRET_GA_NONE"},
		"ga-open":        {"every user"},
		"ga-large":       {"64 KiB"},
		"ga-away":        {"leaving the folder"},
		"ga-folder":      {"no file"},
		"../outside":     {"lower-case letters"},
		"a/b":            {"lower-case letters"},
		`a\b`:            {"lower-case letters"},
		"GA-APP-KEY":     {"lower-case letters"},
		"":               {"lower-case letters"},
		"ga-app-key\x00": {"lower-case letters"},
	} {
		got, err := store.Secret(ref)
		if err == nil {
			t.Errorf("%q: got %d bytes, want an error", ref, len(got))
			continue
		}
		for _, want := range wants {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q: the error is %q, want %q in it", ref, err, want)
			}
		}
		if strings.Contains(err.Error(), canary) {
			t.Errorf("%q: the error holds the secret", ref)
		}
	}
}

func TestSecret_MayLieBehindALinkWithinItsFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "data"), "ga-app-key", "linked", 0o600)
	if err := os.Symlink(filepath.Join("data", "ga-app-key"), filepath.Join(dir, "ga-app-key")); err != nil {
		t.Fatal(err)
	}
	got, err := secret.New(secret.Options{Dir: dir, Now: time.Now}).Secret("ga-app-key")
	if err != nil || string(got) != "linked" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestSecret_IsReadAgainAfterTenSeconds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	store := secret.New(secret.Options{Dir: dir, Now: func() time.Time { return now }})
	want := func(what string) {
		t.Helper()
		got, err := store.Secret("ga-app-key")
		if err != nil || string(got) != what {
			t.Errorf("got %q, %v, want %q", got, err, what)
		}
		clear(got) // what was given out is the caller's own
	}
	if _, err := store.Secret("ga-app-key"); err == nil {
		t.Fatal("a secret that is not there was given")
	}
	write(t, dir, "ga-app-key", "old", 0o600)
	want("old") // that it was missing is not remembered
	write(t, dir, "ga-app-key", "new", 0o600)
	now = now.Add(10*time.Second - 1)
	want("old")
	now = now.Add(1)
	want("new")
}

func TestMissing_NamesEachThatCannotBeHadOnce(t *testing.T) {
	t.Parallel()
	store := secret.New(secret.Options{Getenv: func(name string) string { return map[string]string{"MIANTI_SECRET_GA_A": "a"}[name] }, Now: time.Now})
	missing := store.Missing([]catalog.SecretRef{"ga-c", "ga-a", "ga-b", "ga-c"})
	if len(missing) != 2 || !strings.Contains(missing[0].Error(), "MIANTI_SECRET_GA_B") || !strings.Contains(missing[1].Error(), "MIANTI_SECRET_GA_C") {
		t.Errorf("got %v", missing)
	}
}

func TestStore_IsRedactedInTextsAndLogs(t *testing.T) {
	t.Parallel()
	store := secret.New(secret.Options{Getenv: func(string) string { return canary }, Now: time.Now})
	if _, err := store.Secret("ga-app-key"); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "store", store)
	_, _ = fmt.Fprintf(&out, "%v %+v %#v %s", store, store, store, store)
	for _, form := range []string{canary, fmt.Sprint([]byte(canary)), fmt.Sprintf("%#v", []byte(canary))} {
		if strings.Contains(out.String(), form) {
			t.Errorf("the secret can be seen in %s", out.String())
		}
	}
}

func write(t *testing.T, dir, name, content string, mode os.FileMode) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the mask is
		t.Fatal(err)
	}
}
