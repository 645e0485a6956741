package safeguard

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Rules (防滥用规则) are the settings: what is too much, and from when on an alarm
// is raised. All replicas MUST have the same.
type Rules struct {
	// Quotas are the limits of whatever has none of its own.
	Quotas Quotas `json:"quotas"`
	// FanOut is from how many distinct subjects of an hour on an alarm is raised.
	FanOut FanOut `json:"fan_out"`
	// OffHoursCalls is from how many look-ups of an hour outside office hours on one is.
	OffHoursCalls int64 `json:"off_hours_calls"`
	// Enumeration says when look-ups of unknown people are an enumeration.
	Enumeration Enumeration `json:"enumeration"`
	// Logins bounds the failed authentications.
	Logins LoginLimits `json:"logins"`
	// IsWorkday says which days are worked on; nil means Monday to Friday.
	IsWorkday func(time.Time) bool `json:"-"`
}

// Enumeration (枚举探测) is somebody trying numbers: many of the look-ups of an
// hour find nobody of that number and name.
type Enumeration struct {
	// Unknown is from how many such look-ups on, Percent from what part of all.
	Unknown int64 `json:"unknown"`
	Percent int64 `json:"percent"`
	// Stop puts up a stop for the system besides. Off by default: an alarm alone
	// changes no answer.
	Stop bool `json:"stop"`
}

// Quotas (默认上限) are the limits by kind of meter.
type Quotas struct {
	System Limits `json:"system"`
	Grant  Limits `json:"grant"`
	Person Limits `json:"person"`
	Matter Limits `json:"matter"`
}

// of gives the limits of a kind. A kind that there is not may do nothing.
func (q *Quotas) of(kind Kind) Limits {
	return map[Kind]Limits{KindSystem: q.System, KindGrant: q.Grant, KindPerson: q.Person, KindMatter: q.Matter}[kind]
}

// FanOut (查询对象数告警界限) is a number of distinct subjects by kind of meter.
type FanOut struct {
	System int64 `json:"system"`
	Person int64 `json:"person"`
	Matter int64 `json:"matter"`
}

// of gives the number of a kind; 0 when it raises no alarm.
func (f *FanOut) of(kind Kind) int64 {
	return map[Kind]int64{KindSystem: f.System, KindPerson: f.Person, KindMatter: f.Matter}[kind]
}

// Limits (用量上限) are the most calls and the most distinct subjects of an hour
// and of a day. 0 means none.
type Limits struct {
	CallsPerHour    int64 `json:"calls_per_hour" minimum:"0" doc:"每小时查询次数"`
	CallsPerDay     int64 `json:"calls_per_day" minimum:"0" doc:"每日查询次数"`
	SubjectsPerHour int64 `json:"subjects_per_hour" minimum:"0" doc:"每小时查询对象数（去重）"`
	SubjectsPerDay  int64 `json:"subjects_per_day" minimum:"0" doc:"每日查询对象数（去重）"`
}

// Defaults are the rules of an exchange that has no settings of its own. They
// are generous: a city's one-window platform stays well below.
func Defaults() Rules {
	shared := Limits{CallsPerHour: 100_000, CallsPerDay: 500_000, SubjectsPerHour: 20_000, SubjectsPerDay: 100_000}
	return Rules{
		Quotas: Quotas{
			System: shared, Grant: shared, Matter: shared,
			Person: Limits{CallsPerHour: 1_000, CallsPerDay: 5_000, SubjectsPerHour: 200, SubjectsPerDay: 1_000},
		},
		FanOut:        FanOut{System: 5_000, Matter: 5_000, Person: 100},
		OffHoursCalls: 200,
		Enumeration:   Enumeration{Unknown: 20, Percent: 20},
		Logins:        LoginLimits{PerAddress: 20, PerClient: 100},
	}
}

// ParseRules reads settings as JSON. What they do not name stays as it is by
// default; a name that there is not, or a limit below 0, is refused.
func ParseRules(data []byte) (Rules, error) {
	rules := Defaults()
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&rules); err != nil {
		return rules, fmt.Errorf("read the rules against abuse: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return rules, errors.New("read the rules against abuse: something follows after them")
	}
	return rules, rules.check()
}

func (r *Rules) check() error {
	var faults []error
	for _, kind := range kinds() {
		limits := r.Quotas.of(kind)
		if err := limits.check(); err != nil {
			faults = append(faults, fmt.Errorf("quotas.%s: %w", kind, err))
		}
	}
	if min(r.FanOut.System, r.FanOut.Person, r.FanOut.Matter) < 1 {
		faults = append(faults, errors.New("fan_out: want at least 1"))
	}
	if r.OffHoursCalls < 1 {
		faults = append(faults, errors.New("off_hours_calls: want at least 1"))
	}
	if e := r.Enumeration; e.Unknown < 1 || e.Percent < 0 || e.Percent > 100 {
		faults = append(faults, errors.New("enumeration: want unknown of at least 1, and percent from 0 to 100"))
	}
	if r.Logins.PerAddress < 1 || r.Logins.PerClient < 1 {
		faults = append(faults, errors.New("logins: want at least 1"))
	}
	return errors.Join(faults...)
}

func (l Limits) check() error {
	if min(l.CallsPerHour, l.CallsPerDay, l.SubjectsPerHour, l.SubjectsPerDay) < 0 {
		return errors.New("a limit is below 0")
	}
	return nil
}

// of gives the two limits of a span.
func (l Limits) of(span Span) (calls, subjects int64) {
	if span == SpanDay {
		return l.CallsPerDay, l.SubjectsPerDay
	}
	return l.CallsPerHour, l.SubjectsPerHour
}
