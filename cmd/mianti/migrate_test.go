package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"mianti/internal/pgtest"
	"mianti/store"
)

func TestMigrate_CheckFailsWhileSomethingIsPending(t *testing.T) {
	t.Parallel()
	database := "sqlite:" + filepath.Join(t.TempDir(), "new.db")
	wantCommand(t, 0, "空数据库", "migrate", "--database", database, "--plan")
	wantCommand(t, 1, "00001_schema", "migrate", "--database", database, "--check")
	wantCommand(t, 0, "已是本版本所需", "migrate", "--database", database)
	wantCommand(t, 0, "没有要做的", "migrate", "--database", database, "--check")
	if _, out := command(t, "migrate", "--database", database, "--check", "--json"); !strings.Contains(out, `"pending": null`) {
		t.Errorf("as JSON: %s", out)
	}
}

// TestMigrate_StrandsNobodyUnasked has a program of an earlier schema connected when
// a migration comes that it cannot live with.
func TestMigrate_StrandsNobodyUnasked(t *testing.T) {
	t.Parallel()
	database := pgtest.Database(t)
	older, err := store.Open(t.Context(), store.Config{URL: database + "&application_name=mianti%2F34", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer older.Close()
	if err := older.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantCommand(t, 0, "结构第 34 版的", "migrate", "--database", database, "--plan")
	// As before the newest migration.
	execute(t, database, "DELETE FROM goose_db_version WHERE version_id > 34")
	wantCommand(t, 1, "没有升级", "migrate", "--database", database)
	wantCommand(t, 0, "须先停下", "migrate", "--database", database, "--plan")
}

// connect connects to a database beside the program.
func connect(t *testing.T, database string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// execute runs statements as the owner of a database.
func execute(t *testing.T, database, statements string) {
	t.Helper()
	if _, err := connect(t, database).Exec(t.Context(), statements); err != nil {
		t.Fatal(err)
	}
}
