package load

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit in which Linux tells processor time in /proc.
const tick = 10 * time.Millisecond

// stat is what is read of a process.
type stat struct {
	parent int
	own    time.Duration // its own
	ended  time.Duration // of its children that have ended
}

// CPU gives the processor time that a process and all processes under it have
// used so far, those that have ended included: of PostgreSQL every backend, of
// nginx every worker. Its resolution is 10 ms. Without /proc it is an error.
func CPU(pid int) (time.Duration, error) {
	root, err := readStat(pid)
	if err != nil {
		return 0, err
	}
	children, err := childrenOf()
	if err != nil {
		return 0, err
	}
	total := root.own + root.ended
	for queue := children[pid]; len(queue) > 0; queue = queue[1:] {
		s, err := readStat(queue[0])
		if err != nil {
			continue // it has ended since; its parent has its time
		}
		total += s.own + s.ended
		queue = append(queue, children[queue[0]]...)
	}
	return total, nil
}

// childrenOf gives the processes of this machine by their parents.
func childrenOf() (map[int][]int, error) {
	folders, err := filepath.Glob("/proc/[0-9]*")
	if err != nil || len(folders) == 0 {
		return nil, fmt.Errorf("no processes under /proc: %w", os.ErrNotExist)
	}
	out := map[int][]int{}
	for _, folder := range folders {
		pid, err := strconv.Atoi(filepath.Base(folder))
		if err != nil {
			continue
		}
		if s, err := readStat(pid); err == nil {
			out[s.parent] = append(out[s.parent], pid)
		}
	}
	return out, nil
}

func readStat(pid int) (stat, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, err
	}
	return parseStat(content)
}

// parseStat reads /proc/PID/stat. The name, in brackets, may hold anything; the
// words after it are state, parent, …, and from the twelfth on utime, stime,
// cutime, cstime.
func parseStat(content []byte) (stat, error) {
	end := bytes.LastIndexByte(content, ')')
	if end < 0 {
		return stat{}, fmt.Errorf("no name in %q", content)
	}
	words := strings.Fields(string(content[end+1:]))
	if len(words) < 15 {
		return stat{}, fmt.Errorf("too short: %q", content)
	}
	var n [5]int
	for i, at := range []int{1, 11, 12, 13, 14} {
		value, err := strconv.Atoi(words[at])
		if err != nil {
			return stat{}, fmt.Errorf("word %d of %q: %w", at, content, err)
		}
		n[i] = value
	}
	return stat{parent: n[0], own: time.Duration(n[1]+n[2]) * tick, ended: time.Duration(n[3]+n[4]) * tick}, nil
}

// Resident gives the bytes of memory that a process holds (VmRSS).
func Resident(pid int) (int64, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.SplitSeq(string(content), "\n") {
		rest, found := strings.CutPrefix(line, "VmRSS:")
		if words := strings.Fields(rest); found && len(words) == 2 {
			kib, err := strconv.ParseInt(words[0], 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("no VmRSS of process %d", pid)
}
