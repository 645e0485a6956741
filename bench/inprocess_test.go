package bench

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/elicense"
	"mianti/connectors/guard"
	"mianti/connectors/httpjson"
	"mianti/connectors/wire"
	"mianti/examples/jinan"
	"mianti/exchange"
	"mianti/internal/keytest"
	"mianti/policies"
	"mianti/store"
)

// BenchmarkResolveInProcess resolves the same case of eight materials without
// the HTTP of the exchange itself, to count its allocations. The sources are
// still a process of their own and are asked over HTTP.
func BenchmarkResolveInProcess(b *testing.B) {
	p := build(b)
	sources, _ := p.start(b, "simulate", "--listen=127.0.0.1:0", "--listen-database=", "--listen-faults=", "--people=10")
	ctx := context.Background()
	x, caller := newExchange(b, ctx, sources)
	c, _, err := x.OpenCase(ctx, caller, opening())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		r, err := x.Resolve(ctx, caller, c.ID, nil)
		if err != nil {
			b.Fatal(err)
		}
		if r.Summary.Settled != 8 {
			b.Fatalf("%d materials settled, want 8", r.Summary.Settled)
		}
	}
}

func newExchange(b *testing.B, ctx context.Context, sources string) (*exchange.Exchange, policies.Caller) {
	b.Helper()
	url := "sqlite:" + filepath.Join(b.TempDir(), "bench.db")
	if err := store.Migrate(ctx, url); err != nil {
		b.Fatal(err)
	}
	db, err := store.Open(ctx, store.Config{URL: url, Keys: keytest.Keys(), Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	watch(b, db)
	files, err := catalog.Files(jinan.Files)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := db.SaveRevision(ctx, files, store.RevisionMeta{}); err != nil {
		b.Fatal(err)
	}
	for id, department := range map[string]string{"bench": "BDC", "bench-jt": "JT"} {
		if err := db.SaveSystem(ctx, exchange.System{ID: id, Department: department}); err != nil {
			b.Fatal(err)
		}
	}
	catalogs := store.NewCatalogs(db)
	rev, err := catalogs.Current(ctx)
	if err != nil {
		b.Fatal(err)
	}
	for _, matter := range rev.Matters() {
		if matter.Code != "S06.M1" && matter.OneThing != "S13" {
			continue
		}
		if err := db.SaveGrants(ctx, everyGrant(rev, matter.Code)); err != nil {
			b.Fatal(err)
		}
	}
	var ids atomic.Int64
	newID := func() string { return fmt.Sprintf("id-%08d", ids.Add(1)) }
	return exchange.New(exchange.Config{
		Catalogs: catalogs, Cases: db, Resolutions: db, Keys: db, Submissions: db, Journal: db, Grants: db, Consents: db,
		Sources: newGuard(b, db), Queue: db, Systems: db,
		Locate: func(department string, _ *catalog.Source) (string, catalog.Network) {
			return sources + "/" + department, catalog.NetworkLocal
		},
		Desk:       &exchange.Desk{Assists: db, Cases: db, Now: time.Now, NewID: newID, Due: func(from time.Time, days int) time.Time { return from.AddDate(0, 0, days) }},
		SubjectKey: make([]byte, 32), Now: time.Now, Log: slog.New(slog.DiscardHandler), NewID: newID,
	}), policies.Caller{System: "bench", Department: "BDC"}
}

// watch keeps the memory of a store true, as in service.
func watch(b *testing.B, db *store.Store) {
	b.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- db.Watch(ctx) }()
	b.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	})
}

// newGuard is the guard before the two kinds of source that the catalog has. It
// records every call, as in service.
func newGuard(b *testing.B, calls guard.Calls) *guard.Guard {
	b.Helper()
	client := wire.NewClient(wire.Options{Now: time.Now})
	g := guard.New(guard.Config{
		Connectors: map[catalog.SourceKind]connectors.Connector{
			catalog.SourceHTTPJSON: httpjson.New(client, time.Now), catalog.SourceElicense: elicense.New(client),
		},
		Now: time.Now, Log: slog.New(slog.DiscardHandler), Calls: calls,
	})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	b.Cleanup(func() {
		stop()
		<-ended // what came of the record is not measured
		client.Close()
	})
	return g
}

// everyGrant gives a matter's department every field of every dataset.
func everyGrant(rev *catalog.Revision, matter string) []policies.Grant {
	var grants []policies.Grant
	for _, d := range rev.Datasets() {
		var fields []string
		for _, f := range d.Fields {
			fields = append(fields, f.Code)
		}
		grants = append(grants, policies.Grant{
			ID: matter + ":" + d.Code, Department: rev.Matter(matter).Department, Matter: matter, Dataset: d.Code, Fields: fields,
			From: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour), State: policies.GrantActive,
		})
	}
	return grants
}

// opening is eightMaterials as the exchange takes it.
func opening() exchange.Opening {
	return exchange.Opening{
		Number: "BENCH-1", Matter: "S06.M1", Facts: map[string]any{"applicant_kind": "company", "accept_commitment": true},
		Parties: []catalog.Party{
			{ID: "p1", Roles: []string{"applicant", "developer"}, Kind: catalog.KindOrganization, Name: "泉城示例置业有限公司", Number: "91370102MA9X10033G"},
			{ID: "p2", Roles: []string{"project"}, Kind: catalog.KindProject, Name: "泉城示例住宅小区项目", Number: "2401-370199-04-01-100038"},
			{ID: "p3", Roles: []string{"property"}, Kind: catalog.KindProperty, Name: "济南市示例区新城路20号1号楼1501室", Number: "370199001001GB00006F00000006"},
		},
	}
}
