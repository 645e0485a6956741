package safeguard_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/internal/fault"
	"mianti/internal/workday"
	"mianti/ledger"
	"mianti/safeguard"
)

// shanghai is a moment of Asia/Shanghai.
func shanghai(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04:05", text, time.FixedZone("", 8*60*60))
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestWindowAt_IsAnHourOrADayOfShanghai(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		span           safeguard.Span
		at, start, end string
	}{
		{safeguard.SpanHour, "2026-11-23 17:00:00", "2026-11-23 17:00:00", "2026-11-23 18:00:00"},
		{safeguard.SpanHour, "2026-11-23 17:59:59", "2026-11-23 17:00:00", "2026-11-23 18:00:00"},
		{safeguard.SpanHour, "2026-12-31 23:59:59", "2026-12-31 23:00:00", "2027-01-01 00:00:00"},
		{safeguard.SpanDay, "2026-11-23 00:00:00", "2026-11-23 00:00:00", "2026-11-24 00:00:00"},
		{safeguard.SpanDay, "2026-11-23 07:59:59", "2026-11-23 00:00:00", "2026-11-24 00:00:00"}, // the day before in UTC
		{safeguard.SpanDay, "2028-02-29 23:59:59", "2028-02-29 00:00:00", "2028-03-01 00:00:00"},
	} {
		got := safeguard.WindowAt(c.span, shanghai(t, c.at).UTC())
		if !got.Start.Equal(shanghai(t, c.start)) || !got.End.Equal(shanghai(t, c.end)) || got.Span != c.span || got.Start.Location() != time.UTC {
			t.Errorf("%s at %s: %v", c.span, c.at, got)
		}
	}
}

func TestOffHours_FollowsTheCalendarOfWorkingDays(t *testing.T) {
	t.Parallel()
	calendar, err := workday.Load()
	if err != nil {
		t.Fatal(err)
	}
	withCalendar := safeguard.Defaults()
	withCalendar.IsWorkday = calendar.IsWorkday
	without := safeguard.Defaults()
	for _, c := range []struct {
		rule, at         string
		want, byWeekdays bool
	}{
		{"a Monday before opening", "2026-11-23 07:59:59", true, true},
		{"a Monday at opening", "2026-11-23 08:00:00", false, false},
		{"a Monday before closing", "2026-11-23 17:59:59", false, false},
		{"a Monday at closing", "2026-11-23 18:00:00", true, true},
		{"a Saturday", "2026-11-21 10:00:00", true, true},
		{"a Saturday that is worked on", "2026-10-10 10:00:00", false, true},
		{"a Sunday that is worked on, in the evening", "2026-09-20 20:00:00", true, true},
		{"a Thursday of the National Day", "2026-10-01 10:00:00", true, false},
		{"the Friday of the Dragon Boat Festival", "2026-06-19 10:00:00", true, false},
	} {
		if got := withCalendar.OffHours(shanghai(t, c.at).UTC()); got != c.want {
			t.Errorf("%s: %v, want %v", c.rule, got, c.want)
		}
		if got := without.OffHours(shanghai(t, c.at).UTC()); got != c.byWeekdays {
			t.Errorf("%s, without a calendar: %v, want %v", c.rule, got, c.byWeekdays)
		}
	}
}

// tallied is what is counted of a meter in an hour.
func tallied(tallies []safeguard.Tally, span safeguard.Span) map[string][]any {
	out := map[string][]any{}
	for _, t := range tallies {
		if t.Span == span {
			out[string(t.Kind)+":"+t.ID] = []any{t.Calls, len(t.Subjects)}
		}
	}
	return out
}

func TestCountIntents_CountsEachQuestionOnceForEachMeter(t *testing.T) {
	t.Parallel()
	now := shanghai(t, "2026-11-23 09:10:00")
	intent := func(matter, grant string, also ...ledger.Service) ledger.Entry {
		return ledger.Entry{Kind: ledger.Intent, At: now, System: "s1", Person: "p1", Matter: matter, Grant: grant, Also: also}
	}
	intents := []ledger.Entry{
		intent("M1", "g1"),
		intent("M1", "g1", ledger.Service{Matter: "M1", Grant: "g1"}, ledger.Service{Matter: "M2", Grant: "g2"}),
		intent("M2", ""), // an own record rests on no grant
	}
	tallies := safeguard.CountIntents(intents, []string{"a", "b", ""})
	want := map[string][]any{
		"system:s1": {int64(3), 2}, "person:p1": {int64(3), 2}, "matter:M1": {int64(2), 2}, "matter:M2": {int64(2), 1},
		"grant:g1": {int64(2), 2}, "grant:g2": {int64(1), 1},
	}
	for _, span := range []safeguard.Span{safeguard.SpanHour, safeguard.SpanDay} {
		if diff := cmp.Diff(want, tallied(tallies, span)); diff != "" {
			t.Errorf("of the %s (-want +got):\n%s", span, diff)
		}
	}
	for i := 1; i < len(tallies); i++ {
		a, b := tallies[i-1], tallies[i]
		if ka, kb := string(a.Kind)+a.ID+string(a.Span), string(b.Kind)+b.ID+string(b.Span); ka >= kb {
			t.Errorf("not in order: %s before %s", ka, kb)
		}
	}
}

