// Package wire is what the connectors over HTTP share: one careful client, a
// strict reading of JSON, and the conversion of a source's values to the types
// that the catalog gives them.
//
// It trusts nothing that a source sends. Every failure is a *connectors.Fault
// whose text is written here and holds no part of a request or an answer.
package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"mianti/connectors"
)

const (
	// maxBody bounds an answer; records are a few kilobytes.
	maxBody        = 1 << 20
	maxHeader      = 64 << 10
	maxIdlePerHost = 512
	maxIdle        = 4 * maxIdlePerHost
	dialTimeout    = 10 * time.Second
	idleTimeout    = 90 * time.Second
)

// Options are the settings of a Client. The zero value is ready for use.
type Options struct {
	// DialControl, when set, sees every resolved address before it is connected
	// to, and forbids it by returning an error.
	DialControl func(network, address string, c syscall.RawConn) error
}

// Client posts JSON to departments. It is safe for use by many goroutines,
// takes no proxy from the environment and follows no redirect: a department
// that is moved has to be moved in the configuration.
type Client struct {
	http *http.Client
}

// NewClient returns a Client with a connection pool of its own.
func NewClient(o Options) *Client {
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second, Control: o.DialControl}
	return &Client{http: &http.Client{
		Transport: &http.Transport{
			DialContext:            dialer.DialContext,
			TLSHandshakeTimeout:    dialTimeout,
			MaxIdleConns:           maxIdle,
			MaxIdleConnsPerHost:    maxIdlePerHost,
			IdleConnTimeout:        idleTimeout,
			MaxResponseHeaderBytes: maxHeader,
			// A compressed answer could grow past every limit.
			DisableCompression: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// CloseIdle closes the connections that are not in use.
func (c *Client) CloseIdle() { c.http.CloseIdleConnections() }

// Post sends request to the URL as JSON and reads the answer into response,
// strictly. The error, if any, is a *connectors.Fault.
func (c *Client) Post(ctx context.Context, url, requestID string, request, response any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return fail(connectors.FaultDown, "the request cannot be written as JSON")
	}
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return fail(connectors.FaultDown, "the address of the source is not a URL")
	}
	post.Header.Set("Content-Type", "application/json; charset=utf-8")
	post.Header.Set("Accept", "application/json")
	post.Header.Set("X-Request-ID", requestID)
	answer, err := c.http.Do(post)
	if err != nil {
		return failure(ctx, err)
	}
	defer answer.Body.Close() // nothing was written: its error says nothing
	if err := checkHeader(answer); err != nil {
		return err
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxBody+1))
	if err != nil {
		return failure(ctx, err)
	}
	if len(text) > maxBody {
		return Malformed("the answer is larger than 1 MiB")
	}
	return Decode(text, response)
}

// checkHeader refuses every answer but a 200 with JSON.
func checkHeader(answer *http.Response) error {
	status := answer.StatusCode
	text := "HTTP status " + strconv.Itoa(status)
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return fail(connectors.FaultRefused, text)
	case status >= 500 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout:
		return fail(connectors.FaultDown, text)
	case status != http.StatusOK:
		return Malformed(text)
	}
	kind, params, err := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return Malformed("the answer is not of type application/json")
	}
	if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
		return Malformed("the answer is not in UTF-8")
	}
	return nil
}

// failure turns an error of the network into a Fault. Its own text is dropped,
// because it may quote what the source sent; only what is known to be harmless
// is kept.
func failure(ctx context.Context, err error) error {
	var op *net.OpError
	var timeout net.Error
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &connectors.Fault{Kind: connectors.FaultTimeout, Cause: context.DeadlineExceeded}
	case ctx.Err() != nil:
		return &connectors.Fault{Kind: connectors.FaultDown, Cause: ctx.Err()}
	case errors.As(err, &timeout) && timeout.Timeout():
		return fail(connectors.FaultTimeout, "no connection in time")
	case errors.As(err, &op) && op.Op == "dial":
		return fail(connectors.FaultDown, "no connection")
	default:
		return fail(connectors.FaultDown, "the connection broke")
	}
}

// Malformed is the Fault of an answer that is not what the interface promises.
// The reason MUST be a text of the program, never one of the source.
func Malformed(reason string) *connectors.Fault { return fail(connectors.FaultMalformed, reason) }

// Down is the Fault of a source that says itself that it cannot answer. The
// reason MUST be a text of the program, never one of the source.
func Down(reason string) *connectors.Fault { return fail(connectors.FaultDown, reason) }

func fail(kind connectors.FaultKind, reason string) *connectors.Fault {
	return &connectors.Fault{Kind: kind, Cause: errors.New(reason)}
}

// WithTimeout shortens ctx to a source's own time limit, if it has one.
func WithTimeout(ctx context.Context, millis int) (context.Context, context.CancelFunc) {
	if millis <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, time.Duration(millis)*time.Millisecond)
}

// StatusText is a source's status as it may stand in a Fault: short codes are
// kept, anything else could be somebody's data and is not.
func StatusText(code string) string {
	const longest = 8
	if code == "" || len(code) > longest {
		return "an unknown status"
	}
	for _, c := range code {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '-' && c != '_' {
			return "an unknown status"
		}
	}
	return "status " + code
}
