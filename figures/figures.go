// Package figures is what leaders and departments count (指标): how many materials
// need not be submitted any more, and which still do; whether cases, applications
// and corrections are done in time; how sources answer; and who used a
// department's data.
//
// Every number stands with its definition. None of it is about anybody, and none
// of it needs content to be unsealed when it is read: finished cases are counted
// once, in the background (Counter), and uses are counted when the ledger is
// sealed.
package figures

import (
	"context"
	"fmt"
	"slices"
	"time"

	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/policies"
	"mianti/sharing"
)

// Catalogs gives the catalog's revisions.
type Catalogs interface {
	Current(ctx context.Context, about ...string) (*catalog.Revision, error)
	Revision(ctx context.Context, number int, about ...string) (*catalog.Revision, error)
}

// Counts gives what was counted of finished cases, added up over the days of a
// query.
type Counts interface {
	// MaterialCounts adds up by department, matter, one-thing, way and mode.
	MaterialCounts(ctx context.Context, q Query) ([]MaterialCount, error)
	// DailyCounts adds up by day and way.
	DailyCounts(ctx context.Context, q Query) ([]MaterialCount, error)
	// UploadCounts adds up those that were still uploaded by material, matter and
	// reason, the most first.
	UploadCounts(ctx context.Context, q Query, limit int) ([]MaterialCount, error)
	// CaseCounts adds up by department and subject.
	CaseCounts(ctx context.Context, q Query) ([]CaseCount, error)
}

// Clocks gives what has a deadline, and what sources did.
type Clocks interface {
	// SharingReceived gives the sharing requests that were received in a time.
	SharingReceived(ctx context.Context, from, until time.Time) ([]sharing.Request, error)
	// CorrectionsOpened gives when the corrections that were opened in a time were
	// answered; nothing of what they say.
	CorrectionsOpened(ctx context.Context, from, until time.Time) ([]Answered, error)
	// SourceTimes gives how sources answered in a time; those of one department, or
	// of all.
	SourceTimes(ctx context.Context, department string, from, until time.Time) ([]SourceTime, error)
}

// Uses gives who used datasets.
type Uses interface {
	// DatasetUses lists uses, the newest first.
	DatasetUses(ctx context.Context, f UseFilter) ([]Use, error)
	// UseTotals adds uses up by dataset, department, matter and result.
	UseTotals(ctx context.Context, f UseFilter) ([]UseTotal, error)
}

// Config is what the use cases are made of. All fields are required, but for
// Authority.
type Config struct {
	Catalogs Catalogs
	Counts   Counts
	Clocks   Clocks
	Uses     Uses
	Days     sharing.Workdays
	// Authority is the department that is the authority for government data
	// (政务数据共享主管部门); empty where there is none.
	Authority string
	Now       func() time.Time
}

// Figures (指标) is the use cases. It is safe for concurrent use.
type Figures struct{ Config }

// New returns the use cases.
func New(c Config) *Figures { return &Figures{c} }

// Query (指标口径) chooses what is counted: the days from one to another, both
// included, and if set one department, matter or one-thing.
type Query struct {
	From       string `json:"from" format:"date"`
	Until      string `json:"until" format:"date"`
	Department string `json:"department,omitempty"`
	Matter     string `json:"matter,omitempty"`
	OneThing   string `json:"one_thing,omitempty"`
}

const (
	// defaultDays is how many days are counted when none are named, and mostDays
	// how many may be named.
	defaultDays = 30
	mostDays    = 3 * 366
	// uploadRows bounds the materials among which the most uploaded are looked for,
	// and topUploads how many are told.
	uploadRows = 5000
	topUploads = 20
)

// day gives the date of a moment in Asia/Shanghai.
func day(t time.Time) string { return t.In(catalog.TimeZone()).Format(time.DateOnly) }

// complete fills in the days that are not named, and refuses those that make no
// sense.
func (q Query) complete(now time.Time) (Query, error) {
	if q.Until == "" {
		q.Until = day(now)
	}
	until, err := time.ParseInLocation(time.DateOnly, q.Until, catalog.TimeZone())
	if err != nil {
		return q, invalid("until", "format", "请填日期，如 2026-11-23。")
	}
	if q.From == "" {
		q.From = until.AddDate(0, 0, 1-defaultDays).Format(time.DateOnly)
	}
	from, err := time.ParseInLocation(time.DateOnly, q.From, catalog.TimeZone())
	switch {
	case err != nil:
		return q, invalid("from", "format", "请填日期，如 2026-11-23。")
	case until.Before(from):
		return q, invalid("until", "ends-before-it-begins", "结束日期早于开始日期。")
	case until.Sub(from) > mostDays*24*time.Hour:
		return q, invalid("from", "too-long", "一次最多统计三年。")
	}
	return q, nil
}

func invalid(at, code, message string) error {
	return fault.New(fault.Invalid, "invalid-figures", "统计条件不符合要求：%s", message).With(fault.Detail{Location: "query." + at, Code: code, Message: message})
}

// span gives the moments between which the days of a complete query lie.
func (q Query) span() (from, until time.Time) {
	from, _ = time.ParseInLocation(time.DateOnly, q.From, catalog.TimeZone())   // complete has read it
	until, _ = time.ParseInLocation(time.DateOnly, q.Until, catalog.TimeZone()) // likewise
	return from, until.AddDate(0, 0, 1)
}

// seesAll reports whether somebody may count for every department: who audits,
// who looks after the catalog, who runs the exchange, and the authority.
func (f *Figures) seesAll(by policies.Caller) bool {
	all := []policies.Duty{policies.DutyAuditor, policies.DutyPolicyEditor, policies.DutyPolicyReviewer, policies.DutyOperator}
	return slices.ContainsFunc(all, by.Has) || f.Authority != "" && by.Department == f.Authority
}

// scope bounds a query to the caller's own department, unless he may count for
// all.
func (f *Figures) scope(by policies.Caller, department string) (string, error) {
	if f.seesAll(by) {
		return department, nil
	}
	if by.Department == "" || department != "" && department != by.Department {
		return "", fault.New(fault.Denied, "figures-of-another-department", "只能查看本部门的指标。")
	}
	return by.Department, nil
}

// SeesAll reports whether the caller may count for every department.
func (f *Figures) SeesAll(by policies.Caller) bool { return f.seesAll(by) }

// Read counts what a query asks for.
func (f *Figures) Read(ctx context.Context, by policies.Caller, q Query) (*Report, error) {
	now := f.Now().UTC()
	q, err := q.complete(now)
	if err != nil {
		return nil, err
	}
	if q.Department, err = f.scope(by, q.Department); err != nil {
		return nil, err
	}
	rev, err := f.Catalogs.Current(ctx)
	if err != nil {
		return nil, fmt.Errorf("read figures: %w", err)
	}
	r := reading{q: q, rev: rev, now: now, days: f.Days}
	if err := r.load(ctx, f); err != nil {
		return nil, fmt.Errorf("read figures: %w", err)
	}
	return r.report(), nil
}
