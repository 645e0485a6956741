package egress_test

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"

	"mianti/catalog"
	"mianti/connectors/egress"
)

func TestControl_JudgesTheAddressThatIsConnectedTo(t *testing.T) {
	t.Parallel()
	const public, private, local, never = "1.2.4.8:443", "10.1.2.3:443", "127.0.0.1:443", "169.254.169.254:80"
	for _, c := range []struct {
		network catalog.Network
		address string
		allowed bool
	}{
		{catalog.NetworkPublic, public, true},
		{catalog.NetworkPublic, private, false},
		{catalog.NetworkPublic, local, false},
		{catalog.NetworkPublic, never, false},
		{catalog.NetworkPrivate, public, true},
		{catalog.NetworkPrivate, private, true},
		{catalog.NetworkPrivate, local, false},
		{catalog.NetworkPrivate, never, false},
		{catalog.NetworkLocal, public, false},
		{catalog.NetworkLocal, private, false},
		{catalog.NetworkLocal, local, true},
		{catalog.NetworkLocal, never, false},
		{catalog.NetworkLocal, "0.0.0.0:80", false},
		{catalog.NetworkPublic, "0.0.0.0:80", false},
		{catalog.NetworkLocal, "[::]:80", false},
		{catalog.NetworkLocal, "[::1]:80", true},
		{catalog.NetworkPublic, "[::1]:80", false},
		{catalog.NetworkPublic, "[::ffff:127.0.0.1]:80", false},
		{catalog.NetworkPublic, "[::ffff:10.1.2.3]:80", false},
		{catalog.NetworkPrivate, "[fe80::1%eth0]:80", false},
		{catalog.NetworkPrivate, "[fd12::1]:80", true},
		{catalog.NetworkPublic, "[fd12::1]:80", false},
		{"wherever", public, false},
		{catalog.NetworkPublic, "department.example:443", false},
		{catalog.NetworkPublic, "", false},
	} {
		err := egress.Control(c.network)("tcp4", c.address, nil)
		if c.allowed && err != nil || !c.allowed && !errors.Is(err, egress.ErrForbidden) {
			t.Errorf("%q %s: got %v, want allowed is %v", c.network, c.address, err, c.allowed)
		}
	}
}

func TestControl_RefusesWhatIsNoTCP(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"udp4", "unix", "ip4:icmp", ""} {
		if err := egress.Control(catalog.NetworkLocal)(network, "127.0.0.1:80", nil); !errors.Is(err, egress.ErrForbidden) {
			t.Errorf("%s: got %v", network, err)
		}
	}
}

// A name server that answers well when it is asked for the first time, and with
// this machine's own address when the name is connected to.
func TestDialer_IsNotMisledByASecondAnswer(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	resolver := serveNames(t, netip.MustParseAddr("1.2.4.8"), netip.MustParseAddr("127.0.0.1"))

	first, err := resolver.LookupNetIP(t.Context(), "ip4", "rebinding.example.")
	if err != nil || catalog.CheckNetwork(catalog.NetworkPublic, first[0]) != nil {
		t.Fatalf("the first answer is %v, %v; want a public address", first, err)
	}
	dialer := egress.Dialer(catalog.NetworkPublic)
	dialer.Resolver = resolver
	conn, err := dialer.DialContext(t.Context(), "tcp4", net.JoinHostPort("rebinding.example.", port))
	if !errors.Is(err, egress.ErrForbidden) {
		t.Errorf("got %v, %v, want it to be forbidden", conn, err)
	}
	// The same name can be connected to where this machine is meant.
	dialer = egress.Dialer(catalog.NetworkLocal)
	dialer.Resolver = resolver
	conn, err = dialer.DialContext(t.Context(), "tcp4", net.JoinHostPort("rebinding.example.", port))
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
}

// serveNames answers the first question with the first address, and all others
// with the last.
func serveNames(t *testing.T, addresses ...netip.Addr) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int64
	ended := make(chan struct{})
	t.Cleanup(func() { _ = server.Close(); <-ended })
	go func() {
		defer close(ended)
		question := make([]byte, 512)
		for {
			n, from, err := server.ReadFrom(question)
			if err != nil {
				return
			}
			at := min(int(asked.Add(1)), len(addresses)) - 1
			_, _ = server.WriteTo(answerName(question[:n], addresses[at]), from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp4", server.LocalAddr().String())
	}}
}

// answerName answers one question for an address of version 4 (RFC 1035).
func answerName(question []byte, address netip.Addr) []byte {
	end := 12 // of the header
	for question[end] != 0 {
		end += int(question[end]) + 1
	}
	end += 5 // the root, the type and the class
	answer := append([]byte{}, question[:end]...)
	binary.BigEndian.PutUint16(answer[2:], 0x8180) // an answer without an error
	binary.BigEndian.PutUint16(answer[6:], 1)      // one record
	binary.BigEndian.PutUint32(answer[8:], 0)      // nothing more
	answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
	return append(answer, address.AsSlice()...)
}
