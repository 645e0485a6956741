package overview_test

import (
	"context"
	"net/url"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/figures"
	"mianti/policies"
	"mianti/sharing"
	"mianti/web/frame/frametest"
)

// nothing is a database in which nothing was counted yet.
type nothing struct{ rev *catalog.Revision }

func (n nothing) Current(context.Context, ...string) (*catalog.Revision, error) { return n.rev, nil }
func (n nothing) Revision(context.Context, int, ...string) (*catalog.Revision, error) {
	return n.rev, nil
}
func (nothing) MaterialCounts(context.Context, figures.Query) ([]figures.MaterialCount, error) {
	return nil, nil
}
func (nothing) DailyCounts(context.Context, figures.Query) ([]figures.MaterialCount, error) {
	return nil, nil
}
func (nothing) UploadCounts(context.Context, figures.Query, int) ([]figures.MaterialCount, error) {
	return nil, nil
}
func (nothing) CaseCounts(context.Context, figures.Query) ([]figures.CaseCount, error) {
	return nil, nil
}
func (nothing) SharingReceived(context.Context, time.Time, time.Time) ([]sharing.Request, error) {
	return nil, nil
}
func (nothing) CorrectionsOpened(context.Context, time.Time, time.Time) ([]figures.Answered, error) {
	return nil, nil
}
func (nothing) SourceTimes(context.Context, string, time.Time, time.Time) ([]figures.SourceTime, error) {
	return nil, nil
}

func TestOverview_HasAnEnglishTextForEveryDefinition(t *testing.T) {
	t.Parallel()
	n := nothing{frametest.Catalog(t)}
	f := figures.New(figures.Config{Catalogs: n, Counts: n, Clocks: n, Now: frametest.Now})
	r, err := f.Read(t.Context(), policies.Caller{Department: "SPJ", Duties: []policies.Duty{policies.DutyAuditor}}, figures.Query{})
	if err != nil {
		t.Fatal(err)
	}
	v := visit(t, &counted{report: r, all: true})
	v.Post("/preferences", url.Values{"language": {"en"}, "back": {"/overview"}})
	page := v.Get("/overview")
	page.Lacks(t, figures.SourceDefinition())
	for _, one := range r.Figures {
		page.Lacks(t, one.Name, one.Definition)
		if one.Absent != "" {
			page.Lacks(t, one.Absent)
		}
		for _, beside := range one.Beside {
			page.Lacks(t, beside.Name)
		}
	}
	for _, way := range r.Ways {
		page.Lacks(t, way.Name)
	}
}
