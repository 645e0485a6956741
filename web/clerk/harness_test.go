package clerk_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/correction"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
	"mianti/web/clerk"
	"mianti/web/frame"
	"mianti/web/frame/frametest"
)

// The made-up people and bodies of these tests.
const (
	person = "370199198805163323"
	name   = "王建国"
	body   = "济南示例新设有限公司"
)

// exchanges gives what the pages ask for, and keeps what was done.
type exchanges struct {
	rev        *catalog.Revision
	c          *exchange.Case
	r          *exchange.Resolution
	page       exchange.CasePage
	filter     exchange.CaseFilter
	follow     []exchange.FollowUp
	tasks      []exchange.AssistTask
	acts       []exchange.Act
	done       []string
	submission correction.Submission
	refused    error
}

func (x *exchanges) Current(context.Context, ...string) (*catalog.Revision, error) { return x.rev, nil }
func (x *exchanges) Revision(context.Context, int, ...string) (*catalog.Revision, error) {
	return x.rev, nil
}

func (x *exchanges) CaseList(_ context.Context, _ policies.Caller, f exchange.CaseFilter) (*exchange.CasePage, error) {
	x.filter = f
	return &x.page, nil
}

func (x *exchanges) FollowUps(context.Context, policies.Caller, exchange.FollowUpFilter) ([]exchange.FollowUp, error) {
	return x.follow, nil
}

func (x *exchanges) AskedTasks(context.Context, policies.Caller, exchange.AssistFilter) ([]exchange.AssistTask, error) {
	return x.tasks, nil
}

func (x *exchanges) MyActs(context.Context, policies.Caller, ledger.Kind, exchange.ActFilter) ([]exchange.Act, error) {
	return x.acts, nil
}

func (x *exchanges) Case(_ context.Context, by policies.Caller, id string) (*exchange.Case, error) {
	if x.c == nil || id != x.c.ID || by.Department != x.c.Department {
		return nil, fault.New(fault.NotFound, "unknown-case", "没有这个办件")
	}
	return x.c, nil
}

func (x *exchanges) LastReleased(context.Context, *exchange.Case) (*exchange.Resolution, error) {
	if x.r == nil {
		return nil, fault.New(fault.NotFound, "unknown-resolution", "没有这个核验结果")
	}
	return x.r, nil
}

func (x *exchanges) Resolution(_ context.Context, _ policies.Caller, id string) (*exchange.Resolution, error) {
	x.done = append(x.done, "read "+id)
	return x.r, nil
}

func (x *exchanges) CaseConsents(context.Context, policies.Caller, string) ([]exchange.Consent, error) {
	return []exchange.Consent{{Party: "p2", By: "p2", State: exchange.ConsentRequested, RequestedAt: frametest.Now()}}, nil
}

func (x *exchanges) Resolve(_ context.Context, _ policies.Caller, id string, _ *exchange.Key) (*exchange.Resolution, error) {
	x.done = append(x.done, "resolve "+id)
	return x.r, x.refused
}

func (x *exchanges) AskConsents(_ context.Context, _ policies.Caller, id string, _ []string) (*exchange.ConsentsAsked, error) {
	x.done = append(x.done, "ask "+id)
	return &exchange.ConsentsAsked{}, nil
}

func (x *exchanges) UnmaskParty(_ context.Context, _ policies.Caller, _, party string) (*catalog.Party, error) {
	x.done = append(x.done, "unmask "+party)
	for i := range x.c.Parties {
		if x.c.Parties[i].ID == party {
			return &x.c.Parties[i], x.refused
		}
	}
	return nil, fault.New(fault.NotFound, "unknown-party", "没有这个当事人")
}

func (x *exchanges) UnmaskMaterial(_ context.Context, _ policies.Caller, _, material, party string) (*exchange.MaterialResult, error) {
	x.done = append(x.done, "unmask "+material+" "+party)
	return &x.r.Materials[0], x.refused
}

func (x *exchanges) Submit(_ context.Context, _ policies.Caller, in correction.Submission) (*correction.View, error) {
	x.submission = in
	return &correction.View{}, x.refused
}

