package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/internal/jobs"
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
	revoked     map[string]bool // tokens
	entries     []ledger.Entry  // of changes of systems
	appended    []ledger.Entry  // by Append
	grants      []policies.Grant
	stopped     []policies.Stop
	tasks       []exchange.AssistTask
	jobs        []jobs.Job
	fail        error // what every access fails with
	exhausted   error // what recording intents fails with
	// journalFails is what recording anything else fails with.
	journalFails error
}

func newMemory(rev *catalog.Revision) *memory {
	return &memory{
		rev: rev, cases: map[string]exchange.Case{}, resolutions: map[string]exchange.Resolution{}, keys: map[string]string{},
		owners: map[string]string{}, systems: map[string]exchange.System{}, assertions: map[string]bool{}, revoked: map[string]bool{},
	}
}

func (m *memory) Current(context.Context, ...string) (*catalog.Revision, error) {
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

func (m *memory) Revision(ctx context.Context, number int, about ...string) (*catalog.Revision, error) {
	rev, err := m.Current(ctx)
	if err == nil && rev.Number != number {
		return nil, fault.New(fault.NotFound, "unknown-revision", "没有这个目录版本")
	}
	return rev, err
}

func (m *memory) OpenCase(_ context.Context, c *exchange.Case, _ ...ledger.Entry) (*exchange.Case, error) {
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
	c.Consents = slices.Clone(c.Consents)
	return &c, nil
}

func (m *memory) UpdateCase(_ context.Context, c *exchange.Case, _ ...ledger.Entry) error {
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

func (m *memory) CommitResolution(_ context.Context, c exchange.Commit) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := *c.Resolution
	m.resolutions[r.ID], m.owners[r.ID] = r, m.cases[r.Case].Department
	if key := c.Key; key != nil {
		m.keys[key.System+" "+key.Value+" "+key.Request] = r.ID
	}
	m.jobs = append(m.jobs, c.Jobs...)
	return nil
}

func (m *memory) Resolution(_ context.Context, department, id string) (*exchange.Resolution, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.resolutions[id]
	if !ok || m.owners[id] != department {
		return nil, fault.New(fault.NotFound, "unknown-resolution", "没有这个核验结果")
	}
	return readAnew(r)
}

// readAnew gives a copy that shares nothing with what is kept, as a database does:
// whoever reads a resolution takes out of it what he may not give.
func readAnew(r exchange.Resolution) (*exchange.Resolution, error) {
	kept, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	var read exchange.Resolution
	err = json.Unmarshal(kept, &read)
	return &read, err
}

func (m *memory) SheetVersion(ctx context.Context, id string, version int) (*exchange.Resolution, string, int, error) {
	m.mu.Lock()
	department := m.owners[id]
	m.mu.Unlock()
	r, err := m.Resolution(ctx, department, id)
	if err != nil {
		return nil, "", 0, err
	}
	if r.Version != version {
		return nil, "", 0, fault.New(fault.NotFound, "unknown-resolution", "没有这个版次")
	}
	return r, department, r.Version, nil
}

func (m *memory) LastResolution(_ context.Context, department, caseID string) (*exchange.Resolution, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.resolutions {
		if r.Case == caseID && m.owners[r.ID] == department {
			return readAnew(r)
		}
	}
	return nil, fault.New(fault.NotFound, "unknown-resolution", "没有这个核验结果")
}

func (m *memory) ResolutionState(ctx context.Context, department, id string) (exchange.ResolutionState, error) {
	r, err := m.Resolution(ctx, department, id)
	if err != nil {
		return exchange.ResolutionState{}, err
	}
	return exchange.ResolutionState{Version: r.Version, Status: r.Status, Continues: r.Continues()}, nil
}

func (m *memory) ReserveKey(_ context.Context, key *exchange.Key) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.keys[key.System+" "+key.Value+" "+key.Request], nil
}

func (m *memory) ReleaseKey(context.Context, *exchange.Key) error { return nil }

func (m *memory) Append(_ context.Context, entries []ledger.Entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail == nil {
		m.appended = append(m.appended, entries...)
	}
	return errors.Join(m.fail, m.journalFails)
}

func (m *memory) AppendIntents(context.Context, []ledger.Entry, []string) error {
	return errors.Join(m.fail, m.exhausted)
}

func (m *memory) ConcernsOf(context.Context, string) ([]string, error) { return nil, m.fail }

func (m *memory) Stops(context.Context) ([]policies.Stop, error) { return m.stopped, m.fail }

func (m *memory) GrantsFor(context.Context, []string) ([]policies.Grant, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.grants, nil
}

func (m *memory) InForce(context.Context, []string) (*exchange.GrantSet, *exchange.StopSet, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return exchange.NewGrantSet(m.grants), exchange.NewStopSet(m.stopped), m.fail
}

