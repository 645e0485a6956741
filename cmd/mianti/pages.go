package main

import (
	"context"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"mianti/api"
	"mianti/catalog"
	"mianti/draft"
	"mianti/internal/workday"
	"mianti/policies"
	"mianti/web/batch"
	"mianti/web/citizen"
	"mianti/web/clerk"
	"mianti/web/department"
	"mianti/web/frame"
	"mianti/web/overview"
	"mianti/web/policy"
)

// sections are the pages of an exchange, in the order of the menu. They stand on
// the same use cases as its API.
func sections(c api.Config) ([]frame.Section, error) {
	config := citizen.Config{Consents: c.Exchange, Sheets: c.Exchange, Previews: c.Exchange, Corrections: c.Corrections}
	if c.Citizen != nil {
		config.Own = c.Citizen
	}
	applicants, err := citizen.New(config)
	if err != nil {
		return nil, err
	}
	lists, err := batch.New(batch.Config{Lists: c.Batches, Intake: c.Batches, Acts: c.Batches, Results: c.Batches, Draining: c.Draining})
	return []frame.Section{
		applicants,
		clerk.New(clerk.Config{Lists: c.Exchange, Readings: c.Exchange, Acts: c.Exchange, Corrections: c.Corrections, Catalogs: c.Catalogs}),
		lists,
		policy.New(policy.Config{Catalogs: c.Catalogs, Revisions: c.Revisions, Drafts: c.Drafts, Effects: c.Effects, Interchange: c.Interchange, BeginDraft: beginDraft(c.Drafts), Suggestions: c.Suggestions, Measures: c.Measures}),
		department.New(department.Config{
			Figures: c.Figures, Requests: c.Sharing, Grants: c.Sharing, Assists: c.Exchange, Corrections: c.Corrections, Authority: c.Corrections.Authority,
		}),
		overview.New(overview.Config{Figures: c.Figures}),
	}, err
}

// newSite makes the pages beside an API.
func newSite(c api.Config, who *people, calendar *workday.Calendar) (*frame.Site, error) {
	config := frame.Config{Catalogs: c.Catalogs, WorkingDays: calendar.Between, Address: c.Issuer, Now: c.Now, NewID: c.NewID, Log: c.Log, Observer: c.Observer}
	if who != nil {
		config.People = known{who.identity, c.Callers}
	}
	all, err := sections(c)
	if err != nil {
		return nil, err
	}
	return frame.New(config, all...)
}

// besides serves pages beside the API: each has the paths whose first part is its
// own. A browser that asks for what neither has is told so by a page.
func besides(machines *gin.Engine, site *frame.Site, served http.Handler) http.Handler {
	pages, operations := tops(site.Routes()), tops(machines.Routes())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		top := topOf(r.URL.Path)
		lost := !operations[top] && strings.Contains(r.Header.Get("Accept"), "text/html")
		if pages[top] || lost {
			served.ServeHTTP(w, r)
			return
		}
		machines.ServeHTTP(w, r)
	})
}

func tops(routes gin.RoutesInfo) map[string]bool {
	out := map[string]bool{}
	for _, r := range routes {
		out[topOf(r.Path)] = true
	}
	return out
}

// topOf gives the first part of a path.
func topOf(path string) string {
	top, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return top
}

// beginDraft puts what an import changes into a draft of its own.
func beginDraft(drafts *draft.Desk) func(context.Context, policies.Caller, string, int, []catalog.Edit) (string, error) {
	return func(ctx context.Context, by policies.Caller, title string, base int, edits []catalog.Edit) (string, error) {
		made, err := drafts.Create(ctx, by, draft.Opening{Title: title, Base: base, Edits: edits})
		if err != nil {
			return "", err
		}
		return "/catalog/drafts/" + made.ID, nil
	}
}
