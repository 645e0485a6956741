//go:build unix

package wire

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/connectors"
)

// scripted is a server that sends, on each connection, one text for each request
// that it has read, and closes after the last.
type scripted struct {
	url   string
	conns atomic.Int64
}

func script(t *testing.T, texts ...string) *scripted {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &scripted{url: "http://" + listener.Addr().String() + "/"}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			s.conns.Add(1)
			go func() {
				defer conn.Close()
				reader := bufio.NewReader(conn)
				for _, text := range texts {
					request, err := http.ReadRequest(reader)
					if err != nil {
						return
					}
					_, _ = io.Copy(io.Discard, request.Body)
					_, _ = io.WriteString(conn, text)
				}
			}()
		}
	}()
	return s
}

const (
	jsonHeader = "Content-Type: application/json\r\n"
	whole      = "HTTP/1.1 200 OK\r\n" + jsonHeader + "Content-Length: 2\r\n\r\n{}"
)

func TestPlain_ReadsEveryFormOfAnAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		want       connectors.FaultKind
	}{
		{"of a length", whole, ""},
		{"in chunks", "HTTP/1.1 200 OK\r\n" + jsonHeader + "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", ""},
		{"to its end", "HTTP/1.1 200 OK\r\n" + jsonHeader + "\r\n{}", ""},
		{"of HTTP 1.0", "HTTP/1.0 200 OK\r\n" + jsonHeader + "\r\n{}", ""},
		{"after a provisional one", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" + whole, ""},
		{"provisional without end", strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 20), connectors.FaultDown},
		{"of another protocol", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", connectors.FaultMalformed},
		{"cut off", "HTTP/1.1 200 OK\r\n" + jsonHeader + "Content-Length: 9\r\n\r\n{}", connectors.FaultDown},
		{"cut off in a chunk", "HTTP/1.1 200 OK\r\n" + jsonHeader + "Transfer-Encoding: chunked\r\n\r\n9\r\n{}", connectors.FaultDown},
		{"of a bad chunk", "HTTP/1.1 200 OK\r\n" + jsonHeader + "Transfer-Encoding: chunked\r\n\r\nx\r\n{}", connectors.FaultDown},
		{"of two lengths", "HTTP/1.1 200 OK\r\n" + jsonHeader + "Content-Length: 2\r\nContent-Length: 1\r\n\r\n{}", connectors.FaultDown},
		{"of two forms", "HTTP/1.1 200 OK\r\n" + jsonHeader + "Content-Length: x\r\n\r\n{}", connectors.FaultDown},
		{"garbage", "SSH-2.0-x\r\n\r\n", connectors.FaultDown},
		{"nothing", "", connectors.FaultDown},
		{"half a header", "HTTP/1.1 200 OK\r\nContent-Ty", connectors.FaultDown},
		{"a header without end", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 2*maxHeader), connectors.FaultDown},
		{"lines without end", "HTTP/1.1 200 OK\r\n" + strings.Repeat("X: y\r\n", maxHeader), connectors.FaultDown},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			answer, err := newClient(t).Do(t.Context(), Call{Query: local(), Method: http.MethodPost, URL: script(t, c.text).url, Body: []byte(`{}`)})
			wantFault(t, err, c.want)
			if c.want == "" && string(answer.Body) != "{}" {
				t.Errorf("read %q", answer.Body)
			}
		})
	}
}

// Whether a connection is used again, by the first of two answers on it.
func TestPlain_UsesAConnectionAgainOnlyWhenItIsClean(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, first string
		conns       int64
	}{
		{"read whole", whole, 1},
		{"read whole, in chunks", "HTTP/1.1 200 OK\r\n" + jsonHeader + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 1},
		{"a refusal", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 1},
		{"to be closed", "HTTP/1.1 200 OK\r\n" + jsonHeader + "Connection: close\r\nContent-Length: 2\r\n\r\n{}", 2},
		{"more than was asked for", whole + whole, 2},
		{"not read to its end", "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}", 2},
		{"of HTTP 1.0", "HTTP/1.0 200 OK\r\n" + jsonHeader + "Content-Length: 2\r\n\r\n{}", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			client, s := newClient(t), script(t, c.first, whole)
			for range 2 {
				_, _ = client.Do(t.Context(), Call{Query: local(), Method: http.MethodPost, URL: s.url}) // the second matters
			}
			if got := s.conns.Load(); got != c.conns {
				t.Errorf("%d connections, want %d", got, c.conns)
			}
		})
	}
}

