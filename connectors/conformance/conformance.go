// Package conformance holds a connector against its contract: what it answers
// when the source is well, and that no fault of a source is ever taken for an
// answer. Every kind of connector has to pass Run.
package conformance

import (
	"context"
	"errors"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/standin"
)

// Maker returns a connector, the stand-in departments that it is tried on, and
// the base URL of the department under which StandIn has its datasets.
type Maker func(t *testing.T) (connectors.Connector, *standin.Server, string)

// patience is how long a call may take that is not meant to be slow.
const patience = 10 * time.Second

// Run tries the connector on everything that the contract speaks of. kind is
// the kind of source that it is for.
func Run(t *testing.T, newConnector Maker, kind string) {
	before := runtime.NumGoroutine()
	t.Run("calls", func(t *testing.T) {
		for _, c := range cases() {
			t.Run(c.name, func(t *testing.T) { runCase(t, newConnector, kind, &c) })
		}
		t.Run("cancelled", func(t *testing.T) { runCancelled(t, newConnector, kind) })
		t.Run("many at once", func(t *testing.T) { runManyAtOnce(t, newConnector, kind) })
		t.Run("no listener", func(t *testing.T) { runNoListener(t, newConnector, kind) })
	})
	// All servers are closed by now, and their connections with them.
	awaitGoroutines(t, before)
}

// one is a case: what the department does and what must come of it.
type one struct {
	name    string
	rules   []standin.Rule
	subject *connectors.Subject  // nil: the one that everything is known of
	dataset string               // empty: cardCode
	timeout time.Duration        // of the call; zero: patience
	source  int                  // the source's own limit in milliseconds
	want    []connectors.Record  // with no fault
	fault   connectors.FaultKind // and none of want
}

func cases() []one {
	who := known()
	fault := func(f standin.Fault) []standin.Rule { return []standin.Rule{{Fault: f}} }
	otherName := connectors.Subject{Kind: who.Kind, Name: "异" + who.Name, Number: who.Number}
	return []one{
		{name: "found", want: []connectors.Record{card(who, false)}},
		{name: "found with every type", dataset: sheetCode, want: []connectors.Record{sheet(who)}},
		{name: "no such record", rules: fault(standin.FaultNotFound)},
		{name: "no such person", subject: &connectors.Subject{Kind: who.Kind, Name: who.Name, Number: "370199199007221247"}},
		{name: "another name", subject: &connectors.Subject{Kind: who.Kind, Name: "冯某", Number: who.Number}},
		{name: "expired", rules: fault(standin.FaultExpired), want: []connectors.Record{card(who, true)}},
		{name: "no longer in force", dataset: sheetCode, rules: fault(standin.FaultExpired), want: []connectors.Record{revoked(sheet(who))}},
		{name: "mismatch", rules: fault(standin.FaultMismatch), want: []connectors.Record{card(otherName, false)}},
		{name: "several", rules: fault(standin.FaultMultiple), want: []connectors.Record{card(who, false), card(who, false)}},
		{name: "extra fields", rules: fault(standin.FaultExtraFields), want: []connectors.Record{card(who, false)}},
		{name: "field left out", rules: []standin.Rule{{Dataset: cardCode, Fields: map[string]any{"valid_to": nil}}}, want: []connectors.Record{without(card(who, false), "valid_to")}},
		{name: "slow", rules: fault(standin.FaultSlow), timeout: 50 * time.Millisecond, fault: connectors.FaultTimeout},
		{name: "slower than the source may be", rules: fault(standin.FaultSlow), source: 50, fault: connectors.FaultTimeout},
		{name: "wrong person", rules: fault(standin.FaultWrongPerson), fault: connectors.FaultWrongSubject},
		{name: "malformed", rules: fault(standin.FaultMalformed), fault: connectors.FaultMalformed},
		{name: "truncated", rules: fault(standin.FaultTruncated), fault: connectors.FaultDown},
		{name: "huge", rules: fault(standin.FaultHuge), fault: connectors.FaultMalformed},
		{name: "wrong content type", rules: fault(standin.FaultHTML), fault: connectors.FaultMalformed},
		{name: "wrong status", rules: fault(standin.FaultMissing), fault: connectors.FaultMalformed},
		{name: "redirect", rules: fault(standin.FaultRedirect), fault: connectors.FaultMalformed},
		{name: "denied", rules: fault(standin.FaultDenied), fault: connectors.FaultRefused},
		{name: "down", rules: fault(standin.FaultDown), fault: connectors.FaultDown},
		{name: "busy", rules: fault(standin.FaultBusy), fault: connectors.FaultDown},
	}
}

