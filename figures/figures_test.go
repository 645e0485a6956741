package figures_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/figures"
	"mianti/internal/fault"
	"mianti/internal/workday"
	"mianti/policies"
	"mianti/sharing"
)

// fixed is a database with these rows.
type fixed struct {
	rev       *catalog.Revision
	materials []figures.MaterialCount
	cases     []figures.CaseCount
	requests  []sharing.Request
	answered  []figures.Answered
	asked     *figures.Query
	uses      []figures.Use
	used      *figures.UseFilter
}

func (f fixed) Current(context.Context, ...string) (*catalog.Revision, error) { return f.rev, nil }
func (f fixed) Revision(context.Context, int, ...string) (*catalog.Revision, error) {
	return f.rev, nil
}
func (f fixed) MaterialCounts(_ context.Context, q figures.Query) ([]figures.MaterialCount, error) {
	*f.asked = q
	return f.materials, nil
}
func (f fixed) DailyCounts(context.Context, figures.Query) ([]figures.MaterialCount, error) {
	return f.materials, nil
}
func (f fixed) UploadCounts(context.Context, figures.Query, int) (out []figures.MaterialCount, err error) {
	for _, c := range f.materials {
		if c.Way == figures.Uploaded {
			out = append(out, c)
		}
	}
	return out, nil
}
func (f fixed) CaseCounts(context.Context, figures.Query) ([]figures.CaseCount, error) {
	return f.cases, nil
}
func (f fixed) SharingReceived(context.Context, time.Time, time.Time) ([]sharing.Request, error) {
	return f.requests, nil
}
func (f fixed) CorrectionsOpened(context.Context, time.Time, time.Time) ([]figures.Answered, error) {
	return f.answered, nil
}
func (f fixed) SourceTimes(context.Context, string, time.Time, time.Time) ([]figures.SourceTime, error) {
	return nil, nil
}
func (f fixed) DatasetUses(_ context.Context, filter figures.UseFilter) ([]figures.Use, error) {
	*f.used = filter
	return f.uses[:min(len(f.uses), filter.Limit)], nil
}
func (f fixed) UseTotals(context.Context, figures.UseFilter) ([]figures.UseTotal, error) {
	return []figures.UseTotal{}, nil
}

// now is Monday 23 November, 12:00 in Shanghai.
var now = time.Date(2026, 11, 23, 12, 0, 0, 0, catalog.TimeZone())

func over(t testing.TB, f *fixed) *figures.Figures {
	t.Helper()
	calendar, err := workday.Load()
	if err != nil {
		t.Fatal(err)
	}
	f.rev, f.asked, f.used = jinanCatalog(t), &figures.Query{}, &figures.UseFilter{}
	return figures.New(figures.Config{
		Catalogs: *f, Counts: *f, Clocks: *f, Uses: *f, Days: calendar, Authority: "DSJ", Now: func() time.Time { return now },
	})
}

func caller(department string, duties ...policies.Duty) policies.Caller {
	return policies.Caller{Person: "p", Department: department, Duties: duties}
}

func auditor() policies.Caller { return caller("SPJ", policies.DutyAuditor) }

