// Package demotest builds the program and starts its demonstration, as its users do,
// for tests that look at it from outside.
package demotest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// Demo is a demonstration that runs.
type Demo struct {
	// Address is where it is, such as "http://127.0.0.1:40000".
	Address string
	process *exec.Cmd
}

// Start builds the program in a folder and starts its demonstration there, with
// flags besides. It comes back when the demonstration is ready.
func Start(ctx context.Context, dir string, flags ...string) (*Demo, error) {
	binary := filepath.Join(dir, "mianti")
	if out, err := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", binary, "mianti/cmd/mianti").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build mianti: %w\n%s", err, out)
	}
	d := &Demo{process: exec.CommandContext(ctx, binary, append([]string{"demo"}, flags...)...)}
	d.process.Dir = dir
	d.process.Cancel = func() error { return d.process.Process.Signal(os.Interrupt) }
	d.process.WaitDelay = 30 * time.Second
	var said strings.Builder
	d.process.Stderr = &said
	out, err := d.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := d.process.Start(); err != nil {
		return nil, fmt.Errorf("start the demonstration: %w", err)
	}
	if d.Address, err = readAddress(out); err != nil {
		d.Stop()
		return nil, fmt.Errorf("%w\n%s", err, said.String())
	}
	return d, nil
}

// Stop ends the demonstration.
func (d *Demo) Stop() {
	_ = d.process.Process.Signal(os.Interrupt) // it may have ended by itself
	_ = d.process.Wait()
}

// readAddress reads what the demonstration prints until it is ready, and lets the
// rest go.
func readAddress(out io.Reader) (string, error) {
	address := regexp.MustCompile(`(http://127\.0\.0\.1:\d+)/docs`)
	lines := bufio.NewScanner(out)
	found := ""
	for lines.Scan() {
		if m := address.FindStringSubmatch(lines.Text()); m != nil {
			found = m[1]
		}
		if strings.Contains(lines.Text(), "Ctrl+C") {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return found, nil
		}
	}
	return "", errors.Join(errors.New("the demonstration ended before it was ready"), lines.Err())
}
