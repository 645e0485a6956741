package figures

import (
	"context"
	"fmt"
	"slices"

	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/policies"
)

// Used (数据使用情况) is who used a department's data: counts, and a page of the
// uses themselves.
type Used struct {
	Totals []UseTotal `json:"totals"`
	Uses   []Use      `json:"uses"`
	// Next is where the next page begins; 0 for none.
	Next int64 `json:"next,omitempty"`
}

// UseQuery (使用情况条件) chooses among the uses of the caller's department's data.
type UseQuery struct {
	From       string
	Until      string
	Dataset    string // empty: all of the department's
	Department string // that used it; empty: any
	Matter     string // empty: any
	Result     string // empty: any
	Before     int64
	Limit      int
}

const mostUses = 200

// Used tells a department who used its data (条例, art. 29). Nobody is told of
// another department's data.
func (f *Figures) Used(ctx context.Context, by policies.Caller, q UseQuery) (*Used, error) {
	filter, err := f.useFilter(ctx, by, q)
	if err != nil {
		return nil, err
	}
	if len(filter.Datasets) == 0 {
		return &Used{Totals: []UseTotal{}, Uses: []Use{}}, nil
	}
	totals, err := f.Uses.UseTotals(ctx, filter)
	if err != nil {
		return nil, fmt.Errorf("count uses: %w", err)
	}
	filter.Limit++
	uses, err := f.Uses.DatasetUses(ctx, filter)
	if err != nil {
		return nil, fmt.Errorf("list uses: %w", err)
	}
	out := &Used{Totals: totals, Uses: uses}
	if len(uses) == filter.Limit {
		out.Uses = uses[:filter.Limit-1]
		out.Next = out.Uses[len(out.Uses)-1].Number
	}
	return out, nil
}

func (f *Figures) useFilter(ctx context.Context, by policies.Caller, q UseQuery) (UseFilter, error) {
	days, err := Query{From: q.From, Until: q.Until}.complete(f.Now().UTC())
	if err != nil {
		return UseFilter{}, err
	}
	rev, err := f.Catalogs.Current(ctx)
	if err != nil {
		return UseFilter{}, fmt.Errorf("list uses: %w", err)
	}
	filter := UseFilter{Department: q.Department, Matter: q.Matter, Result: q.Result, Before: q.Before, Limit: q.Limit, Datasets: datasetsOf(rev, by.Department)}
	filter.From, filter.Until = days.span()
	if filter.Limit < 1 || filter.Limit > mostUses {
		filter.Limit = mostUses
	}
	if q.Dataset != "" {
		if !slices.Contains(filter.Datasets, q.Dataset) {
			return filter, fault.New(fault.NotFound, "unknown-dataset", "本部门没有这个数据资源。")
		}
		filter.Datasets = []string{q.Dataset}
	}
	return filter, nil
}

func datasetsOf(rev *catalog.Revision, department string) []string {
	var codes []string
	for _, d := range rev.Datasets() {
		if d.Department == department {
			codes = append(codes, d.Code)
		}
	}
	return codes
}

// Sources tells how the sources of the caller's department answered in the last
// days; those of all, to who may count for all. Sources of the catalog that
// were never asked are among them.
func (f *Figures) Sources(ctx context.Context, by policies.Caller, department string, days int) ([]SourceTime, error) {
	department, err := f.scope(by, department)
	if err != nil {
		return nil, err
	}
	rev, err := f.Catalogs.Current(ctx)
	if err != nil {
		return nil, fmt.Errorf("tell how sources are: %w", err)
	}
	now := f.Now().UTC()
	found, err := f.Clocks.SourceTimes(ctx, department, now.AddDate(0, 0, 1-min(max(days, 1), mostHealthDays)), now)
	if err != nil {
		return nil, fmt.Errorf("tell how sources are: %w", err)
	}
	for _, d := range rev.Datasets() {
		if department != "" && d.Department != department {
			continue
		}
		for i := range d.Sources {
			code := d.Sources[i].Code
			if !slices.ContainsFunc(found, func(s SourceTime) bool { return s.Source == code && s.Dataset == d.Code }) {
				found = append(found, SourceTime{Source: code, Dataset: d.Code, Department: d.Department, Results: []Beside{}})
			}
		}
	}
	return found, nil
}

// mostHealthDays is how far back sources are told of.
const mostHealthDays = 90
