package sqlview_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	mariaStart = 60 * time.Second
	mariaStop  = 15 * time.Second
)

// mariaDB is a server of this test binary, started when a test first asks.
type mariaDB struct {
	folder, password string
	port             int
	account          *syscall.Credential
	keys             *keys

	once sync.Once
	err  error

	mu      sync.Mutex
	process *exec.Cmd
	ended   chan struct{} // closed when the process has ended
}

// start gives the address of the running server.
func (m *mariaDB) start(t testing.TB) {
	t.Helper()
	m.once.Do(func() { m.err = m.boot() })
	if m.err != nil {
		t.Fatalf("start MariaDB: %v", m.err)
	}
}

func (m *mariaDB) boot() error {
	install, err := exec.LookPath("mariadb-install-db")
	if err != nil {
		return errors.New(`no MariaDB server on this machine: install the Debian package "mariadb-server"`)
	}
	if m.folder, err = os.MkdirTemp("", "mianti-mariadb-"); err != nil {
		return err
	}
	if m.account, err = mariaAccount(); err != nil {
		return err
	}
	if err := m.write(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), mariaStart)
	defer cancel()
	setup := exec.CommandContext(ctx, install, "--no-defaults", "--datadir="+m.data(), "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve")
	m.confine(setup)
	if out, err := setup.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	if m.port, err = freePort(); err != nil {
		return err
	}
	return m.launch()
}

// write makes the files that the server starts from.
func (m *mariaDB) write() error {
	var err error
	if m.keys, err = newKeys(); err != nil {
		return err
	}
	m.password = rand.Text()
	script := "CREATE USER IF NOT EXISTS admin@'%' IDENTIFIED BY '" + m.password + "';\nGRANT ALL ON *.* TO admin@'%' WITH GRANT OPTION;\n"
	files := map[string]string{"init.sql": script, "ca.pem": m.keys.authority, "cert.pem": m.keys.server, "key.pem": m.keys.serverKey}
	paths := []string{m.folder}
	for name, text := range files {
		paths = append(paths, filepath.Join(m.folder, name))
		if err := os.WriteFile(filepath.Join(m.folder, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	for _, path := range paths {
		if m.account == nil {
			break
		}
		if err := os.Chown(path, int(m.account.Uid), int(m.account.Gid)); err != nil {
			return err
		}
	}
	return nil
}

// mariaAccount is whom the server runs as: it refuses root.
func mariaAccount() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil //nolint:nilnil // our own account
	}
	found, err := user.Lookup("mysql")
	if err != nil {
		if found, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, err := strconv.ParseUint(found.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(found.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, err
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

func (m *mariaDB) data() string { return filepath.Join(m.folder, "data") }

func (m *mariaDB) confine(cmd *exec.Cmd) {
	cmd.Dir = m.folder
	cmd.Env = []string{"LC_ALL=C", "TZ=UTC", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	cmd.SysProcAttr = childAttributes(m.account)
}

// launch starts the server and returns when it takes connections.
func (m *mariaDB) launch() error {
	program, err := exec.LookPath("mariadbd")
	if err != nil {
		program = "/usr/sbin/mariadbd"
	}
	//nolint:noctx // stop ends it
	cmd := exec.Command(program, "--no-defaults", "--datadir="+m.data(), "--port="+strconv.Itoa(m.port), "--bind-address=127.0.0.1",
		"--socket="+filepath.Join(m.folder, "socket"), "--pid-file="+filepath.Join(m.folder, "pid"), "--init-file="+filepath.Join(m.folder, "init.sql"),
		"--skip-name-resolve", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=16M", "--max-allowed-packet=32M",
		"--default-time-zone=+00:00", "--character-set-server=utf8mb4",
		"--ssl-ca="+filepath.Join(m.folder, "ca.pem"), "--ssl-cert="+filepath.Join(m.folder, "cert.pem"), "--ssl-key="+filepath.Join(m.folder, "key.pem"))
	m.confine(cmd)
	log, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	started, ready, ended := make(chan error, 1), make(chan struct{}), make(chan struct{})
	var lines strings.Builder
	go func() { // ends with the process, which closes its log
		defer close(ended)
		// The kernel ends the child with the thread that started it.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		scanner, noticed := bufio.NewScanner(log), false
		for scanner.Scan() {
			if !noticed {
				lines.WriteString(scanner.Text() + "\n")
			}
			if !noticed && strings.Contains(scanner.Text(), "ready for connections") {
				noticed = true
				close(ready)
			}
		}
		_, _ = io.Copy(io.Discard, log)
		_ = cmd.Wait()
	}()
	if err := <-started; err != nil {
		return err
	}
	m.mu.Lock()
	m.process, m.ended = cmd, ended
	m.mu.Unlock()
	select {
	case <-ready:
		return nil
	case <-ended:
		return errors.New("mariadbd ended: " + lines.String())
	case <-time.After(mariaStart):
		return errors.Join(errors.New("mariadbd is not ready"), m.halt())
	}
}

// halt ends the process.
func (m *mariaDB) halt() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.process == nil {
		return nil
	}
	if err := m.process.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-m.ended:
		return nil
	case <-time.After(mariaStop):
		return errors.Join(errors.New("mariadbd did not stop and was killed"), m.process.Process.Kill())
	}
}

// stop ends the server, if there is one, and removes its files.
func (m *mariaDB) stop() error {
	m.once.Do(func() { m.err = errors.New("the tests are over") })
	err := m.halt()
	if m.folder != "" {
		err = errors.Join(err, os.RemoveAll(m.folder))
	}
	return err
}
