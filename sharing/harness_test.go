package sharing_test

import (
	"testing"
	"time"

	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/internal/workday"
	"mianti/policies"
	"mianti/sharing"
)

func procedure(t testing.TB) sharing.Procedure {
	t.Helper()
	calendar, err := workday.Load()
	if err != nil {
		t.Fatal(err)
	}
	return sharing.Procedure{Days: calendar, Authority: "DSJ"}
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

func person(name, department string, duties ...policies.Duty) policies.Caller {
	return policies.Caller{Person: name, Department: department, Duties: duties}
}

func officer(name, department string) policies.Caller {
	return person(name, department, policies.DutySharingOfficer)
}

// event is a good event of an act.
func event(act sharing.Act, class catalog.Sharing) sharing.Event {
	e := sharing.Event{Act: act, Why: "理由"}
	switch act {
	case sharing.Submit, sharing.Complete:
		e.Application = &sharing.Application{
			Dataset: "D-GA01", Fields: []string{"name", "address"}, Matters: []string{"S01.M1"}, Basis: "条例", From: "2026-01-01", Until: "2027-12-31",
		}
		e.Items = []sharing.Item{{Field: "name", Class: class}, {Field: "address", Class: class}}
	case sharing.AskExtension:
		e.Days = 10
	case sharing.Decide:
		e.Officer, e.Answers = "李", []sharing.FieldAnswer{{Field: "name", Agreed: true}, {Field: "address", Agreed: true}}
	case sharing.Deliver:
		e.Grants = []string{"g1"}
	}
	return e
}

// by is who does an act in the tests when it is nobody in particular.
func by(act sharing.Act) policies.Caller {
	switch act {
	case sharing.Submit, sharing.Complete, sharing.Withdraw:
		return officer("applicant", "SPJ")
	case sharing.ConsentExtension:
		return officer("authority", "DSJ")
	default:
		return officer("provider", "GA")
	}
}

// submitted makes a request.
func submitted(t testing.TB, class catalog.Sharing, now time.Time) sharing.Request {
	t.Helper()
	return procedure(t).Submit("r1", "GA", event(sharing.Submit, class), by(sharing.Submit), now)
}

// apply does one act after the other; each of them succeeds.
func apply(t testing.TB, r sharing.Request, now time.Time, events ...sharing.Event) sharing.Request {
	t.Helper()
	for _, e := range events {
		next, err := procedure(t).Apply(r, e, by(e.Act), now)
		if err != nil {
			t.Fatalf("%s: %v", e.Act, err)
		}
		r = next
	}
	return r
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
