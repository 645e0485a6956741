package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// standbyReady is what a server says that follows another.
const standbyReady = "database system is ready to accept read-only connections"

// Pair is a database on a server of its own, and a streaming replica of it.
type Pair struct {
	// Primary and Replica are the addresses of the database on both.
	Primary, Replica string

	primary, replica *server
}

// Replicated gives a migrated, empty database with a replica that applies what it
// receives only after delay. Both end with t.
func Replicated(t testing.TB, delay time.Duration) *Pair {
	t.Helper()
	if current == nil {
		t.Fatal("pgtest.Replicated needs a TestMain that calls pgtest.Main")
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	primary, err := start(ctx, current.durable)
	if errors.Is(err, errNotInstalled) && testing.Short() {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := primary.stop(); err != nil {
			t.Error(err)
		}
	})
	if err := primary.prepareTemplate(ctx, current.migrate); err != nil {
		t.Fatal(err)
	}
	name, err := primary.createDatabase(ctx)
	if err != nil {
		t.Fatal(err)
	}
	replica, err := primary.follow(ctx, folderParent(), delay)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := replica.stop(); err != nil {
			t.Error(err)
		}
	})
	return &Pair{Primary: primary.url(name), Replica: replica.url(name), primary: primary, replica: replica}
}

// StopReplica ends the replica, as a failure would.
func (p *Pair) StopReplica(t testing.TB) {
	t.Helper()
	if err := p.replica.process.halt(); err != nil {
		t.Fatal(err)
	}
}

// follow makes a server that follows this one, with its settings, in a folder below parent.
func (s *server) follow(ctx context.Context, parent string, delay time.Duration) (*server, error) {
	folder, err := newFolder(parent)
	if err != nil {
		return nil, err
	}
	r := &server{binaries: s.binaries, account: s.account, folder: folder, password: s.password, durable: s.durable, settings: s.settings, follows: true, delay: delay}
	if err := r.handOver(folder.path); err != nil {
		return nil, errors.Join(err, folder.remove())
	}
	copying := exec.CommandContext(ctx, s.program("pg_basebackup"), "--pgdata", r.data(), "--checkpoint", "fast", "--no-sync",
		"--write-recovery-conf", "--wal-method", "stream", "--dbname", fmt.Sprintf("host=127.0.0.1 port=%d user=%s password=%s", s.port, superuser, s.password))
	r.confine(copying)
	if output, err := copying.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("pg_basebackup: %w: %s", err, bytes.TrimSpace(output)), folder.remove())
	}
	for range startAttempts {
		if r.port, err = freePort(); err != nil {
			break
		}
		if err = r.launch(ctx); err == nil {
			return r, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("start a replica: %w", err), folder.remove())
}

// program gives the path of another program of the server. Where the two that we look
// for are links, it is beside what they lead to.
func (s *server) program(name string) string {
	if beside := filepath.Join(s.binaries, name); isProgram(beside) {
		return beside
	}
	original, err := filepath.EvalSymlinks(filepath.Join(s.binaries, "initdb"))
	if err != nil {
		return name
	}
	return filepath.Join(filepath.Dir(original), name)
}

// following are the settings of a server that follows another.
func (s *server) following() []string {
	if !s.follows {
		return nil
	}
	return []string{"-c", "recovery_min_apply_delay=" + strconv.FormatInt(s.delay.Milliseconds(), 10) + "ms", "-c", "hot_standby=on"}
}
