package store

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"

	"gorm.io/gorm"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/examples/jinan"
	"mianti/exchange"
	"mianti/policies"
)

// countedPool counts what is asked outside of transactions.
type countedPool struct {
	*gorm.PreparedStmtDB
	mu         sync.Mutex
	statements []string
}

func (p *countedPool) note(query string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.statements = append(p.statements, query)
}

func (p *countedPool) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	p.note(query)
	return p.PreparedStmtDB.QueryContext(ctx, query, args...)
}

func (p *countedPool) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	p.note(query)
	return p.PreparedStmtDB.QueryRowContext(ctx, query, args...)
}

func (p *countedPool) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	p.note(query)
	return p.PreparedStmtDB.ExecContext(ctx, query, args...)
}

// takeCount gives what was asked since it was last called.
func (p *countedPool) takeCount() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer func() { p.statements = nil }()
	return p.statements
}

// counted has the statements of a store counted.
func counted(t *testing.T, s *Store) *countedPool {
	t.Helper()
	prepared, ok := s.db.ConnPool.(*gorm.PreparedStmtDB)
	if !ok {
		t.Fatalf("the pool is a %T", s.db.ConnPool)
	}
	pool := &countedPool{PreparedStmtDB: prepared}
	s.db.ConnPool, s.db.Statement.ConnPool, s.notices.pool = pool, pool, pool
	return pool
}

// away is a department whose source does not answer.
type away struct{}

func (away) Ask(context.Context, connectors.Query) (connectors.Reply, error) {
	return connectors.Reply{}, &connectors.Fault{Kind: connectors.FaultTimeout}
}

// resolver is an exchange over a store that holds a case of the shipped catalog.
func resolver(t *testing.T, s *Store) (x *exchange.Exchange, by policies.Caller, caseID string) {
	t.Helper()
	ctx := t.Context()
	files, err := catalog.Files(jinan.Files)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.SaveRevision(ctx, files, RevisionMeta{}); err != nil {
		t.Fatal(err)
	}
	if err := s.SaveSystem(ctx, exchange.System{ID: "bdc-1", Department: "BDC"}); err != nil {
		t.Fatal(err)
	}
	catalogs := NewCatalogs(s)
	rev, err := catalogs.Current(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var grants []policies.Grant
	for _, dataset := range rev.Datasets() {
		g := policies.Grant{
			ID: "S06.M1:" + dataset.Code, Department: "BDC", Matter: "S06.M1", Dataset: dataset.Code,
			From: testTime.AddDate(-1, 0, 0), Until: testTime.AddDate(1, 0, 0), State: policies.GrantActive,
		}
		for _, field := range dataset.Fields {
			g.Fields = append(g.Fields, field.Code)
		}
		grants = append(grants, g)
	}
	if err := s.SaveGrants(ctx, grants); err != nil {
		t.Fatal(err)
	}
	var ids atomic.Int64
	newID := func() string { return fmt.Sprintf("id-%08d", ids.Add(1)) }
	x = exchange.New(exchange.Config{
		Catalogs: catalogs, Cases: s, Resolutions: s, Keys: s, Submissions: s, Journal: s, Grants: s, Consents: s, Records: s, Previews: s,
		Sources: away{}, Queue: s, Systems: s,
		Locate:     func(string, *catalog.Source) (string, catalog.Network) { return "", catalog.NetworkLocal },
		Desk:       &exchange.Desk{Assists: s, Cases: s, Now: testClock, NewID: newID, Due: nil},
		SubjectKey: make([]byte, 32), Now: testClock, Log: slog.New(slog.DiscardHandler), NewID: newID,
	})
	by = policies.Caller{System: "bdc-1", Department: "BDC"}
	c, _, err := x.OpenCase(ctx, by, exchange.Opening{
		Number: "READS-1", Matter: "S06.M1", Facts: map[string]any{"applicant_kind": "company", "accept_commitment": true},
		Parties: []catalog.Party{
			{ID: "p1", Roles: []string{"applicant", "developer"}, Kind: catalog.KindOrganization, Name: "泉城示例置业有限公司", Number: "91370102MA9X10033G"},
			{ID: "p2", Roles: []string{"project"}, Kind: catalog.KindProject, Name: "泉城示例住宅小区项目", Number: "2401-370199-04-01-100038"},
			{ID: "p3", Roles: []string{"property"}, Kind: catalog.KindProperty, Name: "济南市示例区新城路20号1号楼1501室", Number: "370199001001GB00006F00000006"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return x, by, c.ID
}

// TestResolve_ReadsFewStatements counts what a resolution asks the database outside of
// the transactions that store the intents and the result. Once memory is warm
// that is the case with all that belongs to it, and the papers that its subjects have
// handed in before; a key is reserved besides.
func TestResolve_ReadsFewStatements(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		x, by, id := resolver(t, s)
		s.notices.watching.Store(true)
		pool := counted(t, s)
		if _, err := x.Resolve(t.Context(), by, id, nil); err != nil { // warms
			t.Fatal(err)
		}
		for _, key := range []*exchange.Key{nil, {System: "bdc-1", Value: "k1", Request: "sha256:1", At: testTime}} {
			pool.takeCount()
			if _, err := x.Resolve(t.Context(), by, id, key); err != nil {
				t.Fatal(err)
			}
			want := 2
			if key != nil {
				want++
			}
			if statements := pool.takeCount(); len(statements) != want {
				t.Errorf("with key %t: %d statements, want %d:", key != nil, len(statements), want)
				for _, statement := range statements {
					t.Logf("%.160s", statement)
				}
			}
		}
		// What a request asks besides, before it is resolved.
		pool.takeCount()
		for range 2 {
			if _, err := s.SystemInForce(t.Context(), "bdc-1"); err != nil {
				t.Fatal(err)
			}
			if _, err := s.TokenRevoked(t.Context(), "t1"); err != nil {
				t.Fatal(err)
			}
			if _, err := s.IsStopped(t.Context(), policies.StopSystem, "bdc-1"); err != nil {
				t.Fatal(err)
			}
		}
		if statements := pool.takeCount(); len(statements) != 3 { // the system, its credentials, the token: once
			t.Errorf("%d statements to authenticate twice, want 3: %q", len(statements), statements)
		}
	})
}
