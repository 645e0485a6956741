package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// program is the built binary, and what runs of it.
type program struct {
	dir, binary string
}

func build(b *testing.B) *program {
	b.Helper()
	p := &program{dir: b.TempDir()}
	p.binary = filepath.Join(p.dir, "mianti")
	if out, err := exec.Command("go", "build", "-o", p.binary, "mianti/cmd/mianti").CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	return p
}

// command runs one command of the program to its end.
func (p *program) command(b *testing.B, args ...string) string {
	b.Helper()
	out, err := exec.Command(p.binary, args...).CombinedOutput()
	if err != nil {
		b.Fatalf("mianti %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// key is the argument that names the key file of all its servers.
func (p *program) key(b *testing.B) string {
	b.Helper()
	path := filepath.Join(p.dir, "mianti.key")
	if _, err := os.Stat(path); err != nil {
		if err := os.WriteFile(path, []byte(p.command(b, "key", "new")), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return "--key-file=" + path
}

var address = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)

// start runs a server of the program until the benchmark ends, and gives its
// address and process id.
func (p *program) start(b *testing.B, args ...string) (url string, pid int) {
	b.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	process := exec.CommandContext(ctx, p.binary, args...)
	reader, writer := io.Pipe()
	process.Stdout, process.Stderr = writer, writer
	process.Cancel = func() error { return process.Process.Signal(os.Interrupt) }
	process.WaitDelay = 5 * time.Second
	if err := process.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		cancel()
		_ = process.Wait() // interrupted
	})
	giveUp := time.AfterFunc(30*time.Second, func() { _ = writer.CloseWithError(context.DeadlineExceeded) })
	defer giveUp.Stop()
	lines := bufio.NewScanner(reader)
	for lines.Scan() {
		if found := address.FindString(lines.Text()); found != "" {
			go io.Copy(io.Discard, reader) //nolint:errcheck // keeps the pipe empty
			return found, process.Process.Pid
		}
	}
	b.Fatalf("mianti %s printed no address", strings.Join(args, " "))
	return "", 0
}

// cpu gives the processor time that a process has used so far.
func cpu(b *testing.B, pid int) time.Duration {
	b.Helper()
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The name, in brackets, may hold spaces; utime and stime are the 12th and
	// 13th words after it, in hundredths of a second.
	words := strings.Fields(string(content[strings.LastIndexByte(string(content), ')')+1:]))
	user, _ := strconv.Atoi(words[11])
	system, _ := strconv.Atoi(words[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}
