package wire

import (
	"crypto/tls"
	"net/http"
	"strings"
	"time"

	"mianti/catalog"
)

// roundTripper carries calls over connections that it keeps.
type roundTripper interface {
	http.RoundTripper
	CloseIdleConnections()
}

// carrier carries the calls to one source: those without TLS by plainTransport,
// all others by http.Transport, which knows TLS and HTTP/2.
type carrier struct {
	plain, secure roundTripper
}

func newCarrier(n catalog.Network, config *tls.Config, now func() time.Time) *carrier {
	return &carrier{plain: newPlainTransport(n, now), secure: newTransport(n, config)}
}

// RoundTrip keeps http.RoundTripper. It follows no redirect.
func (c *carrier) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.URL.Scheme == "http" && isASCII(request.URL.Host) {
		return c.plain.RoundTrip(request)
	}
	return c.secure.RoundTrip(request)
}

// CloseIdleConnections closes the connections that are not in use.
func (c *carrier) CloseIdleConnections() {
	c.plain.CloseIdleConnections()
	c.secure.CloseIdleConnections()
}

// closeSpent closes the connections that will not be used again. The library's own
// transport does so by itself.
func (c *carrier) closeSpent() {
	if own, is := c.plain.(interface{ closeSpent() }); is {
		own.closeSpent()
	}
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r >= 0x80 })
}
