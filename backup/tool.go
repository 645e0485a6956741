package backup

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"mianti/internal/fault"
)

// Tools are PostgreSQL's own programs.
type Tools struct {
	// Dir is where they are; empty means PATH, and where Debian keeps them.
	Dir string
	// Environment is what they run with; see os.Environ.
	Environment []string
}

// Server is the database that a tool works on. The password is given in the
// environment of the tool, and never on its command line, which every user of the
// machine can read.
type Server struct {
	Address  string // without the password
	Password string
	Version  string // such as 15.7
}

// Dump writes the copy of one moment of a database into a file.
func (t Tools) Dump(ctx context.Context, s Server, snapshot, file string) (tool string, err error) {
	path, tool, err := t.find(ctx, "pg_dump", s.Version)
	if err != nil {
		return "", err
	}
	// Whoever restores owns what is restored, and gives rights to its own roles.
	return tool, t.run(ctx, s, path, "--format=custom", "--no-owner", "--no-privileges", "--snapshot="+snapshot, "--lock-wait-timeout=60000",
		"--no-password", "--file="+file, "--dbname="+s.Address)
}

// Restore puts such a copy into an empty database: all of it or nothing.
func (t Tools) Restore(ctx context.Context, s Server, file string) error {
	path, _, err := t.find(ctx, "pg_restore", "0")
	if err != nil {
		return err
	}
	return t.run(ctx, s, path, "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", "--no-password", "--dbname="+s.Address, file)
}

// CheckServer refuses to restore what a newer server wrote into an older one, which
// does not know all of it. Both are versions such as 15.7.
func CheckServer(from, to string) error {
	if major(to) < major(from) {
		return fault.New(fault.Conflict, "older-server", "备份来自 PostgreSQL %s，要恢复到的是 %s：请恢复到不低于 %d 版的服务器。", from, to, major(from))
	}
	return nil
}

// debianPattern is where Debian keeps the programs of each version.
const debianPattern = "/usr/lib/postgresql/*/bin"

// find gives the newest program of a name that is there, which MUST not be older than
// the server: an older pg_dump does not read it.
func (t Tools) find(ctx context.Context, name, server string) (path, version string, err error) {
	var candidates []string
	if t.Dir != "" {
		candidates = []string{filepath.Join(t.Dir, name)}
	} else {
		if found, err := exec.LookPath(name); err == nil {
			candidates = append(candidates, found)
		}
		folders, err := filepath.Glob(filepath.Join(debianPattern, name))
		if err != nil {
			return "", "", fmt.Errorf("look for %s: %w", name, err)
		}
		slices.Reverse(folders)
		candidates = append(candidates, folders...)
	}
	newest := ""
	for _, candidate := range candidates {
		found, err := t.version(ctx, candidate)
		if err == nil && (newest == "" || major(found) > major(newest)) {
			path, newest = candidate, found
		}
	}
	switch {
	case newest == "":
		return "", "", fault.New(fault.Unavailable, "no-pg-tools", "找不到 %s。请安装 PostgreSQL 的客户端程序（Debian：postgresql-client），或用 --pg-tools 指明它所在的文件夹。", name)
	case major(newest) < major(server):
		return "", "", fault.New(fault.Unavailable, "old-pg-tools",
			"数据库服务器是 PostgreSQL %s，而 %s 是 %s：旧程序读不了新服务器。请安装 %d 版或更新的客户端程序（Debian：postgresql-client-%d），或用 --pg-tools 指明它所在的文件夹。",
			server, name, newest, major(server), major(server))
	}
	return path, name + " " + newest, nil
}

// versionText finds 15.7 in what a program says of itself.
var versionText = regexp.MustCompile(`\b(\d+)(\.\d+)*`)

func (t Tools) version(ctx context.Context, path string) (string, error) {
	command := exec.CommandContext(ctx, path, "--version")
	command.Env = t.Environment
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("ask %s for its version: %w", path, err)
	}
	found := versionText.FindString(string(out))
	if found == "" {
		return "", fmt.Errorf("%s does not say its version", path)
	}
	return found, nil
}

func major(version string) int {
	text, _, _ := strings.Cut(versionText.FindString(version), ".")
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return n
}

// stopTool is how long a tool may take to end when it is told to.
const stopTool = 10 * time.Second

func (t Tools) run(ctx context.Context, s Server, path string, args ...string) error {
	command := exec.CommandContext(ctx, path, args...)
	command.Env = t.Environment
	if s.Password != "" {
		command.Env = append(slices.Clone(t.Environment), "PGPASSWORD="+s.Password)
	}
	command.Cancel, command.WaitDelay = func() error { return command.Process.Signal(os.Interrupt) }, stopTool
	var errs bytes.Buffer
	command.Stderr = &errs
	err := command.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fault.New(fault.Unavailable, "pg-tool-failed", "%s 没有做完（%v）：%s", filepath.Base(path), err, lastLines(errs.String()))
	}
	return nil
}

// lastLines keeps what an error ends with.
func lastLines(text string) string {
	const most = 600
	text = strings.TrimSpace(text)
	if len(text) > most {
		text = "…" + strings.ToValidUTF8(text[len(text)-most:], "")
	}
	return text
}