// newExchanges has one case in which every group has a material.
func newExchanges(t *testing.T) *exchanges {
	t.Helper()
	now := frametest.Now()
	x := &exchanges{rev: frametest.Catalog(t)}
	x.c = &exchange.Case{
		ID: "c1", Number: "JN-2026-1", Department: "SPJ", Subject: "S01", Version: 1, OpenedAt: now, UpdatedAt: now, Facts: catalog.Facts{"need_seal": true},
		Parties: []catalog.Party{
			{ID: "p1", Roles: []string{"applicant"}, Kind: catalog.KindOrganization, Name: body},
			{ID: "p2", Roles: []string{"shareholder"}, Kind: catalog.KindPerson, Name: name, Number: person},
		},
	}
	of := func(code string, outcome policies.Outcome, why policies.ReasonCode) exchange.MaterialResult {
		return exchange.MaterialResult{
			Code: code, Name: "材料" + code, UsedBy: []string{code}, Outcome: outcome, Subject: &exchange.SubjectRef{Role: "shareholder", Party: "p2"},
			Reason: exchange.Reason{Code: why, Text: "理由" + code},
		}
	}
	settled := of(comparedMaterial(t, x.rev), policies.Settled, policies.ReasonRecordMatches)
	settled.Mode = catalog.ModeData
	settled.Attempts = []exchange.Attempt{{Mode: catalog.ModeData, Dataset: "D-GA01", Result: policies.OK}}
	settled.Evidence = &exchange.Evidence{
		Dataset: "D-GA01", Department: "GA", AsOf: &now, FetchedAt: &now, Digest: "sha256:1",
		Fields: map[string]any{"name": name, "citizen_id": person, "valid_to": "2036-01-01"},
	}
	x.r = &exchange.Resolution{
		ID: "r1", Case: "c1", CaseNumber: "JN-2026-1", Revision: 1, CaseVersion: 1, Status: exchange.StatusComplete, ResolvedAt: now, StartedAt: now, Version: 1,
		Matters: []exchange.MatterState{{Code: "S01.M1", Name: "企业设立登记", State: catalog.StateOpen}},
		Materials: []exchange.MaterialResult{
			settled, of("S01.M1.c", policies.Upload, policies.ReasonNoSource), of("S01.M1.d", policies.Deferred, policies.ReasonMayFollow),
			of("S01.M1.e", policies.Verifying, policies.ReasonAssist), of("S01.M1.f", policies.NotApplicable, policies.ReasonConditionFalse),
			of("S01.M1.g", policies.NeedsConsent, policies.ReasonConsentMissing),
		},
		Papers:  []exchange.Paper{{Code: "S01.M1.c", Party: "p2", Name: "材料S01.M1.c"}},
		Summary: exchange.Summary{Settled: 1, Upload: 1, Deferred: 1, Verifying: 1, NeedsConsent: 1, NotApplicable: 1},
	}
	x.r.Materials[2].DueDays = 5
	return x
}

// comparedMaterial is a material whose check holds a name against what was filled in.
func comparedMaterial(t *testing.T, rev *catalog.Revision) string {
	t.Helper()
	for _, m := range rev.Materials() {
		for i := range m.Proofs {
			if strings.Contains(m.Proofs[i].Check, "same_name(ga01.name, subject.name)") {
				return m.Code
			}
		}
	}
	t.Fatal("no material compares a name")
	return ""
}

// visit serves the pages to a clerk of SPJ.
func visit(t *testing.T, x *exchanges) *frametest.Visitor {
	t.Helper()
	return frametest.Site(t, frametest.Staff("SPJ", policies.DutyClerk), sectionOf(x))
}

func sectionOf(x *exchanges) frame.Section {
	return clerk.New(clerk.Config{Lists: x, Readings: x, Acts: x, Corrections: x, Catalogs: x})
}

func brief(id string, at time.Time) exchange.CaseBrief {
	return exchange.CaseBrief{ID: id, Number: "JN-" + id, Subject: "S01", State: exchange.CaseWaiting, OpenedAt: at, UpdatedAt: at, Counts: &exchange.CaseCounts{Settled: 8, Checking: 2, ToSubmit: 1}}
}
