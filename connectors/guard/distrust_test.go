package guard

import (
	"context"
	"math"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/connectors"
)

func TestAdmit_RefusesWhatCannotBeBelieved(t *testing.T) {
	t.Parallel()
	value := func(code string, v any) func(*connectors.Reply) {
		return func(r *connectors.Reply) { r.Records[0].Fields[code] = v }
	}
	number := func(n string) func(*connectors.Reply) {
		return func(r *connectors.Reply) { r.Records[0].Subject.Number = n }
	}
	for _, c := range []struct {
		name   string
		change func(r *connectors.Reply)
		want   connectors.FaultKind
	}{
		{"nothing wrong", func(*connectors.Reply) {}, ""},
		{"no record", func(r *connectors.Reply) { r.Records = nil }, ""},
		{"a hundred records", func(r *connectors.Reply) { repeat(r, 100) }, ""},
		{"more than a hundred", func(r *connectors.Reply) { repeat(r, 101) }, connectors.FaultMalformed},
		{"no number", number(""), connectors.FaultMalformed},
		{"somebody else", number("370199199007221247"), connectors.FaultWrongSubject},
		{"the number and more", number(asked + " "), connectors.FaultWrongSubject},
		{"the last of several is somebody else", func(r *connectors.Reply) {
			repeat(r, 3)
			r.Records[2].Subject.Number = "370199199007221247"
		}, connectors.FaultWrongSubject},
		{"somebody else, before anything is read", func(r *connectors.Reply) {
			number("370199199007221247")(r)
			value("name", 1)(r)
		}, connectors.FaultWrongSubject},
		{"another name is a mismatch, not a fault", func(r *connectors.Reply) { r.Records[0].Subject.Name = "王莉" }, ""},
		{"a name in the wrong encoding", func(r *connectors.Reply) { r.Records[0].Subject.Name = "王\ufffd" }, connectors.FaultMalformed},

		{"a number for a text", value("name", 1.0), connectors.FaultMalformed},
		{"bytes for a text", value("name", []byte("王")), connectors.FaultMalformed},
		{"4000 characters", value("name", strings.Repeat("王", 4000)), ""},
		{"4001 characters", value("name", strings.Repeat("王", 4001)), connectors.FaultMalformed},
		{"a NUL", value("name", "王\x00丽"), connectors.FaultMalformed},
		{"a replacement character", value("name", "王\ufffd"), connectors.FaultMalformed},
		{"not UTF-8", value("name", "\xcd\xf5"), connectors.FaultMalformed},
		{"markup is data", value("name", "<script>=1+1"), ""},
		{"no date", value("born", "1988-02-30"), connectors.FaultMalformed},
		{"a date in another layout", value("born", "19880516"), connectors.FaultMalformed},
		{"an empty date", value("born", ""), connectors.FaultMalformed},
		{"a leap day", value("born", "1988-02-29"), ""},
		{"an integer", value("income", 1), connectors.FaultMalformed},
		{"no number at all", value("income", math.NaN()), connectors.FaultMalformed},
		{"infinite", value("income", math.Inf(-1)), connectors.FaultMalformed},
		{"a finite number", value("income", -12.5), ""},
		{"a text for a truth value", value("married", "true"), connectors.FaultMalformed},
		{"a truth value", value("married", false), ""},
		{"a list of anything", value("tags", []any{"甲"}), connectors.FaultMalformed},
		{"a list with a NUL", value("tags", []string{"甲", "\x00"}), connectors.FaultMalformed},
		{"a list of 1000", value("tags", make([]string, 1000)), ""},
		{"a list of 1001", value("tags", make([]string, 1001)), connectors.FaultMalformed},
		{"a null is absent", value("name", nil), ""},

		{"a reference in the wrong encoding", func(r *connectors.Reply) { r.Reference = "\xff" }, connectors.FaultMalformed},
		{"a long proof", func(r *connectors.Reply) { r.Proof = strings.Repeat("x", 4001) }, connectors.FaultMalformed},
		{"a size below zero", func(r *connectors.Reply) { r.Size = -1 }, connectors.FaultMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			q := newQuery(catalog.Limits{})
			q.Fields = []string{"name", "born", "income", "married", "tags"}
			reply := found()
			c.change(&reply)
			got, err := Admit(q, reply)
			wantKind(t, kindOf(err), c.want)
			if err != nil && got.Records != nil {
				t.Errorf("%d records besides a fault", len(got.Records))
			}
			if err != nil && (strings.Contains(err.Error(), "王") || strings.Contains(err.Error(), asked)) {
				t.Errorf("error holds a value: %v", err)
			}
		})
	}
}

// repeat makes one record many.
func repeat(r *connectors.Reply, n int) {
	for len(r.Records) < n {
		r.Records = append(r.Records, r.Records[0])
	}
}

func TestAdmit_GivesWhatWasAskedForAndNothingBesides(t *testing.T) {
	t.Parallel()
	q := newQuery(catalog.Limits{})
	q.Fields = []string{"name", "income", "salary"} // the dataset has no salary
	reply := found()
	reply.Records[0].Fields = map[string]any{
		"name": "王丽", "born": 7, "married": "\x00", "salary": 1.0, "income": nil, "<x>": "y", // what is not asked is not looked at
	}
	reply.Warnings = []string{"check-digit", "sm3.page_2", "王丽", "Name", asked, "a-3701991", strings.Repeat("a", 65), ""}
	before := clone(reply)
	got, err := Admit(q, reply)
	if err != nil {
		t.Fatal(err)
	}
	want := found()
	want.Records[0].Fields = map[string]any{"name": "王丽"}
	want.Warnings = []string{"check-digit", "sm3.page_2"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("admitted (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, reply); diff != "" {
		t.Errorf("the reply was changed (-before +after):\n%s", diff)
	}
}

func TestAdmit_TakesANumberInEitherCase(t *testing.T) {
	t.Parallel()
	q := newQuery(catalog.Limits{})
	q.Subject.Number = "91370102MA9X00011G"
	reply := found()
	reply.Records[0].Subject.Number = "91370102ma9x00011g"
	if _, err := Admit(q, reply); err != nil {
		t.Error(err)
	}
}

func TestAsk_AlarmsAboutARecordOfSomebodyElseWithoutNamingAnybody(t *testing.T) {
	t.Parallel()
	const other = "370199199007221247"
	synctest.Test(t, func(t *testing.T) {
		d := &department{answer: func(context.Context, int) (connectors.Reply, error) {
			reply := found()
			reply.Records[0].Subject.Number, reply.Records[0].Subject.Name = other, "李强"
			return reply, nil
		}}
		g, log := newGuard(d)
		_, err := g.Ask(t.Context(), newQuery(catalog.Limits{}))
		wantKind(t, kindOf(err), connectors.FaultWrongSubject)
		text := log.String() + err.Error()
		if !strings.Contains(text, "level=ERROR") || !strings.Contains(text, "GA.D-GA01.query") {
			t.Errorf("no alarm with the source: %s", text)
		}
		for _, secret := range []string{asked, other, "王丽", "李强"} {
			if strings.Contains(text, secret) {
				t.Errorf("the alarm names somebody: %s", text)
			}
		}
	})
}