func TestCountOutcomes_CountsWhoeverWasNotFound(t *testing.T) {
	t.Parallel()
	now := shanghai(t, "2026-11-23 09:10:00")
	outcome := func(result string) ledger.Entry {
		return ledger.Entry{Kind: ledger.Outcome, At: now, System: "s1", Mode: "data", Result: result}
	}
	officer := outcome("not_found")
	officer.Mode = "assist"
	got := safeguard.CountOutcomes([]ledger.Entry{
		outcome("ok"), outcome("not_found"), outcome("mismatch"), outcome("source_down"), outcome("expired"), officer,
		{Kind: ledger.Resolved, At: now, System: "s1", Result: "not_found"},
	})
	if len(got) != 1 || got[0].Outcomes != 5 || got[0].Unknown != 2 || got[0].Span != safeguard.SpanHour || got[0].ID != "s1" {
		t.Errorf("counted %+v", got)
	}
}

func total(t *testing.T, kind safeguard.Kind, span safeguard.Span, at string, calls, subjects int64) safeguard.Total {
	t.Helper()
	return safeguard.Total{
		Meter: safeguard.Meter{Kind: kind, ID: "x"}, Window: safeguard.WindowAt(span, shanghai(t, at)), Calls: calls, Subjects: subjects,
	}
}

const monday, mondayNight = "2026-11-23 09:30:00", "2026-11-23 22:30:00"

func TestExcess_IsWhatGoesOverALimitForTheLongest(t *testing.T) {
	t.Parallel()
	rules := safeguard.Defaults()
	rules.Quotas.System = safeguard.Limits{CallsPerHour: 10, CallsPerDay: 20, SubjectsPerHour: 3, SubjectsPerDay: 4}
	own := safeguard.Overrides{{Kind: safeguard.KindSystem, ID: "x"}: {CallsPerHour: 100, CallsPerDay: 100, SubjectsPerHour: 0, SubjectsPerDay: 100}}
	hour := func(calls, subjects int64) safeguard.Total {
		return total(t, safeguard.KindSystem, safeguard.SpanHour, monday, calls, subjects)
	}
	day := func(calls, subjects int64) safeguard.Total {
		return total(t, safeguard.KindSystem, safeguard.SpanDay, monday, calls, subjects)
	}
	for _, c := range []struct {
		rule      string
		totals    []safeguard.Total
		overrides safeguard.Overrides
		text      string // empty: within
		wait      time.Duration
	}{
		{"at the limit", []safeguard.Total{hour(10, 3), day(20, 4)}, nil, "", 0},
		{"calls of an hour", []safeguard.Total{day(11, 1), hour(11, 1)}, nil, "每小时查询次数已达上限（10）", 30 * time.Minute},
		{"subjects of an hour", []safeguard.Total{hour(4, 4)}, nil, "每小时查询对象数已达上限（3）", 30 * time.Minute},
		{"calls of a day", []safeguard.Total{hour(1, 1), day(21, 1)}, nil, "每日查询次数已达上限（20）", 14*time.Hour + 30*time.Minute},
		{"both: the day is longer", []safeguard.Total{day(21, 1), hour(11, 1)}, nil, "每日查询次数", 14*time.Hour + 30*time.Minute},
		{"own limits go before", []safeguard.Total{hour(11, 0)}, own, "", 0},
		{"none is none", []safeguard.Total{hour(1, 1)}, own, "每小时查询对象数已达上限（0）", 30 * time.Minute},
	} {
		excess := rules.Excess(c.totals, c.overrides)
		if c.text == "" {
			if excess != nil {
				t.Errorf("%s: %+v", c.rule, excess)
			}
			continue
		}
		if excess == nil {
			t.Errorf("%s: within", c.rule)
			continue
		}
		f := excess.Fault(shanghai(t, monday))
		if f.Kind != fault.Exhausted || f.Code != "quota-exceeded" || !strings.Contains(f.Message, c.text) || f.Wait != c.wait {
			t.Errorf("%s: %s, wait %s", c.rule, f.Message, f.Wait)
		}
	}
}

