package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"time"

	"mianti/connectors"
	"mianti/connectors/egress"
)

// failure turns an error of the network into a Fault. Its own text is dropped,
// because it may quote what the source sent; only what is known to be harmless
// is kept.
func failure(ctx context.Context, err error) error {
	var known *connectors.Fault
	var op *net.OpError
	var timeout net.Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &connectors.Fault{Kind: connectors.FaultTimeout, Cause: context.DeadlineExceeded}
	case ctx.Err() != nil:
		return &connectors.Fault{Kind: connectors.FaultDown, Cause: ctx.Err()}
	case errors.Is(err, egress.ErrForbidden):
		return &connectors.Fault{Kind: connectors.FaultMisset, Cause: egress.ErrForbidden}
	case isCertificate(err):
		return fail(connectors.FaultDown, "the certificate of the source cannot be believed")
	case errors.As(err, &op) && op.Op == "remote error":
		return fail(connectors.FaultRefused, "the source refuses our certificate, or our TLS")
	case errors.As(err, &timeout) && timeout.Timeout():
		return fail(connectors.FaultTimeout, "no connection in time")
	case errors.As(err, &op) && op.Op == "dial":
		return fail(connectors.FaultDown, "no connection")
	default:
		return fail(connectors.FaultDown, "the connection broke")
	}
}

func isCertificate(err error) bool {
	var verification *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	return errors.As(err, &verification) || errors.As(err, &authority) || errors.As(err, &name) || errors.As(err, &invalid)
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
