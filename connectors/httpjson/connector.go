// Package httpjson asks departments that answer with JSON over HTTP. What is
// sent and what an answer means is the catalog's to say (catalog.HTTPCall); a
// source that is not described speaks Mianti's own plain JSON (mapping.Plain).
package httpjson

import (
	"context"
	"time"

	"mianti/connectors"
	"mianti/connectors/mapping"
	"mianti/connectors/wire"
)

// Connector keeps the contract of connectors.Connector. It is safe for use by
// many goroutines.
type Connector struct {
	client   *wire.Client
	now      func() time.Time
	mappings mapping.Cache
}

// New returns a Connector that asks by the client, which stays its owner's.
func New(client *wire.Client, now func() time.Time) *Connector {
	return &Connector{client: client, now: now}
}

// Ask puts the question to the source. All pages of an answer share the
// deadline.
func (c *Connector) Ask(ctx context.Context, q connectors.Query) (connectors.Reply, error) {
	return c.Trace(ctx, q, func(mapping.Page) {})
}

// Trace asks as Ask does, and shows each page as it was received: for whoever
// connects a source.
func (c *Connector) Trace(ctx context.Context, q connectors.Query, see func(mapping.Page)) (connectors.Reply, error) {
	m, err := c.mappings.Of(q.Dataset, q.Source)
	if err != nil {
		return connectors.Reply{}, err
	}
	ctx, cancel := wire.WithTimeout(ctx, q.Source.TimeoutMillis)
	defer cancel()
	return m.Gather(q, c.now(), func(r mapping.Request) (mapping.Page, error) {
		answer, err := c.client.Do(ctx, wire.Call{
			Query: q, Method: r.Method, URL: q.BaseURL + r.Target, ContentType: r.ContentType, Header: r.Header, Body: r.Body,
			Accept: m.Accept(), Charset: m.Charset(),
		})
		if err != nil {
			return mapping.Page{}, err
		}
		page := mapping.Page{Status: answer.Status, Body: answer.Body, Size: answer.Size, Warnings: answer.Warnings}
		see(page)
		return page, nil
	})
}
