package sqlview_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/sqlview"
)

// checkFault wants the kind of fault, and nothing of the subject, of a record or
// of the login in it.
func checkFault(t *testing.T, err error, want connectors.FaultKind) {
	t.Helper()
	var fault *connectors.Fault
	if !errors.As(err, &fault) || fault.Kind != want {
		t.Fatalf("got %v, want fault %s", err, want)
	}
	for _, secret := range []string{known, unknown, "冯", "first'secret", "another secret", "reader_", "held", "2029"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the fault says %q: %v", secret, err)
		}
	}
}

func TestAsk_GivesTheSubjectsRecord(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, d *database) {
		d.view(t, cardRow, "('郑丽华', '370199198704202485', true, NULL, NULL)")
		c, _ := d.connector(t)
		reply, err := c.Ask(within(t, patience), d.query(known))
		if err != nil {
			t.Fatal(err)
		}
		want := []connectors.Record{{
			Subject: connectors.Subject{Kind: catalog.KindPerson, Name: "冯涛", Number: known},
			Fields:  map[string]any{"valid_to": "2029-11-23"},
		}}
		if diff := cmp.Diff(want, reply.Records); diff != "" {
			t.Errorf("records (-want +got):\n%s", diff)
		}
		if reply.Size == 0 {
			t.Error("the reply has no size")
		}
		reply, err = c.Ask(within(t, patience), d.query("370199198704202485"))
		if err != nil || len(reply.Records) != 1 || !reply.Records[0].Revoked || len(reply.Records[0].Fields) != 0 {
			t.Errorf("got %+v, %v, want a revoked record without fields", reply, err)
		}
		reply, err = c.Ask(within(t, patience), d.query(unknown))
		if err != nil || reply.Records != nil {
			t.Errorf("got %+v, %v, want no record", reply, err)
		}
	})
}

func TestAsk_LeavesTheNameToTheCaller(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, d *database) {
		d.view(t, "('别人', '"+known+"', false, NULL, NULL)")
		c, _ := d.connector(t)
		reply, err := c.Ask(within(t, patience), d.query(known))
		if err != nil || len(reply.Records) != 1 || reply.Records[0].Subject.Name != "别人" {
			t.Errorf("got %+v, %v, want the record under its own name", reply, err)
		}
	})
}

func TestAsk_BindsTheNumber(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, d *database) {
		d.view(t, cardRow)
		c, _ := d.connector(t)
		for _, number := range []string{
			"' OR '1'='1", known + "' --", `\' OR 1=1 -- `, "'; DROP TABLE held; --", "$1", "?", "%", known[:17] + "_",
			known + " OR 1=1", `" OR ""="`, "` OR 1=1 -- ", "0", "",
		} {
			reply, err := c.Ask(within(t, patience), d.query(number))
			if err != nil || reply.Records != nil {
				t.Errorf("%q: got %+v, %v, want no record", number, reply, err)
			}
		}
		if n := d.count(t, "SELECT count(*) FROM "+d.schema+".held"); n != 1 {
			t.Errorf("the table holds %d rows, want 1", n)
		}
	})
}

func TestAsk_RefusesNamesThatAreNone(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, d *database) {
		d.view(t, cardRow)
		c, _ := d.connector(t)
		for _, name := range []string{`card"`, "card`", "card WHERE true --", "a.b.c", "", "card;", "1card", "card\x00", "car'd", strings.Repeat("a", 64)} {
			q := d.query(known)
			q.Source.View.Name = name
			_, err := c.Ask(within(t, patience), q)
			checkFault(t, err, connectors.FaultMisset)
			if name == "" || name == "a.b.c" {
				continue // a column without a name is at its field's code
			}
			q = d.query(known)
			q.Source.View.Columns = map[string]string{"valid_to": name}
			_, err = c.Ask(within(t, patience), q)
			checkFault(t, err, connectors.FaultMisset)
		}
		if n := d.sessions(t, false); n != 0 {
			t.Errorf("%d connections were made, want none", n)
		}
	})
}

