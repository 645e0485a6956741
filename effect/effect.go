// Package effect says what a change of the catalog would do before it is published
// (影响测算): which matters ask for what differently, which materials change from
// being handed in to being settled or back, what recorded cases would come to, and
// which grants and sources are still missing.
//
// It asks no source and changes nothing. Of recorded cases it gives counts and the
// ids of resolutions, and nothing that came from a record or a person.
package effect

import (
	"context"
	"fmt"
	"time"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// How many recorded cases are resolved again where nobody says, and at most.
const (
	DefaultCases = 200
	MostCases    = 10_000
)

// Past (过往办件) gives recorded cases.
type Past interface {
	// PastCases gives the cases that were resolved last, the latest first: at most
	// limit of those before a case, nil for the first of them.
	PastCases(ctx context.Context, before *exchange.PastCase, limit int) ([]exchange.PastCase, error)
	// CaseInputs gives what the resolutions of a case followed from, in their order;
	// fault.Gone when that was destroyed, fault.NotFound when it was not kept.
	CaseInputs(ctx context.Context, caseID string) ([]*exchange.Inputs, error)
}

// Rights (授权与停用) gives the grants and stops as they are.
type Rights interface {
	GrantsFor(ctx context.Context, matters []string) ([]policies.Grant, error)
	Stops(ctx context.Context) ([]policies.Stop, error)
}

// Journal (存证) keeps that somebody measured.
type Journal interface {
	Append(ctx context.Context, entries []ledger.Entry) error
}

// Desk (影响测算台) measures what changes would do. All fields are required.
type Desk struct {
	Past    Past
	Rights  Rights
	Journal Journal
	Now     func() time.Time
}

// Question (测算请求) is a change that is to be measured: the revision as it is, and
// as it would be. Neither needs to be stored.
type Question struct {
	// Of a catalog that is held in part both hold the same one-things.
	Before, After *catalog.Revision
	// Draft names what is measured in the ledger, such as a draft's id; empty where
	// two revisions are compared.
	Draft string
	// Cases is how many recorded cases are resolved again: DefaultCases where it is
	// 0, none where it is negative.
	Cases int
	// Progress, if given, is told how many of them are done.
	Progress func(done, of int)
}

// Effect (影响测算结果) is what a change would do.
type Effect struct {
	Before int `json:"before" doc:"基准修订号; 0 为未载入的目录"`
	After  int `json:"after" doc:"改后修订号; 0 为尚未发布"`
	// Partial says that the catalog is too large to be held whole: what hangs on the
	// change in other one-things was not looked for.
	Partial bool `json:"partial" doc:"目录太大, 只看了改动所在的一件事"`
	// Changes say which matters ask for what differently, Switches which materials
	// are handed in where they were not, or the other way round.
	Changes  []MaterialChange `json:"changes" doc:"哪些事项要的材料不同, 用白话写"`
	Others   int              `json:"others" doc:"不改变要什么的其他改动 (名称、依据、说明等)"`
	Switches []Switch         `json:"switches" doc:"由须提交变为不提交、或反过来的材料, 按目录和情形逐一推算"`
	Lacks    []Lack           `json:"lacks" doc:"改后需要而没有的授权和数源"`
	Cases    Reruns           `json:"cases" doc:"用改后的目录重算最近的办件"`
}

// Measure works out what a change would do. Opening recorded cases is an act of the
// caller's, which is recorded before they are opened.
func (d *Desk) Measure(ctx context.Context, by policies.Caller, q Question) (*Effect, error) {
	if q.Cases == 0 {
		q.Cases = DefaultCases
	}
	if q.Cases > MostCases {
		return nil, fault.New(fault.Invalid, "too-many-cases", "一次最多重算 %d 件办件。", MostCases)
	}
	changes, err := catalog.Compare(q.Before, q.After)
	if err != nil {
		return nil, fmt.Errorf("measure a change: %w", err)
	}
	t := touch(q.Before, q.After, changes)
	out := &Effect{Before: q.Before.Number, After: q.After.Number, Partial: !q.Before.Whole() || !q.After.Whole()}
	out.Changes, out.Others = t.changes(changes)
	if out.Switches, err = t.switches(); err != nil {
		return nil, fmt.Errorf("measure a change: %w", err)
	}
	if out.Lacks, err = d.lacks(ctx, t); err != nil {
		return nil, fmt.Errorf("measure a change: %w", err)
	}
	out.Cases = newReruns()
	if q.Cases < 0 {
		return out, nil
	}
	entry := ledger.Entry{
		Kind: ledger.EffectMeasured, At: d.Now().UTC(), System: by.System, Person: by.Person, Department: by.Department,
		Revision: q.Before.Number, Object: q.object(),
	}
	if err := d.Journal.Append(ctx, []ledger.Entry{entry}); err != nil {
		return nil, fmt.Errorf("record that a change is measured: %w", err)
	}
	if err := d.rerun(ctx, q, t, &out.Cases); err != nil {
		return nil, fmt.Errorf("measure a change: %w", err)
	}
	return out, nil
}

// object names what is measured.
func (q *Question) object() string {
	if q.Draft != "" {
		return "draft:" + q.Draft
	}
	return fmt.Sprintf("revision:%d", q.After.Number)
}
