package egress

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"

	"mianti/catalog"
)

// ParseURL reads the address of an interface: http or https, a host, and
// neither a user name nor a fragment. A host that is written as an IP address
// has to lie within the network (else ErrForbidden), and one that some programs
// read as an IP address and others as a name is refused: 2130706433, 0x7f.1.
// An error holds nothing of the text.
func ParseURL(text string, n catalog.Network) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Opaque != "" || u.Hostname() == "":
		return nil, errors.New("the address of the source is not a URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("the address of the source is neither http nor https")
	case u.User != nil:
		return nil, errors.New("the address of the source holds a user name")
	case strings.Contains(text, "#"):
		return nil, errors.New("the address of the source holds a fragment")
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil {
		if catalog.CheckNetwork(n, ip) != nil {
			return nil, ErrForbidden
		}
		return u, nil
	}
	if likeNumber(u.Hostname()) {
		return nil, errors.New("the host of the source is neither a name nor an IP address in its usual form")
	}
	return u, nil
}

// likeNumber reports whether the last part of a host is a number, which no
// top-level domain is.
func likeNumber(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	last := host[strings.LastIndexByte(host, '.')+1:]
	if hex, isHex := strings.CutPrefix(last, "0x"); isHex {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return strings.Trim(last, "0123456789") == ""
}
