package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mianti/doctor"
	"mianti/internal/pgtest"
)

// diagnosed runs the doctor and gives what it found, by check.
func diagnosed(t *testing.T, args ...string) map[string]doctor.Finding {
	t.Helper()
	text := said(t, 1, append([]string{"doctor", "--json", "--tls-cert-file", "", "--listen", "127.0.0.1:8080"}, args...)...)
	var printed struct{ Findings []doctor.Finding }
	if err := json.NewDecoder(strings.NewReader(text)).Decode(&printed); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	out := map[string]doctor.Finding{}
	for _, f := range printed.Findings {
		if before, twice := out[f.Check]; !twice || before.Level == doctor.OK {
			out[f.Check] = f
		}
	}
	return out
}

func wantFound(t *testing.T, all map[string]doctor.Finding, check string, level doctor.Level, says string) {
	t.Helper()
	if f := all[check]; f.Level != level || !strings.Contains(f.Found, says) {
		t.Errorf("%s: %+v, want %s and %q", check, f, level, says)
	}
}

// TestDoctor_SeesWhatIsWrongWithARealExchange breaks what can be broken for real; the
// judgements themselves are tested in package doctor.
func TestDoctor_SeesWhatIsWrongWithARealExchange(t *testing.T) {
	t.Parallel()
	database, dir := pgtest.Database(t), t.TempDir()
	keyFile, otherKey := filepath.Join(dir, "mianti.key"), filepath.Join(dir, "other.key")
	writeKeyFile(t, keyFile)
	writeKeyFile(t, otherKey)
	if _, err := fillDemo(t.Context(), database, newSecret()); err != nil {
		t.Fatal(err)
	}
	said(t, 0, "key", "rotate", "evidence", "--database", database, "--key-file", keyFile) // the first one
	sources := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", "Mon, 23 Nov 2020 01:00:00 GMT")
	}))
	defer sources.Close()
	base := []string{"--database", database, "--sources-url", sources.URL + "/{department}"}

	got := diagnosed(t, append(base, "--key-file", keyFile)...)
	wantFound(t, got, "密钥/文件", doctor.OK, "只有属主能读")
	wantFound(t, got, "密钥/可用", doctor.OK, "能打开")
	wantFound(t, got, "结构", doctor.OK, "第")
	wantFound(t, got, "数据库/账户", doctor.Fail, "超级用户") // that of the test server
	wantFound(t, got, "数源 "+sources.URL, doctor.OK, "连得上")
	wantFound(t, got, "数源 "+sources.URL+" 证书", doctor.Fail, "unknown authority")
	wantFound(t, got, "时钟", doctor.Fail, strings.TrimPrefix(sources.URL, "https://"))
	wantFound(t, got, "存证/核对", doctor.OK, "没有改动")
	wantFound(t, got, "备份", doctor.Warn, "从没有")
	wantFound(t, got, "目录", doctor.OK, "没有错误")

	execute(t, database, "ALTER TABLE ledger_entries DISABLE TRIGGER ALL")
	if err := os.Chmod(otherKey, 0o644); err != nil {
		t.Fatal(err)
	}
	got = diagnosed(t, append(base, "--key-file", otherKey, "--quick", "--issuer", "http://mianti.example", "--deadline", "1s")...)
	wantFound(t, got, "数据库/触发器", doctor.Fail, "ledger_entries")
	wantFound(t, got, "密钥/文件", doctor.Fail, "别的用户能读")
	wantFound(t, got, "密钥/可用", doctor.Fail, "没有编号为")
	wantFound(t, got, "配置/传输", doctor.Fail, "https")
	wantFound(t, got, "配置/设置", doctor.Fail, "MIANTI_DEADLINE")
	wantFound(t, got, "数源", doctor.Skipped, "--quick")

	execute(t, database, "DELETE FROM goose_db_version WHERE version_id > 34")
	wantFound(t, diagnosed(t, append(base, "--key-file", keyFile)...), "结构", doctor.Fail, "待执行")
	wantFound(t, diagnosed(t, "--database", "postgres://u@127.0.0.1:1/m"), "数据库", doctor.Fail, "")
}
