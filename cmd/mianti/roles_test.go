package main

import (
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"mianti/connectors/standin"
	"mianti/examples/jinan"
	"mianti/internal/pgtest"
)

// TestRoles_SufficeForAnExchangeAndNoMore serves and resolves as the role that
// deploy/postgres/roles.sql makes, and wants it to be refused what it need not do.
func TestRoles_SufficeForAnExchangeAndNoMore(t *testing.T) {
	t.Parallel()
	database, dir := pgtest.Database(t), t.TempDir()
	secret := newSecret()
	if _, err := fillDemo(t.Context(), database, secret); err != nil {
		t.Fatal(err)
	}
	roles, err := os.ReadFile("../../deploy/postgres/roles.sql")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // it can be run again
		execute(t, database, string(roles))
	}
	execute(t, database, "ALTER ROLE mianti_app PASSWORD 'of-a-test'; ALTER ROLE mianti_owner PASSWORD 'of-a-test'")
	as := func(role string) string {
		u, err := url.Parse(database)
		if err != nil {
			t.Fatal(err)
		}
		u.User = url.UserPassword(role, "of-a-test")
		return u.String()
	}
	keyFile := filepath.Join(dir, "mianti.key")
	writeKeyFile(t, keyFile)
	b := &backupTest{dir: dir, database: as("mianti_app"), keyFile: keyFile}
	var standIns *standin.Server
	if standIns, err = newStandIns(jinan.Files, 1, 10, 0); err != nil {
		t.Fatal(err)
	}
	var address string
	address, b.stop = serveNode(t, b.database, keyFile, standIns)
	b.client = newClient(address, demoSystem+"SPJ", secret)
	if err := b.client.signIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b.cases, err = readCases(jinan.Files, "cases"); err != nil {
		t.Fatal(err)
	}
	gone := b.mustResolve(t, "ROLES-1")
	_, _, _ = b.goOn(t, gone) // closes and destroys, verifies, exports
	b.stop()
	wantCommand(t, 0, "没有发现改动", "ledger", "verify", "--database", b.database)
	got := diagnosed(t, "--quick", "--database", b.database, "--key-file", keyFile, "--issuer", "http://mianti.example")
	wantFound(t, got, "数据库/账户", "ok", "不能改结构")
	execute(t, database, "REVOKE UPDATE ON cases FROM mianti_app")
	got = diagnosed(t, "--quick", "--database", b.database, "--key-file", keyFile, "--issuer", "http://mianti.example")
	wantFound(t, got, "数据库/账户", "fail", "cases")
	wantCommand(t, 0, "备份已做好", "backup", filepath.Join(dir, "backup"), "--database", as("mianti_owner"), "--key-file", keyFile)

	owner := connect(t, as("mianti_app"))
	for _, statement := range []string{
		"UPDATE ledger_entries SET body = ''", "DELETE FROM ledger_leaves", "TRUNCATE ledger_checkpoints", "ALTER TABLE ledger_entries DISABLE TRIGGER ALL",
		"CREATE TABLE mine (id INT)", "INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, true)",
	} {
		if _, err := owner.Exec(t.Context(), statement); err == nil {
			t.Errorf("mianti_app may: %s", statement)
		}
	}
}
