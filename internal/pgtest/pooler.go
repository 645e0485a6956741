package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// poolerReady is what PgBouncer says when it takes connections.
const poolerReady = "process up:"

// Connections of a pooler in tests: few to the server, so that clients truly share
// them, and as many from clients as they like.
const (
	poolSize       = 5
	poolerClients  = 500
	poolerSettings = `[databases]
* = host=127.0.0.1 port=%d user=%s password=%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
pool_mode = transaction
auth_type = md5
auth_file = %s
default_pool_size = %d
max_client_conn = %d
server_tls_sslmode = disable
server_reset_query =
server_login_retry = 1
log_connections = 0
log_disconnections = 0
`
)

var errNoPooler = errors.New("no PgBouncer on this machine: install the Debian package \"pgbouncer\" " +
	"(/usr/sbin/pgbouncer) and run \"make test\" again; \"go test -short\" leaves these tests out")

// Pooled gives the address of a database from Database as PgBouncer hands it on, in
// transaction mode: a connection to the server is somebody else's after every
// transaction. One pooler runs per test binary, from the first call on.
func Pooled(t testing.TB, database string) string {
	t.Helper()
	if current == nil || current.server == nil {
		t.Fatal("pgtest.Pooled needs an address from pgtest.Database")
	}
	port, err := current.pooled()
	if errors.Is(err, errNoPooler) && testing.Short() {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	address, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	address.Host = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	return address.String()
}

// pooled starts the pooler once and gives its port.
func (s *shared) pooled() (int, error) {
	s.poolerOnce.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
		defer cancel()
		s.pooler, s.poolerPort, s.poolerErr = s.server.startPooler(ctx, poolSize)
	})
	return s.poolerPort, s.poolerErr
}

// findPooler looks for PgBouncer in PATH, and where Debian keeps it.
func findPooler() (string, error) {
	if program, err := exec.LookPath("pgbouncer"); err == nil {
		return filepath.Abs(program)
	}
	const debian = "/usr/sbin/pgbouncer"
	if isProgram(debian) {
		return debian, nil
	}
	return "", errNoPooler
}

// startPooler starts PgBouncer in front of the server, as the server's own account, with
// so many connections to it.
func (s *server) startPooler(ctx context.Context, size int) (*process, int, error) {
	program, err := findPooler()
	if err != nil {
		return nil, 0, err
	}
	for range startAttempts {
		var port int
		if port, err = freePort(); err != nil {
			return nil, 0, err
		}
		var p *process
		if p, err = s.launchPooler(ctx, program, port, size); err == nil {
			return p, port, nil
		}
	}
	return nil, 0, err
}

func (s *server) launchPooler(ctx context.Context, program string, port, size int) (*process, error) {
	users, settings := filepath.Join(s.folder.path, "pooler.users"), filepath.Join(s.folder.path, "pooler.ini")
	for path, text := range map[string]string{
		users:    fmt.Sprintf("%q %q\n", superuser, s.password),
		settings: fmt.Sprintf(poolerSettings, s.port, superuser, s.password, port, users, size, poolerClients),
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return nil, err
		}
		if err := s.handOver(path); err != nil {
			return nil, err
		}
	}
	cmd := exec.Command(program, settings) //nolint:noctx // it outlives ctx; stop ends it
	s.confine(cmd)
	p, err := startProcess(cmd, poolerReady)
	if err != nil {
		return nil, err
	}
	p.stop = syscall.SIGTERM // SIGINT waits for clients
	select {
	case <-p.log.ready:
		return p, nil
	case <-p.done:
		return nil, fmt.Errorf("pgbouncer ended: %w: %s", p.err, p.log)
	case <-ctx.Done():
		return nil, errors.Join(fmt.Errorf("pgbouncer is not ready: %w: %s", ctx.Err(), p.log), p.halt())
	}
}
