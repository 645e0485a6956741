package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"mianti/ledger"
	"mianti/store"
)

type systemRevokeCommand struct {
	databaseSetting
	ID         string `arg:"" help:"Client id of the system."`
	Credential string `help:"End this credential alone; mianti system list shows them."`
	Why        string `default:"运维停用" help:"Reason, for the ledger."`
}

// Run ends a system or one of its credentials. What holds a token of it is
// refused at its next request, at every replica.
func (c *systemRevokeCommand) Run(ctx context.Context, con console) error {
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
	if c.Credential == "" {
		if err := db.RevokeSystem(ctx, c.ID, systemEntry(ledger.SystemRevoked, system, now, c.Why)); err != nil {
			return err
		}
		fmt.Fprintf(con.Out, "系统 %s 已停用，它的凭据和令牌随即失效。\n", c.ID)
		return nil
	}
	entry := systemEntry(ledger.CredentialRevoked, system, now, strings.TrimSpace(c.Why+"：凭据 "+c.Credential))
	if err := db.RevokeCredential(ctx, c.ID, c.Credential, entry); err != nil {
		return err
	}
	fmt.Fprintf(con.Out, "系统 %s 的凭据 %s 已停用，凭它换取的令牌随即失效。\n", c.ID, c.Credential)
	return nil
}