func read(t testing.TB, f *fixed, q figures.Query) *figures.Report {
	t.Helper()
	r, err := over(t, f).Read(t.Context(), auditor(), q)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func figure(t testing.TB, r *figures.Report, code string) figures.Figure {
	t.Helper()
	for _, f := range r.Figures {
		if f.Code == code {
			if f.Definition == "" {
				t.Errorf("%s has no definition", code)
			}
			return f
		}
	}
	t.Fatalf("no figure %s", code)
	return figures.Figure{}
}

func count(day string, way figures.Way, n int) figures.MaterialCount {
	return figures.MaterialCount{Day: day, Department: "SPJ", Matter: "S01.M1", OneThing: "S01", Material: "S01.M1.a", Way: way, Reason: "no_source", N: n}
}

func TestRead_NeitherNotApplicableNorChosenIsExempt(t *testing.T) {
	t.Parallel()
	r := read(t, &fixed{materials: []figures.MaterialCount{
		count("2026-11-20", figures.Exempt, 60), count("2026-11-20", figures.Chosen, 10), count("2026-11-20", figures.Uploaded, 20),
		count("2026-11-20", figures.Later, 3), count("2026-11-20", figures.Committed, 2), count("2026-11-20", figures.Unsettled, 5), count("2026-11-20", figures.NotApplicable, 900),
	}}, figures.Query{})
	f := figure(t, r, "actual")
	if f.Part != 60 || f.Whole != 100 || f.Share() != 0.6 {
		t.Errorf("%d of %d, want 60 of 100", f.Part, f.Whole)
	}
	if len(f.Beside) != 3 || f.Beside[2].N != 2 || f.Beside[0].N != 900 || f.Beside[1].N != 10 {
		t.Errorf("beside it %+v, want 900, 10 and 2", f.Beside)
	}
	if line := r.ByMatter[0]; line.Code != "S01.M1" || line.Exempt != 60 || line.Applicable != 100 || line.Chosen != 10 || line.NotApplicable != 900 {
		t.Errorf("by matter: %+v", line)
	}
}

func TestRead_TheFieldShareHasNoNumberAndSaysWhy(t *testing.T) {
	t.Parallel()
	if f := figure(t, read(t, &fixed{}, figures.Query{}), "field_share"); f.Absent == "" || f.Whole != 0 {
		t.Errorf("%+v", f)
	}
}

func TestRead_TheTrendHasEveryDay(t *testing.T) {
	t.Parallel()
	r := read(t, &fixed{materials: []figures.MaterialCount{count("2026-11-22", figures.Exempt, 3), count("2026-11-22", figures.Uploaded, 1)}}, figures.Query{From: "2026-11-21", Until: "2026-11-23"})
	if len(r.Trend) != 3 || r.Trend[0].Applicable != 0 || r.Trend[1].Share() != 0.75 || r.Trend[2].Day != "2026-11-23" {
		t.Errorf("%+v", r.Trend)
	}
}

func TestRead_CountsThirtyDaysWhereNoneAreNamed(t *testing.T) {
	t.Parallel()
	f := &fixed{}
	read(t, f, figures.Query{})
	if f.asked.From != "2026-10-25" || f.asked.Until != "2026-11-23" {
		t.Errorf("%+v", *f.asked)
	}
}

func TestRead_RefusesDaysThatMakeNoSense(t *testing.T) {
	t.Parallel()
	for _, q := range []figures.Query{{From: "x"}, {Until: "2026-02-30"}, {From: "2026-11-24", Until: "2026-11-23"}, {From: "2020-01-01", Until: "2026-11-23"}} {
		if _, err := over(t, &fixed{}).Read(t.Context(), auditor(), q); !errors.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", q, err)
		}
	}
}

func TestRead_ADepartmentSeesItsOwnAlone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, asks string
		by         policies.Caller
		want       string // "-" for refused
	}{
		{"an officer, his own", "", caller("GA", policies.DutySharingOfficer), "GA"},
		{"an officer, another's", "SPJ", caller("GA", policies.DutySharingOfficer), "-"},
		{"the authority, all", "", caller("DSJ", policies.DutySharingOfficer), ""},
		{"an auditor, another's", "GA", auditor(), "GA"},
		{"nobody's", "", caller("", policies.DutySharingOfficer), "-"},
	} {
		f := &fixed{}
		_, err := over(t, f).Read(t.Context(), c.by, figures.Query{Department: c.asks})
		got := f.asked.Department
		if errors.Is(err, fault.Denied) {
			got = "-"
		}
		if got != c.want {
			t.Errorf("%s: %q, %v; want %q", c.name, got, err, c.want)
		}
	}
}

// at is a moment in November 2026 in Shanghai.
func at(dayOfNovember, hour int) time.Time {
	return time.Date(2026, 11, dayOfNovember, hour, 0, 0, 0, catalog.TimeZone())
}

// request asks for two conditional fields; its reply is due after ten working days.
func request(received time.Time, decided time.Time, agreed ...bool) sharing.Request {
	r := sharing.Request{Provider: "GA", State: sharing.Submitted, ReceivedAt: received}
	for i := range 2 {
		item := sharing.Item{Field: "f", Class: catalog.SharingConditional}
		if len(agreed) > i {
			item.Agreed = &agreed[i]
		}
		r.Items = append(r.Items, item)
	}
	if !decided.IsZero() {
		r.State, r.History = sharing.Agreed, []sharing.Note{{Act: string(sharing.Decide), At: decided}}
	}
	return r
}

