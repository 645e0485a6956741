package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mianti/catalog"
	"mianti/connectors/standin"
)

func TestCatalogLint_ReportsMissingSecretsOnRequest(t *testing.T) {
	t.Parallel()
	x := newTried(t)
	dir, secrets := filepath.Join(x.dir, "catalog"), "--secrets-dir="+filepath.Join(x.dir, "secrets")
	if status, text := runs(t, "catalog", "lint", dir, secrets); status != 0 {
		t.Errorf("without --secrets: status %d\n%s", status, text)
	}
	status, text := runs(t, "catalog", "lint", dir, secrets, "--secrets")
	if status != 1 {
		t.Errorf("with --secrets: status %d, want 1", status)
	}
	wantMissing(t, text)
}

func TestCatalogLoad_RefusesACatalogWhoseSecretsAreMissing(t *testing.T) {
	t.Parallel()
	x := newTried(t)
	x.migrated(t)
	load := []string{"catalog", "load", filepath.Join(x.dir, "catalog"), "--secrets-dir=" + filepath.Join(x.dir, "secrets"), "--database=" + x.database()}
	status, text := runs(t, load...)
	if status != 1 {
		t.Errorf("status %d, want 1", status)
	}
	wantMissing(t, text)
	if err := os.WriteFile(filepath.Join(x.dir, "secrets", "cc-no-secret"), []byte(standin.DemoSecret), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, text = runs(t, load...); status != 0 {
		t.Errorf("with the secret: status %d\n%s", status, text)
	}
}

// wantMissing wants one fault: file, line, both places looked at, and the code.
func wantMissing(t *testing.T, text string) {
	t.Helper()
	wantSaid(t, text, "departments/CC.yaml:", "cc-no-secret", "MIANTI_SECRETS_DIR", "MIANTI_SECRET_CC_NO_SECRET", "["+secretMissing+"]", "1 处错误")
	if strings.Contains(text, standin.DemoSecret) || strings.Contains(text, "an-older-one") {
		t.Errorf("tells a secret:\n%s", text)
	}
}

func TestWarnOfSecrets_WarnsOnceForEach(t *testing.T) {
	t.Parallel()
	x := newTried(t)
	rev, err := catalog.Load(os.DirFS(filepath.Join(x.dir, "catalog")))
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	setting := secretsSetting{SecretsDir: filepath.Join(x.dir, "secrets")}
	warnOfSecrets(t.Context(), slog.New(slog.NewJSONHandler(&log, nil)), rev, setting.secrets())
	if lines := strings.Count(log.String(), "\n"); lines != 1 {
		t.Errorf("%d warnings, want 1", lines)
	}
	wantSaid(t, log.String(), `"level":"WARN"`, "CC.secretless", "cc-no-secret")
}
