//go:build !unix

package wire

import (
	"time"

	"mianti/catalog"
)

// newPlainTransport gives the library's own where it cannot be seen whether a
// connection is still open.
func newPlainTransport(n catalog.Network, _ func() time.Time) roundTripper {
	return newTransport(n, nil)
}
