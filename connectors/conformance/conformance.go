// Package conformance holds a connector against its contract: what it answers
// when the source is well, and that no fault of a source is ever taken for an
// answer. Every kind of connector has to pass Run.
//
// The suite can fail: its own tests hand it connectors that lie, and count the
// cases that notice.
package conformance

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/standin"
)

// Kind is a kind of connector that is tried.
type Kind struct {
	Name catalog.SourceKind
	// New makes a connector and the department that it asks, for one test. Both
	// end with the test.
	New func(t *testing.T) (connectors.Connector, Department)
	// NotFor names the cases that cannot happen at this kind, each with the
	// reason, which is printed. A name that is no case's is a fault of the test.
	NotFor map[string]string
	// Faults are what cases come to at this kind where it is not what the table
	// says. A case that is a fault there cannot become an answer here.
	Faults map[string]connectors.FaultKind
}

// Department is who is asked: a stand-in that answers as well or as badly as
// the rules say. It holds the records of People for the datasets Card and Sheet.
type Department interface {
	// Query asks for all fields of a dataset but NotAsked.
	Query(dataset string, s connectors.Subject) connectors.Query
	SetRules(rules ...standin.Rule) error
	Asked() int // questions that have arrived
	Close()     // the department goes away
}

// patience is how long a call may take that is not meant to be slow, and grace
// how long one may take beyond its deadline on a busy machine.
const (
	patience = 10 * time.Second
	grace    = time.Second
)

// Run tries the connector on everything that the contract speaks of.
func Run(t *testing.T, k Kind) {
	before := runtime.NumGoroutine()
	t.Run("calls", func(t *testing.T) {
		all := casesFor(k.Name)
		for _, fault := range k.settingFaults(all) {
			t.Error(fault)
		}
		for _, c := range all {
			t.Run(c.name, func(t *testing.T) {
				if reason := k.NotFor[c.name]; reason != "" {
					t.Skipf("cannot happen at %s: %s", k.Name, reason)
				}
				if err := k.try(t, c); err != nil {
					t.Error(err)
				}
			})
		}
	})
	// All departments are closed by now, and the connections to them.
	if err := goroutinesLeft(before, patience); err != nil {
		t.Error(err)
	}
}

// Verdicts tries the connector as Run does, and gives what is wrong by the name
// of the case; nil says that nothing is. It is how the suite itself is tested.
func Verdicts(t *testing.T, k Kind) map[string]error {
	out := map[string]error{}
	for _, c := range casesFor(k.Name) {
		if k.NotFor[c.name] != "" {
			continue
		}
		t.Run(c.name, func(t *testing.T) { out[c.name] = k.try(t, c) })
	}
	return out
}

// Cases are the names of all cases of a kind, in their order.
func Cases(kind catalog.SourceKind) []string {
	var out []string
	for _, c := range casesFor(kind) {
		out = append(out, c.name)
	}
	return out
}

// OverHTTP are the cases that only an interface over HTTP can come to, with one
// reason for all: what NotFor starts from for other kinds.
func OverHTTP(reason string) map[string]string {
	out := map[string]string{}
	for _, c := range cases() {
		if c.http && c.only == "" {
			out[c.name] = reason
		}
	}
	return out
}

// settingFaults finds names in the settings that are no case's.
func (k *Kind) settingFaults(all []one) []string {
	var out []string
	known := func(name string) bool { return slices.ContainsFunc(all, func(c one) bool { return c.name == name }) }
	for name, reason := range k.NotFor {
		if !known(name) || reason == "" {
			out = append(out, fmt.Sprintf("NotFor: no case is called %q, or it lacks a reason", name))
		}
	}
	for name, fault := range k.Faults {
		at := slices.IndexFunc(all, func(c one) bool { return c.name == name })
		if at < 0 || all[at].fault == "" || fault == "" {
			out = append(out, fmt.Sprintf("Faults: no case is called %q, or it is not a fault", name))
		}
	}
	return out
}

// try runs one case and says what is wrong.
func (k *Kind) try(t *testing.T, c one) error {
	if fault, other := k.Faults[c.name]; other {
		c.fault = fault
	}
	connector, department := k.New(t)
	if err := department.SetRules(c.rules...); err != nil {
		return fmt.Errorf("the department cannot play it: %w", err)
	}
	if c.run != nil {
		return c.run(t.Context(), connector, department)
	}
	return c.ask(t.Context(), connector, department)
}