func TestPlain_NoticesThatTheSourceHasClosed(t *testing.T) {
	t.Parallel()
	client, s := newClient(t), script(t, whole) // and closes
	for range 3 {
		_, err := client.Do(t.Context(), Call{Query: local(), Method: http.MethodPost, URL: s.url, Body: []byte(`{}`)})
		wantFault(t, err, "")
		waitUntilClosed(t, client)
	}
	if got := s.conns.Load(); got != 3 {
		t.Errorf("%d connections, want 3", got)
	}
}

// waitUntilClosed waits until the only idle connection has been closed by the
// other side.
func waitUntilClosed(t *testing.T, client *Client) {
	t.Helper()
	client.mu.Lock()
	defer client.mu.Unlock()
	for _, p := range client.pools {
		plain := p.transport.plain.(*plainTransport)
		plain.mu.Lock()
		for _, kept := range plain.idle {
			for _, c := range kept {
				_, _ = c.Conn.Read(make([]byte, 1)) // gives nothing but the end
			}
		}
		plain.mu.Unlock()
	}
}

func TestPlain_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"before the header": "", "in the header": "HTTP/1.1 200 OK\r\nX", "in the body": "HTTP/1.1 200 OK\r\n" + jsonHeader + "Content-Length: 2\r\n\r\n{",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var conns atomic.Int64
			url := listen(t, func(w http.ResponseWriter, r *http.Request) {
				connection, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				defer connection.Close()
				if conns.Add(1) > 1 {
					_, _ = io.WriteString(connection, whole)
					return
				}
				_, _ = io.WriteString(connection, text)
				_, _ = connection.Read(make([]byte, 1)) // until the other side gives up
			})
			client := newClient(t)
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			_, err := client.Do(ctx, Call{Query: local(), Method: http.MethodPost, URL: url})
			wantFault(t, err, connectors.FaultTimeout)
			_, err = client.Do(t.Context(), Call{Query: local(), Method: http.MethodPost, URL: url})
			wantFault(t, err, "")
			if got := conns.Load(); got != 2 {
				t.Errorf("%d connections, want 2", got)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := newClient(t).Do(ctx, Call{Query: local(), Method: http.MethodPost, URL: script(t, whole).url})
	wantFault(t, err, connectors.FaultDown)
}

func TestPlain_SendsNoHeaderThatIsNone(t *testing.T) {
	t.Parallel()
	for _, header := range []http.Header{{"X-A": {"a\x01"}}, {"X-A": {"a\x7f"}}, {"X A": {"a"}}, {"": {"a"}}, {"X:A": {"a"}}, {"\u6d4e": {"a"}}} {
		request := httptest.NewRequest(http.MethodPost, script(t, whole).url, nil)
		request.Header = header
		transport := newPlainTransport(catalog.NetworkLocal, clock)
		if _, err := transport.RoundTrip(request); err == nil {
			t.Errorf("%q was sent", header)
		}
	}
}

// Each answer is that to its own question, and connections are kept within their
// bound, however many ask at once.
func TestPlain_KeepsManyApart(t *testing.T) {
	t.Parallel()
	url := listen(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.Copy(w, r.Body)
	})
	client := newClient(t)
	var group sync.WaitGroup
	for i := range 2 * maxIdlePerHost {
		group.Go(func() {
			for j := range 5 {
				want := fmt.Sprintf(`{"%d":%d}`, i, j)
				answer, err := client.Do(t.Context(), Call{Query: local(), Method: http.MethodPost, URL: url, Body: []byte(want)})
				if err != nil || string(answer.Body) != want {
					t.Errorf("asked %s, got %q, %v", want, answer.Body, err)
				}
			}
		})
	}
	group.Wait()
	for _, p := range client.pools {
		for _, kept := range p.transport.plain.(*plainTransport).idle {
			if len(kept) > maxIdlePerHost {
				t.Errorf("%d connections are kept", len(kept))
			}
		}
	}
}

