package load

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/internal/identifier"
)

func TestPercentile_IsTheNearestRank(t *testing.T) {
	t.Parallel()
	hundred := make([]int, 100)
	for i := range hundred {
		hundred[i] = i + 1
	}
	for _, c := range []struct {
		sorted  []int
		percent float64
		want    int
	}{
		{hundred, 50, 50}, {hundred, 99, 99}, {hundred, 100, 100}, {hundred, 0, 1},
		{[]int{1, 2, 3}, 50, 2}, {[]int{1, 2}, 50, 1}, {[]int{7}, 99, 7}, {nil, 50, 0},
	} {
		if got := Percentile(c.sorted, c.percent); got != c.want {
			t.Errorf("Percentile(%d values, %g) = %d, want %d", len(c.sorted), c.percent, got, c.want)
		}
	}
	if got := Median([]float64{9, 1, 5}); got != 5 {
		t.Errorf("Median = %g, want 5", got)
	}
}

func TestParseStat_ReadsPastAnyName(t *testing.T) {
	t.Parallel()
	got, err := parseStat([]byte("42 (a) b (c) S 7 1 1 0 -1 4194304 1 2 3 4 150 50 30 20 20 0 9 0\n"))
	want := stat{parent: 7, own: 2 * time.Second, ended: 500 * time.Millisecond}
	if err != nil || got != want {
		t.Errorf("parseStat = %+v, %v, want %+v", got, err, want)
	}
	for _, wrong := range []string{"", "42 (a) S 7 1", "42 (a) S x 1 1 0 -1 4194304 1 2 3 4 150 50 30 20 20"} {
		if _, err := parseStat([]byte(wrong)); err == nil {
			t.Errorf("parseStat(%q) takes it", wrong)
		}
	}
}

func TestCPU_GrowsWithWork(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("no /proc here")
	}
	before, err := CPU(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for until := time.Now().Add(20 * time.Second); time.Now().Before(until); {
		if after, err := CPU(os.Getpid()); err != nil || after > before {
			return
		}
	}
	t.Error("seconds of work cost no processor time")
}

// server answers with raw texts, one for each request of a connection.
func server(t *testing.T, answers ...string) (address string, connections *atomic.Int64) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	connections = &atomic.Int64{}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			in := bufio.NewReader(conn)
			for _, answer := range answers {
				request, err := http.ReadRequest(in)
				if err != nil {
					break
				}
				_, _ = io.Copy(io.Discard, request.Body)
				_, _ = io.WriteString(conn, answer)
			}
			_ = conn.Close()
		}
	}()
	return listener.Addr().String(), connections
}

func TestConn_ReadsEveryKindOfBodyAndReconnects(t *testing.T) {
	t.Parallel()
	address, connections := server(t,
		"HTTP/1.1 200 OK\r\nContent-Type: x\r\nContent-Length: 5\r\n\r\nhello",
		"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
		"HTTP/1.1 204 No Content\r\n\r\n")
	c := NewConn(address, time.Second)
	defer c.Close()
	for _, want := range []struct {
		status      int
		retry, body string
	}{{200, "", "hello"}, {503, "2", "abcde"}, {204, "", ""}, {200, "", "hello"}} {
		got, err := c.Do(Request(http.MethodPost, "/", address, []byte("{}"), "X-A: b"))
		if err != nil || got.Status != want.status || got.RetryAfter != want.retry || string(got.Body) != want.body {
			t.Errorf("got %d %q %q, %v, want %+v", got.Status, got.RetryAfter, got.Body, err, want)
		}
	}
	if got := connections.Load(); got != 2 {
		t.Errorf("%d connections, want 2: the server closes after three answers", got)
	}
}

