package assist_test

import (
	"context"
	"errors"
	"maps"
	"sync/atomic"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/assist"
	"mianti/connectors/conformance"
	"mianti/connectors/standin"
)

// office is a department that can only be asked in person: its officers look
// into the stand-in's register.
type office struct {
	*conformance.Online
	asked atomic.Int64
	gone  atomic.Bool
}

// Asked counts what was put to the officers.
func (o *office) Asked() int { return int(o.asked.Load()) }

// Close leaves nobody to put a question to.
func (o *office) Close() { o.gone.Store(true) }

// Task asks an officer, who answers at once, or not at all.
func (o *office) Task(ctx context.Context, q connectors.Query) (assist.Task, error) {
	o.asked.Add(1)
	if o.gone.Load() {
		return assist.Task{}, errors.New("the desk is closed to " + q.Subject.Number)
	}
	task := assist.Task{ID: q.ID, DueAt: conformance.Today().Add(48 * time.Hour)}
	said, ok, err := o.Server().Officer(q.Dataset.Code, q.Subject.Kind, q.Subject.Name, q.Subject.Number)
	if err != nil || !ok || said.After > 0 {
		return task, err
	}
	task.Answer = &assist.Answer{Result: assist.NotFound, Subject: q.Subject, At: conformance.Today()}
	if said.Found {
		row := said.Rows[0]
		task.Answer.Result = assist.Confirmed
		if row.Revoked {
			task.Answer.Result = assist.NotConfirmed
		}
		task.Answer.Subject = connectors.Subject{Kind: row.Kind, Name: row.Name, Number: row.Number}
		task.Answer.Fields = row.Fields
	}
	return task, nil
}

func shape(dataset string) catalog.Source {
	return catalog.Source{Code: "CC." + dataset + ".assist", Kind: catalog.SourceAssist}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	notFor := conformance.OverHTTP("a person is asked, not a server")
	for _, name := range []string{
		"denied", "malformed", "truncated", "empty", "huge", "bad UTF-8", "undeclared GB18030", "reset", "cut", "hangs", "drips",
	} {
		notFor[name] = "a person answers through Mianti's own desk, which takes nothing of the kind"
	}
	for _, name := range []string{"NUL in a text", "lost character"} {
		notFor[name] = "the stand-in's officers write no such thing; see TestAsk_RefusesDamagedText"
	}
	maps.Copy(notFor, map[string]string{
		"several":                    "an officer answers about one record",
		"two subjects":               "an officer answers about one record",
		"as it was a month ago":      "an officer answers of today",
		"as it will be in ten years": "an officer answers of today",
		"cancelled":                  "putting a question to a desk takes no time",
	})
	pending := connectors.FaultPending
	conformance.Run(t, conformance.Kind{
		Name: catalog.SourceAssist,
		New: func(t *testing.T) (connectors.Connector, conformance.Department) {
			o := &office{Online: conformance.Serve(t, shape)}
			return assist.New(o), o
		},
		NotFor: notFor,
		Faults: map[string]connectors.FaultKind{
			// An officer who does not answer has been asked all the same.
			"down": pending, "busy": pending, "no subject": connectors.FaultWrongSubject,
			"slow": pending, "slower than the source may be": pending, "deadline shorter than the source's": pending,
		},
	})
}

func TestAsk_SaysWhichTaskIsAwaitedAndUntilWhen(t *testing.T) {
	t.Parallel()
	o := &office{Online: conformance.Serve(t, shape)}
	if err := o.SetRules(standin.Rule{Fault: standin.FaultSlow}); err != nil {
		t.Fatal(err)
	}
	_, err := assist.New(o).Ask(t.Context(), o.Query(conformance.Card, conformance.People()[0]))
	due := conformance.Today().Add(48 * time.Hour)
	if got := connectors.PendingOf(err); got.Task != "q-1" || !got.DueAt.Equal(due) || !connectors.RetryAt(err).Equal(due) {
		t.Errorf("%v: task %q until %s, want q-1 until %s", err, got.Task, got.DueAt, due)
	}
}

// desk gives one answer to everything.
type desk assist.Task

func (d desk) Task(context.Context, connectors.Query) (assist.Task, error) {
	return assist.Task(d), nil
}

func TestAsk_RefusesDamagedText(t *testing.T) {
	t.Parallel()
	who := conformance.People()[0]
	for name, text := range map[string]string{"NUL": "冯\x00涛", "lost character": "冯\uFFFD", "not UTF-8": "\xff"} {
		connector := assist.New(desk{ID: "t1", Answer: &assist.Answer{Result: assist.Confirmed, Subject: who, Fields: map[string]any{"name": text}}})
		o := conformance.Query(conformance.Card, shape(conformance.Card), "", who)
		if _, err := connector.Ask(t.Context(), o); connectors.KindOf(err) != connectors.FaultMalformed {
			t.Errorf("%s: %v, want malformed", name, err)
		}
	}
}