func TestPlain_LeavesAConnectionThatWasUnusedForLong(t *testing.T) {
	t.Parallel()
	at := clock()
	client := NewClient(Options{Now: func() time.Time { return at }})
	t.Cleanup(client.Close)
	s := script(t, whole, whole)
	for _, wait := range []time.Duration{0, idleTimeout - time.Second, idleTimeout} {
		at = at.Add(wait)
		_, err := client.Do(t.Context(), Call{Query: local(), Method: http.MethodPost, URL: s.url})
		wantFault(t, err, "")
	}
	if got := s.conns.Load(); got != 2 {
		t.Errorf("%d connections, want 2", got)
	}
}

// BenchmarkTransport puts a question of 200 bytes that has an answer of 500 by
// plainTransport and by http.Transport, in one run. The server is in the same
// process, so that the difference is larger than it looks.
func BenchmarkTransport(b *testing.B) {
	answer := []byte(`{"code":"0","data":"` + strings.Repeat("x", 480) + `"}`)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer)
	}))
	b.Cleanup(server.Close)
	question := strings.Repeat("q", 200)
	for name, transport := range map[string]roundTripper{
		"plain": newPlainTransport(catalog.NetworkLocal, clock), "net-http": newTransport(catalog.NetworkLocal, nil),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					request, err := http.NewRequestWithContext(b.Context(), http.MethodPost, server.URL, strings.NewReader(question))
					if err != nil {
						b.Error(err)
						return
					}
					response, err := transport.RoundTrip(request)
					if err != nil {
						b.Error(err)
						return
					}
					if text, err := io.ReadAll(response.Body); err != nil || len(text) != len(answer) {
						b.Errorf("read %d bytes, %v", len(text), err)
					}
					_ = response.Body.Close()
				}
			})
			transport.CloseIdleConnections()
		})
	}
}

// After a rush of calls nobody takes most of their connections again.
func TestPlain_ClosesWhatARushHasLeft(t *testing.T) {
	t.Parallel()
	const rush = 5
	count, here := &connections{}, make(chan struct{}, rush)
	all := make(chan struct{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		here <- struct{}{}
		<-all
		sendEmpty(w, r)
	}))
	server.Config.ConnState = count.see
	server.Start()
	t.Cleanup(server.Close)
	var at atomic.Int64
	client := NewClient(Options{Now: func() time.Time { return clock().Add(time.Duration(at.Load())) }})
	t.Cleanup(client.Close)
	ask := func(source string) {
		q := local()
		q.Source.Code = source
		_, err := client.Do(t.Context(), Call{Query: q, Method: http.MethodGet, URL: server.URL})
		wantFault(t, err, "")
	}
	var group sync.WaitGroup
	for range rush {
		group.Go(func() { ask("rushed") })
	}
	for range rush {
		<-here
	}
	close(all)
	group.Wait()
	at.Store(int64(idleTimeout))
	ask("another")
	count.wait(t, 1)
}

// When no call comes at all, a transport looks by itself, as long as there is anything.
func TestPlain_LooksByItselfWhileAConnectionIsOpen(t *testing.T) {
	t.Parallel()
	at := clock()
	own, is := newPlainTransport(catalog.NetworkLocal, func() time.Time { return at }).(*plainTransport)
	if !is {
		t.Fatal("this machine has another transport")
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, script(t, whole, whole).url, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := own.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	if err := answer.Body.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		later time.Duration
		kept  int
	}{{idleTimeout - time.Second, 1}, {time.Second, 0}} {
		if !own.looking {
			t.Error("nobody will look")
		}
		at = at.Add(c.later)
		own.expire()
		if len(own.idle) != c.kept || own.looking != (c.kept > 0) {
			t.Errorf("%d kept, looking %v; want %d", len(own.idle), own.looking, c.kept)
		}
	}
}
