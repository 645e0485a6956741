package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
)

type serveCommand struct {
	exchangeSettings
	tlsSettings
	memorySetting
	Listen string `env:"MIANTI_LISTEN" default:"127.0.0.1:8080" help:"Address to listen on."`
}

// Run serves the exchange until it is told to stop.
func (c *serveCommand) Run(ctx context.Context, con console) error {
	c.tune()
	log := c.logger(con.Err)
	quietLibraries(log)
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	defer listener.Close() // closed already when it has served
	listener = pacedListener{listener}
	secured, err := c.config()
	if err != nil {
		return err
	}
	scheme := "http://"
	if secured != nil {
		listener, scheme = tls.NewListener(listener, secured), "https://"
		c.ClientCertificates = secured.ClientCAs != nil
	}
	if c.Issuer == "" {
		c.Issuer = scheme + listener.Addr().String()
	}
	if err := c.checkKeys(); err != nil {
		return err
	}
	if err := checkTransport(c.Issuer, listener.Addr(), secured != nil); err != nil {
		return err
	}
	n, err := newNode(ctx, c.exchangeSettings, log)
	if err != nil {
		return err
	}
	defer n.Close()
	rev, err := n.catalogs.Current(ctx)
	if err != nil {
		return fmt.Errorf("%w\nload a catalog first: mianti catalog load DIR", err)
	}
	if secured != nil {
		n.watch.expires("tls_certificate", "", secured.Certificates[0].Leaf.NotAfter)
	}
	warnOfSecrets(ctx, log, rev, c.secrets())
	log.Info("serving", "address", scheme+listener.Addr().String(), "issuer", c.Issuer,
		"catalog", rev.Number, "catalog_digest", rev.Digest, "sources", c.SourcesURL)
	fmt.Fprintf(con.Out, "免提 %[1]s%[2]s　接口文档 %[1]s%[2]s/docs\n", scheme, listener.Addr())
	err = n.serve(ctx, listener)
	log.Info("stopped")
	return err
}
