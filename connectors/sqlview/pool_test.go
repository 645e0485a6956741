package sqlview_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/conformance"
	"mianti/connectors/sqlview"
	"mianti/connectors/standin"
)

func TestAsk_UsesNoMoreConnectionsThanTheSourceAllows(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, d *database) {
		q := d.query(known)
		q.Source = d.slow(t)
		q.Source.View.Connections = 2
		c, _ := d.connector(t)
		ctx, cancel := context.WithCancel(t.Context())
		var under sync.WaitGroup
		for range 2 {
			under.Go(func() { _, _ = c.Ask(ctx, q) }) // it is cancelled below
		}
		await(t, "both connections are in use", func() bool { return d.sessions(t, true) == 2 })
		_, err := c.Ask(within(t, 100*time.Millisecond), q)
		checkFault(t, err, connectors.FaultBusy)
		if n := d.sessions(t, false); n != 2 {
			t.Errorf("%d connections, want 2", n)
		}
		cancel()
		under.Wait()
		await(t, "the server has ended the statements", func() bool { return d.sessions(t, true) == 0 })
	})
}

func TestAsk_KeepsConnections(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, d *database) {
		d.view(t, cardRow)
		c, _ := d.connector(t)
		for range 5 {
			if _, err := c.Ask(within(t, patience), d.query(known)); err != nil {
				t.Fatal(err)
			}
		}
		if n := d.sessions(t, false); n != 1 {
			t.Errorf("%d connections, want 1", n)
		}
		c.Close()
		await(t, "all connections are closed", func() bool { return d.sessions(t, false) == 0 })
		if _, err := c.Ask(within(t, patience), d.query(known)); err != nil {
			t.Errorf("after Close: %v", err)
		}
	})
}

func TestAsk_TakesANewPasswordWithoutARestart(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, d *database) {
		d.view(t, cardRow)
		c, held := d.connector(t)
		if _, err := c.Ask(within(t, patience), d.query(known)); err != nil {
			t.Fatal(err)
		}
		if d.isPostgres() {
			d.exec(t, "ALTER ROLE "+d.login+" PASSWORD 'second'")
		} else {
			d.exec(t, "ALTER USER "+d.login+"@'%' IDENTIFIED BY 'second'")
		}
		held.set("cc-db", "second")
		if _, err := c.Ask(within(t, patience), d.query(known)); err != nil {
			t.Fatal(err)
		}
		await(t, "the connections with the old password are closed", func() bool { return d.sessions(t, false) == 1 })
	})
}

func TestAsk_DropsTheConnectionsOfOldSettings(t *testing.T) {
	t.Parallel()
	d := newPostgres(t)
	d.view(t, cardRow)
	c, _ := d.connector(t)
	for _, connections := range []int{1, 2, 3} {
		q := d.query(known)
		q.Source.View.Connections = connections
		if _, err := c.Ask(within(t, patience), q); err != nil {
			t.Fatal(err)
		}
	}
	await(t, "only the last pool is open", func() bool { return d.sessions(t, false) == 1 })
}

func TestAsk_DropsTheConnectionsOfASourceThatIsAskedNoMore(t *testing.T) {
	t.Parallel()
	d := newPostgres(t)
	d.view(t, cardRow)
	now := time.Now()
	c := sqlview.New(sqlview.Options{Secrets: &secrets{held: map[catalog.SecretRef]string{"cc-db": d.password}}, Now: func() time.Time { return now }})
	t.Cleanup(c.Close)
	for _, code := range []string{"first", "second"} {
		q := d.query(known)
		q.Source.Code = code
		if _, err := c.Ask(within(t, patience), q); err != nil {
			t.Fatal(err)
		}
		now = now.Add(6 * time.Minute)
	}
	await(t, "one connection is left", func() bool { return d.sessions(t, false) == 1 })
}

func TestAsk_OutlivesTheConnections(t *testing.T) {
	t.Parallel()
	d := newPostgres(t)
	d.view(t, cardRow)
	c, _ := d.connector(t)
	var under sync.WaitGroup
	for range 4 {
		under.Go(func() {
			if _, err := c.Ask(within(t, patience), d.query(known)); err != nil {
				t.Error(err)
			}
		})
	}
	under.Wait()
	d.exec(t, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = '"+d.login+"'")
	if _, err := c.Ask(within(t, patience), d.query(known)); err != nil {
		t.Errorf("after the server was started again: %v", err)
	}
}

func TestAsk_OutlivesTheServer(t *testing.T) {
	// Not in parallel: all others of MariaDB wait until its tests are through.
	d := newMariaDB(t)
	d.view(t, cardRow)
	c, _ := d.connector(t)
	if _, err := c.Ask(within(t, patience), d.query(known)); err != nil {
		t.Fatal(err)
	}
	if err := maria.halt(); err != nil {
		t.Fatal(err)
	}
	_, err := c.Ask(within(t, patience), d.query(known))
	checkFault(t, err, connectors.FaultDown)
	if err := maria.launch(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Ask(within(t, patience), d.query(known)); err != nil {
		t.Errorf("after the server was started again: %v", err)
	}
}

func TestAsk_IsDownWhenTheServerIsKilledMeanwhile(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, d *database) {
		q := d.query(known)
		q.Source = d.slow(t)
		c, _ := d.connector(t)
		ended := make(chan error, 1)
		go func() {
			_, err := c.Ask(within(t, patience), q)
			ended <- err
		}()
		await(t, "the server is at it", func() bool { return d.sessions(t, true) == 1 })
		if d.isPostgres() {
			d.exec(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '"+d.login+"'")
		} else {
			d.exec(t, fmt.Sprintf("KILL CONNECTION %d", d.count(t, "SELECT id FROM information_schema.processlist WHERE user = '"+d.login+"'")))
		}
		checkFault(t, <-ended, connectors.FaultDown)
	})
}

func TestAsk_LeavesASilentServerAtTheDeadline(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"postgres", "mysql"} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			address := plainServer(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
			d := &database{scheme: scheme, address: address, name: "db", schema: "share", login: "reader", password: "x"}
			c, _ := d.connector(t)
			begun := time.Now()
			_, err := c.Ask(within(t, 300*time.Millisecond), d.query(known))
			checkFault(t, err, connectors.FaultTimeout)
			if took := time.Since(begun); took > 2*time.Second {
				t.Errorf("the call took %v", took)
			}
		})
	}
}

