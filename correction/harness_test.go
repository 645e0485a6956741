package correction_test

import (
	"testing"
	"time"

	"mianti/catalog"
	"mianti/correction"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/internal/workday"
	"mianti/policies"
)

func procedure(t testing.TB) correction.Procedure {
	t.Helper()
	calendar, err := workday.Load()
	if err != nil {
		t.Fatal(err)
	}
	return correction.Procedure{Days: calendar, Authority: "DSJ"}
}

// shanghai reads a moment, such as "2026-11-23 09:00".
func shanghai(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", text, catalog.TimeZone())
	if err != nil {
		t.Fatal(err)
	}
	return at.UTC()
}

func officer(name, department string) policies.Caller {
	return policies.Caller{Person: name, Department: department, Duties: []policies.Duty{policies.DutySharingOfficer}}
}

func clerk(name, department string) policies.Caller {
	return policies.Caller{Person: name, Department: department, Duties: []policies.Duty{policies.DutyClerk}}
}

func system(department string) policies.Caller {
	return policies.Caller{System: department + "-1", Department: department, Duties: []policies.Duty{policies.DutySystem}}
}

// opened is a correction of a record of GA that came up in a case of SPJ.
func opened(t testing.TB, by policies.Caller, now time.Time) correction.Correction {
	t.Helper()
	return procedure(t).Submit(correction.Correction{
		ID: "k1", RecordRef: exchange.RecordRef{Dataset: "D-GA01", Subject: "digest"}, Fields: []string{"address"}, Provider: "GA", Receiver: "SPJ",
	}, by, now)
}

// event is a good event of an act.
func event(act correction.Act) correction.Event {
	e := correction.Event{Act: act, Why: "理由"}
	switch act {
	case correction.Answer:
		e.Result, e.Reason = correction.Upheld, correction.RecordRight
	case correction.PassOn:
		e.To = "MZ"
	case correction.Mediate:
		e.Result = correction.Upheld
	case correction.Decide:
		e.Result, e.Document = correction.Upheld, "济政字〔2026〕1号"
	}
	return e
}

func corrected(act correction.Act) correction.Event {
	e := event(act)
	e.Result = correction.Corrected
	if act == correction.Answer {
		e.Reason = correction.WronglyRecorded
	}
	return e
}

// by is who does an act in the tests when it is nobody in particular.
func by(act correction.Act) policies.Caller {
	switch act {
	case correction.Escalate, correction.Withdraw:
		return clerk("clerk", "SPJ")
	case correction.Mediate, correction.Decide:
		return officer("authority", "DSJ")
	default:
		return officer("provider", "GA")
	}
}

// apply does one act after the other; each of them succeeds.
func apply(t testing.TB, c correction.Correction, now time.Time, events ...correction.Event) correction.Correction {
	t.Helper()
	for _, e := range events {
		next, err := procedure(t).Apply(c, e, by(e.Act), now)
		if err != nil {
			t.Fatalf("%s in %s: %v", e.Act, c.State, err)
		}
		c = next
	}
	return c
}

// code is the code of a failure; "" for none.
func code(err error) string {
	if f := fault.As(err); f != nil {
		return f.Code
	}
	if err != nil {
		return "no fault: " + err.Error()
	}
	return ""
}
