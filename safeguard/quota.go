package safeguard

import (
	"context"
	"fmt"
	"slices"
	"time"

	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// Overrides are the limits of those that have limits of their own.
type Overrides map[Meter]Limits

// LimitsOf gives the limits of a meter: its own, else those of its kind.
func (r *Rules) LimitsOf(m Meter, overrides Overrides) Limits {
	if own, has := overrides[m]; has {
		return own
	}
	return r.Quotas.of(m.Kind)
}

// Excess (超限) is a quota that a round of questions would exceed.
type Excess struct {
	Total
	Subject bool // of subjects, not of calls
	Value   int64
	Limit   int64
}

// Excess gives the quota that is exceeded for the longest; nil when none is.
func (r *Rules) Excess(totals []Total, overrides Overrides) *Excess {
	var longest *Excess
	for i := range totals {
		found := r.excess(&totals[i], overrides)
		if found != nil && (longest == nil || found.End.After(longest.End)) {
			longest = found
		}
	}
	return longest
}

func (r *Rules) excess(total *Total, overrides Overrides) *Excess {
	calls, subjects := r.LimitsOf(total.Meter, overrides).of(total.Span)
	switch {
	case total.Calls > calls:
		return &Excess{Total: *total, Value: total.Calls, Limit: calls}
	case total.Subjects > subjects:
		return &Excess{Total: *total, Subject: true, Value: total.Subjects, Limit: subjects}
	default:
		return nil
	}
}

// Alarm is the one that an excess raises.
func (e *Excess) Alarm() Alarm { return alarm(AlarmQuotaExceeded, &e.Total, e.Value, e.Limit) }

// Fault refuses the whole of what would exceed the quota, until its window ends.
func (e *Excess) Fault(now time.Time) *fault.Error {
	span, what := "每小时", "查询次数"
	if e.Span == SpanDay {
		span = "每日"
	}
	if e.Subject {
		what = "查询对象数"
	}
	return fault.New(fault.Exhausted, "quota-exceeded", "%s %s 的%s%s已达上限（%d），没有向任何部门查询。请在本时段结束后重试；确有需要的，请联系运维人员调整上限。",
		e.Kind.Name(), e.ID, span, what, e.Limit).After(e.End.Sub(now))
}

// Quota (用量上限) is the limits of a meter, with what it has come to.
type Quota struct {
	Meter
	Limits
	// Own says that the limits are its own; else they are those of its kind.
	Own   bool    `json:"own" doc:"单独设定的上限; 否则为本类的默认上限"`
	Usage []Total `json:"usage" doc:"本小时与今日的用量"`
}

// QuotaKeeper keeps limits and what was counted.
type QuotaKeeper interface {
	// Overrides gives the limits of those of the meters that have their own; of all
	// that have, when none is named.
	Overrides(ctx context.Context, of ...Meter) (Overrides, error)
	// SetQuota stores the limits of a meter, with their entry.
	SetQuota(ctx context.Context, m Meter, l Limits, e ledger.Entry) error
	// Usage gives what a meter has come to in the windows that a moment is in.
	Usage(ctx context.Context, m Meter, at time.Time) ([]Total, error)
}

// Quota gives the limits of a meter and what it has come to.
func (s *Safeguard) Quota(ctx context.Context, m Meter) (*Quota, error) {
	overrides, err := s.Quotas.Overrides(ctx, m)
	if err != nil {
		return nil, fmt.Errorf("read a quota: %w", err)
	}
	usage, err := s.Quotas.Usage(ctx, m, s.Now())
	if err != nil {
		return nil, fmt.Errorf("read a quota: %w", err)
	}
	_, own := overrides[m]
	return &Quota{Meter: m, Limits: s.Rules.LimitsOf(m, overrides), Own: own, Usage: usage}, nil
}

// SetQuota gives a meter limits of its own. A code that nothing has is refused: a
// slip of the pen would limit nothing, and what is not a code would be recorded.
func (s *Safeguard) SetQuota(ctx context.Context, by policies.Caller, m Meter, l Limits, reason string) (*Quota, error) {
	if !slices.Contains(kinds(), m.Kind) || m.ID == "" {
		return nil, fault.New(fault.Invalid, "invalid-quota", "请填写类别（grant、system、person 或 matter）和代码。")
	}
	if err := l.check(); err != nil {
		return nil, fault.New(fault.Invalid, "invalid-quota", "上限不能小于 0。").Because(err)
	}
	why, err := checkReason(reason)
	if err != nil {
		return nil, err
	}
	if err := s.mustBeKnown(ctx, m); err != nil {
		return nil, err
	}
	if err := s.Quotas.SetQuota(ctx, m, l, s.entry(ledger.QuotaSet, by, string(m.Kind)+":"+m.ID, why)); err != nil {
		return nil, fmt.Errorf("set a quota: %w", err)
	}
	return s.Quota(ctx, m)
}

func (s *Safeguard) mustBeKnown(ctx context.Context, m Meter) error {
	known, err := s.Owners.Known(ctx, m)
	if err != nil {
		return fmt.Errorf("set a quota: %w", err)
	}
	if !known {
		return fault.New(fault.Invalid, "invalid-quota", "没有这个%s，没有设定上限。请核对类别和代码。", m.Kind.Name())
	}
	return nil
}
