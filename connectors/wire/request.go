package wire

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/auth"
	"mianti/connectors/egress"
)

// sent is a call that has an answer. Its end gives the connection back.
type sent struct {
	response *http.Response
	release  func()
}

func (s *sent) close() {
	_ = s.response.Body.Close() // nothing was written: its error says nothing
	s.release()
}

// send puts a call, and puts it again with a new token if the source refuses
// the one that it has issued.
func (c *Client) send(ctx context.Context, call Call) (*sent, error) {
	address, err := parseURL(call)
	if err != nil {
		return nil, err
	}
	answer, token, err := c.sendOnce(ctx, call, address, "")
	if err != nil || token == "" || answer.response.StatusCode != http.StatusUnauthorized {
		return answer, err
	}
	answer.close()
	answer, _, err = c.sendOnce(ctx, call, address, token)
	return answer, err
}

func parseURL(call Call) (*url.URL, error) {
	address, err := egress.ParseURL(call.URL, call.Query.Network)
	if err != nil {
		return nil, &connectors.Fault{Kind: connectors.FaultMisset, Cause: err}
	}
	if a := authOf(call.Query.Source); a.TLS != nil && address.Scheme != "https" {
		return nil, fail(connectors.FaultMisset, "the source has a certificate set, but its address is not https")
	}
	return address, nil
}

// sendOnce gives the token that was used, if any. A refused one is not used
// again.
func (c *Client) sendOnce(ctx context.Context, call Call, address *url.URL, refused string) (*sent, string, error) {
	request, err := c.newRequest(ctx, call, address)
	if err != nil {
		return nil, "", err
	}
	token, err := c.prove(ctx, request, call, refused)
	if err != nil {
		return nil, "", err
	}
	p, err := c.take(call.Query, address.Host)
	if err != nil {
		return nil, "", err
	}
	response, err := p.transport.RoundTrip(request)
	if err != nil {
		c.release(p)
		return nil, "", failure(ctx, err)
	}
	return &sent{response: response, release: func() { c.release(p) }}, token, nil
}

func (c *Client) newRequest(ctx context.Context, call Call, address *url.URL) (*http.Request, error) {
	request := (&http.Request{
		Method: call.Method, URL: address, Host: strings.TrimSuffix(address.Host, ":"), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: make(http.Header, len(call.Header)+4), Body: http.NoBody,
	}).WithContext(ctx)
	if len(call.Body) > 0 {
		request.ContentLength = int64(len(call.Body))
		request.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(call.Body)), nil }
		request.Body, _ = request.GetBody() // it has no error
	}
	for name, values := range call.Header {
		if slices.ContainsFunc(values, func(v string) bool { return strings.ContainsAny(v, "\r\n\x00") }) {
			return nil, fail(connectors.FaultMisset, "a value cannot be sent in a header")
		}
		request.Header[http.CanonicalHeaderKey(name)] = slices.Clone(values)
	}
	if call.ContentType != "" {
		request.Header.Set("Content-Type", call.ContentType)
	}
	if request.Header.Get("Accept") == "" {
		request.Header.Set("Accept", "application/json")
	}
	// A compressed answer could grow past every limit.
	request.Header.Del("Accept-Encoding")
	request.Header.Set("User-Agent", "mianti")
	request.Header.Set("X-Request-ID", call.Query.ID)
	c.carry(ctx, request.Header)
	return request, nil
}

// prove adds to a request what shows who asks.
func (c *Client) prove(ctx context.Context, request *http.Request, call Call, refused string) (token string, err error) {
	a := authOf(call.Query.Source)
	if a.OAuth2 == nil {
		return "", auth.Sign(request, call.Body, a, c.secrets, auth.Stamp{Now: c.now(), Nonce: rand.Text()})
	}
	token, err = c.tokens.Token(ctx, auth.TokenQuestion{
		Source: call.Query.Source.Code, BaseURL: call.Query.BaseURL, Auth: a.OAuth2,
		Transport: &tokenTransport{client: c, query: call.Query}, Refused: refused,
	})
	if err != nil {
		return "", failure(ctx, err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	return token, nil
}

// authOf gives how it is proved to a source who asks; never nil.
func authOf(s *catalog.Source) *catalog.Auth {
	if s == nil || s.Auth == nil {
		return &catalog.Auth{}
	}
	return s.Auth
}

// maxToken bounds the answer of a token endpoint.
const maxToken = 64 << 10

// tokenTransport carries the question for a token, with the same care as any
// other: within the source's network, and at most 64 KiB, which are read before
// the answer is passed on.
type tokenTransport struct {
	client *Client
	query  connectors.Query
}

// RoundTrip keeps http.RoundTripper. Its error is a *connectors.Fault.
func (t *tokenTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	ctx := request.Context()
	if _, err := egress.ParseURL(request.URL.String(), t.query.Network); err != nil {
		return nil, &connectors.Fault{Kind: connectors.FaultMisset, Cause: err}
	}
	p, err := t.client.take(t.query, request.URL.Host)
	if err != nil {
		return nil, err
	}
	defer t.client.release(p)
	response, err := p.transport.RoundTrip(request)
	if err != nil {
		return nil, failure(ctx, err)
	}
	defer response.Body.Close() // nothing was written: its error says nothing
	text, err := io.ReadAll(io.LimitReader(response.Body, maxToken+1))
	if err != nil {
		return nil, failure(ctx, err)
	}
	if len(text) > maxToken {
		return nil, Malformed("the answer of the token endpoint is larger than 64 KiB")
	}
	response.Body = io.NopCloser(bytes.NewReader(text))
	return response, nil
}
