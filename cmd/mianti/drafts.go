package main

import (
	"time"

	"mianti/draft"
	"mianti/store"
)

// newDrafts wires how the catalog comes to change.
func newDrafts(db *store.Store, catalogs *store.Catalogs) *draft.Desk {
	linter := draftLinter{catalogs, newLintMeasures(db, time.Now)}
	return draft.New(draft.Config{Drafts: db, Publisher: db, Catalogs: catalogs, Linter: linter, Now: time.Now, NewID: newID})
}
