package pgtest

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// stopTimeout is for a fast shutdown; after it the server is killed.
	stopTimeout  = 10 * time.Second
	readyMessage = "database system is ready to accept connections"
	logLines     = 20
)

// process is a server program that was started and is waited for.
type process struct {
	cmd  *exec.Cmd
	log  *serverLog
	done chan struct{} // closed when it has ended
	stop syscall.Signal
	err  error // how it ended; read only after done
}

// startProcess starts cmd, which says ready when it is, on a thread of its own that stays until cmd ends:
// the kernel sends the parent-death signal when the thread that started a
// child ends, and the runtime ends other threads as it likes.
func startProcess(cmd *exec.Cmd, ready string) (*process, error) {
	// SIGINT is PostgreSQL's fast shutdown: sessions are closed, not waited for.
	p := &process{cmd: cmd, log: &serverLog{message: ready, ready: make(chan struct{})}, done: make(chan struct{}), stop: syscall.SIGINT}
	cmd.Stderr = p.log
	cmd.WaitDelay = stopTimeout
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.done)
		}
	}()
	return p, <-started
}

// halt ends the process and returns when it has ended.
func (p *process) halt() error {
	if err := p.cmd.Process.Signal(p.stop); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.done:
		return nil
	case <-time.After(stopTimeout):
		err := p.cmd.Process.Kill()
		<-p.done
		return errors.Join(errors.New("the server did not stop and was killed"), err)
	}
}

// serverLog takes the server's log, notices when it is ready, and keeps the
// last lines for an error text.
type serverLog struct {
	message string        // that says it is ready
	ready   chan struct{} // closed at that message

	mu      sync.Mutex
	noticed bool
	partial []byte
	lines   []string
}

// Write takes a piece of the log.
func (l *serverLog) Write(piece []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.partial = append(l.partial, piece...)
	for {
		line, rest, found := bytes.Cut(l.partial, []byte("\n"))
		if !found {
			return len(piece), nil
		}
		l.add(string(line))
		l.partial = rest
	}
}

func (l *serverLog) add(line string) {
	l.lines = append(l.lines, line)
	if len(l.lines) > logLines {
		l.lines = l.lines[1:]
	}
	if !l.noticed && strings.Contains(line, l.message) {
		l.noticed = true
		close(l.ready)
	}
}

// String gives the last lines.
func (l *serverLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, " | ")
}
