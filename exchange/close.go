package exchange

import (
	"context"
	"fmt"
	"slices"
	"time"

	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// CloseCase ends a case for good: from now on it can be read, and nothing of it
// is looked up, changed or handed in any more. To close it again for the same
// reason changes nothing.
//
// A case does not close by itself; docs/decisions/0012-decided-matters.md.
func (x *Exchange) CloseCase(ctx context.Context, by policies.Caller, id string, reason ClosingReason) (*Case, error) {
	if reason != CaseWithdrawn && reason != CaseFinished {
		return nil, fault.New(fault.Invalid, "invalid-closing", "请说明办结原因：withdrawn（撤回）或 finished（办结）。").
			With(fault.Detail{Location: "body.reason", Code: "unknown-option", Message: "办结原因须是 withdrawn 或 finished。"})
	}
	c, _, err := x.caseAtRevision(ctx, by, id)
	if err != nil {
		return nil, err
	}
	if c.ClosedFor == reason {
		return c, nil
	}
	if !c.ClosedAt.IsZero() {
		return nil, caseClosed()
	}
	entry := x.entry(ledger.CaseClosed, by, c)
	entry.Result, entry.Concerns = string(reason), x.everybody(c)
	c.ClosedAt, c.ClosedFor, c.UpdatedAt, c.DoneAt = entry.At, reason, entry.At, entry.At
	if err := x.Cases.UpdateCase(ctx, c, entry); err != nil {
		return nil, fmt.Errorf("close case: %w", err)
	}
	return c, nil
}

// liveCase loads a case that is not closed, and the revision that it keeps.
func (x *Exchange) liveCase(ctx context.Context, by policies.Caller, id string) (*Case, *catalog.Revision, error) {
	return x.liveCaseRead(ctx, by, id, nil)
}

// liveCaseRead is liveCase, of a case that has been read already or not.
func (x *Exchange) liveCaseRead(ctx context.Context, by policies.Caller, id string, c *Case) (*Case, *catalog.Revision, error) {
	c, rev, err := x.atRevision(ctx, by, id, c)
	if err == nil && !c.ClosedAt.IsZero() {
		err = caseClosed()
	}
	if err != nil {
		return nil, nil, err
	}
	return c, rev, nil
}

func caseClosed() error {
	return fault.New(fault.Conflict, "case-closed", "办件已关闭，只能读取。确需继续办理的，请以新的办件编号登记办件。")
}

// noteDone notes since when every matter of a case is decided, or that one is not:
// a fact that becomes known can bring another matter in. A plan that cannot be made
// changes nothing.
func (x *Exchange) noteDone(rev *catalog.Revision, c *Case) {
	plan, err := x.plan(rev, c)
	if err != nil {
		return
	}
	if len(c.Results) == 0 || slices.ContainsFunc(plan.Matters, func(m catalog.PlannedMatter) bool { return m.State.Pending() }) {
		c.DoneAt = time.Time{}
		return
	}
	if c.DoneAt.IsZero() {
		c.DoneAt = c.UpdatedAt
	}
}
