package main

import (
	"time"

	"mianti/draft"
	"mianti/store"
)

// newDrafts wires how the catalog comes to change.
func newDrafts(db *store.Store, catalogs *store.Catalogs) *draft.Desk {
	return draft.New(draft.Config{Drafts: db, Publisher: db, Catalogs: catalogs, Now: time.Now, NewID: newID})
}
