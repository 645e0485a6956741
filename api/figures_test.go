package api_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"mianti/figures"
	"mianti/policies"
	"mianti/sharing"
)

// counted is a database in which one material was exempt and one was not.
type counted struct{}

func (counted) MaterialCounts(context.Context, figures.Query) ([]figures.MaterialCount, error) {
	return []figures.MaterialCount{{Department: "SPJ", Matter: "S01.M1", Way: figures.Exempt, N: 1}, {Department: "SPJ", Matter: "S01.M1", Way: figures.Uploaded, N: 1}}, nil
}
func (counted) DailyCounts(context.Context, figures.Query) ([]figures.MaterialCount, error) {
	return nil, nil
}
func (counted) UploadCounts(context.Context, figures.Query, int) ([]figures.MaterialCount, error) {
	return nil, nil
}
func (counted) CaseCounts(context.Context, figures.Query) ([]figures.CaseCount, error) {
	return nil, nil
}
func (counted) SharingReceived(context.Context, time.Time, time.Time) ([]sharing.Request, error) {
	return nil, nil
}
func (counted) CorrectionsOpened(context.Context, time.Time, time.Time) ([]figures.Answered, error) {
	return nil, nil
}
func (counted) SourceTimes(context.Context, string, time.Time, time.Time) ([]figures.SourceTime, error) {
	return []figures.SourceTime{}, nil
}
func (counted) DatasetUses(context.Context, figures.UseFilter) ([]figures.Use, error) {
	return []figures.Use{}, nil
}
func (counted) UseTotals(context.Context, figures.UseFilter) ([]figures.UseTotal, error) {
	return []figures.UseTotal{}, nil
}

func newTestFigures(catalogs figures.Catalogs, now func() time.Time) *figures.Figures {
	return figures.New(figures.Config{Catalogs: catalogs, Counts: counted{}, Clocks: counted{}, Uses: counted{}, Now: now})
}

func TestReadFigures_GivesEachNumberWithItsDefinition(t *testing.T) {
	t.Parallel()
	h := newHarness(t).withPeople()
	r := request(http.MethodGet, "/v1/figures", "")
	r.AddCookie(&http.Cookie{Name: "who", Value: string(policies.DutyAuditor)})
	var got struct {
		Figures []struct {
			Code, Definition, Absent string
			Part, Whole              int
		}
	}
	decode(t, h.send(r), &got)
	for _, f := range got.Figures {
		if f.Definition == "" || (f.Code == "field_share") != (f.Absent != "") {
			t.Errorf("%+v", f)
		}
		if f.Code == "actual" && (f.Part != 1 || f.Whole != 2) {
			t.Errorf("%+v, want 1 of 2", f)
		}
	}
	if len(got.Figures) != 6 {
		t.Errorf("%d figures", len(got.Figures))
	}
}
