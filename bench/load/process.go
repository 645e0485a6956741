package load

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// Tools are the built programs.
type Tools struct {
	Mianti string // the exchange
	Bench  string // mianti/bench/compare: the sources and the servers beside
}

// Build builds the programs into a folder. It needs the go command, and the
// repository as its working folder.
func Build(folder string) (Tools, error) {
	t := Tools{Mianti: folder + "/mianti", Bench: folder + "/bench"}
	for path, target := range map[string]string{"mianti/cmd/mianti": t.Mianti, "mianti/bench/compare": t.Bench} {
		if out, err := exec.Command("go", "build", "-trimpath", "-o", target, path).CombinedOutput(); err != nil {
			return Tools{}, fmt.Errorf("build %s: %w\n%s", path, err, out)
		}
	}
	return t, nil
}

// Process is a program that was started.
type Process struct {
	PID  int
	Said []string // the lines that it said until it was ready
	cmd  *exec.Cmd
	done chan error
}

const (
	startTimeout = 60 * time.Second
	stopTimeout  = 20 * time.Second
)

// Start runs a program until Stop, and returns when it has said a line that
// matches ready; it gives what the line's last group holds, or the whole match.
func Start(ready *regexp.Regexp, program string, args ...string) (*Process, string, error) {
	return StartCommand(ready, exec.Command(program, args...))
}

// StartCommand is Start for a command that was made already.
func StartCommand(ready *regexp.Regexp, cmd *exec.Cmd) (*Process, string, error) {
	reader, writer := io.Pipe()
	cmd.Stdout, cmd.Stderr = writer, writer
	p := &Process{cmd: cmd, done: make(chan error, 1)}
	if err := cmd.Start(); err != nil {
		return nil, "", err
	}
	p.PID = cmd.Process.Pid
	go func() {
		err := cmd.Wait()
		_ = writer.Close() // never fails
		p.done <- err
	}()
	giveUp := time.AfterFunc(startTimeout, func() { _ = writer.CloseWithError(context.DeadlineExceeded) })
	defer giveUp.Stop()
	lines := bufio.NewScanner(reader)
	for lines.Scan() {
		p.Said = append(p.Said, lines.Text())
		if found := ready.FindStringSubmatch(lines.Text()); found != nil {
			go io.Copy(io.Discard, reader) //nolint:errcheck // keeps the pipe empty
			return p, found[len(found)-1], nil
		}
	}
	return nil, "", errors.Join(fmt.Errorf("%s did not start:\n%s", cmd.Path, strings.Join(p.Said, "\n")), p.Stop())
}

// Signal sends a signal to the process.
func (p *Process) Signal(s syscall.Signal) error { return p.cmd.Process.Signal(s) }

// Stop interrupts the process and waits for its end; what does not end is killed.
func (p *Process) Stop() error {
	_ = p.Signal(syscall.SIGINT) // it may have ended
	select {
	case <-p.done:
		return nil // interrupted, or ended before
	case <-time.After(stopTimeout):
		err := p.cmd.Process.Kill()
		<-p.done
		return errors.Join(fmt.Errorf("%s did not stop and was killed", p.cmd.Path), err)
	}
}
