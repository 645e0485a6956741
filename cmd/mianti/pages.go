package main

import (
	"net/http"
	"slices"
	"strings"

	"mianti/api"
	"mianti/internal/workday"
	"mianti/web/frame"
)

// sections are the pages of an exchange, in the order of the menu. They stand on
// the same use cases as its API.
func sections(api.Config) []frame.Section {
	return nil
}

// newSite makes the pages beside an API.
func newSite(c api.Config, who *people, calendar *workday.Calendar) (*frame.Site, error) {
	config := frame.Config{Catalogs: c.Catalogs, WorkingDays: calendar.Between, Address: c.Issuer, Now: c.Now, NewID: c.NewID, Log: c.Log}
	if who != nil {
		config.People = who.identity
	}
	return frame.New(config, sections(c)...)
}

// besides serves pages where a path belongs to them, and everything else by the API.
func besides(machines http.Handler, site *frame.Site) http.Handler {
	tops := site.Tops()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		top, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		if slices.Contains(tops, top) {
			site.ServeHTTP(w, r)
			return
		}
		machines.ServeHTTP(w, r)
	})
}