func TestIntentAlarms_BeginAtTheirThresholds(t *testing.T) {
	t.Parallel()
	rules := safeguard.Defaults()
	rules.Quotas.System = safeguard.Limits{CallsPerHour: 100, CallsPerDay: 1000, SubjectsPerHour: 50, SubjectsPerDay: 1000}
	rules.FanOut.System, rules.OffHoursCalls = 30, 20
	for _, c := range []struct {
		rule  string
		total safeguard.Total
		want  []safeguard.AlarmKind
	}{
		{"nothing unusual", total(t, safeguard.KindSystem, safeguard.SpanHour, monday, 79, 29), nil},
		{"80 % of the calls", total(t, safeguard.KindSystem, safeguard.SpanHour, monday, 80, 1), []safeguard.AlarmKind{safeguard.AlarmQuotaNear}},
		{"80 % of the calls of a day", total(t, safeguard.KindSystem, safeguard.SpanDay, monday, 800, 1), []safeguard.AlarmKind{safeguard.AlarmQuotaNear}},
		{"fan-out", total(t, safeguard.KindSystem, safeguard.SpanHour, monday, 30, 30), []safeguard.AlarmKind{safeguard.AlarmFanOut}},
		{"fan-out and 80 % of the subjects", total(t, safeguard.KindSystem, safeguard.SpanHour, monday, 40, 40), []safeguard.AlarmKind{safeguard.AlarmQuotaNear, safeguard.AlarmFanOut}},
		{"a day has no fan-out", total(t, safeguard.KindSystem, safeguard.SpanDay, monday, 40, 40), nil},
		{"off-hours, a few", total(t, safeguard.KindSystem, safeguard.SpanHour, mondayNight, 19, 1), nil},
		{"off-hours, many", total(t, safeguard.KindSystem, safeguard.SpanHour, mondayNight, 20, 1), []safeguard.AlarmKind{safeguard.AlarmOffHours}},
		{"off-hours is about who acts", total(t, safeguard.KindMatter, safeguard.SpanHour, mondayNight, 20, 1), nil},
	} {
		var got []safeguard.AlarmKind
		for _, a := range rules.IntentAlarms([]safeguard.Total{c.total}, nil) {
			got = append(got, a.Kind)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.rule, diff)
		}
	}
}

func TestOutcomeAlarms_RingForEnumeration(t *testing.T) {
	t.Parallel()
	rules := safeguard.Defaults()
	for _, c := range []struct {
		outcomes, unknown int64
		want              bool
	}{{19, 19, false}, {20, 20, true}, {100, 20, true}, {101, 20, false}, {2000, 399, false}, {2000, 400, true}} {
		one := total(t, safeguard.KindSystem, safeguard.SpanHour, monday, 0, 0)
		one.Outcomes, one.Unknown = c.outcomes, c.unknown
		alarms := rules.OutcomeAlarms([]safeguard.Total{one})
		if got := len(alarms) == 1 && alarms[0].Kind == safeguard.AlarmEnumeration && alarms[0].Severe(); got != c.want {
			t.Errorf("%d unknown of %d: %+v, want %v", c.unknown, c.outcomes, alarms, c.want)
		}
		for i := range alarms {
			if _, _, stops := rules.StopFor(&alarms[i], "SPJ", one.Start); stops {
				t.Error("it stops the system, which nobody has switched on")
			}
		}
	}
}

func TestParseRules_KeepsTheDefaultsOfWhatItDoesNotName(t *testing.T) {
	t.Parallel()
	got, err := safeguard.ParseRules([]byte(`{"quotas":{"person":{"calls_per_hour":500}},"enumeration":{"stop":true}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := safeguard.Defaults()
	want.Quotas.Person.CallsPerHour, want.Enumeration.Stop = 500, true
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, text := range []string{
		``, `[]`, `{"quota":{}}`, `{"quotas":{"citizen":{}}}`, `{"quotas":{"person":{"calls_per_hour":-1}}}`, `{"quotas":{"person":{"calls_per_hour":"1"}}}`,
		`{"fan_out":{"system":0}}`, `{"off_hours_calls":0}`, `{"enumeration":{"percent":101}}`, `{"logins":{"per_client":0}}`, `{} {}`,
	} {
		if _, err := safeguard.ParseRules([]byte(text)); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
}
