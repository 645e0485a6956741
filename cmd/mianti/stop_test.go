package main

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"mianti/exchange"
	"mianti/internal/pgtest"
	"mianti/policies"
)

// TestStop_WorksOnEveryReplicaAtOnce runs two servers on one PostgreSQL and
// stops, beside them, a grant, a dataset, a source and a system: the very
// next resolution of either server releases nothing that rests on it.
func TestStop_WorksOnEveryReplicaAtOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program and runs it twice")
	}
	t.Parallel()
	k := newKilling(t, t.Context(), pgtest.Database(t))
	var replicas []*client
	for range 2 {
		server := k.startServer(t)
		t.Cleanup(func() { server.kill(t) })
		c := newClient(server.url, demoSystem+"SPJ", k.secret)
		if err := c.signIn(t.Context()); err != nil {
			t.Fatal(err)
		}
		replicas = append(replicas, c)
	}
	at := slices.IndexFunc(k.cases, func(c namedCase) bool { return c.Name == "S01-own-premises.yaml" })
	resolve := func(c *client) (*exchange.Resolution, error) { return c.resolve(t.Context(), k.cases[at].caseFile) }
	first, err := resolve(replicas[0])
	if err != nil {
		t.Fatal(err)
	}
	evidence := someEvidence(t, first)
	for kind, id := range map[policies.StopKind]string{
		policies.StopGrant: evidence.Grant, policies.StopDataset: evidence.Dataset, policies.StopSource: evidence.Source, policies.StopSystem: demoSystem + "SPJ",
	} {
		k.command(t, "stop", "add", string(kind), id, "--reason", "演练")
		stopped := time.Now()
		for i, c := range replicas {
			r, err := resolve(c)
			if kind == policies.StopSystem {
				var p *problem
				if !errors.As(err, &p) || p.Status != http.StatusForbidden || p.Code != "stopped" {
					t.Errorf("replica %d: %v, want that the system is stopped", i, err)
				}
				continue
			}
			if err != nil {
				t.Fatalf("%s: replica %d: %v", kind, i, err)
			}
			if restsOn(r, kind, id) {
				t.Errorf("%s %s: replica %d releases what rests on it", kind, id, i)
			}
		}
		t.Logf("%s: both replicas had kept to it %s after", kind, time.Since(stopped).Round(time.Millisecond))
		k.command(t, "stop", "lift", string(kind), id)
		// A stop is kept to at once; that it was lifted is known within two seconds.
		lifted := time.Now()
		for i, c := range replicas {
			r, err := resolve(c)
			for (err != nil || (kind != policies.StopSystem && !restsOn(r, kind, id))) && time.Since(lifted) < 3*time.Second {
				r, err = resolve(c)
			}
			if err != nil || (kind != policies.StopSystem && !restsOn(r, kind, id)) {
				t.Errorf("%s %s: replica %d after it was lifted: %v", kind, id, i, err)
			}
		}
	}
}

// command runs the program to its end, on the database of the test.
func (k *killing) command(t *testing.T, args ...string) {
	t.Helper()
	var out bytes.Buffer
	if status := run(t.Context(), append(args, "--database", k.database), &out, &out); status != 0 {
		t.Fatalf("%v: status %d\n%s", args, status, out.String())
	}
}

// someEvidence is one that rests on a grant.
func someEvidence(t *testing.T, r *exchange.Resolution) exchange.Evidence {
	t.Helper()
	for i := range r.Materials {
		for _, e := range r.Materials[i].Evidences() {
			if e.Grant != "" {
				return *e
			}
		}
	}
	t.Fatal("nothing rests on a grant")
	return exchange.Evidence{}
}

func restsOn(r *exchange.Resolution, kind policies.StopKind, id string) bool {
	return slices.ContainsFunc(r.Materials, func(m exchange.MaterialResult) bool {
		return slices.ContainsFunc(m.Evidences(), func(e *exchange.Evidence) bool {
			return map[policies.StopKind]string{policies.StopGrant: e.Grant, policies.StopDataset: e.Dataset, policies.StopSource: e.Source}[kind] == id
		})
	})
}
