package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/ledger"
	"mianti/store"
)

type systemRotateCommand struct {
	databaseSetting
	ID      string        `arg:"" help:"Client id of the system."`
	JWKS    string        `type:"existingfile" help:"File with its new public keys (JWK set). Without it a new client secret is made."`
	Overlap time.Duration `default:"72h" help:"How long the credentials before go on; 0 ends them, and their tokens, at once."`
	Why     string        `default:"运维更换凭据" help:"Reason, for the ledger."`
}

// Run adds credentials to a system, and lets those that it had end after the
// overlap. A secret is printed once and never again.
func (c *systemRotateCommand) Run(ctx context.Context, con console) error {
	if c.Overlap < 0 {
		return errors.New("--overlap: want a time such as 72h, or 0 to end the credentials before at once")
	}
	db, err := store.Open(ctx, store.Config{URL: c.DatabaseURL, Now: time.Now})
	if err != nil {
		return err
	}
	defer db.Close()
	system, err := db.System(ctx, c.ID)
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	credentials, secret, err := newCredentials(c.JWKS, now)
	if err != nil {
		return err
	}
	end := now.Add(c.Overlap)
	err = db.Rotate(ctx, exchange.Rotation{
		System: c.ID, Add: credentials, EndOthers: end,
		Entries: []ledger.Entry{systemEntry(ledger.CredentialAdded, system, now, c.Why)},
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(con.Out, "系统 %s 有了新的凭据；原有的到 %s 为止。\n", c.ID, shownMoment(end))
	printSecret(con, secret)
	return nil
}

// shownMoment renders a moment as people here read it.
func shownMoment(t time.Time) string { return t.In(catalog.TimeZone()).Format("2006-01-02 15:04") }