func TestAsk_ReadsOnlyWhatIsAsked(t *testing.T) {
	t.Parallel()
	d := newPostgres(t)
	// name as a field, and the address, cannot be read at all.
	d.exec(t, "CREATE TABLE share.held (number text)", "INSERT INTO share.held VALUES ('"+known+"')",
		"CREATE VIEW share.card AS SELECT '冯涛' AS name, number, false AS revoked, date '2029-11-23' AS valid_to, 1/(length(number)-18) AS address FROM share.held")
	c, _ := d.connector(t)
	reply, err := c.Ask(within(t, patience), d.query(known))
	if err != nil || len(reply.Records) != 1 {
		t.Errorf("got %+v, %v, want one record", reply, err)
	}
}

func TestAsk_TakesAHundredRecordsAndNoMore(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, d *database) {
		d.view(t, cardRow+strings.Repeat(", "+cardRow, 99))
		c, _ := d.connector(t)
		reply, err := c.Ask(within(t, patience), d.query(known))
		if err != nil || len(reply.Records) != 100 {
			t.Fatalf("got %d records, %v, want 100", len(reply.Records), err)
		}
		d.exec(t, "INSERT INTO "+d.schema+".held VALUES "+cardRow)
		_, err = c.Ask(within(t, patience), d.query(known))
		checkFault(t, err, connectors.FaultMalformed)
	})
}

func TestAsk_BoundsWhatItReads(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, d *database) {
		text := "varchar(6000000)"
		if !d.isPostgres() {
			text = "longtext"
		}
		d.exec(t, "CREATE TABLE "+d.schema+".held (number varchar(40), name "+text+")")
		d.exec(t, "CREATE VIEW "+d.schema+".card AS SELECT name, number, false AS revoked, NULL AS valid_to FROM "+d.schema+".held")
		c, _ := d.connector(t)
		ask := func(name string, rows int) error {
			d.exec(t, "DELETE FROM "+d.schema+".held",
				"INSERT INTO "+d.schema+".held VALUES "+strings.Repeat("('"+known+"', "+name+"), ", rows-1)+"('"+known+"', "+name+")")
			_, err := c.Ask(within(t, patience), d.query(known))
			return err
		}
		if err := ask("repeat('涛', 4000)", 1); err != nil {
			t.Errorf("a text of 4000 characters: %v", err)
		}
		checkFault(t, ask("repeat('涛', 4001)", 1), connectors.FaultMalformed)
		// 80 times 12018 bytes are less than a MiB, 100 times are more.
		if err := ask("repeat('涛', 4000)", 80); err != nil {
			t.Errorf("an answer of 961440 bytes: %v", err)
		}
		checkFault(t, ask("repeat('涛', 4000)", 100), connectors.FaultMalformed)
		checkFault(t, ask("repeat('x', 5000000)", 1), connectors.FaultMalformed)
		if err := ask("'冯涛'", 1); err != nil {
			t.Errorf("after answers that were too large: %v", err)
		}
	})
}

func TestAsk_SaysWhatIsWrongWithTheSource(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, d *database) {
		d.view(t, cardRow)
		c, held := d.connector(t)
		for _, tt := range []struct {
			name   string
			change func(q *connectors.Query)
			want   connectors.FaultKind
		}{
			{"no such view", func(q *connectors.Query) { q.Source.View.Name = d.schema + ".nothing" }, connectors.FaultMalformed},
			{"no such column", func(q *connectors.Query) { q.Source.View.SubjectNumber = "nothing" }, connectors.FaultMalformed},
			{"no such database", func(q *connectors.Query) { q.BaseURL = d.scheme + "://" + d.address + "/nothing" }, ""},
			{"no such login", func(q *connectors.Query) { q.Source.Auth.Login.User = "nobody" }, connectors.FaultRefused},
			{"no secret", func(q *connectors.Query) { q.Source.Auth.Login.Secret = "cc-none" }, connectors.FaultMisset},
			{"wrong password", func(q *connectors.Query) { q.Source.Auth.Login.Secret = "cc-old" }, connectors.FaultRefused},
			{"date as text", func(q *connectors.Query) { q.Source.View.Columns = map[string]string{"valid_to": "number"} }, connectors.FaultMalformed},
			{"number that is none", func(q *connectors.Query) { q.Source.View.SubjectName = "valid_to" }, connectors.FaultMalformed},
			{"other network", func(q *connectors.Query) { q.Network = catalog.NetworkPublic }, connectors.FaultMisset},
			{"no TLS offered", func(q *connectors.Query) { q.Source.Auth.TLS = &catalog.TLSAuth{ServerName: "db.example"} }, "no TLS"},
			{"no listener", func(q *connectors.Query) { q.BaseURL = d.scheme + "://127.0.0.1:1/" + d.name }, connectors.FaultDown},
			{"no such host", func(q *connectors.Query) { q.BaseURL = d.scheme + "://nothing.invalid/" + d.name }, connectors.FaultDown},
		} {
			t.Run(tt.name, func(t *testing.T) {
				held.set("cc-old", "another secret")
				q := d.query(known)
				q.Source.Code += tt.name
				tt.change(&q)
				reply, err := c.Ask(within(t, patience), q)
				if reply.Records != nil {
					t.Error("there are records besides the fault")
				}
				want := tt.want
				if want == "no TLS" { // or TLS with a certificate of nobody, in the test of another
					if want = connectors.KindOf(err); want != connectors.FaultRefused {
						want = connectors.FaultDown
					}
				}
				if want == "" { // MariaDB does not say what the login may not see
					want = map[bool]connectors.FaultKind{true: connectors.FaultMalformed, false: connectors.FaultRefused}[d.isPostgres()]
				}
				checkFault(t, err, want)
			})
		}
	})
}

