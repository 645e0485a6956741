package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// openLoop sends the same request at a rate, whether or not there are answers. It is
// made to cost little, as it shares the processors with what it measures: requests
// are bytes that were made before, on connections that stay open, and of an answer
// no more than the status and the length is read.
type openLoop struct {
	address string
	raw     []byte
	rate    float64 // a second
	long    time.Duration
	settle  time.Duration // what comes before is not counted
}

// offered is what came of it.
type offered struct {
	sent, good, refused, failed int
	took                        []time.Duration // of the good ones, from when they were due
	seconds                     float64
}

func (o *offered) goodput() float64 { return float64(o.good) / o.seconds }

func (o *offered) quantile(q float64) time.Duration {
	if len(o.took) == 0 {
		return 0
	}
	slices.Sort(o.took)
	return o.took[min(len(o.took)-1, int(q*float64(len(o.took))))]
}

// connections is how many are open: more than are ever under way, so that a
// request goes out when it is due.
const connections = 400

// run sends, and gives what came of it.
func (o openLoop) run(b *testing.B) *offered {
	b.Helper()
	out := &offered{seconds: (o.long - o.settle).Seconds()}
	var mu sync.Mutex
	due := make(chan time.Time, 1<<20)
	begun := time.Now()
	var all sync.WaitGroup
	for range connections {
		all.Go(func() {
			line := &line{address: o.address}
			defer line.close()
			for at := range due {
				status, err := line.ask(o.raw)
				took := time.Since(at)
				if at.Sub(begun) < o.settle {
					continue
				}
				mu.Lock()
				out.count(status, err, took)
				mu.Unlock()
			}
		})
	}
	for sent := 0.0; time.Since(begun) < o.long; time.Sleep(time.Millisecond) {
		now := time.Now()
		for want := now.Sub(begun).Seconds() * o.rate; sent < want; sent++ {
			due <- begun.Add(time.Duration(sent / o.rate * float64(time.Second)))
		}
	}
	close(due)
	all.Wait()
	return out
}

func (o *offered) count(status int, err error, took time.Duration) {
	o.sent++
	switch {
	case err != nil:
		o.failed++
	case status < http.StatusMultipleChoices:
		o.good++
		o.took = append(o.took, took)
	case status == http.StatusServiceUnavailable:
		o.refused++
	default:
		o.failed++
	}
}

// closedLoop is a number of callers who ask when they have their answer, after a pause.
func closedLoop(address string, raw []byte, callers int, pause, long time.Duration) *offered {
	out := &offered{seconds: long.Seconds()}
	var mu sync.Mutex
	var all sync.WaitGroup
	begun := time.Now()
	var stop atomic.Bool
	time.AfterFunc(long, func() { stop.Store(true) })
	for range callers {
		all.Go(func() {
			line := &line{address: address}
			defer line.close()
			for !stop.Load() {
				at := time.Now()
				status, err := line.ask(raw)
				mu.Lock()
				out.count(status, err, time.Since(at))
				mu.Unlock()
				time.Sleep(pause)
			}
		})
	}
	all.Wait()
	out.seconds = time.Since(begun).Seconds()
	return out
}

// line is one connection.
type line struct {
	address string
	conn    net.Conn
	read    *bufio.Reader
}

func (l *line) close() {
	if l.conn != nil {
		_ = l.conn.Close()
		l.conn = nil
	}
}

// ask sends a request and reads its answer.
func (l *line) ask(raw []byte) (status int, err error) {
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	if l.conn == nil {
		if l.conn, err = net.Dial("tcp", l.address); err != nil {
			return 0, err
		}
		l.read = bufio.NewReaderSize(l.conn, 16<<10)
	}
	if _, err = l.conn.Write(raw); err != nil {
		return 0, err
	}
	return l.answer()
}

func (l *line) answer() (status int, err error) {
	length, chunked := 0, false
	for first := true; ; first = false {
		text, err := l.read.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		switch {
		case first:
			if _, err := fmt.Sscanf(string(text), "HTTP/1.1 %d", &status); err != nil {
				return 0, err
			}
		case len(text) <= 2:
			return status, l.skip(length, chunked)
		case bytes.HasPrefix(text, []byte("Content-Length:")):
			if _, err := fmt.Sscanf(string(text[len("Content-Length:"):]), "%d", &length); err != nil {
				return 0, err
			}
		case bytes.HasPrefix(text, []byte("Transfer-Encoding:")):
			chunked = true
		}
	}
}

func (l *line) skip(length int, chunked bool) error {
	if !chunked {
		_, err := l.read.Discard(length)
		return err
	}
	for {
		var size int
		text, err := l.read.ReadSlice('\n')
		if err != nil {
			return err
		}
		if _, err := fmt.Sscanf(string(text), "%x", &size); err != nil {
			return err
		}
		if _, err := l.read.Discard(size + 2); err != nil || size == 0 {
			return err
		}
	}
}

// rawPost makes the bytes of a request.
func rawPost(b *testing.B, url, path, token, body string) (address string, raw []byte) {
	b.Helper()
	address = strings.TrimPrefix(url, "http://")
	request, err := http.NewRequest(http.MethodPost, url+path, io.NopCloser(strings.NewReader(body)))
	if err != nil {
		b.Fatal(err)
	}
	request.ContentLength = int64(len(body))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+token)
	var out bytes.Buffer
	if err := request.Write(&out); err != nil {
		b.Fatal(err)
	}
	return address, out.Bytes()
}
