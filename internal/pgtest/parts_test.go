package pgtest_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"mianti/internal/pgtest"
)

// value reads a number, as soon as that is possible.
func value(t *testing.T, address, query string) int {
	t.Helper()
	var last error
	for range 200 {
		n := 0
		conn, err := pgx.Connect(t.Context(), address)
		if last = err; err == nil {
			last = conn.QueryRow(t.Context(), query, pgx.QueryExecModeSimpleProtocol).Scan(&n)
			_ = conn.Close(context.Background())
		}
		if last == nil && n > 0 {
			return n
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("%s: %v", query, last)
	return 0
}

func TestCluster_IsFollowedPooledAndRestarted(t *testing.T) {
	if testing.Short() {
		t.Skip("starts two servers and a pooler")
	}
	t.Parallel()
	c, err := pgtest.StartCluster(t.Context(), os.TempDir(), "fsync=off", "shared_buffers=16MB")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	address, err := c.CreateDatabase(t.Context(), "parts")
	if err != nil {
		t.Fatal(err)
	}
	replica, err := c.Follow(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = replica.Close() })
	pooler, err := c.StartPooler(t.Context(), 3)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pooler.Close() })
	pooled, err := pooler.URL("parts")
	if err != nil {
		t.Fatal(err)
	}
	conn := connect(t, address)
	if _, err := conn.Exec(t.Context(), "CREATE TABLE kept AS SELECT 7 AS n"); err != nil {
		t.Fatal(err)
	}
	if err := c.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := conn.Ping(t.Context()); err == nil {
		t.Error("the session outlived the restart")
	}
	if err := pooler.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, at := range map[string]string{"primary": c.URL("parts"), "pooler": pooled, "replica": replica.URL("parts")} {
		if n := value(t, at, "SELECT n FROM kept"); n != 7 {
			t.Errorf("%s: %d, want 7", name, n)
		}
	}
}