func TestAsk_RefusesAnAddressWithMoreInIt(t *testing.T) {
	t.Parallel()
	c := sqlview.New(sqlview.Options{Secrets: &secrets{held: map[catalog.SecretRef]string{"cc-db": "x"}}, Now: time.Now})
	d := &database{scheme: "postgres", login: "reader"}
	for _, address := range []string{
		"", "postgres://", "postgres://127.0.0.1:5432", "postgres://127.0.0.1:5432/", "postgres://a:b@127.0.0.1:5432/db", "postgres://127.0.0.1:5432/db?sslmode=disable",
		"postgres://127.0.0.1:5432/db?host=/run", "postgres://127.0.0.1:5432/db#x", "postgres://a,b/db", "postgres://a:1,b:2/db", "postgres://%2Frun/db",
		"postgres:db", "mysql://unix(/run/x)/db", "mysql://127.0.0.1:99999/db", "mysql://127.0.0.1:0/db", "mysql://127.0.0.1/a/b", "http://127.0.0.1/db", "host=127.0.0.1",
	} {
		q := d.query(known)
		q.BaseURL = address
		_, err := c.Ask(within(t, patience), q)
		checkFault(t, err, connectors.FaultMisset)
	}
}

func TestAsk_NoticesARightThatWasTakenBack(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, d *database) {
		d.view(t, cardRow)
		reader := d.login
		if !d.isPostgres() { // it keeps a right to a whole database for as long as a connection lives
			reader += "@'%'"
			d.exec(t, "REVOKE ALL ON "+d.name+".* FROM "+reader, "GRANT SELECT ON "+d.name+".card TO "+reader)
		}
		c, _ := d.connector(t)
		if _, err := c.Ask(within(t, patience), d.query(known)); err != nil {
			t.Fatal(err)
		}
		d.exec(t, "REVOKE SELECT ON "+d.schema+".card FROM "+reader)
		_, err := c.Ask(within(t, patience), d.query(known))
		checkFault(t, err, connectors.FaultRefused)
	})
}

func TestAsk_NoticesAColumnThatIsGone(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, d *database) {
		d.view(t, cardRow)
		c, _ := d.connector(t)
		if _, err := c.Ask(within(t, patience), d.query(known)); err != nil {
			t.Fatal(err)
		}
		d.exec(t, "DROP VIEW "+d.schema+".card", "CREATE VIEW "+d.schema+".card AS SELECT name, number, revoked FROM "+d.schema+".held")
		_, err := c.Ask(within(t, patience), d.query(known))
		checkFault(t, err, connectors.FaultMalformed)
	})
}

func TestAsk_LetsNoViewWrite(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, d *database) {
		d.view(t, cardRow)
		d.exec(t, "CREATE TABLE "+d.schema+".written (n int)")
		if d.isPostgres() {
			d.exec(t, "CREATE FUNCTION share.f() RETURNS text LANGUAGE sql SECURITY DEFINER VOLATILE AS $$ INSERT INTO share.written VALUES (1); SELECT '冯涛'::text $$")
		} else {
			d.exec(t, "CREATE FUNCTION "+d.schema+".f() RETURNS varchar(20) MODIFIES SQL DATA BEGIN INSERT INTO written VALUES (1); RETURN '冯涛'; END")
		}
		d.exec(t, "CREATE VIEW "+d.schema+".writer AS SELECT "+d.schema+".f() AS name, number, revoked, valid_to FROM "+d.schema+".held")
		c, _ := d.connector(t)
		q := d.query(known)
		q.Source = d.source("writer")
		_, err := c.Ask(within(t, patience), q)
		checkFault(t, err, connectors.FaultMalformed)
		if n := d.count(t, "SELECT count(*) FROM "+d.schema+".written"); n != 0 {
			t.Errorf("the view wrote %d rows", n)
		}
	})
}

