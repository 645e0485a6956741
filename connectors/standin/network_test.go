package standin_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"mianti/connectors/standin"
)

// behind is a server with a network before it, and the base URL at which the
// network begins.
func behind(t *testing.T) (*standin.Server, string) {
	t.Helper()
	server, base := newServer(t, 0)
	network, err := standin.NewProxy(strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(network.Close)
	if err := server.Attach(network, "AA"); err != nil {
		t.Fatal(err)
	}
	return server, "http://" + network.Addr()
}

// through asks over a connection of its own, and says what came.
func through(t *testing.T, base string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/AA/query/D-A", strings.NewReader(signedBody))
	if err != nil {
		t.Fatal(err)
	}
	transport := new(http.Transport) // the department closes nothing by itself
	defer transport.CloseIdleConnections()
	answer, err := transport.RoundTrip(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return string(text), err
}

func TestProxy_PlaysTheFaultsOfANetworkAndIsMended(t *testing.T) {
	t.Parallel()
	server, base := behind(t)
	for _, c := range []struct {
		fault standin.Fault
		want  []error // one of these
	}{
		{standin.FaultReset, []error{syscall.ECONNRESET, io.EOF}},
		{standin.FaultCut, []error{io.ErrUnexpectedEOF}},
		{standin.FaultHang, []error{context.DeadlineExceeded}},
		{standin.FaultDrip, []error{context.DeadlineExceeded}},
	} {
		if err := server.AddRule(standin.Rule{Dataset: "D-A", Fault: c.fault}); err != nil {
			t.Fatal(err)
		}
		_, err := through(t, base)
		right := false
		for _, want := range c.want {
			right = right || errors.Is(err, want)
		}
		if !right {
			t.Errorf("%s: got %v, want %v", c.fault, err, c.want)
		}
	}
	server.ClearRules()
	if text, err := through(t, base); err != nil || !strings.Contains(text, "王建国") {
		t.Errorf("mended: %q, %v", text, err)
	}
}

func TestProxy_LeadsNowhereWhenItIsClosed(t *testing.T) {
	t.Parallel()
	target := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(target.Close)
	network, err := standin.NewProxy(strings.TrimPrefix(target.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	network.Close()
	// The port may be somebody else's by now, so the error does not matter.
	if text, err := through(t, "http://"+network.Addr()); err == nil && strings.Contains(text, "404") {
		t.Errorf("got %s", text)
	}
	if err := network.Play(standin.FaultDown); err == nil {
		t.Error("a network plays a fault that is none of its own")
	}
}

func TestSetRules_RefusesAFaultOfTheNetworkWithoutOne(t *testing.T) {
	t.Parallel()
	server, _ := newServer(t, 0)
	if err := server.SetRules(standin.Rule{Fault: standin.FaultReset}); err == nil {
		t.Error("without a network")
	}
	server, _ = behind(t)
	if err := server.SetRules(standin.Rule{Fault: standin.FaultReset, Subject: "370199198805163315"}); err == nil {
		t.Error("for one person")
	}
}

// It counts goroutines, so it runs alone.
func TestProxy_KeepsNothingWhenAReaderLeavesInTheMiddle(t *testing.T) {
	long := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(make([]byte, 32<<20)) // more than all buffers hold
	}))
	t.Cleanup(long.Close)
	before := runtime.NumGoroutine()
	network, err := standin.NewProxy(strings.TrimPrefix(long.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	transport := new(http.Transport)
	for range 8 { // where each stops is up to the buffers
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+network.Addr(), nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := transport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close() // unread
	}
	transport.CloseIdleConnections()
	network.Close()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	timeout := time.After(10 * time.Second)
	for runtime.NumGoroutine() > before {
		select {
		case <-tick.C:
		case <-timeout:
			t.Fatalf("%d goroutines before, %d after", before, runtime.NumGoroutine())
		}
	}
}
