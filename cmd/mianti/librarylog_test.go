package main

import (
	"bufio"
	"bytes"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// locked is a buffer that two goroutines use.
type locked struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// TestQuietLibraries_KeepsNothingOfWhatADepartmentSent sends two answers to one
// question: net/http quotes the second one in the standard logger.
func TestQuietLibraries_KeepsNothingOfWhatADepartmentSent(t *testing.T) {
	var out locked
	quietLibraries(slog.New(slog.NewJSONHandler(&out, nil)))
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go answerTwice(listener)
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	answer, err := client.Get("http://" + listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	for until := time.Now().Add(10 * time.Second); out.String() == ""; {
		if time.Now().After(until) {
			t.Fatal("the library said nothing; the test proves nothing")
		}
		time.Sleep(10 * time.Millisecond) // the connection's own goroutine writes
	}
	if text := out.String(); strings.Contains(text, "370199198805163323") || !strings.Contains(text, "a library reported something") {
		t.Errorf("the log says %q", text)
	}
}

func answerTwice(listener net.Listener) {
	connection, err := listener.Accept()
	if err != nil {
		return
	}
	defer connection.Close()
	if _, err := http.ReadRequest(bufio.NewReader(connection)); err != nil {
		return
	}
	_, _ = io.WriteString(connection, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
	time.Sleep(100 * time.Millisecond) // so that the connection is idle when the second one comes
	_, _ = io.WriteString(connection, "HTTP/1.1 200 OK\r\nX-Number: 370199198805163323\r\nContent-Length: 0\r\n\r\n")
	time.Sleep(time.Second)
}
