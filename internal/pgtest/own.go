package pgtest

import (
	"context"
	"errors"
	"syscall"
	"testing"
)

// Own is a server for one test alone, which may stop it, crash it and start it again.
// It commits as one in service does.
type Own struct{ server *server }

// StartOwn starts a server whose files lie in parent, or for "" where those of others
// do, and that keeps as little of its log as it can. It ends with the test.
func StartOwn(t testing.TB, parent string) *Own {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if parent == "" {
		parent = folderParent()
	}
	s, err := startIn(ctx, parent, true)
	if err == nil {
		o := &Own{s}
		t.Cleanup(func() {
			if err := o.server.stop(); err != nil {
				t.Error(err)
			}
		})
		if err = s.prepareTemplate(ctx, nil); err == nil {
			return o
		}
	}
	t.Fatal(err)
	return nil
}

// Database gives the address of a new, empty database.
func (o *Own) Database(t testing.TB) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), tenantTimeout)
	defer cancel()
	name, err := o.server.createDatabase(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return o.server.url(name)
}

// Crash ends the server at once, as pg_ctl stop -m immediate does: it recovers when it
// is started again.
func (o *Own) Crash(t testing.TB) {
	t.Helper()
	if err := o.server.process.cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	<-o.server.process.done
}

// Running reports whether the server has not ended.
func (o *Own) Running() bool {
	select {
	case <-o.server.process.done:
		return false
	default:
		return true
	}
}

// Start starts the server again at its old address, and waits until it takes
// connections.
func (o *Own) Start(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	var err error
	for range startAttempts { // its port may still be held for a moment
		if err = o.server.launch(ctx); err == nil || errors.Is(err, context.DeadlineExceeded) {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}
