package standin_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"mianti/connectors/standin"
)

// newDatabase serves the departments' views, and gives the address.
func newDatabase(t *testing.T) (*standin.Server, string) {
	t.Helper()
	server, _ := newServer(t, 0)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- standin.NewDatabase(server).Serve(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return server, listener.Addr().String()
}

func connect(t *testing.T, address, password string, mode pgx.QueryExecMode) (*pgx.Conn, error) {
	t.Helper()
	config, err := pgx.ParseConfig("postgres://mianti:" + password + "@" + address + "/aa")
	if err != nil {
		t.Fatal(err)
	}
	config.DefaultQueryExecMode = mode
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err == nil {
		t.Cleanup(func() { _ = conn.Close(context.Background()) }) // the server may be gone
	}
	return conn, err
}

const viewStatement = `SELECT "subject_name", subject_number, "name", "area", valid_to, as_of, revoked FROM "aa"."d_a" WHERE "subject_number" = $1 LIMIT 101`

func TestDatabase_AnswersInEveryModeOfTheProtocol(t *testing.T) {
	t.Parallel()
	_, address := newDatabase(t)
	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeExec, pgx.QueryExecModeDescribeExec, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeCacheStatement, pgx.QueryExecModeSimpleProtocol} {
		conn, err := connect(t, address, standin.DemoSecret, mode)
		if err != nil {
			t.Fatal(err)
		}
		tx, err := conn.BeginTx(t.Context(), pgx.TxOptions{AccessMode: pgx.ReadOnly})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), "SET LOCAL statement_timeout = 1000"); err != nil {
			t.Fatal(err)
		}
		var name, number, field string
		var area float64
		var until, asOf time.Time
		var revoked bool
		row := tx.QueryRow(t.Context(), viewStatement, "370199198805163315")
		if err := row.Scan(&name, &number, &field, &area, &until, &asOf, &revoked); err != nil {
			t.Fatalf("mode %v: %v", mode, err)
		}
		got := []any{name, number, field, area, until.Format(time.DateOnly), asOf.UTC(), revoked}
		if diff := cmp.Diff([]any{"王建国", "370199198805163315", "王建国", 120.5, "2029-11-23", today(), false}, got); diff != "" {
			t.Errorf("mode %v (-want +got):\n%s", mode, diff)
		}
		if err := tx.QueryRow(t.Context(), viewStatement, "370199198503091176").Scan(&name, &number, &field, &area, &until, &asOf, &revoked); !errors.Is(err, pgx.ErrNoRows) {
			t.Errorf("mode %v: nobody: %v", mode, err)
		}
		if err := tx.Commit(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestDatabase_RefusesWithSQLSTATE(t *testing.T) {
	t.Parallel()
	server, address := newDatabase(t)
	if _, err := connect(t, address, "x", pgx.QueryExecModeExec); stateOf(err) != "28P01" {
		t.Errorf("another password: %v", err)
	}
	conn, err := connect(t, address, standin.DemoSecret, pgx.QueryExecModeExec)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, statement string
		fault           standin.Fault
		want            string
	}{
		{"a write", "DELETE FROM aa.d_a WHERE subject_number = $1", "", "42501"},
		{"no such view", "SELECT name FROM aa.d_x WHERE subject_number = $1", "", "42P01"},
		{"no such column", "SELECT colour FROM aa.d_a WHERE subject_number = $1", "", "42703"},
		{"everybody", "SELECT name FROM aa.d_a WHERE name = $1", "", "42601"},
		{"denied", viewStatement, standin.FaultDenied, "42501"},
		{"busy", viewStatement, standin.FaultBusy, "53300"},
		{"down", viewStatement, standin.FaultDown, "57P01"},
	} {
		if err := server.SetRules(standin.Rule{Fault: c.fault}); err != nil {
			t.Fatal(err)
		}
		rows, err := conn.Query(t.Context(), c.statement, "370199198805163315")
		if err == nil {
			rows.Close()
			err = rows.Err()
		}
		if stateOf(err) != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

func TestDatabase_EndsAStatementThatIsTooSlowOrCancelled(t *testing.T) {
	t.Parallel()
	server, address := newDatabase(t)
	if err := server.SetRules(standin.Rule{Fault: standin.FaultSlow}); err != nil {
		t.Fatal(err)
	}
	conn, err := connect(t, address, standin.DemoSecret, pgx.QueryExecModeExec)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "SET statement_timeout = 20"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), viewStatement, "370199198805163315"); stateOf(err) != "57014" {
		t.Errorf("too slow: %v", err)
	}
	if _, err := conn.Exec(t.Context(), "SET statement_timeout = 0"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := conn.Exec(ctx, viewStatement, "370199198805163315"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("cancelled: %v", err)
	}
}

func stateOf(err error) string {
	var fault *pgconn.PgError
	if errors.As(err, &fault) {
		return fault.Code
	}
	return ""
}
