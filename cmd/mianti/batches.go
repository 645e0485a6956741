package main

import (
	"log/slog"
	"time"

	"mianti/batch"
	"mianti/exchange"
	"mianti/retention"
	"mianti/store"
)

// newBatches wires the lists that are verified in the background.
func newBatches(db *store.Store, catalogs *store.Catalogs, x *exchange.Exchange, keep retention.Term, log *slog.Logger) *batch.Desk {
	now := time.Now()
	return batch.New(batch.Config{
		Store: db, Rows: db, Register: db, Endings: db, Cases: x, Catalogs: catalogs, Now: time.Now, NewID: newID, Log: log,
		Keep: now.Sub(keep.Before(now)),
	})
}
