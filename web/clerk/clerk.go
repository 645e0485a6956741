// Package clerk is the pages of who approves: the queue of his department's cases,
// a case on one screen, what is told to the applicant at once, questions to
// officers, papers that may follow later, and what he did himself.
//
// A page decides nothing: it shows what the use cases give. Names of persons and
// all numbers are masked until somebody asks for them, which is recorded.
package clerk

import (
	"context"
	"embed"
	"net/http"

	"mianti/catalog"
	"mianti/correction"
	"mianti/exchange"
	"mianti/ledger"
	"mianti/policies"
	"mianti/web/frame"
)

//go:embed pages style.css text.en.json
var files embed.FS

// Lists gives what a department and its people have before them.
type Lists interface {
	CaseList(ctx context.Context, by policies.Caller, f exchange.CaseFilter) (*exchange.CasePage, error)
	FollowUps(ctx context.Context, by policies.Caller, f exchange.FollowUpFilter) ([]exchange.FollowUp, error)
	AskedTasks(ctx context.Context, by policies.Caller, f exchange.AssistFilter) ([]exchange.AssistTask, error)
	MyActs(ctx context.Context, by policies.Caller, kind ledger.Kind, f exchange.ActFilter) ([]exchange.Act, error)
}

// Readings gives a case and what is known of it. Resolution records the reading.
type Readings interface {
	Case(ctx context.Context, by policies.Caller, id string) (*exchange.Case, error)
	LastReleased(ctx context.Context, c *exchange.Case) (*exchange.Resolution, error)
	Resolution(ctx context.Context, by policies.Caller, id string) (*exchange.Resolution, error)
	CaseConsents(ctx context.Context, by policies.Caller, id string) ([]exchange.Consent, error)
}

// Acts are what a clerk does about a case. Each is recorded.
type Acts interface {
	Resolve(ctx context.Context, by policies.Caller, id string, key *exchange.Key) (*exchange.Resolution, error)
	AskConsents(ctx context.Context, by policies.Caller, id string, again []string) (*exchange.ConsentsAsked, error)
	UnmaskParty(ctx context.Context, by policies.Caller, id, party string) (*catalog.Party, error)
	UnmaskMaterial(ctx context.Context, by policies.Caller, resolution, material, party string) (*exchange.MaterialResult, error)
}

// Corrections opens a correction of a department's record.
type Corrections interface {
	Submit(ctx context.Context, by policies.Caller, in correction.Submission) (*correction.View, error)
}

// Config is what the pages stand on. All fields are required.
type Config struct {
	Lists       Lists
	Readings    Readings
	Acts        Acts
	Corrections Corrections
	Catalogs    exchange.Catalogs
}

// desk answers with the pages.
type desk struct{ Config }

// New gives the section.
func New(c Config) frame.Section {
	d := &desk{c}
	clerks := []policies.Duty{policies.DutyClerk}
	section := frame.Section{
		Name: "clerk", Files: files,
		Menu: []frame.MenuItem{
			{Title: "收件台", Path: "/clerk", Duties: clerks},
			{Title: "发出的协查", Path: "/clerk/assist", Duties: clerks},
			{Title: "容缺后补", Path: "/clerk/followup", Duties: clerks},
			{Title: "我的用证记录", Path: "/clerk/lookups", Duties: clerks},
		},
	}
	for _, p := range []frame.Page{
		{Path: "/clerk", Handle: d.queue},
		{Path: "/clerk/cases/:id", Handle: d.showCase},
		{Method: http.MethodPost, Path: "/clerk/cases/:id/resolve", Handle: d.resolve},
		{Method: http.MethodPost, Path: "/clerk/cases/:id/consents", Handle: d.askConsents},
		{Method: http.MethodPost, Path: "/clerk/cases/:id/unmask", Handle: d.unmask},
		{Path: "/clerk/cases/:id/completion", Handle: d.completion},
		{Path: "/clerk/cases/:id/correction", Handle: d.correctionForm},
		{Method: http.MethodPost, Path: "/clerk/cases/:id/correction", Handle: d.openCorrection},
		{Path: "/clerk/assist", Handle: d.assist},
		{Path: "/clerk/followup", Handle: d.followUp},
		{Path: "/clerk/lookups", Handle: d.lookups},
	} {
		p.Duties = clerks
		section.Pages = append(section.Pages, p)
	}
	return section
}

// pageSize is how long a list is.
const pageSize = 30

func casePath(id string) string { return "/clerk/cases/" + id }
