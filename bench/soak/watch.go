package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"mianti/bench/load"
)

// usage is what a node holds at a moment.
type usage struct {
	goroutines, files, connections, busy, limit int
	resident                                    int64 // bytes
}

func (u usage) String() string {
	return fmt.Sprintf("%d goroutines, %d files, %d connections to the database (%d in use)", u.goroutines, u.files, u.connections, u.busy)
}

// usageOf asks a node's metrics, and the kernel.
func usageOf(n *load.Node) (usage, error) {
	var u usage
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get(n.Metrics)
	if err != nil {
		return u, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return u, err
	}
	for name, to := range map[string]*int{
		"go_goroutines": &u.goroutines, "mianti_database_connections_open": &u.connections, "mianti_database_connections_used": &u.busy,
		"mianti_database_connections_limit": &u.limit,
	} {
		if *to, err = gauge(text, name); err != nil {
			return u, err
		}
	}
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", n.PID))
	if err != nil {
		return u, err
	}
	u.files = len(files)
	u.resident, err = resident(n.PID)
	return u, err
}

// gauge reads a metric without labels.
func gauge(text []byte, name string) (int, error) {
	found := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindSubmatch(text)
	if found == nil {
		return 0, errors.New("no metric " + name)
	}
	value, err := strconv.ParseFloat(string(found[1]), 64)
	return int(value), err
}

// resident is the memory of a process that is in the machine's.
func resident(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	words := strings.Fields(string(text))
	if len(words) < 2 {
		return 0, fmt.Errorf("statm: %q", text)
	}
	pages, err := strconv.ParseInt(words[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}

// usages are those of both nodes, the larger of each figure.
func (b *bed) usages() usage {
	var most usage
	for _, s := range b.slots {
		node, _ := s.current()
		if node == nil {
			continue
		}
		if u, err := usageOf(node); err == nil {
			most.goroutines, most.files, most.connections = max(most.goroutines, u.goroutines), max(most.files, u.files), max(most.connections, u.connections)
		}
	}
	return most
}

// sample is the memory of a process at a time of its life.
type sample struct {
	age      time.Duration
	resident int64
}

// watcher follows the memory of the nodes.
type watcher struct {
	stop  context.CancelFunc
	group sync.WaitGroup
	lives map[string][]sample // by node and process
}

func watch(ctx context.Context, b *bed) *watcher {
	ctx, stop := context.WithCancel(ctx)
	w := &watcher{stop: stop, lives: map[string][]sample{}}
	w.group.Go(func() {
		for wait(ctx, time.Second) {
			for _, s := range b.slots {
				node, born := s.current()
				if node == nil {
					continue
				}
				if size, err := resident(node.PID); err == nil {
					life := fmt.Sprintf("%s, process %d", s.name, node.PID)
					w.lives[life] = append(w.lives[life], sample{time.Since(born), size})
				}
			}
		}
	})
	return w
}

// end gives the lives.
func (w *watcher) end() map[string][]sample {
	w.stop()
	w.group.Wait()
	return w.lives
}

// longEnough is how long a node lives of which the memory is judged, and warm how long
// it takes until it has all that it keeps.
const (
	longEnough = 2 * time.Minute
	warm       = 30 * time.Second
)

// growth is the memory of the last third of a life beside that of the first third
// after it got warm. judged is false for a life that is too short.
func growth(life []sample) (first, last float64, judged bool) {
	if len(life) == 0 {
		return 0, 0, false
	}
	begun, end := life[0].age+warm, life[len(life)-1].age
	if end-life[0].age < longEnough {
		return 0, 0, false
	}
	third := (end - begun) / 3
	mean := func(from, to time.Duration) float64 {
		sum, n := 0.0, 0
		for _, s := range life {
			if s.age >= from && s.age <= to {
				sum, n = sum+float64(s.resident), n+1
			}
		}
		return sum / float64(max(n, 1))
	}
	return mean(begun, begun+third), mean(end-third, end), true
}
