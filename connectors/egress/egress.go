// Package egress keeps connections of the exchange within the network that a
// source allows. An address is judged when it is connected to, after the name
// has been resolved, so that no answer of a name server can lead elsewhere.
package egress

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"

	"mianti/catalog"
)

const (
	dialTimeout = 10 * time.Second
	keepAlive   = 30 * time.Second
)

// ErrForbidden is the error of an address outside the network. It names no
// address.
var ErrForbidden = errors.New("the address is outside the network that the source allows")

// Control gives a function for net.Dialer that refuses every address outside
// the network with ErrForbidden. It sees what a name was resolved to.
func Control(n catalog.Network) func(network, address string, c syscall.RawConn) error {
	return func(network, address string, _ syscall.RawConn) error {
		if network != "tcp4" && network != "tcp6" {
			return ErrForbidden
		}
		at, err := netip.ParseAddrPort(address)
		if err != nil || catalog.CheckNetwork(n, at.Addr()) != nil {
			return ErrForbidden
		}
		return nil
	}
}

// Dialer gives a dialer that connects within the network alone.
func Dialer(n catalog.Network) *net.Dialer {
	return &net.Dialer{Timeout: dialTimeout, KeepAlive: keepAlive, Control: Control(n)}
}
