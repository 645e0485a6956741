package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"mianti/catalog"
	"mianti/catalog/lint"
	"mianti/internal/fault"
)

// Revisions lists the revisions of the catalog that are stored.
type Revisions interface {
	// RevisionHeads gives at most limit of those before a number, the newest first;
	// 0 begins with the newest of all.
	RevisionHeads(ctx context.Context, before, limit int) ([]catalog.RevisionHead, error)
}

// Measures gives what was measured of a catalog, for its lint.
type Measures interface {
	Measures(ctx context.Context) (*lint.Measures, error)
}

// revisionView is what a revision is called and how much is in it.
type revisionView struct {
	Number  int             `json:"number"`
	Digest  string          `json:"digest" doc:"全部文件的 SHA-256"`
	Title   string          `json:"title"`
	Version string          `json:"version"`
	Loaded  *time.Time      `json:"loaded,omitempty" doc:"载入时间"`
	Counts  *revisionCounts `json:"counts,omitempty"`
}

type revisionCounts struct {
	OneThings   int `json:"one_things"`
	Matters     int `json:"matters"`
	Materials   int `json:"materials"`
	Datasets    int `json:"datasets"`
	Departments int `json:"departments"`
	Facts       int `json:"facts"`
}

type revisionPath struct {
	Number      int    `path:"number" minimum:"1"`
	IfNoneMatch string `header:"If-None-Match" maxLength:"1000"`
}

