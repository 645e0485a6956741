package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"mianti/catalog"
	"mianti/catalog/lint"
	"mianti/figures"
	"mianti/policies"
	"mianti/store"
)

const (
	// measuredDays is of how many days the figures of a lint are.
	measuredDays = 90
	// measuresKept is how long they are taken for new.
	measuresKept = 5 * time.Minute
)

// lintMeasures gives what was measured of the catalog: grants, how sources answered,
// what was really uploaded.
type lintMeasures struct {
	db  *store.Store
	now func() time.Time

	mu   sync.Mutex
	kept *lint.Measures
}

func newLintMeasures(db *store.Store, now func() time.Time) *lintMeasures {
	return &lintMeasures{db: db, now: now}
}

// Measures gives the figures. They are read anew when they are old.
func (m *lintMeasures) Measures(ctx context.Context) (*lint.Measures, error) {
	now := m.now().UTC()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.kept != nil && now.Sub(m.kept.Now) < measuresKept {
		return m.kept, nil
	}
	made, err := m.read(ctx, now)
	if err != nil {
		return nil, fmt.Errorf("measure for the lint: %w", err)
	}
	m.kept = made
	return made, nil
}

func (m *lintMeasures) read(ctx context.Context, now time.Time) (*lint.Measures, error) {
	out := &lint.Measures{Now: now, Grants: []policies.Grant{}, Sources: []lint.SourceMeasure{}}
	for grant, err := range m.db.AllGrants(ctx) {
		if err != nil {
			return nil, err
		}
		out.Grants = append(out.Grants, grant)
	}
	from := now.AddDate(0, 0, -measuredDays)
	times, err := m.db.SourceTimes(ctx, "", from, now)
	if err != nil {
		return nil, err
	}
	for _, t := range times {
		out.Sources = append(out.Sources, lint.SourceMeasure{Source: t.Source, Dataset: t.Dataset, Asked: t.Asked, Failed: t.Failed})
	}
	day := func(t time.Time) string { return t.In(catalog.TimeZone()).Format(time.DateOnly) }
	counts, err := m.db.WayCounts(ctx, figures.Query{From: day(from), Until: day(now)})
	if err != nil {
		return nil, err
	}
	out.Uploads = uploadsOf(counts)
	return out, nil
}

// uploadsOf adds up how often each material applied, and how often it was uploaded.
func uploadsOf(counts []figures.MaterialCount) []lint.UploadMeasure {
	at, out := map[string]int{}, []lint.UploadMeasure{}
	for _, c := range counts {
		if c.Way == figures.NotApplicable {
			continue
		}
		i, known := at[c.Material]
		if !known {
			i = len(out)
			at[c.Material] = i
			out = append(out, lint.UploadMeasure{Material: c.Material})
		}
		out[i].Applied += c.N
		if c.Way == figures.Uploaded {
			out[i].Uploaded += c.N
		}
	}
	return out
}
