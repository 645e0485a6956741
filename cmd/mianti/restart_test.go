package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/connectors/standin"
	"mianti/examples/jinan"
	"mianti/exchange"
	"mianti/internal/pgtest"
	"mianti/internal/webhook"
	"mianti/ledger"
	"mianti/policies"
	"mianti/store"
)

// TestRestart_WhatWaitedFinishesOnce kills the server with SIGKILL while a
// source is awaited and an officer has not answered, and wants both to come to
// their end under the next one, once each, and the system to be told once of
// each.
func TestRestart_WhatWaitedFinishesOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("kills the server, and waits for a source as long as the exchange does")
	}
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		restartWhileWaiting(t, "sqlite:"+filepath.Join(t.TempDir(), "restart.db"))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		restartWhileWaiting(t, pgtest.Database(t))
	})
}

// The datasets that are away, and the materials that wait for them.
const (
	registerOfTheBad, notBad   = "D-FG02", "S01.M1.j" // no upload in its chain
	drivingRecord, safeDriving = "D-GA08", "S13.M2.l" // an officer of GA is asked
)

func restartWhileWaiting(t *testing.T, database string) {
	r := newRestarting(t, database)
	server := r.start(t)
	founding := r.resolve(t, server, "SPJ", "S01-own-premises")
	school := r.resolve(t, server, "JT", "S13-founding-ordinary")
	for name, waits := range map[string]*exchange.Resolution{notBad: founding, safeDriving: school} {
		if !waits.Continues() || findMaterial(t, waits, name).Outcome != policies.Verifying {
			t.Fatalf("%s does not wait: %+v", name, findMaterial(t, waits, name))
		}
	}
	server.kill(t)

	r.standIns.ClearRules()
	server = r.start(t)
	r.answer(t, server, findMaterial(t, school, safeDriving).Task)
	for name, before := range map[string]*exchange.Resolution{notBad: founding, safeDriving: school} {
		after := r.await(t, server, before)
		if got := findMaterial(t, after, name); got.Outcome != policies.Settled || after.Version != 2 || after.ID != before.ID {
			t.Errorf("%s: %s in version %d of %s, want settled in version 2 of %s", name, got.Outcome, after.Version, after.ID, before.ID)
		}
		r.checkOnce(t, after)
	}
	r.checkTold(t, founding, school)
	server.stop(t)
}

// restarting is a server that is killed and started again, with what outlives
// it.
type restarting struct {
	killing
	standIns *standin.Server
	mu       sync.Mutex
	told     map[string]int // deliveries by event
}

func newRestarting(t *testing.T, database string) *restarting {
	t.Helper()
	r := &restarting{killing: *newKilling(t, t.Context(), database), told: map[string]int{}}
	var err error
	if r.standIns, err = newStandIns(jinan.Files, 1, 10, 0); err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewServer(r.standIns)
	t.Cleanup(listener.Close)
	r.sources = listener.URL + "/{department}"
	for _, dataset := range []string{registerOfTheBad, drivingRecord} {
		if err := r.standIns.AddRule(standin.Rule{Dataset: dataset, Fault: standin.FaultDown}); err != nil {
			t.Fatal(err)
		}
	}
	r.listen(t)
	return r
}

// listen registers an endpoint for both systems, and counts what arrives.
func (r *restarting) listen(t *testing.T) {
	t.Helper()
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.told[request.Header.Get("webhook-id")]++
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(receiver.Close)
	db, err := store.Open(t.Context(), store.Config{URL: r.database, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, department := range []string{"SPJ", "JT"} {
		e := webhook.Endpoint{System: demoSystem + department, URL: receiver.URL, Network: catalog.NetworkLocal}
		if err := db.SaveEndpoint(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
}

func (r *restarting) start(t *testing.T) *killable {
	t.Helper()
	return r.startServer(t)
}

// stop lets the server end by itself, and wants it to.
func (s *killable) stop(t *testing.T) {
	t.Helper()
	if err := s.process.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = s.process.Wait() // interrupted: its status says so
}

func (r *restarting) client(t *testing.T, server *killable, department string) *client {
	t.Helper()
	c := newClient(server.url, demoSystem+department, r.secret)
	if err := c.signIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}

func (r *restarting) resolve(t *testing.T, server *killable, department, name string) *exchange.Resolution {
	t.Helper()
	for _, file := range r.cases {
		if strings.TrimSuffix(file.Name, ".yaml") != name {
			continue
		}
		resolution, err := r.client(t, server, department).resolve(t.Context(), file.caseFile)
		if err != nil {
			t.Fatal(err)
		}
		return resolution
	}
	t.Fatalf("no case %s", name)
	return nil
}

// answer answers the task as an officer of GA.
func (r *restarting) answer(t *testing.T, server *killable, task string) {
	t.Helper()
	body := map[string]any{"result": "confirmed", "officer": "李明"}
	if err := r.client(t, server, "GA").call(t.Context(), http.MethodPost, "/v1/assist-tasks/"+task+"/answer", body, nil); err != nil {
		t.Fatal(err)
	}
}

// await polls until the resolution does not go on any more.
func (r *restarting) await(t *testing.T, server *killable, before *exchange.Resolution) *exchange.Resolution {
	t.Helper()
	department := map[string]string{"S01": "SPJ", "S13": "JT"}[before.OneThing]
	c := r.client(t, server, department)
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	for {
		var now exchange.Resolution
		if err := c.call(ctx, http.MethodGet, "/v1/resolutions/"+before.ID, nil, &now); err != nil {
			t.Fatalf("%s: %v", before.ID, errors.Join(err, ctx.Err()))
		}
		if now.Version > before.Version && !now.Continues() {
			return &now
		}
		time.Sleep(200 * time.Millisecond) // it is another process
	}
}

// checkOnce wants one entry for each version, and none besides.
func (r *restarting) checkOnce(t *testing.T, after *exchange.Resolution) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{URL: r.database, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	entries, err := db.Entries(t.Context(), after.Case)
	if err != nil {
		t.Fatal(err)
	}
	versions := map[int]int{}
	for _, e := range entries {
		if e.Kind == ledger.Resolved {
			versions[e.Version]++
		}
	}
	if len(versions) != 2 || versions[1] != 1 || versions[2] != 1 {
		t.Errorf("%s: entries by version %v, want one for each of 1 and 2", after.Case, versions)
	}
}

// checkTold wants one delivery for each resolution that changed.
func (r *restarting) checkTold(t *testing.T, changed ...*exchange.Resolution) {
	t.Helper()
	want := map[string]int{}
	for _, resolution := range changed {
		want[fmt.Sprintf("%s-2", resolution.ID)] = 1
	}
	deadline := time.Now().Add(20 * time.Second)
	for {
		r.mu.Lock()
		got := asJSON(t, r.told)
		r.mu.Unlock()
		if got == asJSON(t, want) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("deliveries %s, want %s", got, asJSON(t, want))
		}
		time.Sleep(100 * time.Millisecond) // it is another process
	}
}

func findMaterial(t *testing.T, r *exchange.Resolution, code string) *exchange.MaterialResult {
	t.Helper()
	for i := range r.Materials {
		if r.Materials[i].Code == code {
			return &r.Materials[i]
		}
	}
	text, _ := json.Marshal(r)
	t.Fatalf("the resolution has no %s: %s", code, text)
	return nil
}
