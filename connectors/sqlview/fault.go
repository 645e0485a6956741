package sqlview

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"

	"mianti/connectors"
	"mianti/connectors/egress"
)

func fail(kind connectors.FaultKind, reason string) *connectors.Fault {
	return &connectors.Fault{Kind: kind, Cause: errors.New(reason)}
}

func malformed(reason string) *connectors.Fault { return fail(connectors.FaultMalformed, reason) }

// fault says what an error means. Texts of the server and the drivers are
// dropped: they quote the statement's values, or the login.
func (r *reading) fault(ctx context.Context, err error) error {
	var known *connectors.Fault
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return &connectors.Fault{Kind: connectors.FaultDown, Cause: context.Canceled}
	case errors.As(err, &known):
		return known
	case r.session != nil && r.session.link.exceeded.Load():
		return malformed("the answer is larger than 1 MiB")
	}
	if said := r.pool.dialect.verdict(err); said != nil {
		return said
	}
	return networkFault(ctx, err)
}

// networkFault is what is wrong between the exchange and the server.
func networkFault(ctx context.Context, err error) error {
	var certificate *tls.CertificateVerificationError
	var operation *net.OpError
	var waited net.Error
	switch {
	case errors.Is(err, egress.ErrForbidden):
		return fail(connectors.FaultMisset, "the address is outside the network that the source allows")
	case ctx.Err() != nil:
		return &connectors.Fault{Kind: connectors.FaultTimeout, Cause: context.DeadlineExceeded}
	case errors.As(err, &certificate):
		return fail(connectors.FaultDown, "the certificate of the source cannot be believed")
	case errors.As(err, &waited) && waited.Timeout():
		return fail(connectors.FaultTimeout, "no connection in time")
	case errors.As(err, &operation) && operation.Op == "dial":
		return fail(connectors.FaultDown, "no connection")
	default:
		return fail(connectors.FaultDown, "the connection broke")
	}
}

// noAgreement is the reason when the server offers no TLS where it has to be,
// or wants the password in a way that would give it away.
const noAgreement = "no agreement with the database on encryption or on how to log in"

// isNetwork tells what the network did from what was said over it.
func isNetwork(err error) bool {
	var failed net.Error
	var certificate *tls.CertificateVerificationError
	if errors.As(err, &failed) || errors.As(err, &certificate) {
		return true
	}
	for _, broken := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, context.Canceled, context.DeadlineExceeded, egress.ErrForbidden} {
		if errors.Is(err, broken) {
			return true
		}
	}
	return false
}
