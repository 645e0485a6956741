// Package citizen is the pages for applicants: the entrance, the guide that says
// what is left to bring, and what somebody who has signed in sees of his own.
//
// Who reads them may be old, in a hurry and on a telephone: one thing at a time,
// in words that are used at a counter, and without a script. The entrance and
// the guide are for everybody and know nobody.
package citizen

import (
	"context"
	"embed"
	"net/http"
	"sync/atomic"
	"time"

	"mianti/catalog"
	"mianti/citizen"
	"mianti/correction"
	"mianti/exchange"
	"mianti/policies"
	"mianti/web/frame"
)

//go:embed pages words.json style.css text.en.json
var files embed.FS

// Own is what a person may ask about himself.
type Own interface {
	ListCases(ctx context.Context, by policies.Caller, cursor string, limit int) (*citizen.OwnCaseList, error)
	Case(ctx context.Context, by policies.Caller, id string) (*citizen.OwnCase, error)
	List(ctx context.Context, by policies.Caller, q citizen.Query) (*citizen.AccessList, error)
}

// Consents are what a person is asked to agree to.
type Consents interface {
	MyConsents(ctx context.Context, by policies.Caller, f exchange.ConsentFilter) ([]exchange.Consent, error)
	Receipt(ctx context.Context, by policies.Caller, id string) (*exchange.ConsentReceipt, error)
	DecideConsent(ctx context.Context, by policies.Caller, id string, in exchange.ConsentDecision) (*exchange.Consent, error)
	WithdrawConsent(ctx context.Context, by policies.Caller, id string) (*exchange.Consent, error)
}

// Sheets give what a person reads before he decides.
type Sheets interface {
	MyConsent(ctx context.Context, by policies.Caller, id string) (*exchange.Consent, error)
}

// Previews are what was found about a person, and not used before he has seen it.
type Previews interface {
	MyPreviews(ctx context.Context, by policies.Caller, f exchange.ConsentFilter) ([]exchange.Preview, error)
	MyPreview(ctx context.Context, by policies.Caller, id string) (*exchange.Preview, error)
	DecidePreview(ctx context.Context, by policies.Caller, id, content string, said policies.PreviewState) (*exchange.Preview, error)
}

// Corrections take what a person says of a wrong record.
type Corrections interface {
	Submit(ctx context.Context, by policies.Caller, in correction.Submission) (*correction.View, error)
	List(ctx context.Context, by policies.Caller, as correction.Side, f correction.Filter) ([]correction.Brief, error)
}

// Config is what the pages are made of. Without Own there are only those that are
// for everybody; with it all others are required.
type Config struct {
	Own         Own
	Consents    Consents
	Sheets      Sheets
	Previews    Previews
	Corrections Corrections
}

// pages is the section's handlers.
type pages struct {
	Config
	words    []synonyms
	searched atomic.Pointer[index] // of the revision that was searched last
}

// New gives the section. It fails when its own files cannot be read.
func New(c Config) (frame.Section, error) {
	words, err := readWords()
	if err != nil {
		return frame.Section{}, err
	}
	p := &pages{Config: c, words: words}
	all := []frame.Page{
		{Path: "/", Handle: p.home},
		{Path: "/guide/:code", Handle: p.guide},
	}
	section := frame.Section{Name: "citizen", Files: files, Pages: all}
	if c.Own == nil {
		return section, nil
	}
	mine := []policies.Duty{policies.DutyCitizen}
	for _, page := range []frame.Page{
		{Path: "/my", Handle: p.my},
		{Path: "/my/cases/:id", Handle: p.ownCase},
		{Path: "/my/cases/:id/commitment", Handle: p.commitment},
		{Path: "/my/consents/:id", Handle: p.consent},
		{Method: http.MethodPost, Path: "/my/consents/:id/decision", Handle: p.decideConsent},
		{Method: http.MethodPost, Path: "/my/consents/:id/withdrawal", Handle: p.withdrawConsent},
		{Path: "/my/consents/:id/receipt", Handle: p.receipt},
		{Path: "/my/previews/:id", Handle: p.preview},
		{Method: http.MethodPost, Path: "/my/previews/:id", Handle: p.decidePreview},
		{Path: "/my/cases/:id/wrong", Handle: p.wrong},
		{Method: http.MethodPost, Path: "/my/cases/:id/wrong", Handle: p.sendWrong},
		{Path: "/my/accesses", Handle: p.accesses},
	} {
		page.Duties = mine
		section.Pages = append(section.Pages, page)
	}
	section.Menu = []frame.MenuItem{
		{Title: "我的办件", Path: "/my", Duties: mine},
		{Title: "谁查过我的数据", Path: "/my/accesses", Duties: mine},
	}
	return section, nil
}

// day reads a date of a form as the moment at which it begins in Shanghai, so many
// days later; zero for none. ok is false for what is no date.
func day(text string, later int) (at time.Time, ok bool) {
	if text == "" {
		return time.Time{}, true
	}
	at, err := time.ParseInLocation(time.DateOnly, text, catalog.TimeZone())
	return at.AddDate(0, 0, later), err == nil
}
