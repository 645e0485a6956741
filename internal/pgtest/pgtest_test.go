package pgtest_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"mianti/internal/pgtest"
)

// TestMain also plays the test binary that is killed: with -hold it starts a
// server, prints its URL and waits.
func TestMain(m *testing.M) {
	flag.Bool("hold", false, "start a server and wait to be killed")
	os.Exit(pgtest.Main(m, migrate))
}

func migrate(ctx context.Context, address string) error {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "CREATE TABLE notes (body text)")
	return err
}

func connect(t *testing.T, address string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func TestDatabase_IsMigratedAndBelongsToOneTest(t *testing.T) {
	t.Parallel()
	first, second := connect(t, pgtest.Database(t)), connect(t, pgtest.Database(t))
	if _, err := first.Exec(t.Context(), "INSERT INTO notes VALUES ('济南')"); err != nil {
		t.Fatal(err)
	}
	for want, conn := range map[int]*pgx.Conn{1: first, 0: second} {
		var got int
		if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM notes").Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("count = %d, want %d", got, want)
		}
	}
}

func TestDatabase_IsDroppedWithItsTest(t *testing.T) {
	t.Parallel()
	var dropped string
	if !t.Run("short-lived", func(t *testing.T) {
		dropped = pgtest.Database(t)
		// A connection that is left open must not keep the database.
		connect(t, dropped)
	}) {
		return
	}
	if conn, err := pgx.Connect(t.Context(), dropped); err == nil {
		_ = conn.Close(t.Context())
		t.Error("the database is still there after its test")
	}
}

func TestDatabase_AsksForAPassword(t *testing.T) {
	t.Parallel()
	address, err := url.Parse(pgtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	address.User = url.User(address.User.Username())
	if conn, err := pgx.Connect(t.Context(), address.String()); err == nil {
		_ = conn.Close(t.Context())
		t.Error("connected without a password")
	}
}

func TestServer_DiesWithAKilledTestBinary(t *testing.T) {
	t.Parallel()
	held, address := holdServer(t)
	// A session, not a bare connection: one that is still to introduce itself
	// keeps a dying server waiting.
	conn := connect(t, address)
	if err := held.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	// Nothing but the end of the server ends this wait.
	if _, err := conn.WaitForNotification(ctx); err == nil || ctx.Err() != nil {
		t.Errorf("the server outlives its test binary: %v", err)
	}
}

// holdServer runs this test binary again until its server is up.
func holdServer(t *testing.T) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHold$", "-hold")
	// Its server's files cannot be removed by the killed process.
	cmd.Env = append(cmd.Environ(), "TMPDIR="+openFolder(t))
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if address, found := strings.CutPrefix(lines.Text(), "holding "); found {
			return cmd, address
		}
	}
	t.Fatal("the second test binary started no server")
	return nil, ""
}

// openFolder makes a folder that the server's own account can pass through;
// those of t.TempDir are closed to it.
func openFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "mianti-hold-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestHold(t *testing.T) {
	if flag.Lookup("hold").Value.String() != "true" {
		t.Skip("only for the test binary that is killed")
	}
	fmt.Println("holding", pgtest.Database(t))
	_, _ = bufio.NewReader(os.Stdin).ReadByte() // until killed
}
