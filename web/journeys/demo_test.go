package journeys

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// address is where the demonstration runs, for all tests of the package.
var address string

// pictures is the folder into which pictures of all pages are written; "" for none.
var pictures = flag.String("pictures", "", "folder to write pictures of all pages into")

// TestMain starts the demonstration and the browser that all tests use. With -short
// nothing runs: what a browser shows does not depend on the race detector.
func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() {
		os.Exit(0)
	}
	code, err := runAll(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func runAll(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "mianti-journeys-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stop, err := startDemo(ctx, dir)
	if err != nil {
		return 1, err
	}
	defer stop()
	if browser, err = startBrowser(ctx, filepath.Join(dir, "browser")); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// startDemo builds the program and starts its demonstration as its users do.
func startDemo(ctx context.Context, dir string) (stop func(), err error) {
	binary := filepath.Join(dir, "mianti")
	if out, err := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", binary, "mianti/cmd/mianti").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build mianti: %w\n%s", err, out)
	}
	demo := exec.CommandContext(ctx, binary, "demo")
	demo.Dir = dir
	demo.Cancel = func() error { return demo.Process.Signal(os.Interrupt) }
	demo.WaitDelay = 30 * time.Second
	var said strings.Builder
	demo.Stderr = &said
	out, err := demo.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := demo.Start(); err != nil {
		return nil, fmt.Errorf("start the demonstration: %w", err)
	}
	stop = func() {
		_ = demo.Process.Signal(os.Interrupt)
		_ = demo.Wait() // it was told to end
	}
	if address, err = readAddress(out); err != nil {
		stop()
		return nil, fmt.Errorf("%w\n%s", err, said.String())
	}
	return stop, nil
}

// readAddress reads what the demonstration prints until it is ready, and lets the
// rest go.
func readAddress(out io.Reader) (string, error) {
	lines := bufio.NewScanner(out)
	found := ""
	for lines.Scan() {
		if m := regexp.MustCompile(`(http://127\.0\.0\.1:\d+)/docs`).FindStringSubmatch(lines.Text()); m != nil {
			found = m[1]
		}
		if strings.Contains(lines.Text(), "Ctrl+C") {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return found, nil
		}
	}
	return "", errors.Join(errors.New("the demonstration ended before it was ready"), lines.Err())
}
