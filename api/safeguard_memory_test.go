package api_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"time"

	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
	"mianti/safeguard"
)

// safeguards keeps in memory what the store keeps of stops, quotas, alarms and
// failed logins.
type safeguards struct {
	mu        sync.Mutex
	held      []safeguard.Held
	overrides safeguard.Overrides
	alarms    []safeguard.Alarm
	failures  map[safeguard.Login]int64
	entries   []ledger.Entry
}

func newSafeguards() *safeguards {
	return &safeguards{overrides: safeguard.Overrides{}, failures: map[safeguard.Login]int64{}}
}

// use wires the use cases.
func (m *safeguards) use(logins safeguard.LoginLimits) *safeguard.Safeguard {
	rules := safeguard.Defaults()
	rules.Logins = logins
	return safeguard.New(safeguard.Config{Stops: m, Owners: m, Quotas: m, Alarms: m, Logins: m, Rules: rules, Now: at})
}

func (m *safeguards) PutStop(_ context.Context, h safeguard.Held, e ledger.Entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if slices.ContainsFunc(m.held, func(have safeguard.Held) bool { return have.Kind == h.Kind && have.ID == h.ID }) {
		return fault.New(fault.Conflict, "duplicate-stop", "这个停用已经存在")
	}
	m.held, m.entries = append(m.held, h), append(m.entries, e)
	return nil
}

func (m *safeguards) LiftStop(_ context.Context, kind policies.StopKind, id string, e ledger.Entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.held = slices.DeleteFunc(m.held, func(h safeguard.Held) bool { return h.Kind == kind && h.ID == id })
	m.entries = append(m.entries, e)
	return nil
}

func (m *safeguards) Held(context.Context) ([]safeguard.Held, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.held), nil
}

func (m *safeguards) IsStopped(ctx context.Context, kind policies.StopKind, id string) (bool, error) {
	held, err := m.Held(ctx)
	return slices.ContainsFunc(held, func(h safeguard.Held) bool { return h.Kind == kind && h.ID == id }), err
}

// OwnerOf knows one thing of each kind, all of GA, and the systems of the
// harness.
func (m *safeguards) OwnerOf(_ context.Context, kind policies.StopKind, id string) (string, error) {
	owners := map[string]string{
		"grant:g1": "GA", "dataset:D-GA01": "GA", "source:GA.query": "GA", "system:" + ownSystem: "SPJ", "system:" + other: "GA",
	}
	owner, known := owners[string(kind)+":"+id]
	if !known {
		return "", fault.New(fault.NotFound, "unknown", "没有")
	}
	return owner, nil
}

// Known knows the systems alone.
func (m *safeguards) Known(ctx context.Context, meter safeguard.Meter) (bool, error) {
	_, err := m.OwnerOf(ctx, policies.StopKind(meter.Kind), meter.ID)
	return err == nil, nil
}

func (m *safeguards) Overrides(context.Context, ...safeguard.Meter) (safeguard.Overrides, error) {
	return m.overrides, nil
}

func (m *safeguards) SetQuota(_ context.Context, meter safeguard.Meter, l safeguard.Limits, e ledger.Entry) error {
	m.overrides[meter], m.entries = l, append(m.entries, e)
	return nil
}

func (m *safeguards) Usage(_ context.Context, meter safeguard.Meter, now time.Time) ([]safeguard.Total, error) {
	return []safeguard.Total{{Meter: meter, Window: safeguard.WindowAt(safeguard.SpanHour, now), Calls: 7}}, nil
}

func (m *safeguards) ListAlarms(_ context.Context, f safeguard.AlarmFilter) ([]safeguard.Alarm, error) {
	return slices.DeleteFunc(slices.Clone(m.alarms), func(a safeguard.Alarm) bool {
		return (f.Department != "" && a.Department != f.Department) || (f.Open && a.AcknowledgedAt != nil)
	}), nil
}

func (m *safeguards) AcknowledgeAlarm(_ context.Context, id int64, department string, e ledger.Entry) (*safeguard.Alarm, error) {
	for i := range m.alarms {
		a := &m.alarms[i]
		if a.ID != id || (department != "" && a.Department != department) {
			continue
		}
		a.AcknowledgedAt, a.AcknowledgedBy, m.entries = &e.At, e.Person, append(m.entries, e)
		return a, nil
	}
	return nil, fault.New(fault.NotFound, "unknown-alarm", "没有这个告警")
}

func (m *safeguards) LoginFailures(_ context.Context, of []safeguard.Login, _ time.Time) (map[safeguard.Login]int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[safeguard.Login]int64{}
	for _, login := range of {
		out[login] = m.failures[login]
	}
	return out, nil
}

func (m *safeguards) AddLoginFailure(_ context.Context, of []safeguard.Login, _ time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, login := range of {
		m.failures[login]++
	}
	return nil
}

// peopleByHeader signs people in by a header, as "operator" or "clerk@SPJ".
type peopleByHeader struct{}

// Caller reads the header.
func (peopleByHeader) Caller(r *http.Request) (policies.Caller, error) {
	var duty, department string
	if n, _ := fmt.Sscanf(r.Header.Get("X-Test-Person"), "%s %s", &duty, &department); n == 0 {
		return policies.Caller{}, fault.New(fault.Unauthenticated, "unauthenticated", "请登录。")
	}
	return policies.Caller{Person: "person-" + duty, Department: department, Duties: []policies.Duty{policies.Duty(duty)}}, nil
}

// as sends a request as a person of a duty, such as "sharing_officer GA".
func (h *harness) as(person, method, target, body string) *httptest.ResponseRecorder {
	h.t.Helper()
	r := request(method, target, body, "X-Test-Person", person)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return h.send(r)
}
