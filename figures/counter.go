package figures

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Ended gives the cases that are to be counted.
type Ended interface {
	// UncountedCases gives finished cases that have not been counted, those that
	// ended first.
	UncountedCases(ctx context.Context, limit int) ([]Finished, error)
	// AddCounts adds counts, and notes that these cases are counted, all or nothing.
	// It is a fault.Conflict when one of them was counted meanwhile.
	AddCounts(ctx context.Context, b Batch) error
}

// Batch (一批计数) is what is added at once.
type Batch struct {
	Cases     []string
	At        time.Time
	Materials []MaterialCount
	Ended     []CaseCount
}

// Counter (计数) counts finished cases, each of them once.
type Counter struct {
	Ended    Ended
	Catalogs Catalogs
	Now      func() time.Time
}

// countBatch is how many cases are counted in one transaction.
const countBatch = 200

// Run counts until there is nothing left to count, and says how many cases it
// counted.
func (c *Counter) Run(ctx context.Context) (int, error) {
	total := 0
	for ctx.Err() == nil {
		found, err := c.Ended.UncountedCases(ctx, countBatch)
		if err != nil {
			return total, fmt.Errorf("look for cases to count: %w", err)
		}
		if len(found) == 0 {
			return total, nil
		}
		b, err := c.batch(ctx, found)
		if err != nil {
			return total, err
		}
		if err := c.Ended.AddCounts(ctx, b); err != nil {
			return total, fmt.Errorf("count cases: %w", err)
		}
		total += len(found)
	}
	return total, ctx.Err()
}

// batch adds up what is counted of several cases.
func (c *Counter) batch(ctx context.Context, found []Finished) (Batch, error) {
	b := Batch{At: c.Now().UTC()}
	materials, ended := map[MaterialCount]int{}, map[CaseCount]CaseCount{}
	for i := range found {
		one := &found[i]
		rev, err := c.Catalogs.Revision(ctx, one.Revision, one.Subject)
		if err != nil {
			return b, fmt.Errorf("count a case: %w", err)
		}
		counts, of := Count(one, rev)
		for _, count := range counts {
			n := count.N
			count.N = 0
			materials[count] += n
		}
		key := CaseCount{Day: of.Day, Department: of.Department, Subject: of.Subject}
		sum := ended[key]
		ended[key] = CaseCount{
			Day: of.Day, Department: of.Department, Subject: of.Subject,
			Finished: sum.Finished + of.Finished, AtOnce: sum.AtOnce + of.AtOnce, Withdrawn: sum.Withdrawn + of.Withdrawn,
		}
		b.Cases = append(b.Cases, one.Case)
	}
	for count, n := range materials {
		count.N = n
		b.Materials = append(b.Materials, count)
	}
	slices.SortFunc(b.Materials, compareCounts)
	for _, sum := range ended {
		b.Ended = append(b.Ended, sum)
	}
	slices.SortFunc(b.Ended, func(a, b CaseCount) int {
		return strings.Compare(a.Day+"|"+a.Department+"|"+a.Subject, b.Day+"|"+b.Department+"|"+b.Subject)
	})
	return b, nil
}
