package conformance

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/standin"
)

// one is a case: what the department does and what must come of it.
type one struct {
	name    string
	rules   []standin.Rule
	subject *connectors.Subject  // nil: the one that everything is known of
	dataset string               // empty: Card
	timeout time.Duration        // of the call; zero: patience
	source  int                  // the source's own limit in milliseconds
	want    []connectors.Record  // with no fault
	asOf    time.Time            // of the records; zero: today
	fault   connectors.FaultKind // and none of want
	retry   bool                 // the fault says when to ask again
	http    bool                 // it cannot happen without HTTP
	only    catalog.SourceKind   // the one kind at which it can happen; empty: every
	// run tries what is more than one question.
	run func(context.Context, connectors.Connector, Department) error
}

// brief is the deadline of a call that is to miss it.
const brief = 100 * time.Millisecond

// cases are all; casesFor are those of one kind.
func cases() []one {
	return slices.Concat(recordCases(), subjectCases(), contentCases(), timeCases(), statusCases(), textCases(), networkCases(), xroadCases(), wholeCases())
}

func casesFor(kind catalog.SourceKind) []one {
	return slices.DeleteFunc(cases(), func(c one) bool { return c.only != "" && c.only != kind })
}

func rule(f standin.Fault) []standin.Rule { return []standin.Rule{{Fault: f}} }

// recordCases are about what the department holds of the subject.
func recordCases() []one {
	who := known()
	other := connectors.Subject{Kind: who.Kind, Name: "异" + who.Name, Number: who.Number}
	return []one{
		{name: "found", want: []connectors.Record{card(who)}},
		{name: "found with every type", dataset: Sheet, want: []connectors.Record{sheet(who)}},
		{name: "no such record", rules: rule(standin.FaultNotFound)},
		{name: "no such person", subject: &connectors.Subject{Kind: who.Kind, Name: who.Name, Number: "370199199007221247"}},
		{name: "another name", subject: &connectors.Subject{Kind: who.Kind, Name: "冯某", Number: who.Number}},
		{name: "expired", rules: rule(standin.FaultExpired), want: []connectors.Record{with(card(who), "valid_to", "2026-10-23")}},
		{name: "no longer in force", dataset: Sheet, rules: rule(standin.FaultExpired), want: []connectors.Record{revoked(sheet(who))}},
		{name: "revoked", rules: rule(standin.FaultRevoked), want: []connectors.Record{revoked(card(who))}},
		{name: "mismatch", rules: rule(standin.FaultMismatch), want: []connectors.Record{card(other)}},
		{name: "several", rules: rule(standin.FaultMultiple), want: []connectors.Record{card(who), card(who)}},
		{name: "as it was a month ago", rules: rule(standin.FaultStale), asOf: Today().AddDate(0, -1, 0), want: []connectors.Record{card(who)}},
		{name: "as it will be in ten years", rules: rule(standin.FaultFuture), fault: connectors.FaultMalformed},
		{name: "extra fields", rules: rule(standin.FaultExtraFields), want: []connectors.Record{card(who)}},
		{name: "field left out", rules: field("valid_to", nil), want: []connectors.Record{without(card(who), "valid_to")}},
	}
}

// subjectCases are about whose record it is.
func subjectCases() []one {
	small := People()[2] // the number ends in X
	return []one{
		{name: "wrong person", rules: rule(standin.FaultWrongPerson), fault: connectors.FaultWrongSubject},
		{name: "two subjects", rules: rule(standin.FaultTwoSubjects), fault: connectors.FaultWrongSubject},
		{name: "no subject", rules: rule(standin.FaultNoSubject), fault: connectors.FaultMalformed},
		{name: "number in small letters", rules: rule(standin.FaultLetterCase), subject: &small, want: []connectors.Record{card(small)}},
	}
}

// contentCases are about values that do harm where they are not taken for mere
// values. A connector gives them as they are.
func contentCases() []one {
	out := []one{
		{name: "numbers for texts", rules: rule(standin.FaultNumbers), fault: connectors.FaultMalformed},
	}
	for name, value := range map[string]string{
		"script in a value":     `<script>alert("1")</script>`,
		"formula in a value":    `=cmd|' /C calc'!A0`,
		"line break in a value": "一\r\n二",
	} {
		out = append(out, one{name: name, rules: field("name", value), want: []connectors.Record{with(card(known()), "name", value)}})
	}
	slices.SortFunc(out[1:], func(a, b one) int { return len(a.name) - len(b.name) })
	return out
}

func field(code string, value any) []standin.Rule {
	return []standin.Rule{{Dataset: Card, Fields: map[string]any{code: value}}}
}

// timeCases are about answers that come too late, or under another clock.
func timeCases() []one {
	return []one{
		{name: "slow", rules: rule(standin.FaultSlow), timeout: brief, fault: connectors.FaultTimeout},
		{name: "slower than the source may be", rules: rule(standin.FaultSlow), source: 50, fault: connectors.FaultTimeout},
		{name: "deadline shorter than the source's", rules: rule(standin.FaultSlow), timeout: brief, source: 5000, fault: connectors.FaultTimeout},
		{name: "slow headers", http: true, rules: rule(standin.FaultSlowHeaders), timeout: brief, fault: connectors.FaultTimeout},
		{name: "clock an hour ahead", http: true, rules: rule(standin.FaultSkewed), want: []connectors.Record{card(known())}},
	}
}

// wholeCases are about more than one question.
func wholeCases() []one {
	return []one{
		{name: "cancelled", rules: rule(standin.FaultSlow), run: tryCancelled},
		{name: "many at once", run: tryManyAtOnce},
		{name: "no listener", fault: connectors.FaultDown, run: tryNoListener},
	}
}

// tryCancelled wants a call to end when the one who waits for it gives up.
func tryCancelled(ctx context.Context, connector connectors.Connector, department Department) error {
	q := department.Query(Card, known())
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := connector.Ask(ctx, q)
		ended <- err
	}()
	for department.Asked() == 0 && len(ended) == 0 { // until the question has arrived
		runtime.Gosched()
	}
	cancel()
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			return fmt.Errorf("got %v, want one that says that it was cancelled", err)
		}
		return checkFault(err, connectors.KindOf(err), q.Subject)
	case <-time.After(patience):
		return errors.New("the call goes on after it was cancelled")
	}
}

// tryManyAtOnce wants calls that do not mix up their answers.
func tryManyAtOnce(ctx context.Context, connector connectors.Connector, department Department) error {
	subjects := People()
	ended := make(chan error, 8*len(subjects))
	for i := range cap(ended) {
		subject := subjects[i%len(subjects)]
		q := department.Query(Card, subject)
		go func() {
			reply, err := connector.Ask(ctx, q)
			if err == nil && (len(reply.Records) != 1 || reply.Records[0].Subject != subject || reply.Records[0].Fields["citizen_id"] != subject.Number) {
				err = errors.New("an answer about somebody else")
			}
			ended <- err
		}()
	}
	var all []error
	for range cap(ended) {
		all = append(all, <-ended)
	}
	return errors.Join(all...)
}

// tryNoListener wants a department that is gone to be down.
func tryNoListener(ctx context.Context, connector connectors.Connector, department Department) error {
	q := department.Query(Card, known())
	department.Close()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	reply, err := connector.Ask(ctx, q)
	return errors.Join(checkFault(err, connectors.FaultDown, q.Subject), checkRecords(reply.Records, nil))
}
