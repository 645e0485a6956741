package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestServeHTTP_DropsNothingWhenItEnds ends a server that many ask, and wants an answer
// to every request that was sent, until connections are refused.
func TestServeHTTP_DropsNothingWhenItEnds(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(20 * time.Millisecond)
		_, _ = io.WriteString(w, "done")
	})
	ctx, end := context.WithCancel(t.Context())
	defer end()
	ended := make(chan error, 1)
	go func() { ended <- serveHTTP(ctx, listener, handler) }()
	url := "http://" + listener.Addr().String()
	var answered, dropped, unready atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			for range 10_000 {
				if !askUntilRefused(client, url, &answered, &dropped) {
					return
				}
				time.Sleep(time.Duration(answered.Load()%120) * time.Millisecond)
			}
		})
	}
	time.Sleep(150 * time.Millisecond)
	end()
	time.Sleep(20 * time.Millisecond)
	if response, err := http.Get(url + "/readyz"); err == nil {
		if response.Body.Close(); response.StatusCode == http.StatusServiceUnavailable && response.Close {
			unready.Add(1)
		}
	}
	all.Wait()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if dropped.Load() > 0 || answered.Load() < 20 || unready.Load() == 0 {
		t.Errorf("%d answered, %d dropped, said so %v", answered.Load(), dropped.Load(), unready.Load() > 0)
	}
}

// askUntilRefused asks once; false when there is nobody any more to ask.
func askUntilRefused(client *http.Client, url string, answered, dropped *atomic.Int64) bool {
	response, err := client.Post(url, "text/plain", nil) // a POST is not sent again by the client
	if err != nil {
		var refused *net.OpError
		if !errors.As(err, &refused) || refused.Op != "dial" {
			dropped.Add(1)
		}
		return false
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || string(body) != "done" {
		dropped.Add(1)
		return false
	}
	answered.Add(1)
	return true
}

// A reader who takes nothing is cut off; one who takes a little now and then is not.
func TestPacedConn_EndsAWriteThatGetsNowhere(t *testing.T) {
	t.Parallel()
	near, far := net.Pipe()
	defer far.Close()
	c := &pacedConn{Conn: near}
	if err := c.SetWriteDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if _, err := c.Write([]byte("x")); err == nil || time.Since(begun) > slowest/2 {
		t.Errorf("a write past the server's own deadline: %v after %v", err, time.Since(begun))
	}
	if err := c.SetDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, far) }()
	if _, err := c.Write([]byte("x")); err != nil {
		t.Errorf("a write that is taken: %v", err)
	}
}