func TestAsk_MakesALockedViewBusy(t *testing.T) {
	t.Parallel()
	d := newPostgres(t)
	d.view(t, cardRow)
	lock, err := d.admin.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Rollback() }()
	if _, err := lock.ExecContext(t.Context(), "LOCK TABLE share.held IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	c, _ := d.connector(t)
	_, err = c.Ask(within(t, 600*time.Millisecond), d.query(known))
	checkFault(t, err, connectors.FaultBusy)
}

// plainServer takes a connection and hands it over; it ends with the test.
func plainServer(t *testing.T, speak func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() { // ends with the listener
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { // ends with the connection
				defer conn.Close()
				speak(conn)
			}()
		}
	}()
	return listener.Addr().String()
}

func TestAsk_DoesWithoutAServerThatOffersNoTLS(t *testing.T) {
	t.Parallel()
	var password sync.Map
	address := plainServer(t, func(conn net.Conn) {
		request := make([]byte, 8)
		if _, err := io.ReadFull(conn, request); err != nil { // the wish for TLS
			return
		}
		if _, err := io.WriteString(conn, "N"); err != nil {
			return
		}
		rest, _ := io.ReadAll(conn) // until the other side leaves
		if len(rest) > 0 {
			password.Store("sent", string(rest))
		}
	})
	d := &database{scheme: "postgres", address: address, name: "db", schema: "share", login: "reader", password: "x"}
	c, _ := d.connector(t)
	q := d.query(known)
	q.Source.Auth.TLS = &catalog.TLSAuth{}
	_, err := c.Ask(within(t, patience), q)
	checkFault(t, err, connectors.FaultRefused)
	if sent, any := password.Load("sent"); any {
		t.Errorf("the server was sent %q in plain text", sent)
	}
}

func TestAsk_LeavesAServerThatFallsSilentMeanwhile(t *testing.T) {
	t.Parallel()
	v := newViews(t)
	if err := v.SetRules(); err != nil {
		t.Fatal(err)
	}
	c := sqlview.New(sqlview.Options{Secrets: &secrets{held: map[catalog.SecretRef]string{"cc-db": v.password}}, Now: conformance.Today})
	t.Cleanup(c.Close)
	q := v.Query(conformance.Card, conformance.People()[0])
	if _, err := c.Ask(within(t, patience), q); err != nil {
		t.Fatal(err)
	}
	if err := v.network.Play(standin.FaultHang); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	_, err := c.Ask(within(t, 400*time.Millisecond), q)
	checkFault(t, err, connectors.FaultTimeout)
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("the call took %v", took)
	}
	if err := v.network.Play(""); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Ask(within(t, patience), q); err != nil {
		t.Errorf("when the network is well again: %v", err)
	}
}

// welcome lets a client of PostgreSQL in; it is nil for one that cancels.
func welcome(conn net.Conn) *pgproto3.Backend {
	backend := pgproto3.NewBackend(conn, conn)
	message, err := backend.ReceiveStartupMessage()
	if _, starts := message.(*pgproto3.StartupMessage); err != nil || !starts {
		return nil
	}
	backend.Send(&pgproto3.AuthenticationOk{})
	backend.Send(&pgproto3.BackendKeyData{ProcessID: 1, SecretKey: []byte{0, 0, 0, 1}})
	backend.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	if backend.Flush() != nil {
		return nil
	}
	return backend
}

func TestAsk_LetsNothingOfTheDriverOutliveIt(t *testing.T) {
	t.Parallel()
	address := plainServer(t, func(conn net.Conn) {
		welcome(conn)
		_, _ = io.Copy(io.Discard, conn) // until the other side leaves; nobody is cancelled
	})
	d := &database{scheme: "postgres", address: address, name: "db", schema: "share", login: "reader", password: "x"}
	c, _ := d.connector(t)
	begun := time.Now()
	_, err := c.Ask(within(t, 400*time.Millisecond), d.query(known))
	checkFault(t, err, connectors.FaultTimeout)
	// The driver would go on ending the connection for 15 s.
	await(t, "the driver has let go of the connection", func() bool {
		stacks := make([]byte, 1<<20)
		return !strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), "pgconn.(*PgConn).asyncClose")
	})
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestAsk_StopsReadingWhatNeverEnds(t *testing.T) {
	t.Parallel()
	address := plainServer(t, func(conn net.Conn) {
		backend := welcome(conn)
		if backend == nil {
			return
		}
		if _, err := backend.Receive(); err != nil { // the first statement
			return
		}
		for { // until the other side leaves
			backend.Send(&pgproto3.NoticeResponse{Severity: "NOTICE", Message: strings.Repeat("x", 4096)})
			if backend.Flush() != nil {
				return
			}
		}
	})
	d := &database{scheme: "postgres", address: address, name: "db", schema: "share", login: "reader", password: "x"}
	c, _ := d.connector(t)
	_, err := c.Ask(within(t, patience), d.query(known))
	checkFault(t, err, connectors.FaultMalformed)
}