type revisionsInput struct {
	Before int `query:"before" minimum:"1" doc:"只列此编号之前的"`
	Limit  int `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type revisionsOutput struct{ Body page[revisionView] }

type changesQuery struct {
	Number int `path:"number" minimum:"1"`
	Since  int `query:"since" minimum:"1" required:"true" doc:"与哪一个修订比较"`
	ListQuery
	Kind string `query:"kind" enum:"one_thing,matter,material,common_material,standard_material,dataset,source,fact,role,department,explanation" doc:"只列这一类"`
}

type findingsQuery struct {
	Number int `path:"number" minimum:"1"`
	ListQuery
	Rule       string `query:"rule" enum:"basis,vague,shared,commit,government,prior,risk,twice,overlap,gap,unreachable,undecided,conflict,grant,source,exempt,explanation" doc:"只列这条规则的"`
	Severity   string `query:"severity" enum:"error,warning,notice" doc:"只列这一程度的"`
	State      string `query:"state" enum:"open,explained" doc:"open 没有说明的, explained 已说明的"`
	OneThing   string `query:"one_thing" maxLength:"64" doc:"只列这个一件事的"`
	Department string `query:"department" maxLength:"64" doc:"只列这个部门的"`
}

// findingsPage is a part of the findings of a revision, with the counts of all.
type findingsPage struct {
	page[lint.Finding]
	Counts     []lint.Count `json:"counts" doc:"各规则的发现处数, 不论筛选"`
	Unmeasured []lint.Rule  `json:"unmeasured" doc:"没有实测数据而没有检查的规则"`
}

type findingsOutput struct {
	Cached
	Status int
	Body   findingsPage
}

func (s *server) registerRevisions() {
	handle(s, s.operation(http.MethodGet, "/v1/revisions", "list-revisions", "目录修订清单", catalogTag, 422), s.listRevisions)
	handle(s, s.operation(http.MethodGet, "/v1/revisions/{number}", "read-revision", "读取目录修订", catalogTag, 304, 404, 422), s.readRevision)
	handle(s, s.operation(http.MethodGet, "/v1/revisions/{number}/changes", "compare-revisions", "比较两个目录修订", catalogTag, 304, 404, 422), s.compareRevisions)
	handle(s, s.operation(http.MethodGet, "/v1/revisions/{number}/findings", "list-findings", "目录体检", catalogTag, 304, 404, 422), s.listFindings)
	handle(s, s.operation(http.MethodPost, "/v1/revisions/{number}/trials", "try-rules", "规则试算", catalogTag, 404, 422), s.tryRules)
	handle(s, s.operation(http.MethodPost, "/v1/revisions/{number}/conditions", "try-condition", "检查条件并译成白话", catalogTag, 404, 422), s.tryCondition)
}

// revisionOf gives a revision by its number.
func (s *server) revisionOf(ctx context.Context, number int, about ...string) (*catalog.Revision, error) {
	rev, err := s.Catalogs.Revision(ctx, number, about...)
	if errors.Is(err, fault.NotFound) {
		return nil, fault.New(fault.NotFound, "no-such-revision", "没有编号为 %d 的目录修订。", number).Because(err)
	}
	return rev, err
}

func (s *server) listRevisions(ctx context.Context, in *revisionsInput) (*revisionsOutput, error) {
	out := &revisionsOutput{Body: page[revisionView]{Items: []revisionView{}}}
	if s.Revisions == nil {
		return out, nil
	}
	heads, err := s.Revisions.RevisionHeads(ctx, in.Before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	for i, h := range heads {
		if i == in.Limit {
			out.Body.Next = strconv.Itoa(heads[i-1].Number)
			break
		}
		loaded := h.Loaded
		out.Body.Items = append(out.Body.Items, revisionView{Number: h.Number, Digest: h.Digest, Title: h.Title, Version: h.Version, Loaded: &loaded})
	}
	return out, nil
}

func (s *server) readRevision(ctx context.Context, in *revisionPath) (*itemOutput[revisionView], error) {
	rev, err := s.revisionOf(ctx, in.Number)
	if err != nil {
		return nil, err
	}
	counts := revisionCounts{OneThings: len(rev.OneThings()), Matters: len(rev.Matters()), Materials: len(rev.Materials())}
	if s.Revisions != nil && !rev.Whole() {
		heads, err := s.Revisions.RevisionHeads(ctx, in.Number+1, 1)
		if err != nil {
			return nil, err
		}
		for _, h := range heads {
			counts = revisionCounts{OneThings: h.OneThings, Matters: h.Matters, Materials: h.Materials}
		}
	}
	path := &codePath{Code: strconv.Itoa(in.Number), IfNoneMatch: in.IfNoneMatch}
	return read(path, rev, rev, nil, func(r *catalog.Revision) revisionView {
		counts.Datasets, counts.Departments, counts.Facts = len(r.Datasets()), len(r.Departments()), len(r.Facts())
		return revisionView{Number: r.Number, Digest: r.Digest, Title: r.Title, Version: r.Version, Counts: &counts}
	})
}

func (s *server) compareRevisions(ctx context.Context, in *changesQuery) (*listOutput[catalog.ThingChange], error) {
	later, err := s.revisionOf(ctx, in.Number)
	if err != nil {
		return nil, err
	}
	earlier, err := s.revisionOf(ctx, in.Since)
	if err != nil {
		return nil, err
	}
	for _, rev := range []*catalog.Revision{earlier, later} {
		if err := wholeOf(rev, "请按草案比较改动，或读取单个事项、材料。"); err != nil {
			return nil, err
		}
	}
	changes, err := catalog.Compare(earlier, later)
	if err != nil {
		return nil, err
	}
	l := listingAt(later, in.ListQuery, "changes", "since", earlier.Digest, "kind", in.Kind)
	keep := func(c catalog.ThingChange) bool { return is(in.Kind, string(c.Kind)) && l.matches(c.Code, c.Name) }
	code := func(c catalog.ThingChange) string { return string(c.Kind) + " " + c.Code }
	return listed(l, changes, code, keep, func(c catalog.ThingChange) catalog.ThingChange { return c })
}

// mostFindings bounds what is kept of one rule for a list; all are counted.
const mostFindings = 20_000

func (s *server) listFindings(ctx context.Context, in *findingsQuery) (*findingsOutput, error) {
	rev, err := s.revisionOf(ctx, in.Number, in.OneThing)
	if err != nil {
		return nil, err
	}
	if err := wholeOf(rev, "请用 one_thing 限定，或用命令 mianti catalog lint。", in.OneThing); err != nil {
		return nil, err
	}
	var measures *lint.Measures
	if s.Measures != nil {
		if measures, err = s.Measures.Measures(ctx); err != nil {
			return nil, err
		}
	}
	report := lint.Check(rev, lint.Config{Measures: measures, Keep: mostFindings})
	// What is measured changes without the revision, and with it what is found.
	l := listingAt(rev, in.ListQuery, "findings", "rule", in.Rule, "severity", in.Severity, "state", in.State, "one_thing", in.OneThing,
		"department", in.Department, fmt.Sprint(report.Counts, report.Unmeasured))
	keep := func(f lint.Finding) bool {
		return is(in.Rule, string(f.Rule)) && is(in.Severity, string(f.Severity)) && is(in.State, stateOf(f)) && is(in.OneThing, f.OneThing) &&
			is(in.Department, f.Department) && l.matches(f.Code, f.Name)
	}
	code := func(f lint.Finding) string { return string(f.Rule) + " " + f.Code + " " + f.Key + " " + f.Reason }
	list, err := listed(l, report.Findings, code, keep, func(f lint.Finding) lint.Finding { return f })
	if err != nil {
		return nil, err
	}
	return &findingsOutput{Cached: list.Cached, Status: list.Status, Body: findingsPage{list.Body, report.Counts, report.Unmeasured}}, nil
}

func stateOf(f lint.Finding) string {
	if f.Explained != nil {
		return "explained"
	}
	return "open"
}
