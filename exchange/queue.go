package exchange

import (
	"context"
	"fmt"
	"time"

	"mianti/internal/fault"
	"mianti/policies"
)

// CaseState (办件状态) is where a case stands, as its department's queue shows it.
type CaseState string

// The states. CaseAny and CaseOpen are for filters alone: all cases, and all that
// are not closed.
const (
	CaseNew        CaseState = "new"         // 待核验: not resolved yet
	CaseWaiting    CaseState = "waiting"     // 核验中: something is awaited of a source, an officer or a prior matter
	CaseNeedsInput CaseState = "needs_input" // 待补充: a fact or a consent is missing
	CaseDone       CaseState = "done"        // 已有结论
	CaseClosed     CaseState = "closed"      // 已关闭

	CaseAny  CaseState = ""
	CaseOpen CaseState = "open"
)

// CaseStates are those in which a case can be.
func CaseStates() []CaseState {
	return []CaseState{CaseNew, CaseWaiting, CaseNeedsInput, CaseDone, CaseClosed}
}

// CaseStateOf is the state of an open case by its newest resolution.
func CaseStateOf(s Status) (CaseState, error) {
	switch s {
	case StatusPending:
		return CaseWaiting, nil
	case StatusNeedsInput:
		return CaseNeedsInput, nil
	case StatusComplete:
		return CaseDone, nil
	default:
		return "", fmt.Errorf("unknown status %q", s)
	}
}

// CaseCounts (材料计数) counts the materials of a case in three groups.
type CaseCounts struct {
	Settled  int `json:"settled" doc:"不用交的: 已核实或已承诺"`
	Checking int `json:"checking" doc:"部门核验中的, 含等待前序事项的"`
	ToSubmit int `json:"to_submit" doc:"还要交的, 含可以后补的"`
}

// CountsOf gives the counts that the queue shows of a resolution.
func CountsOf(s *Summary) CaseCounts {
	return CaseCounts{Settled: s.Settled + s.Committed, Checking: s.Verifying + s.AwaitingPrior, ToSubmit: s.Upload + s.Deferred}
}

// CaseBrief (办件摘要) is what the queue of a department shows of a case: nothing of
// what is in it, and nobody.
type CaseBrief struct {
	ID         string
	Number     string
	Subject    string // short code of the matter or one-thing
	Revision   int
	State      CaseState
	Resolution string // id of the newest one; empty for none
	Counts     *CaseCounts
	OpenedAt   time.Time
	UpdatedAt  time.Time
	ClosedAt   *time.Time
	ClosedFor  ClosingReason
	Destroyed  bool // its content was destroyed
}

// CaseFilter chooses cases of a department.
type CaseFilter struct {
	Department string
	State      CaseState
	Subject    string
	// Number is what the number begins with. With it the order is that of the
	// numbers, else that of opening.
	Number string
	Oldest bool // the oldest first; else the newest
	// After and Before are ids of cases: the page goes on behind the one or ends
	// before the other. At most one is set.
	After, Before string
	Limit         int
}

// CasePage (办件列表) is a page of the queue. Next and Prev are the ids with which
// the pages beside it begin; empty where there is none.
type CasePage struct {
	Items      []CaseBrief
	Next, Prev string
	// Counts are how many cases there are by state, each up to CountedCases.
	Counts map[CaseState]int
}

// CountedCases is up to where cases are counted: more are just more.
const CountedCases = 1000

// Inbox lists what a department's people have to do and what they did. It opens
// nothing that is sealed.
type Inbox interface {
	// CaseBriefs gives a page of cases, without counts.
	CaseBriefs(ctx context.Context, f CaseFilter) (*CasePage, error)
	// CaseStateCounts counts the cases of a department by state, each up to a limit.
	CaseStateCounts(ctx context.Context, department string, limit int) (map[CaseState]int, error)
	// FollowUps gives papers of open cases that may follow later, what is due first
	// first.
	FollowUps(ctx context.Context, f FollowUpFilter) ([]FollowUp, error)
	// Acts gives what somebody did in person, newest first.
	Acts(ctx context.Context, f ActFilter) ([]Act, error)
}

// CaseList gives a page of the queue of the caller's department (收件台). It tells
// nothing of anybody, and so is no access that would have to be recorded.
func (x *Exchange) CaseList(ctx context.Context, by policies.Caller, f CaseFilter) (*CasePage, error) {
	if f.After != "" && f.Before != "" {
		return nil, fault.New(fault.Invalid, "bad-cursor", "翻页标记只能用一个。")
	}
	f.Department = by.Department
	page, err := x.Inbox.CaseBriefs(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("list cases: %w", err)
	}
	if page.Counts, err = x.Inbox.CaseStateCounts(ctx, by.Department, CountedCases); err != nil {
		return nil, fmt.Errorf("list cases: %w", err)
	}
	return page, nil
}
