package safeguard

import (
	"context"
	"fmt"
	"time"

	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// AlarmKind (告警类别) is what an alarm is about.
type AlarmKind string

// The kinds of alarms; docs/safeguards.md says what to do.
const (
	AlarmQuotaNear     AlarmKind = "quota_near"     // 用量达到 80%
	AlarmQuotaExceeded AlarmKind = "quota_exceeded" // 用量超限
	AlarmOffHours      AlarmKind = "off_hours"      // 非工作时间大量查询
	AlarmFanOut        AlarmKind = "fan_out"        // 查询对象过多
	AlarmEnumeration   AlarmKind = "enumeration"    // 枚举探测
)

// Alarm (告警) says that a meter did something unusual in a window. There is one
// for each kind, meter and window; what comes after is counted in it. It never
// changes an answer.
type Alarm struct {
	ID         int64     `json:"id"`
	Kind       AlarmKind `json:"kind" enum:"quota_near,quota_exceeded,off_hours,fan_out,enumeration"`
	Of         Meter     `json:"of"`
	Department string    `json:"department" doc:"使用数据的部门"`
	Window     Window    `json:"window"`
	Times      int64     `json:"times" doc:"本时段内触发的次数"`
	Value      int64     `json:"value" doc:"达到的数值"`
	Threshold  int64     `json:"threshold" doc:"触发的界限"`
	FirstAt    time.Time `json:"first_at"`
	LastAt     time.Time `json:"last_at"`
	// AcknowledgedAt is when somebody said that he has seen it; nil for nobody.
	AcknowledgedAt *time.Time `json:"acknowledged_at,omitempty"`
	AcknowledgedBy string     `json:"acknowledged_by,omitempty" doc:"确认人的代号"`
}

// Severe reports whether somebody has to look at once.
func (a *Alarm) Severe() bool { return a.Kind == AlarmQuotaExceeded || a.Kind == AlarmEnumeration }

// alarm is one that has just come up.
func alarm(kind AlarmKind, total *Total, value, threshold int64) Alarm {
	return Alarm{Kind: kind, Of: total.Meter, Window: total.Window, Times: 1, Value: value, Threshold: threshold}
}

// nearPercent is from what part of a quota on an alarm is raised.
const nearPercent = 80

// IntentAlarms are those that follow from what has been counted of questions.
func (r *Rules) IntentAlarms(totals []Total, overrides Overrides) []Alarm {
	var out []Alarm
	for i := range totals {
		total := &totals[i]
		calls, subjects := r.LimitsOf(total.Meter, overrides).of(total.Span)
		switch {
		case isNear(total.Calls, calls):
			out = append(out, alarm(AlarmQuotaNear, total, total.Calls, calls))
		case isNear(total.Subjects, subjects):
			out = append(out, alarm(AlarmQuotaNear, total, total.Subjects, subjects))
		}
		if total.Span != SpanHour {
			continue
		}
		if most := r.FanOut.of(total.Kind); most > 0 && total.Subjects >= most {
			out = append(out, alarm(AlarmFanOut, total, total.Subjects, most))
		}
		acts := total.Kind == KindSystem || total.Kind == KindPerson
		if acts && total.Calls >= r.OffHoursCalls && r.OffHours(total.Start) {
			out = append(out, alarm(AlarmOffHours, total, total.Calls, r.OffHoursCalls))
		}
	}
	return out
}

func isNear(value, limit int64) bool { return limit > 0 && value*100 >= limit*nearPercent }

// OutcomeAlarms are those that follow from what has been counted of outcomes.
func (r *Rules) OutcomeAlarms(totals []Total) []Alarm {
	var out []Alarm
	for i := range totals {
		total := &totals[i]
		if total.Unknown >= r.Enumeration.Unknown && total.Unknown*100 >= total.Outcomes*r.Enumeration.Percent {
			out = append(out, alarm(AlarmEnumeration, total, total.Unknown, r.Enumeration.Unknown))
		}
	}
	return out
}

// itself is who acts when the exchange acts by itself.
const itself = "mianti"

// StopFor gives the stop that an alarm puts up by itself: of a system that
// enumerates, when the rules say so.
func (r *Rules) StopFor(a *Alarm, department string, at time.Time) (Held, ledger.Entry, bool) {
	if !r.Enumeration.Stop || a.Kind != AlarmEnumeration || a.Of.Kind != KindSystem {
		return Held{}, ledger.Entry{}, false
	}
	h := Held{
		Stop:  policies.Stop{Kind: policies.StopSystem, ID: a.Of.ID, Reason: string(AlarmEnumeration), By: itself, At: at},
		Owner: department,
	}
	e := ledger.Entry{
		Kind: ledger.Stopped, At: at, Person: itself, Department: department, Object: "system:" + a.Of.ID, Why: string(AlarmEnumeration),
	}
	return h, e, true
}

// AlarmFilter chooses alarms, the newest first.
type AlarmFilter struct {
	Department string // empty for all
	Open       bool   // only those that nobody has acknowledged
	Before     int64  // id of the last one of the page before; 0 for the first page
	Limit      int
}

// AlarmKeeper keeps alarms.
type AlarmKeeper interface {
	// ListAlarms gives alarms, the newest first.
	ListAlarms(ctx context.Context, f AlarmFilter) ([]Alarm, error)
	// AcknowledgeAlarm notes who has seen an alarm, with its entry. An empty
	// department means any. It is a fault.NotFound for none, and a fault.Conflict
	// when somebody has seen it before.
	AcknowledgeAlarm(ctx context.Context, id int64, department string, e ledger.Entry) (*Alarm, error)
}

// ListAlarms gives alarms: all of them to an operator and an auditor, and those
// of the own department to its administrator.
func (s *Safeguard) ListAlarms(ctx context.Context, by policies.Caller, f AlarmFilter) ([]Alarm, error) {
	f.Department = ""
	if !by.Has(policies.DutyOperator) && !by.Has(policies.DutyAuditor) {
		if f.Department = by.Department; f.Department == "" {
			return nil, nil
		}
	}
	alarms, err := s.Alarms.ListAlarms(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("list alarms: %w", err)
	}
	return alarms, nil
}

// Acknowledge notes that the caller has seen an alarm.
func (s *Safeguard) Acknowledge(ctx context.Context, by policies.Caller, id int64) (*Alarm, error) {
	department := ""
	if !by.Has(policies.DutyOperator) {
		if department = by.Department; department == "" {
			return nil, fault.New(fault.NotFound, "unknown-alarm", "没有这个告警")
		}
	}
	seen, err := s.Alarms.AcknowledgeAlarm(ctx, id, department, s.entry(ledger.AlarmAcknowledged, by, fmt.Sprintf("alarm:%d", id), ""))
	if err != nil {
		return nil, fmt.Errorf("acknowledge an alarm: %w", err)
	}
	return seen, nil
}