// slow makes the view "slow", which answers after a minute.
func (d *database) slow(t *testing.T) *catalog.Source {
	t.Helper()
	d.view(t, cardRow)
	sleep := "pg_sleep(60)::text"
	if !d.isPostgres() {
		sleep = "sleep(60)"
	}
	d.exec(t, "CREATE VIEW "+d.schema+".slow AS SELECT concat(name, "+sleep+") AS name, number, revoked, valid_to FROM "+d.schema+".held")
	return d.source("slow")
}

func TestAsk_EndsTheStatementAtTheDeadline(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, d *database) {
		q := d.query(known)
		q.Source = d.slow(t)
		c, _ := d.connector(t)
		begun := time.Now()
		_, err := c.Ask(within(t, 400*time.Millisecond), q)
		if took := time.Since(begun); took > 2*time.Second {
			t.Errorf("the call took %v", took)
		}
		checkFault(t, err, connectors.FaultTimeout)
		await(t, "the server has ended the statement", func() bool { return d.sessions(t, true) == 0 })
	})
}

func TestAsk_KeepsTheSourcesOwnLimit(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, d *database) {
		q := d.query(known)
		q.Source = d.slow(t)
		q.Source.TimeoutMillis = 200
		c, _ := d.connector(t)
		ctx := within(t, patience)
		_, err := c.Ask(ctx, q)
		checkFault(t, err, connectors.FaultTimeout)
		if ctx.Err() != nil {
			t.Error("the call took all the time of its caller")
		}
	})
}

func TestAsk_EndsTheStatementWhenItIsCancelled(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, d *database) {
		q := d.query(known)
		q.Source = d.slow(t)
		if !d.isPostgres() { // from sleep it wakes by itself when its client leaves
			d.exec(t, "CREATE VIEW "+d.schema+".toil AS SELECT concat(name, benchmark(100000000000, sha2('x', 512))) AS name, number, revoked, valid_to FROM "+d.schema+".held")
			q.Source = d.source("toil")
		}
		c, _ := d.connector(t)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		ended := make(chan error, 1)
		go func() {
			_, err := c.Ask(ctx, q)
			ended <- err
		}()
		await(t, "the server is at it", func() bool { return d.sessions(t, true) == 1 })
		cancel()
		select {
		case err := <-ended:
			checkFault(t, err, connectors.FaultDown)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want one that says that it was cancelled", err)
			}
		case <-time.After(patience):
			t.Fatal("the call goes on after it was cancelled")
		}
		await(t, "the server has ended the statement", func() bool { return d.sessions(t, true) == 0 })
	})
}

func TestAsk_TellsTheServerItsLimit(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, d *database) {
		d.view(t, cardRow)
		limit := "current_setting('statement_timeout')"
		if !d.isPostgres() {
			d.exec(t, "CREATE FUNCTION "+d.schema+".allowed() RETURNS varchar(20) RETURN concat(@@max_statement_time, 's')")
			limit = d.schema + ".allowed()"
		}
		d.exec(t, "CREATE VIEW "+d.schema+".limits AS SELECT "+limit+" AS name, number, revoked, valid_to FROM "+d.schema+".held")
		c, _ := d.connector(t)
		q := d.query(known)
		q.Source = d.source("limits")
		q.Source.TimeoutMillis = 3210
		reply, err := c.Ask(within(t, patience), q)
		if err != nil || len(reply.Records) != 1 {
			t.Fatal(reply, err)
		}
		// What is left of it when 50 ms are kept for the end.
		said, err := time.ParseDuration(reply.Records[0].Subject.Name)
		if err != nil || said > 3160*time.Millisecond || said < time.Second {
			t.Errorf("the server was told %v, %v, want at most 3.16 s", said, err)
		}
	})
}