func runCase(t *testing.T, newConnector Maker, kind string, c *one) {
	connector, server, baseURL := newConnector(t)
	if err := server.SetRules(c.rules...); err != nil {
		t.Fatal(err)
	}
	q := query(t, baseURL, kind, c)
	timeout := c.timeout
	if timeout == 0 {
		timeout = patience
	}
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	reply, err := connector.Ask(ctx, q)
	checkFault(t, err, c.fault, q.Subject)
	if c.source > 0 && ctx.Err() != nil {
		t.Error("the call took all the time that its caller had, not only the source's")
	}
	if diff := cmp.Diff(c.want, withoutTime(reply.Records)); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

// checkFault wants the kind of fault, and no word of the subject in it.
func checkFault(t *testing.T, err error, want connectors.FaultKind, subject connectors.Subject) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Fatalf("fault %v, want an answer", err)
		}
		return
	}
	var fault *connectors.Fault
	if !errors.As(err, &fault) || fault.Kind != want {
		t.Fatalf("got %v, want fault %s", err, want)
	}
	for _, secret := range []string{subject.Number, subject.Name, "冯"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the fault says whom it is about: %v", err)
		}
	}
}

// runCancelled wants a call to end when the one who waits for it gives up.
func runCancelled(t *testing.T, newConnector Maker, kind string) {
	connector, server, baseURL := newConnector(t)
	if err := server.SetRules(standin.Rule{Fault: standin.FaultSlow}); err != nil {
		t.Fatal(err)
	}
	q := query(t, baseURL, kind, &one{})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := connector.Ask(ctx, q)
		ended <- err
	}()
	for server.Counts()[cardCode] == 0 && len(ended) == 0 { // until the question has arrived
		runtime.Gosched()
	}
	cancel()
	select {
	case err := <-ended:
		checkFault(t, err, connectors.KindOf(err), q.Subject)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want one that says that it was cancelled", err)
		}
	case <-time.After(patience):
		t.Error("the call goes on after it was cancelled")
	}
}

// runManyAtOnce wants calls that do not mix up their answers.
func runManyAtOnce(t *testing.T, newConnector Maker, kind string) {
	connector, _, baseURL := newConnector(t)
	subjects := everybody()
	ended := make(chan error, 8*len(subjects))
	for i := range cap(ended) {
		subject := subjects[i%len(subjects)]
		q := query(t, baseURL, kind, &one{subject: &subject})
		go func() {
			reply, err := connector.Ask(t.Context(), q)
			if err == nil && (len(reply.Records) != 1 || reply.Records[0].Subject != subject || reply.Records[0].Fields["citizen_id"] != subject.Number) {
				err = errors.New("an answer about somebody else")
			}
			ended <- err
		}()
	}
	for range cap(ended) {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func runNoListener(t *testing.T, newConnector Maker, kind string) {
	connector, _, _ := newConnector(t)
	gone := httptest.NewServer(nil)
	gone.Close()
	q := query(t, gone.URL, kind, &one{})
	_, err := connector.Ask(t.Context(), q)
	checkFault(t, err, connectors.FaultDown, q.Subject)
}

// query asks for all fields of the case's dataset.
func query(t *testing.T, baseURL, kind string, c *one) connectors.Query {
	t.Helper()
	code := c.dataset
	if code == "" {
		code = cardCode
	}
	dataset := newTrial().dataset(code)
	var source *catalog.Source
	for i := range dataset.Sources {
		if dataset.Sources[i].Kind == kind {
			source = &dataset.Sources[i]
		}
	}
	if source == nil {
		t.Fatalf("no source is of kind %s", kind)
	}
	source.TimeoutMillis = c.source
	subject := known()
	if c.subject != nil {
		subject = *c.subject
	}
	fields := []string{}
	for _, f := range dataset.Fields {
		if f.Code != notAsked {
			fields = append(fields, f.Code)
		}
	}
	return connectors.Query{
		ID: "q-1", Dataset: dataset, Source: source, BaseURL: baseURL, Subject: subject, Fields: fields,
		// Longer than the licence platform takes.
		Purpose: strings.Repeat("办件 JN-S01-0001，事项 S01.M1，材料 S01.M1.b。", 10),
	}
}

// withoutTime drops the time of the answer, which only some interfaces give.
func withoutTime(records []connectors.Record) []connectors.Record {
	for i := range records {
		records[i].AsOf = time.Time{}
	}
	return records
}

// awaitGoroutines wants no more goroutines than there were. A connection that
// was just closed takes a moment to end.
func awaitGoroutines(t *testing.T, before int) {
	t.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for runtime.NumGoroutine() > before {
		select {
		case <-tick.C:
		case <-timeout.C:
			stacks := make([]byte, 1<<16)
			t.Fatalf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), stacks[:runtime.Stack(stacks, true)])
		}
	}
}
