package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
)

type resolveCommand struct {
	File   string `arg:"" type:"existingfile" help:"Case to open, as in examples/jinan/cases."`
	URL    string `env:"MIANTI_URL" default:"http://127.0.0.1:8080" help:"Address of the exchange."`
	Client string `env:"MIANTI_CLIENT_ID" help:"Client id of the system that asks."`
	Secret string `env:"MIANTI_CLIENT_SECRET" help:"Its client secret."`
	JSON   bool   `help:"Print the resolution as JSON."`
}

// Run opens the case, resolves it and prints what came of it.
func (c *resolveCommand) Run(ctx context.Context, con console) error {
	if c.Client == "" || c.Secret == "" {
		return errors.New("set MIANTI_CLIENT_ID and MIANTI_CLIENT_SECRET, or --client and --secret; `mianti demo` prints a pair")
	}
	content, err := os.ReadFile(c.File)
	if err != nil {
		return fmt.Errorf("read case: %w", err)
	}
	file, err := parseCase(c.File, content)
	if err != nil {
		return err
	}
	if u, err := url.Parse(c.URL); err != nil || u.Host == "" {
		return errors.New("--url: want an address that begins with http:// or https://, such as http://127.0.0.1:8080")
	}
	api := newClient(c.URL, c.Client, c.Secret)
	if err := api.signIn(ctx); err != nil {
		return err
	}
	resolution, err := api.resolve(ctx, file)
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(con.Out)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		return encoder.Encode(resolution)
	}
	printResolution(con.Out, file.Title, resolution)
	return nil
}
