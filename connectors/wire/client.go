// Package wire is what the connectors over HTTP share: one careful client, a
// strict reading of JSON, and the conversion of a source's values to the types
// that the catalog gives them.
//
// It trusts nothing that a source sends. Every failure is a *connectors.Fault
// whose text is written here and holds no part of a request or an answer.
package wire

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"mianti/connectors"
	"mianti/connectors/auth"
)

// maxBody bounds an answer; records are a few kilobytes.
const maxBody = 1 << 20

// Options are the settings of a Client. Now MUST be set.
type Options struct {
	// Secrets are those that the sources' settings name; without any, a source
	// that needs one cannot be asked.
	Secrets connectors.Secrets
	Now     func() time.Time
	// Carry, if given, adds to what is sent by what trace it was asked for.
	Carry func(ctx context.Context, h http.Header)
}

// Client puts questions to departments. It is safe for use by many goroutines,
// takes no proxy from the environment and follows no redirect: a department
// that is moved has to be moved in the configuration. It connects to nothing
// outside the network of the query.
type Client struct {
	secrets connectors.Secrets
	now     func() time.Time
	carry   func(context.Context, http.Header)
	tokens  *auth.Tokens

	mu    sync.Mutex
	pools map[poolKey]*pool
	swept time.Time
}

// NewClient returns a Client with connections of its own.
func NewClient(o Options) *Client {
	if o.Now == nil {
		panic("wire: Options.Now is not set")
	}
	if o.Carry == nil {
		o.Carry = func(context.Context, http.Header) {}
	}
	return &Client{
		secrets: o.Secrets, now: o.Now, carry: o.Carry, tokens: auth.NewTokens(o.Secrets, o.Now),
		pools: map[poolKey]*pool{}, swept: o.Now(),
	}
}

// Now is the time that the Client goes by.
func (c *Client) Now() time.Time { return c.now() }

// Call is one request to a source.
type Call struct {
	// Query says which source is asked; its network and how it is proved who asks
	// are taken from there.
	Query       connectors.Query
	Method, URL string
	ContentType string // of Body
	// Header is sent along. The headers of the transport, and those by which it is
	// proved who asks, are written by the Client.
	Header http.Header
	Body   []byte
	// Accept are the statuses besides 200 that the caller understands.
	Accept []int
	// Charset is that of the answer: utf-8 (the default) or gb18030.
	Charset string
}

// Answer is what a source sent.
type Answer struct {
	Status int
	Header http.Header
	// Body is in UTF-8 and at most 1 MiB. It is empty if the status is not 200 and
	// the content not JSON.
	Body []byte
	Size int64 // of the body as it was received
	// Warnings are remarks by code: clock_skew.
	Warnings []string
}

// Do puts a call. The deadline is that of ctx. The error, if any, is a
// *connectors.Fault.
func (c *Client) Do(ctx context.Context, call Call) (Answer, error) {
	sent, err := c.send(ctx, call)
	if err != nil {
		return Answer{}, err
	}
	defer sent.close()
	return c.read(ctx, call, sent.response)
}

// Post sends request to the URL as JSON and reads the answer into response,
// strictly. It gives how many bytes were received. The error, if any, is a
// *connectors.Fault.
func (c *Client) Post(ctx context.Context, q connectors.Query, url string, request, response any) (size int64, err error) {
	body, err := json.Marshal(request)
	if err != nil {
		return 0, fail(connectors.FaultMisset, "the request cannot be written as JSON")
	}
	answer, err := c.Do(ctx, Call{
		Query: q, Method: http.MethodPost, URL: url, ContentType: "application/json; charset=utf-8", Body: body,
	})
	if err != nil {
		return 0, err
	}
	return answer.Size, Decode(answer.Body, response)
}

// Close closes the connections that are not in use. The Client can be used on.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, p := range c.pools {
		p.retired = true
		p.transport.CloseIdleConnections()
		delete(c.pools, key)
	}
}
