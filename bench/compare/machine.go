package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"mianti/bench/load"
)

// machine says where it was measured, without a name of it.
type machine struct {
	Day         string
	Processor   string
	Cores       int
	MemoryGiB   float64
	Go          string
	PostgreSQL  string
	Nginx       string
	Settings    string  // of PostgreSQL
	Load        string  // load average over a minute before the run
	FsyncBefore float64 // microseconds for 8 kB
	FsyncAfter  float64
}

func describe(b *bed) machine {
	memory := 0.0
	_, _ = fmt.Sscanf(lineOf("/proc/meminfo", "MemTotal"), "%f", &memory) // 0 where there is none
	average, _ := os.ReadFile("/proc/loadavg")
	before, _, _ := strings.Cut(string(average), " ")
	return machine{
		Day: time.Now().UTC().Format(time.DateOnly), Processor: lineOf("/proc/cpuinfo", "model name"), Cores: runtime.NumCPU(), MemoryGiB: memory / (1 << 20),
		Go: strings.TrimPrefix(runtime.Version(), "go"), PostgreSQL: version(filepath.Join(b.cluster.Binaries(), "postgres"), "--version"),
		Nginx: version("nginx", "-v"), Settings: strings.Join(load.PostgresSettings(), ", "), Load: before, FsyncBefore: fsync(b),
	}
}

func fsync(b *bed) float64 {
	took, err := load.FsyncTime(b.cluster)
	if err != nil {
		fmt.Fprintln(os.Stderr, "fsync:", err)
		return 0
	}
	return micros(took)
}

// lineOf gives what follows "name :" in a file of /proc.
func lineOf(path, name string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for line := range strings.SplitSeq(string(content), "\n") {
		key, value, found := strings.Cut(line, ":")
		if found && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// version gives the first word of what a program says that begins with a digit.
func version(program, flag string) string {
	out, err := exec.Command(program, flag).CombinedOutput()
	if err != nil {
		return ""
	}
	for _, word := range strings.FieldsFunc(string(out), func(r rune) bool { return r == ' ' || r == '/' || r == '\n' }) {
		if word[0] >= '0' && word[0] <= '9' {
			return word
		}
	}
	return ""
}

func (m machine) text() string {
	return fmt.Sprintf("%s · %d × %s, %.0f GiB · Go %s, PostgreSQL %s (%s), nginx %s · load before the run %s · 8 kB written and synced in %.0f µs before and %.0f µs after",
		m.Day, m.Cores, m.Processor, m.MemoryGiB, m.Go, m.PostgreSQL, m.Settings, m.Nginx, m.Load, m.FsyncBefore, m.FsyncAfter)
}