func TestRead_ADemandIsMetInFullAndInTime(t *testing.T) {
	t.Parallel()
	withdrawn := request(at(2, 9), time.Time{})
	withdrawn.State = sharing.Withdrawn
	// Received on Monday the 2nd: ten working days end with Monday the 16th.
	r := read(t, &fixed{requests: []sharing.Request{
		request(at(2, 9), at(16, 23), true, true), // met
		request(at(2, 9), at(17, 0), true, true),  // late
		request(at(2, 9), at(3, 9), true, false),  // in part
		request(at(2, 9), at(3, 9), false, false), // refused
		request(at(2, 9), time.Time{}),            // never answered
		request(at(20, 9), time.Time{}),           // not due yet
		withdrawn,
	}}, figures.Query{})
	f := figure(t, r, "demand")
	if f.Part != 1 || f.Whole != 5 || f.Beside[0].N != 1 || f.Beside[1].N != 1 {
		t.Errorf("%d of %d, beside %+v; want 1 of 5, 1 in part and 1 waiting", f.Part, f.Whole, f.Beside)
	}
}

func TestRead_ACorrectionIsInTimeWithinTenWorkingDays(t *testing.T) {
	t.Parallel()
	r := read(t, &fixed{answered: []figures.Answered{
		{Provider: "GA", OpenedAt: at(2, 9), AnsweredAt: at(16, 23)},
		{Provider: "GA", OpenedAt: at(2, 9), AnsweredAt: at(17, 0)},
		{Provider: "GA", OpenedAt: at(2, 9)},
		{Provider: "GA", OpenedAt: at(20, 9)},
		{Provider: "GA", OpenedAt: at(2, 9), Withdrawn: true},
	}}, figures.Query{})
	f := figure(t, r, "correction")
	if f.Part != 1 || f.Whole != 3 || f.Beside[0].N != 1 {
		t.Errorf("%d of %d, %+v; want 1 of 3, 1 waiting", f.Part, f.Whole, f.Beside)
	}
}

func TestRead_TheMostUploadedAreTwentyPapersWhateverAMatterCallsThem(t *testing.T) {
	t.Parallel()
	rev := jinanCatalog(t)
	var counts []figures.MaterialCount
	for _, m := range rev.Matters() {
		for _, material := range m.Materials {
			counts = append(counts, figures.MaterialCount{Matter: m.Code, Material: material.Code, Way: figures.Uploaded, Reason: "no_source", N: 1})
		}
	}
	r := read(t, &fixed{materials: counts}, figures.Query{})
	if len(r.Uploads) != 20 {
		t.Fatalf("%d papers", len(r.Uploads))
	}
	seen := map[string]bool{}
	for i, u := range r.Uploads {
		if seen[u.Code] || i > 0 && u.N > r.Uploads[i-1].N || u.Text != "还没有接通数据" {
			t.Errorf("%d: %+v", i, u)
		}
		seen[u.Code] = true
	}
	if first := r.Uploads[0]; len(first.Matters) < 2 {
		t.Errorf("the first is of %v alone", first.Matters)
	}
}

func TestUsed_IsOfTheOwnDepartmentAlone(t *testing.T) {
	t.Parallel()
	f := &fixed{uses: make([]figures.Use, 9)}
	x := over(t, f)
	officer := caller("GA", policies.DutySharingOfficer)
	if _, err := x.Used(t.Context(), officer, figures.UseQuery{Limit: 10}); err != nil {
		t.Fatal(err)
	}
	for _, code := range f.used.Datasets {
		if f.rev.Dataset(code).Department != "GA" {
			t.Errorf("%s is not of GA", code)
		}
	}
	var others string
	for _, d := range f.rev.Datasets() {
		if d.Department != "GA" {
			others = d.Code
		}
	}
	if _, err := x.Used(t.Context(), officer, figures.UseQuery{Dataset: others}); !errors.Is(err, fault.NotFound) {
		t.Errorf("another department's dataset: %v", err)
	}
	used, err := x.Used(t.Context(), caller("nobody", policies.DutySharingOfficer), figures.UseQuery{})
	if err != nil || len(used.Uses) != 0 {
		t.Errorf("a department without data: %+v, %v", used, err)
	}
}

func TestUsed_TurnsItsPages(t *testing.T) {
	t.Parallel()
	f := &fixed{uses: []figures.Use{{Number: 9}, {Number: 8}, {Number: 7}}}
	used, err := over(t, f).Used(t.Context(), caller("GA"), figures.UseQuery{Limit: 2})
	if err != nil || len(used.Uses) != 2 || used.Next != 8 {
		t.Errorf("%+v, %v", used, err)
	}
}
