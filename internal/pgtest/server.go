package pgtest

import (
	"bytes"
	"context"
	cryptorand "crypto/rand"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	superuser = "mianti_test"
	// startAttempts is for the moment between choosing a port and binding it,
	// in which another process may take it.
	startAttempts = 5
)

// server is a running PostgreSQL.
type server struct {
	binaries string              // folder of initdb and postgres
	account  *syscall.Credential // whom it runs as; nil for ourselves
	folder   *folder             // everything it writes
	port     int
	password string
	process  *process
	created  atomic.Int64 // databases so far
	durable  bool         // commits as a server in service does
	follows  bool         // another one, whose changes it applies after delay
	delay    time.Duration
	settings []string // "name=value", over those that launch gives
}

// start makes a database cluster and starts its server.
func start(ctx context.Context, durable bool) (*server, error) {
	return startIn(ctx, folderParent(), durable)
}

// startIn does so in a folder below parent.
func startIn(ctx context.Context, parent string, durable bool) (*server, error) {
	binaries, err := findInstalled()
	if err != nil {
		return nil, err
	}
	account, err := unprivileged()
	if err != nil {
		return nil, err
	}
	folder, err := newFolder(parent)
	if err != nil {
		return nil, err
	}
	s := &server{binaries: binaries, account: account, folder: folder, password: password(), durable: durable}
	if err := s.boot(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start PostgreSQL from %s: %w", binaries, err), folder.remove())
	}
	return s, nil
}

func (s *server) boot(ctx context.Context) error {
	if err := s.handOver(s.folder.path); err != nil {
		return err
	}
	if err := s.initialize(ctx); err != nil {
		return err
	}
	var err error
	for range startAttempts {
		if s.port, err = freePort(); err != nil {
			return err
		}
		if err = s.launch(ctx); err == nil {
			return nil
		}
	}
	return err
}

// handOver gives a file or folder to the account that the server runs as.
func (s *server) handOver(path string) error {
	if s.account == nil {
		return nil
	}
	return os.Chown(path, int(s.account.Uid), int(s.account.Gid))
}

// initialize runs initdb. The password keeps other users of this machine from
// becoming superuser on a server that listens on loopback.
func (s *server) initialize(ctx context.Context) error {
	secret := filepath.Join(s.folder.path, "password")
	if err := os.WriteFile(secret, []byte(s.password), 0o600); err != nil {
		return err
	}
	if err := s.handOver(secret); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(s.binaries, "initdb"), "--pgdata", s.data(),
		"--username", superuser, "--pwfile", secret, "--auth", "password",
		"--encoding", "UTF8", "--locale", "C", "--no-sync")
	s.confine(cmd)
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, bytes.TrimSpace(output))
	}
	return nil
}

// launch starts the server and returns when it accepts connections.
func (s *server) launch(ctx context.Context) error {
	//nolint:noctx // the server outlives ctx; stop ends it
	cmd := exec.Command(filepath.Join(s.binaries, "postgres"), "-D", s.data(), "-p", strconv.Itoa(s.port),
		"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
		"-c", "fsync="+onOff(s.durable), "-c", "synchronous_commit="+onOff(s.durable), "-c", "full_page_writes="+onOff(s.durable),
		// A vacuum worker inside the template would make copying it wait.
		"-c", "autovacuum=off", "-c", "shared_buffers=32MB", "-c", "authentication_timeout=5", "-c", "max_connections=200",
		// Not UTC, so that a time read back in the session's zone shows.
		"-c", "timezone=Asia/Shanghai")
	cmd.Args = append(cmd.Args, s.following()...)
	for _, setting := range s.settings {
		cmd.Args = append(cmd.Args, "-c", setting) // the last one counts
	}
	s.confine(cmd)
	ready := readyMessage
	if s.follows {
		ready = standbyReady
	}
	var err error
	if s.process, err = startProcess(cmd, ready); err != nil {
		return err
	}
	select {
	case <-s.process.log.ready:
		return nil
	case <-s.process.done:
		return fmt.Errorf("postgres ended: %w: %s", s.process.err, s.process.log)
	case <-ctx.Done():
		return errors.Join(fmt.Errorf("postgres is not ready: %w: %s", ctx.Err(), s.process.log), s.process.halt())
	}
}

func password() string { return cryptorand.Text() }

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

func (s *server) data() string { return filepath.Join(s.folder.path, "data") }

// confine gives the child nothing of our environment (PGDATA, PGPORT, a
// translated log) and a working folder that it may read.
func (s *server) confine(cmd *exec.Cmd) {
	cmd.Dir = s.folder.path
	cmd.Env = []string{"LC_ALL=C", "TZ=UTC"}
	cmd.SysProcAttr = childAttributes(s.account)
}

// stop ends the server and removes its files.
func (s *server) stop() error {
	return errors.Join(s.process.halt(), s.folder.remove())
}

// freePort finds a port below the range from which outgoing connections take
// theirs, so that no client of another test holds it a moment later.
func freePort() (int, error) {
	const lowest, highest, attempts = 20000, 32000, 50
	var err error
	for range attempts {
		var listener net.Listener
		port := lowest + rand.IntN(highest-lowest)
		listener, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			return port, listener.Close()
		}
	}
	return 0, fmt.Errorf("find a free port: %w", err)
}
