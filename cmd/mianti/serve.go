package main

import (
	"context"
	"fmt"
	"net"

	"mianti/store"
)

type serveCommand struct {
	exchangeSettings
	Listen string `env:"MIANTI_LISTEN" default:"127.0.0.1:8080" help:"Address to listen on."`
}

// Run serves the exchange until it is told to stop.
func (c *serveCommand) Run(ctx context.Context, con console) error {
	log := c.logger(con.Err)
	quietLibraries(log)
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	defer listener.Close() // closed already when it has served
	if c.Issuer == "" {
		c.Issuer = "http://" + listener.Addr().String()
	}
	n, err := newNode(ctx, c.exchangeSettings, log)
	if err != nil {
		return err
	}
	defer n.Close()
	rev, err := store.NewCatalogs(n.store).Current(ctx)
	if err != nil {
		return fmt.Errorf("%w\nload a catalog first: mianti catalog load DIR", err)
	}
	warnOfSecrets(ctx, log, rev, c.secrets())
	log.Info("serving", "address", "http://"+listener.Addr().String(), "issuer", c.Issuer,
		"catalog", rev.Number, "catalog_digest", rev.Digest, "sources", c.SourcesURL)
	fmt.Fprintf(con.Out, "免提 http://%s　接口文档 http://%s/docs\n", listener.Addr(), listener.Addr())
	err = n.serve(ctx, listener)
	log.Info("stopped")
	return err
}
