package api_test

import (
	"context"
	"sync"
	"time"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// memory keeps in memory what the store keeps in a database.
type memory struct {
	mu          sync.Mutex
	rev         *catalog.Revision
	cases       map[string]exchange.Case
	resolutions map[string]exchange.Resolution
	keys        map[string]string
	owners      map[string]string // resolution to department
	systems     map[string]exchange.System
	assertions  map[string]bool
	grants      []policies.Grant
	fail        error // what every access fails with
}

func newMemory(rev *catalog.Revision) *memory {
	return &memory{
		rev: rev, cases: map[string]exchange.Case{}, resolutions: map[string]exchange.Resolution{}, keys: map[string]string{},
		owners: map[string]string{}, systems: map[string]exchange.System{}, assertions: map[string]bool{},
	}
}

func (m *memory) Current(context.Context) (*catalog.Revision, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return nil, m.fail
	}
	if m.rev == nil {
		return nil, fault.New(fault.NotFound, "unknown-revision", "没有这个目录版本")
	}
	return m.rev, nil
}

func (m *memory) Revision(ctx context.Context, number int) (*catalog.Revision, error) {
	rev, err := m.Current(ctx)
	if err == nil && rev.Number != number {
		return nil, fault.New(fault.NotFound, "unknown-revision", "没有这个目录版本")
	}
	return rev, err
}

func (m *memory) OpenCase(_ context.Context, c *exchange.Case, _ ledger.Entry) (*exchange.Case, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cases[c.ID] = *c
	return c, nil
}

func unknownCase() error { return fault.New(fault.NotFound, "unknown-case", "没有这个办件") }

func (m *memory) Case(_ context.Context, department, id string) (*exchange.Case, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.cases[id]
	if !ok || c.Department != department {
		return nil, unknownCase()
	}
	return &c, nil
}

func (m *memory) UpdateCase(_ context.Context, c *exchange.Case, _ ledger.Entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cases[c.ID].Version != c.Version {
		return fault.New(fault.Conflict, "case-changed", "办件刚被另一个请求更改。")
	}
	c.Version++
	m.cases[c.ID] = *c
	return nil
}

func (m *memory) CaseByNumber(_ context.Context, department, number string) (*exchange.Case, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.cases {
		if c.Department == department && c.Number == number {
			return &c, nil
		}
	}
	return nil, unknownCase()
}

func (m *memory) CommitResolution(_ context.Context, r *exchange.Resolution, _ []ledger.Entry, key *exchange.Key) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.resolutions[r.ID], m.owners[r.ID] = *r, m.cases[r.Case].Department
	if key != nil {
		m.keys[key.System+" "+key.Value+" "+key.Request] = r.ID
	}
	return nil
}

func (m *memory) Resolution(_ context.Context, department, id string) (*exchange.Resolution, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.resolutions[id]
	if !ok || m.owners[id] != department {
		return nil, fault.New(fault.NotFound, "unknown-resolution", "没有这个核验结果")
	}
	return &r, nil
}

func (m *memory) ReserveKey(_ context.Context, key *exchange.Key) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.keys[key.System+" "+key.Value+" "+key.Request], nil
}

func (m *memory) ReleaseKey(context.Context, *exchange.Key) error { return nil }

func (m *memory) Append(context.Context, []ledger.Entry) error { return m.fail }

func (m *memory) GrantsFor(context.Context, []string) ([]policies.Grant, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.grants, nil
}

func (m *memory) HandIn(context.Context, *exchange.Submission, ledger.Entry) error { return nil }

func (m *memory) HandedIn(context.Context, []string) ([]exchange.Submission, error) { return nil, nil }

func (m *memory) System(_ context.Context, id string) (*exchange.System, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return nil, m.fail
	}
	s, ok := m.systems[id]
	if !ok {
		return nil, fault.New(fault.NotFound, "unknown-system", "没有这个接入系统")
	}
	return &s, nil
}

func (m *memory) UseAssertion(_ context.Context, system, jti string, _ time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.assertions[system+" "+jti] {
		return fault.New(fault.Conflict, "duplicate-assertion", "这个登录断言已经存在")
	}
	m.assertions[system+" "+jti] = true
	return nil
}

// change changes what is kept, under the lock.
func (m *memory) change(f func(*memory)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f(m)
}

// source answers for every dataset with one good record of whoever is asked
// for.
type source struct{}

func (source) Ask(_ context.Context, q connectors.Query) (connectors.Reply, error) {
	return connectors.Reply{Records: []connectors.Record{{
		Subject: q.Subject, Fields: map[string]any{"name": q.Subject.Name, "valid_to": "2036-01-01"},
	}}}, nil
}
