package egress_test

import (
	"errors"
	"strings"
	"testing"

	"mianti/catalog"
	"mianti/connectors/egress"
)

func TestParseURL_TakesOnlyPlainAddressesOfTheNetwork(t *testing.T) {
	t.Parallel()
	const good, bad, forbidden = "", "bad", "forbidden"
	for _, c := range []struct {
		network catalog.Network
		url     string
		want    string
	}{
		{catalog.NetworkPublic, "https://department.example/path?a=b", good},
		{catalog.NetworkPublic, "http://department.example:8080/", good},
		{catalog.NetworkPublic, "https://1.2.4.8/", good},
		{catalog.NetworkLocal, "http://127.0.0.1:80/", good},
		{catalog.NetworkLocal, "http://[::1]:80/", good},
		{catalog.NetworkPrivate, "http://10.1.2.3/", good},
		{catalog.NetworkPublic, "https://0x7f.example/", good},
		{catalog.NetworkPublic, "http://127.0.0.1/", forbidden},
		{catalog.NetworkPublic, "http://[::ffff:127.0.0.1]/", forbidden},
		{catalog.NetworkPublic, "http://0.0.0.0/", forbidden},
		{catalog.NetworkPrivate, "http://169.254.169.254/", forbidden},
		{catalog.NetworkPublic, "http://10.1.2.3/", forbidden},
		{catalog.NetworkPublic, "http://2130706433/", bad},
		{catalog.NetworkPublic, "http://017700000001/", bad},
		{catalog.NetworkPublic, "http://0x7f000001/", bad},
		{catalog.NetworkPublic, "http://127.1/", bad},
		{catalog.NetworkPublic, "http://127.0.0.0x1/", bad},
		{catalog.NetworkPublic, "http://127.0.0.1./", bad},
		{catalog.NetworkPublic, "http://./", bad},
		{catalog.NetworkPublic, "https://user:canary@department.example/", bad},
		{catalog.NetworkPublic, "https://department.example/#canary", bad},
		{catalog.NetworkPublic, "https://department.example/#", bad},
		{catalog.NetworkPublic, "gopher://department.example/", bad},
		{catalog.NetworkPublic, "file:///etc/passwd", bad},
		{catalog.NetworkPublic, "http:department.example", bad},
		{catalog.NetworkPublic, "//department.example", bad},
		{catalog.NetworkPublic, "http://department.example/\r\ncanary", bad},
		{catalog.NetworkPublic, "", bad},
	} {
		u, err := egress.ParseURL(c.url, c.network)
		got := good
		switch {
		case errors.Is(err, egress.ErrForbidden):
			got = forbidden
		case err != nil:
			got = bad
		}
		if got != c.want || (err == nil) != (u != nil) {
			t.Errorf("%q: got %v, want %q", c.url, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: the error quotes it: %v", c.url, err)
		}
	}
}
