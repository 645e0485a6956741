package catalog

import (
	"errors"
	"fmt"
	"net/netip"
)

// CheckNetwork says whether an address may be connected to by a source of a
// network. An IPv4 address that is written as IPv6 is judged as the IPv4
// address that it is. The error names the network, and not the address.
func CheckNetwork(n Network, ip netip.Addr) error {
	kind := kindOfAddress(ip)
	if kind == addressNever {
		return errors.New("an address of this kind is never connected to")
	}
	switch n {
	case NetworkPublic:
		if kind != addressPublic {
			return errors.New("only public addresses may be connected to")
		}
	case NetworkPrivate:
		if kind == addressLocal {
			return errors.New("only public and private addresses may be connected to, and none of this machine")
		}
	case NetworkLocal:
		if kind != addressLocal {
			return errors.New("only addresses of this machine may be connected to")
		}
	default:
		return fmt.Errorf("there is no network %q", string(n))
	}
	return nil
}

// addressKind is what an address leads to.
type addressKind int

const (
	addressNever addressKind = iota
	addressPublic
	addressPrivate
	addressLocal
)

func kindOfAddress(ip netip.Addr) addressKind {
	if !ip.IsValid() || ip.Zone() != "" {
		return addressNever
	}
	ip = ip.Unmap()
	within := func(ranges []string) bool {
		for _, r := range ranges {
			if netip.MustParsePrefix(r).Contains(ip) {
				return true
			}
		}
		return false
	}
	switch {
	case ip.IsLoopback():
		return addressLocal
	case within(neverReached()):
		return addressNever
	case within(privateRanges()):
		return addressPrivate
	default:
		return addressPublic
	}
}

// privateRanges are those that a government network is made of (RFC 1918,
// RFC 6598, RFC 4193).
func privateRanges() []string {
	return []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"}
}

// neverReached are the ranges in which no department can be: they lead to this
// host's own network, to many hosts, or by a tunnel to an address that cannot
// be judged here; and the hosts at which clouds tell a machine its secrets,
// where these lie in a range that may be reached otherwise.
func neverReached() []string {
	return []string{
		"0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4",
		"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/32", "2002::/16", "fe80::/10", "fec0::/10", "ff00::/8",
		"100.100.100.200/32", "168.63.129.16/32", "fd00:ec2::254/128",
	}
}
