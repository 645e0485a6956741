package catalog_test

import (
	"net/netip"
	"strings"
	"testing"

	"mianti/catalog"
)

func TestCheckNetwork_LetsANetworkReachItsOwnAddresses(t *testing.T) {
	t.Parallel()
	const none, public, private, local = "", "public private", "private", "local"
	for address, reachedFrom := range map[string]string{
		"8.8.8.8": public, "172.15.255.255": public, "172.32.0.0": public, "11.0.0.0": public, "100.63.255.255": public, "100.128.0.0": public,
		"192.167.255.255": public, "223.255.255.255": public, "1.0.0.0": public, "2400:3200::1": public, "::ffff:8.8.8.8": public,
		"10.0.0.0": private, "10.255.255.255": private, "172.16.0.1": private, "172.31.255.255": private, "192.168.1.1": private,
		"100.64.0.1": private, "100.127.255.255": private, "fc00::1": private, "fdff::1": private, "::ffff:10.0.0.1": private,
		"127.0.0.1": local, "127.255.255.255": local, "::1": local, "::ffff:127.0.0.1": local,
		"0.0.0.0": none, "0.1.2.3": none, "::": none, "169.254.0.1": none, "169.254.169.254": none, "fe80::1": none, "febf::1": none,
		"fe80::1%eth0": none, "2400:3200::1%eth0": none, "::ffff:169.254.169.254": none, "::ffff:0.0.0.0": none,
		"224.0.0.1": none, "239.255.255.255": none, "240.0.0.1": none, "255.255.255.255": none, "ff02::1": none,
		"::127.0.0.1": none, "64:ff9b::7f00:1": none, "2002:7f00:1::": none, "2001::1": none, "fec0::1": none, "198.18.0.1": none, "192.0.0.1": none,
		"100.100.100.200": none, "fd00:ec2::254": none, "168.63.129.16": none,
	} {
		for n, name := range map[catalog.Network]string{catalog.NetworkPublic: "public", catalog.NetworkPrivate: "private", catalog.NetworkLocal: "local"} {
			allowed := strings.Contains(reachedFrom, name)
			err := catalog.CheckNetwork(n, netip.MustParseAddr(address))
			if (err == nil) != allowed {
				t.Errorf("%s in network %s: %v", address, name, err)
			}
			if err != nil && strings.Contains(err.Error(), address) {
				t.Errorf("the error repeats the address: %v", err)
			}
		}
	}
}

func TestCheckNetwork_RefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	if err := catalog.CheckNetwork("any", netip.MustParseAddr("8.8.8.8")); err == nil {
		t.Error("a network that there is not reaches an address")
	}
	if err := catalog.CheckNetwork(catalog.NetworkPublic, netip.Addr{}); err == nil {
		t.Error("no address is reached")
	}
}
