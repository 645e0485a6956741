package exchange

import (
	"context"
	"fmt"
	"time"

	"mianti/policies"
)

// FollowUpKey names a paper that may follow later.
type FollowUpKey struct {
	Case     string `json:"case" doc:"办件"`
	Material string `json:"material" doc:"材料代码"`
	Party    string `json:"party,omitempty" doc:"当事人在办件中的代号"`
}

// FollowUp (容缺后补) is a paper that may follow later, with the day until which it
// has to. It names nobody.
type FollowUp struct {
	FollowUpKey
	CaseNumber string    `json:"case_number" doc:"办件编号"`
	Revision   int       `json:"revision" doc:"目录修订号"`
	Department string    `json:"-"`
	Name       string    `json:"name" doc:"材料名称"`
	Since      time.Time `json:"since" doc:"从何时起可以后补"`
	DueAt      time.Time `json:"due_at" doc:"期限: 该时刻之前补交"`
	Overdue    bool      `json:"overdue" doc:"已过期限而未补交"`
}

// FollowUpFilter chooses papers that may follow later, of a department's open
// cases.
type FollowUpFilter struct {
	Department string
	DueBefore  time.Time // zero: whenever they are due
	After      FollowUpKey
	Limit      int
}

// followUps are the papers of a resolution that may follow later.
func (x *Exchange) followUps(c *Case, r *Resolution) []FollowUp {
	var all []FollowUp
	for i := range r.Materials {
		m := &r.Materials[i]
		if m.Outcome != policies.Deferred {
			continue
		}
		all = append(all, FollowUp{
			FollowUpKey: FollowUpKey{Case: c.ID, Material: m.Code, Party: m.party()}, Department: c.Department,
			Since: r.ResolvedAt, DueAt: x.Desk.Due(r.ResolvedAt, m.DueDays).UTC(),
		})
	}
	return all
}

// FollowUps lists the papers that may follow later in open cases of the caller's
// department, what is due first first. They name nobody.
func (x *Exchange) FollowUps(ctx context.Context, by policies.Caller, f FollowUpFilter) ([]FollowUp, error) {
	f.Department = by.Department
	all, err := x.Inbox.FollowUps(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("list what may follow later: %w", err)
	}
	now := x.Now()
	for i := range all {
		rev, err := x.Catalogs.Revision(ctx, all[i].Revision, all[i].Material)
		if err != nil {
			return nil, fmt.Errorf("list what may follow later: %w", err)
		}
		if m := rev.Material(all[i].Material); m != nil {
			all[i].Name = m.Name
		}
		all[i].Overdue = !now.Before(all[i].DueAt)
	}
	return all, nil
}
