package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mianti/catalog"
	"mianti/internal/webhook"
	"mianti/store"
)

type systemWebhookCommand struct {
	databaseSetting
	ID             string `arg:"" help:"Client id of the system."`
	URL            string `help:"Address to tell, https."`
	Network        string `enum:"public,private,local" default:"public" help:"Where the address may lead to: public, private or local."`
	Rotate         bool   `help:"Make a new secret. The one before signs too for 24 hours."`
	Off            bool   `help:"Tell the system nothing any more."`
	WebhookKeyFile string `env:"MIANTI_WEBHOOK_KEY_FILE" help:"The exchange's file of the key of webhooks, if it has one."`
}

// Run registers the endpoint of a system, and prints its secret.
func (c *systemWebhookCommand) Run(ctx context.Context, con console) error {
	if (c.URL != "") == (c.Rotate || c.Off) || (c.Rotate && c.Off) {
		return errors.New("want one of --url, --rotate and --off")
	}
	db, err := store.Open(ctx, store.Config{URL: c.DatabaseURL, Now: time.Now})
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.System(ctx, c.ID); err != nil {
		return err
	}
	if c.Off {
		if err := db.DisableEndpoint(ctx, c.ID, "运维人员停用。"); err != nil {
			return err
		}
		fmt.Fprintf(con.Out, "不再通知系统 %s。\n", c.ID)
		return nil
	}
	e, err := c.endpoint(ctx, db)
	if err != nil {
		return err
	}
	ring, err := c.ring(ctx, db)
	if err != nil {
		return err
	}
	master, err := webhookKey(ctx, ring, c.WebhookKeyFile)
	if err != nil {
		return err
	}
	fmt.Fprintf(con.Out, "系统 %s 的通知发往 %s。\n验签密钥（第 %d 版，请妥善保存）：%s\n", c.ID, e.URL, e.Generation, webhook.Secret(master, c.ID, e.Generation))
	return nil
}

func (c *systemWebhookCommand) endpoint(ctx context.Context, db *store.Store) (webhook.Endpoint, error) {
	if c.Rotate {
		return db.RotateEndpoint(ctx, c.ID)
	}
	network := catalog.Network(c.Network)
	if c.Network == "public" {
		network = catalog.NetworkPublic
	}
	if err := webhook.CheckURL(c.URL, network); err != nil {
		return webhook.Endpoint{}, err
	}
	// The secret of one that is registered already stays.
	if err := db.SaveEndpoint(ctx, webhook.Endpoint{System: c.ID, URL: c.URL, Network: network}); err != nil {
		return webhook.Endpoint{}, err
	}
	return db.Endpoint(ctx, c.ID)
}
