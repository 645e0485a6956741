package main

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
)

func TestSimulate_RefusesEveryAddressButLoopback(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"--listen", "--listen-database", "--listen-faults"} {
		status, text := runs(t, "simulate", "--listen=127.0.0.1:0", "--listen-database=", "--listen-faults=", flag+"=192.0.2.1:0")
		if status != 1 || !strings.Contains(text, flag) || !strings.Contains(text, "loopback") {
			t.Errorf("%s: status %d\n%s", flag, status, text)
		}
	}
}

func TestOpenStandIns_OpensAllPortsOrNone(t *testing.T) {
	t.Parallel()
	server, err := newStandIns(os.DirFS(kindsFolder), 1, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	for _, faults := range []string{"", "127.0.0.1:0"} {
		if s, err := openStandIns(server, standInPlaces{Departments: "127.0.0.1:0", Database: taken.Addr().String(), Faults: faults}); err == nil {
			t.Errorf("a port that is taken was opened; faults at %q: %v", faults, s.Close())
		}
	}
}

// Whoever measures wants nothing between the exchange and the departments.
func TestStandIns_AnswerWithoutANetworkBeforeThem(t *testing.T) {
	t.Parallel()
	server, err := newStandIns(os.DirFS(kindsFolder), 1, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	s, err := openStandIns(server, standInPlaces{Departments: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	serveUntilEnd(t, s.Serve)
	if len(s.networks) != 0 || s.views != nil {
		t.Error("there is a network or a database")
	}
	for fault, want := range map[string]int{"down": http.StatusNoContent, "reset": http.StatusBadRequest} {
		answer, err := http.Post("http://"+s.places.Departments+"/_faults", "application/json", strings.NewReader(`{"fault":"`+fault+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close() // what it says does not matter
		if answer.StatusCode != want {
			t.Errorf("%s: status %d, want %d", fault, answer.StatusCode, want)
		}
	}
	var hints bytes.Buffer
	s.printHints(&hints)
	if text := hints.String(); strings.Contains(text, "postgres://") || strings.Contains(text, "reset") {
		t.Errorf("speaks of what is not there:\n%s", text)
	}
}

func TestStandIns_EndWhenTheyAreTold(t *testing.T) {
	t.Parallel()
	server, err := newStandIns(os.DirFS(kindsFolder), 1, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	s, err := openStandIns(server, standInPlaces{Departments: "127.0.0.1:0", Database: "127.0.0.1:0", Faults: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx) }()
	answer, err := http.Get("http://" + s.places.Departments + "/YS/snapshot/D-YS02.csv")
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close() // what it says does not matter
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	for _, address := range []string{s.places.Departments, s.places.Database, s.places.Faults} {
		if listener, err := net.Listen("tcp", address); err != nil {
			t.Errorf("the port is not free again: %v", err)
		} else if err := listener.Close(); err != nil {
			t.Error(err)
		}
	}
}