func TestClosed_CountsWhatFailsApart(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if n.Add(1)%2 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(s.Close)
	target := &Target{Name: "t", Address: strings.TrimPrefix(s.URL, "http://")}
	request := Request(http.MethodGet, "/", target.Address, nil)
	target.Request = func(int64) []byte { return request }
	result, err := Fixed(t.Context(), target, 1000, 4, 100*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if result.Requests != 50 || result.Failed != 50 || result.FirstError == nil || len(result.Latencies) != 50 {
		t.Errorf("%d answered, %d failed, %v, want 50 each", result.Requests, result.Failed, result.FirstError)
	}
}

func TestFixed_CountsTheTimeThatARequestWaited(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(20 * time.Millisecond) }))
	t.Cleanup(s.Close)
	target := &Target{Address: strings.TrimPrefix(s.URL, "http://")}
	request := Request(http.MethodGet, "/", target.Address, nil)
	target.Request = func(int64) []byte { return request }
	result, err := Fixed(t.Context(), target, 100, 1, 100*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	// One caller answers fifty a second: the last of ten due every 10 ms has waited
	// at least 90 ms.
	if got := result.Latencies[len(result.Latencies)-1]; len(result.Latencies) < 5 || got < 60*time.Millisecond {
		t.Errorf("the slowest of %d took %s, want its waiting in it", len(result.Latencies), got)
	}
}

func TestSources_AnswerAboutWhoeverIsAskedFor(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := NewSources(time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC))
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(t.Context(), listener, "GA") }()
	target := listener.Addr().String()
	c := NewConn(target, time.Second)
	name, number := person(4711)
	question := `{"request_id":"1","subject":{"kind":"person","name":"` + name + `","number":"` + number + `"},"purpose":"p"}`
	answer, err := c.Do(Request(http.MethodPost, "/query/D-GA01", target, []byte(question)))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Code string
		Data []struct {
			Subject struct{ Name, Number string }
			Record  map[string]any
		}
	}
	if err := json.Unmarshal(answer.Body, &got); err != nil {
		t.Fatalf("%v in %s", err, answer.Body)
	}
	if got.Code != "0" || len(got.Data) != 1 || got.Data[0].Subject.Name != name || got.Data[0].Subject.Number != number || len(got.Data[0].Record) != len(fields()) {
		t.Errorf("answer %s", answer.Body)
	}
	if size := len(answer.Body); size < 460 || size > 760 {
		t.Errorf("an answer has %d bytes", size)
	}
	if _, err := c.Do(Request(http.MethodGet, "/_delay/30ms", target, nil)); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if _, err := c.Do(Request(http.MethodPost, "/", target, []byte(question))); err != nil || time.Since(begun) < 30*time.Millisecond {
		t.Errorf("a delayed answer took %s, %v", time.Since(begun), err)
	}
	c.Close()
}

func TestCatalog_IsLoaded(t *testing.T) {
	t.Parallel()
	folder, addresses := t.TempDir(), map[string]string{}
	for _, department := range Departments() {
		addresses[department] = "http://127.0.0.1:1"
	}
	if err := WriteCatalog(folder, addresses); err != nil {
		t.Fatal(err)
	}
	rev, err := catalog.Load(os.DirFS(folder))
	if err != nil {
		t.Fatal(err)
	}
	if got := rev.Matter(MeasuredMatter); got == nil || len(got.Materials) != 8 {
		t.Errorf("matter %+v, want eight materials", got)
	}
}

func TestPerson_HasANumberOfItsOwn(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for n := range 3_000 {
		_, number := person(n)
		if seen[number] || identifier.CitizenID(number) != nil {
			t.Fatalf("person %d has the number %s, again or misspelt", n, number)
		}
		seen[number] = true
	}
}

func TestStart_SaysWhatAProgramSaid(t *testing.T) {
	t.Parallel()
	_, _, err := Start(readyLine, "sh", "-c", "echo no luck; exit 3")
	if err == nil || !strings.Contains(err.Error(), "no luck") {
		t.Errorf("err = %v, want what the program said", err)
	}
	p, got, err := Start(readyLine, "sh", "-c", "echo token x; echo listening 127.0.0.1:7; exec sleep 60")
	if err != nil || got != "127.0.0.1:7" || len(p.Said) != 2 {
		t.Fatalf("Start = %q, %v", got, err)
	}
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
}