func (m *memory) Outdated() {}

func (m *memory) GrantStates(_ context.Context, ids []string) (map[string]policies.GrantState, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string]policies.GrantState{}
	for _, g := range m.grants {
		if slices.Contains(ids, g.ID) {
			out[g.ID] = g.State
		}
	}
	return out, nil
}

func (m *memory) CommitConsents(ctx context.Context, c exchange.ConsentCommit) error {
	if err := m.UpdateCase(ctx, c.Case); err != nil {
		return err
	}
	m.change(func(m *memory) { m.jobs = append(m.jobs, c.Jobs...) })
	return nil
}

func (m *memory) Consent(ctx context.Context, subject, id string) (*exchange.Consent, error) {
	all, _ := m.ConsentsOf(ctx, exchange.ConsentFilter{Subject: subject, Limit: 1000})
	for i := range all {
		if all[i].ID == id {
			return &all[i], nil
		}
	}
	return nil, fault.New(fault.NotFound, "unknown-consent", "没有这个授权同意")
}

func (m *memory) ConsentsOf(_ context.Context, f exchange.ConsentFilter) ([]exchange.Consent, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []exchange.Consent
	for _, c := range m.cases {
		for _, consent := range c.Consents {
			if consent.Subject == f.Subject {
				out = append(out, consent)
			}
		}
	}
	return out[:min(len(out), f.Limit)], nil
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

func (m *memory) Rotate(_ context.Context, r exchange.Rotation) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.systems[r.System]
	s.Credentials = slices.Clone(s.Credentials)
	for i := range s.Credentials {
		if !r.EndOthers.IsZero() {
			s.Credentials[i].NotAfter = r.EndOthers
		}
	}
	s.Credentials = append(s.Credentials, r.Add...)
	m.systems[r.System] = s
	m.entries = append(m.entries, r.Entries...)
	return nil
}

func (m *memory) RevokeToken(_ context.Context, jti string, _ time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.revoked[jti] = true
	return m.fail
}

func (m *memory) TokenRevoked(_ context.Context, jti string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.revoked[jti], m.fail
}

func (m *memory) SystemsOf(context.Context, string) ([]string, error) { return nil, nil }

func (m *memory) OpenAssist(_ context.Context, t *exchange.AssistTask, _ []jobs.Job) (*exchange.AssistTask, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.tasks {
		if m.tasks[i].Key == t.Key {
			found := m.tasks[i]
			return &found, nil
		}
	}
	m.tasks = append(m.tasks, *t)
	return t, nil
}

func (m *memory) AssistTask(_ context.Context, department, id string) (*exchange.AssistTask, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, t := range m.tasks {
		if t.ID == id && t.Department == department {
			return &t, nil
		}
	}
	return nil, fault.New(fault.NotFound, "unknown-assist-task", "没有这个协查")
}

func (m *memory) AssistTasks(_ context.Context, f exchange.AssistFilter) ([]exchange.AssistTask, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := []exchange.AssistTask{}
	for _, t := range m.tasks {
		if t.Department == f.Department && t.State == f.State {
			out = append(out, t)
		}
	}
	return out[:min(len(out), f.Limit)], nil
}

func (m *memory) AnswerAssist(_ context.Context, c exchange.AssistCommit) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.tasks {
		if m.tasks[i].ID == c.Task.ID {
			m.tasks[i] = *c.Task
		}
	}
	m.jobs = append(m.jobs, c.Jobs...)
	return nil
}

// queue takes jobs and runs none.
type queue struct{}

func (queue) Enqueue(context.Context, ...jobs.Job) error { return nil }

func (queue) Claim(context.Context, string, []string, int, time.Duration) ([]jobs.Job, error) {
	return nil, nil
}

func (queue) Finish(context.Context, string, jobs.Job) (bool, error) { return true, nil }

func (queue) Retry(context.Context, string, jobs.Job, time.Time, string) error { return nil }

// change changes what is kept, under the lock.
func (m *memory) change(f func(*memory)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f(m)
}

// absent is the number of a person for whom the source is down.
const absent = "370199199007221247"

// source answers for every dataset with one good record of whoever is asked
// for.
type source struct{}

func (source) Ask(_ context.Context, q connectors.Query) (connectors.Reply, error) {
	if q.Subject.Number == absent {
		return connectors.Reply{}, &connectors.Fault{Kind: connectors.FaultDown}
	}
	return connectors.Reply{Records: []connectors.Record{{
		Subject: q.Subject, Fields: map[string]any{"name": q.Subject.Name, "valid_to": "2036-01-01"},
	}}}, nil
}

func (m *memory) SystemInForce(ctx context.Context, id string) (*exchange.System, error) {
	return m.System(ctx, id)
}
