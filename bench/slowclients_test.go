package bench

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// BenchmarkSlowClients holds two thousand connections open that ask nothing, and five
// hundred that send a header, send a body, or take an answer as slowly as they can. It
// reports how long the last of these lasted, and the p99 of another caller for that of
// the same caller without them.
func BenchmarkSlowClients(b *testing.B) {
	const idle, slow = 2000, 500
	p := build(b)
	t := newTarget(b, p, "postgres", "5ms")
	s := t.caller(b)
	closedLoop(s.address, s.raw, 4, 0, 2*time.Second)
	calm := openLoop{address: s.address, raw: s.raw, rate: 10, long: 12 * time.Second, settle: 2 * time.Second}.run(b)
	for range idle {
		conn, err := net.Dial("tcp", s.address)
		if err != nil {
			b.Fatal(err)
		}
		defer conn.Close()
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	longest := map[string]time.Duration{}
	for i := range slow {
		kind := []string{"header", "body"}[i%2]
		if i < 8 { // more of one address are refused
			kind = "answer"
		}
		all.Go(func() {
			lasted := dawdle(s.address, kind, t.token)
			mu.Lock()
			defer mu.Unlock()
			longest[kind] = max(longest[kind], lasted)
		})
	}
	time.Sleep(2 * time.Second)
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"nobody"}}
	begun := time.Now()
	response, err := http.PostForm(t.url+"/oauth/token", form)
	if err != nil || response.StatusCode != http.StatusUnauthorized || time.Since(begun) > time.Second {
		b.Errorf("the token endpoint beside slow readers: %v, %v after %v", response, err, time.Since(begun))
	}
	beside := openLoop{address: s.address, raw: s.raw, rate: 10, long: 12 * time.Second, settle: 2 * time.Second}.run(b)
	all.Wait()
	if beside.good < beside.sent {
		b.Errorf("%d of %d were answered, %d refused, %d failed", beside.good, beside.sent, beside.refused, beside.failed)
	}
	for kind, lasted := range longest {
		if lasted > 15*time.Second {
			b.Errorf("a slow %s lasted %v", kind, lasted)
		}
		b.ReportMetric(lasted.Seconds(), "slow-"+kind+"-s")
	}
	b.ReportMetric(float64(beside.quantile(.99))/float64(calm.quantile(.99)), "p99")
	b.ReportMetric(0, "ns/op")
}

// dawdle sends, or takes, as slowly as it can, and gives how long that went on.
func dawdle(address, kind, token string) time.Duration {
	begun := time.Now()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return 0
	}
	defer conn.Close()
	_ = conn.SetDeadline(begun.Add(time.Minute))
	if kind == "answer" {
		return takeSlowly(conn.(*net.TCPConn), begun)
	}
	text := "POST /v1/cases HTTP/1.1\r\nHost: x\r\nX-Long: "
	if kind == "body" {
		text = fmt.Sprintf("POST /v1/cases HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{", token)
	}
	closed := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, conn)
		close(closed)
	}()
	_, err = io.WriteString(conn, text)
	for err == nil {
		select {
		case <-closed:
			return time.Since(begun)
		case <-time.After(time.Second):
			_, err = io.WriteString(conn, "x")
		}
	}
	return time.Since(begun)
}

// takeSlowly asks for much and takes none of it, until the other side has given up.
func takeSlowly(conn *net.TCPConn, begun time.Time) time.Duration {
	_ = conn.SetReadBuffer(4 << 10)
	_, _ = io.WriteString(conn, strings.Repeat("GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n", 40))
	for {
		time.Sleep(500 * time.Millisecond)
		// A write to a connection that was reset fails.
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			return time.Since(begun)
		}
	}
}
