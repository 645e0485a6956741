package main

import (
	"time"

	"mianti/correction"
	"mianti/exchange"
	"mianti/figures"
	"mianti/internal/workday"
	"mianti/sharing"
	"mianti/store"
)

// newCorrections wires what is said of wrong records.
func newCorrections(db *store.Store, catalogs exchange.Catalogs, x *exchange.Exchange, calendar *workday.Calendar, authority string) *correction.Desk {
	return correction.New(correction.Config{
		Catalogs: catalogs, Corrections: db, Exchange: x, Journal: db, Procedure: correction.Procedure{Days: calendar, Authority: authority},
		Now: time.Now, NewID: newID,
	})
}

// newFigures wires what leaders and departments count.
func newFigures(db *store.Store, catalogs figures.Catalogs, calendar *workday.Calendar, authority string) *figures.Figures {
	return figures.New(figures.Config{
		Catalogs: catalogs, Counts: db, Clocks: db, Uses: db, Days: calendar, Authority: authority, Now: time.Now,
	})
}

// newSharing wires the sharing requests and grants.
func newSharing(db *store.Store, catalogs sharing.Catalogs, calendar *workday.Calendar, authority string) *sharing.Sharing {
	return sharing.New(sharing.Config{
		Catalogs: catalogs, Requests: db, Grants: db, Giver: db, Procedure: sharing.Procedure{Days: calendar, Authority: authority},
		Now: time.Now, NewID: newID,
	})
}
