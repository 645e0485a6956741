package admission

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Front stands before a handler, and lets requests through as its gate says.
type Front struct {
	Gate    *Gate
	Callers *Callers
	// Classify says what a request is, by its method and address alone.
	Classify func(r *http.Request) (Class, string)
	// Refuse answers a request that is not let in. It MUST be quick.
	Refuse func(w http.ResponseWriter, r *http.Request, wait time.Duration)
	// Trusted are the proxies whose X-Forwarded-For is believed.
	Trusted []netip.Prefix
}

// ParseTrusted reads addresses of proxies, or ranges of them.
func ParseTrusted(addresses []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, text := range addresses {
		if one, err := netip.ParseAddr(text); err == nil {
			out = append(out, netip.PrefixFrom(one, one.BitLen()))
			continue
		}
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("trusted proxies: %q is neither an address nor a range of addresses", text)
		}
		out = append(out, prefix)
	}
	return out, nil
}

// Handler puts the gate before next. Whoever is refused is refused before his
// request's body is read, and a body is read before a place is taken: neither a
// flood nor a caller who sends slowly costs the others theirs.
func (f *Front) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked := f.request(r)
		if hasBody(r) {
			if wait, refused := f.Gate.WouldRefuse(asked); refused {
				f.Refuse(w, r, wait)
				return
			}
			readAhead(r)
		}
		ticket, err := f.Gate.Admit(r.Context(), asked)
		if err != nil {
			f.refuse(w, r, err)
			return
		}
		defer ticket.Done()
		next.ServeHTTP(&writer{ResponseWriter: w, ticket: ticket}, r.WithContext(With(r.Context(), ticket)))
	})
}

// refuse answers whoever was not let in. One who has gone needs no answer.
func (f *Front) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var refusal *Refusal
	if errors.As(err, &refusal) {
		f.Refuse(w, r, refusal.Wait)
	}
}

// request says to whom a request is counted. Who is not known by his credential
// comes in at the door, and is counted by where he comes from.
func (f *Front) request(r *http.Request) Request {
	class, kind := f.Classify(r)
	if caller := f.Callers.Known(r); caller != "" {
		return Request{Class: class, Flow: caller, Kind: kind}
	}
	if class == Work || class == Steering {
		class = Door
	}
	return Request{Class: class, Flow: f.origin(r), Kind: kind}
}

// origin is the address that a request comes from; of IPv6 the network, of which
// anybody has as many addresses as he likes.
func (f *Front) origin(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	at, err := netip.ParseAddr(host)
	if err != nil {
		return "elsewhere"
	}
	at = f.client(at, r.Header["X-Forwarded-For"])
	if at = at.Unmap(); at.Is4() {
		return at.String()
	}
	network, err := at.WithZone("").Prefix(64)
	if err != nil {
		return "elsewhere"
	}
	return network.String()
}

// client goes from the last proxy back to the first address that is none of ours.
func (f *Front) client(at netip.Addr, forwarded []string) netip.Addr {
	if len(f.Trusted) == 0 || len(forwarded) == 0 {
		return at
	}
	hops := strings.Split(strings.Join(forwarded, ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !f.trusts(at) {
			return at
		}
		before, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			return at
		}
		at = before
	}
	return at
}

func (f *Front) trusts(at netip.Addr) bool {
	return slices.ContainsFunc(f.Trusted, func(p netip.Prefix) bool { return p.Contains(at.Unmap()) })
}

// aheadBytes is how much of a body is read before a place is taken.
const aheadBytes = 64 << 10

func hasBody(r *http.Request) bool {
	return r.Body != nil && r.Body != http.NoBody && r.ContentLength != 0
}

// readAhead reads the body as far as it is small, and puts it back. What goes wrong
// meanwhile is told to whoever reads on.
func readAhead(r *http.Request) {
	size := r.ContentLength
	if size > aheadBytes || r.Header.Get("Expect") != "" {
		return // it takes its time, and is read by who wants it
	}
	if size < 0 {
		size = aheadBytes
	}
	var read bytes.Buffer
	read.Grow(int(min(size, 4<<10)) + bytes.MinRead)
	_, err := read.ReadFrom(io.LimitReader(r.Body, size))
	r.Body = &ahead{read: &read, err: err, rest: r.Body}
}

// ahead is a body of which some was read already.
type ahead struct {
	read *bytes.Buffer
	err  error
	rest io.ReadCloser
}

// Read gives what was read, then the rest.
func (a *ahead) Read(p []byte) (int, error) {
	if a.read.Len() > 0 {
		return a.read.Read(p)
	}
	if a.err != nil {
		return 0, a.err
	}
	return a.rest.Read(p)
}

// Close closes the rest.
func (a *ahead) Close() error { return a.rest.Close() }
