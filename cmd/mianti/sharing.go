package main

import (
	"time"

	"mianti/internal/workday"
	"mianti/sharing"
	"mianti/store"
)

// newSharing wires the sharing requests and grants.
func newSharing(db *store.Store, catalogs sharing.Catalogs, calendar *workday.Calendar, authority string) *sharing.Sharing {
	return sharing.New(sharing.Config{
		Catalogs: catalogs, Requests: db, Grants: db, Procedure: sharing.Procedure{Days: calendar, Authority: authority},
		Now: time.Now, NewID: newID,
	})
}
