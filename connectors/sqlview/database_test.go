package sqlview_test

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/sqlview"
	"mianti/internal/pgtest"
)

// maria is shared by the tests, as the server of pgtest is.
var maria mariaDB

func TestMain(m *testing.M) {
	code := pgtest.Main(m, nil)
	if err := maria.stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

const (
	patience = 10 * time.Second
	// The subject whom most is known of, and one whom nothing is known of.
	known   = "370199198805163323"
	unknown = "370199199007221247"
)

// database is a database of a department, with a login that may read its views.
type database struct {
	scheme   string
	admin    *sql.DB
	address  string // host and port
	name     string
	schema   string
	login    string
	password string
}

var logins atomic.Int64

// eachServer runs a test on a database of each kind.
func eachServer(t *testing.T, test func(t *testing.T, d *database)) {
	t.Helper()
	t.Run("postgres", func(t *testing.T) { t.Parallel(); test(t, newPostgres(t)) })
	t.Run("mariadb", func(t *testing.T) { t.Parallel(); test(t, newMariaDB(t)) })
}

func newPostgres(t testing.TB) *database {
	t.Helper()
	address := pgtest.Database(t)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	d := &database{
		scheme: "postgres", admin: open(t, "pgx", address), address: u.Host, name: strings.TrimPrefix(u.Path, "/"),
		schema: "share", login: "reader_" + strconv.FormatInt(logins.Add(1), 10), password: "first'secret",
	}
	d.exec(t, "CREATE SCHEMA share", "CREATE ROLE "+d.login+" LOGIN PASSWORD 'first''secret'", "GRANT USAGE ON SCHEMA share TO "+d.login,
		"ALTER DEFAULT PRIVILEGES IN SCHEMA share GRANT SELECT ON TABLES TO "+d.login)
	t.Cleanup(func() {
		for _, statement := range []string{"DROP OWNED BY " + d.login, "DROP ROLE " + d.login} {
			if _, err := d.admin.ExecContext(context.Background(), statement); err != nil {
				t.Error(err)
			}
		}
	})
	return d
}

func newMariaDB(t testing.TB) *database {
	t.Helper()
	maria.start(t)
	n := strconv.FormatInt(logins.Add(1), 10)
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(maria.port))
	d := &database{
		scheme: "mysql", admin: open(t, "mysql", "admin:"+maria.password+"@tcp("+address+")/"), address: address, name: "share_" + n,
		schema: "share_" + n, login: "reader_" + n, password: "first'secret",
	}
	d.exec(t, "CREATE DATABASE "+d.name, "CREATE USER "+d.login+"@'%' IDENTIFIED BY 'first''secret'", "GRANT SELECT, EXECUTE ON "+d.name+".* TO "+d.login+"@'%'")
	return d
}

func open(t testing.TB, driver, address string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func (d *database) isPostgres() bool { return d.scheme == "postgres" }

// exec puts statements as the owner of the database.
func (d *database) exec(t testing.TB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := d.admin.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// count reads one number as the owner.
func (d *database) count(t testing.TB, statement string) int {
	t.Helper()
	var n int
	if err := d.admin.QueryRowContext(t.Context(), statement).Scan(&n); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return n
}

// sessions is how many connections the login has; running counts those with a
// statement under way.
func (d *database) sessions(t testing.TB, running bool) int {
	t.Helper()
	if d.isPostgres() {
		condition := ""
		if running {
			condition = " AND state = 'active'"
		}
		return d.count(t, "SELECT count(*) FROM pg_stat_activity WHERE usename = '"+d.login+"'"+condition)
	}
	condition := ""
	if running {
		condition = " AND command <> 'Sleep'"
	}
	return d.count(t, "SELECT count(*) FROM information_schema.processlist WHERE user = '"+d.login+"'"+condition)
}

// await polls until the condition holds.
func await(t testing.TB, what string, holds func() bool) {
	t.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-timeout.C:
			t.Fatalf("still not: %s", what)
		}
	}
}

// view makes the view "card" of the given rows: name, number, revoked, and the
// field valid_to.
func (d *database) view(t testing.TB, rows ...string) {
	t.Helper()
	d.exec(t, "CREATE TABLE "+d.schema+".held (name varchar(5000), number varchar(40), revoked boolean, valid_to date, as_of timestamp NULL)")
	for _, row := range rows {
		d.exec(t, "INSERT INTO "+d.schema+".held VALUES "+row)
	}
	d.exec(t, "CREATE VIEW "+d.schema+".card AS SELECT * FROM "+d.schema+".held")
}

const cardRow = "('冯涛', '" + known + "', false, '2029-11-23', NULL)"

// secrets are those of the tests; they can change.
type secrets struct {
	mu   sync.Mutex
	held map[catalog.SecretRef]string
}

func (s *secrets) Secret(ref catalog.SecretRef) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, ok := s.held[ref]
	if !ok {
		return nil, fmt.Errorf("secret %s is missing", ref)
	}
	return []byte(text), nil
}

func (s *secrets) set(ref catalog.SecretRef, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held[ref] = text
}

// connector asks with the login of the database.
func (d *database) connector(t testing.TB) (*sqlview.Connector, *secrets) {
	t.Helper()
	held := &secrets{held: map[catalog.SecretRef]string{"cc-db": d.password}}
	c := sqlview.New(sqlview.Options{Secrets: held, Now: time.Now})
	t.Cleanup(c.Close)
	return c, held
}

// query asks the view "card" for valid_to.
func (d *database) query(number string) connectors.Query {
	dataset := &catalog.Dataset{Code: "D-CC01", Fields: []catalog.Field{
		{Code: "name", Name: "姓名", Type: catalog.FieldString},
		{Code: "valid_to", Name: "有效期止", Type: catalog.FieldDate},
	}}
	return connectors.Query{
		ID: "q-1", Dataset: dataset, Source: d.source("card"), BaseURL: d.scheme + "://" + d.address + "/" + d.name, Network: catalog.NetworkLocal,
		Subject: connectors.Subject{Kind: catalog.KindPerson, Name: "冯涛", Number: number}, Fields: []string{"valid_to"},
	}
}

func (d *database) source(view string) *catalog.Source {
	return &catalog.Source{
		Code: "CC.D-CC01.view", Kind: sqlview.Kind,
		Auth: &catalog.Auth{Login: &catalog.LoginAuth{User: d.login, Secret: "cc-db"}},
		View: &catalog.View{Name: d.schema + "." + view, SubjectName: "name", SubjectNumber: "number", Revoked: "revoked"},
	}
}

// within gives a context with a deadline.
func within(t testing.TB, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
