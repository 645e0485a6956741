package citizen

import (
	"context"
	"fmt"
	"strings"
	"time"

	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// Usages (使用记录) is a page of accesses in the shape of findUsage of Estonia's
// Data Tracker, protocol 1.6.
type Usages struct {
	TotalUsages int     `json:"totalUsages"`
	Usages      []Usage `json:"usages"`
}

// Usage is one access in that shape.
type Usage struct {
	LogTime        time.Time `json:"logtime"`
	Action         string    `json:"action"`
	ReceiverCode   string    `json:"receiverCode"`
	ReceiverName   string    `json:"receiverName"`
	ReceiverSystem string    `json:"receiverSystem"`
}

// UsagePeriod is of which time usages are known, in that protocol.
type UsagePeriod struct {
	PeriodStart time.Time `json:"periodStart"`
	PeriodEnd   time.Time `json:"periodEnd"`
}

// UsageQuery is what findUsage is asked with.
type UsageQuery struct {
	// UserCode is whose usages are wanted: the caller's own number, or empty, which
	// means the same. It MUST come in a body.
	UserCode      string
	From, Until   time.Time
	Offset, Limit int
}

// FindUsage gives the accesses to the caller's data, newest first. A number that
// is not the caller's own is refused, and told nothing of.
func (z *Citizen) FindUsage(ctx context.Context, by policies.Caller, q UsageQuery) (*Usages, error) {
	if q.UserCode != "" && z.Exchange.SubjectOf("person", strings.TrimSpace(q.UserCode)) != by.Subject {
		return nil, fault.New(fault.Denied, "not-your-own", "只能查阅本人的记录。请以本人身份登录，userCode 填本人的公民身份号码或留空。")
	}
	if err := z.record(ctx, ledger.AccessListRead, by, ""); err != nil {
		return nil, err
	}
	f := Filter{Subject: by.Subject, From: q.From, Until: q.Until}
	out := &Usages{Usages: []Usage{}}
	var err error
	if out.TotalUsages, err = z.Accesses.CountAccesses(ctx, f); err != nil {
		return nil, fmt.Errorf("count accesses: %w", err)
	}
	f.Skip, f.Limit = q.Offset, q.Limit
	found, err := z.Accesses.AccessesOf(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("list accesses: %w", err)
	}
	told, err := z.tell(ctx, by, found)
	if err != nil {
		return nil, err
	}
	for i := range told {
		out.Usages = append(out.Usages, usage(&told[i]))
	}
	return out, nil
}

// usage says an access in one line.
func usage(a *Access) Usage {
	action := a.What
	if a.Data != "" {
		action += "：" + a.Data
	}
	if len(a.For) > 0 {
		action += "；用于" + a.For[0].Name
		if a.For[0].Title != "" {
			action += "《" + a.For[0].Title + "》"
		}
	}
	if a.CaseNumber != "" {
		action += "；办件" + a.CaseNumber
	}
	return Usage{
		LogTime: a.At, Action: action + "；" + a.Outcome, ReceiverCode: a.Who.Department, ReceiverName: a.Who.Name, ReceiverSystem: a.Who.System,
	}
}

// UsagePeriod gives of which time usages are known: until now.
func (z *Citizen) UsagePeriod(ctx context.Context) (*UsagePeriod, error) {
	first, err := z.Accesses.FirstAccess(ctx)
	if err != nil {
		return nil, fmt.Errorf("read since when accesses are recorded: %w", err)
	}
	now := z.Now().UTC()
	if first.IsZero() {
		first = now
	}
	return &UsagePeriod{PeriodStart: first.UTC(), PeriodEnd: now}, nil
}