// ask puts the question of the case and looks at what came of it.
func (c *one) ask(ctx context.Context, connector connectors.Connector, department Department) error {
	q := c.query(department)
	timeout := patience
	if c.timeout > 0 {
		timeout = c.timeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	start := time.Now()
	reply, err := connector.Ask(ctx, q)
	switch {
	case time.Since(start) > timeout+grace:
		return errors.New("the call took longer than its caller had")
	case c.source > 0 && c.timeout == 0 && ctx.Err() != nil:
		return errors.New("the call took all the time that its caller had, not only the source's")
	}
	if err := errors.Join(checkFault(err, c.fault, q.Subject), c.checkRetry(err)); err != nil {
		return err
	}
	return errors.Join(checkTimes(reply.Records, c.asOf), checkRecords(reply.Records, c.want))
}

// query asks for the case's dataset and subject.
func (c *one) query(department Department) connectors.Query {
	code, subject := Card, known()
	if c.dataset != "" {
		code = c.dataset
	}
	if c.subject != nil {
		subject = *c.subject
	}
	q := department.Query(code, subject)
	if c.source > 0 {
		source := *q.Source
		source.TimeoutMillis = c.source
		q.Source = &source
	}
	return q
}

// checkFault wants the kind of fault, and no word of the subject or of the
// source in it.
func checkFault(err error, want connectors.FaultKind, subject connectors.Subject) error {
	if want == "" {
		if err != nil {
			return fmt.Errorf("fault %w, want an answer", err)
		}
		return nil
	}
	var fault *connectors.Fault
	if !errors.As(err, &fault) || fault.Kind != want {
		return fmt.Errorf("got %v, want fault %s", err, want)
	}
	for _, secret := range secrets(subject) {
		if strings.Contains(err.Error(), secret) {
			return fmt.Errorf("the fault holds what it must not: %w", err)
		}
	}
	return nil
}

// secrets are the words that may stand in no fault: whom it is about, and what
// the stand-in says when it is out of order.
func secrets(subject connectors.Subject) []string {
	out := []string{"系统", "权限", "参数错误", "统一认证", "SSH", "D-CC01-q-1"}
	for _, s := range append(People(), subject) {
		out = append(out, s.Name, s.Number, s.Number[6:14])
	}
	return out
}

// checkRetry wants the fault to say when asking again makes sense.
func (c *one) checkRetry(err error) error {
	if c.retry && connectors.RetryAt(err).IsZero() {
		return errors.New("the fault does not say when to ask again")
	}
	return nil
}

// checkTimes wants each record to be as old as the source said, or to say
// nothing of its age. The day counts: some sources know no more.
func checkTimes(records []connectors.Record, want time.Time) error {
	day := func(at time.Time) string { return at.In(catalog.TimeZone()).Format(time.DateOnly) }
	if want.IsZero() {
		want = Today()
	}
	for i := range records {
		if at := records[i].AsOf; !at.IsZero() && day(at) != day(want) {
			return fmt.Errorf("a record is of %s, want %s", day(at), day(want))
		}
	}
	return nil
}

// checkRecords compares what the records say.
func checkRecords(got, want []connectors.Record) error {
	var plain []connectors.Record
	for _, r := range got {
		r.AsOf = time.Time{} // which only some interfaces give
		r.Subject.Number = strings.ToUpper(r.Subject.Number)
		plain = append(plain, r)
	}
	if diff := cmp.Diff(want, plain); diff != "" {
		return fmt.Errorf("records (-want +got):\n%s", diff)
	}
	return nil
}

// goroutinesLeft wants no more goroutines than there were. A connection that
// was just closed takes a moment to end.
func goroutinesLeft(before int, wait time.Duration) error {
	timeout := time.NewTimer(wait)
	defer timeout.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for runtime.NumGoroutine() > before {
		select {
		case <-tick.C:
		case <-timeout.C:
			stacks := make([]byte, 1<<16)
			return fmt.Errorf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), stacks[:runtime.Stack(stacks, true)])
		}
	}
	return nil
}
