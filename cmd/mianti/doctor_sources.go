package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"mianti/catalog"
	"mianti/connectors/egress"
	"mianti/doctor"
)

// place is where one or more sources are.
type place struct {
	address string
	network catalog.Network
	// ownCA says that it is believed by an authority of its own; then its certificate
	// is looked at for its end alone.
	ownCA bool
}

// lookSources reaches every host of the catalog, and looks at its certificate, its
// clock and our credentials for it. It asks about nobody.
func (d *diagnosing) lookSources(ctx context.Context, rev *catalog.Revision) {
	d.slowly("数源")
	places := map[place]int{}
	missing := 0
	for _, dataset := range rev.Datasets() {
		for i := range dataset.Sources {
			source := &dataset.Sources[i]
			for _, f := range secretCheck(d.secrets())(dataset, source) {
				missing++
				d.add(doctor.Failed("数源/凭据 "+string(dataset.Code), "把它放进 MIANTI_SECRETS_DIR，权限 600", errors.New(f.Reason)))
			}
			if address, network := d.locate(dataset.Department, source); isReached(source) {
				if at, ok := hostOf(address, network); ok {
					at.ownCA = source.Auth != nil && source.Auth.TLS != nil && source.Auth.TLS.CA != ""
					places[at]++
				}
			}
		}
	}
	if missing == 0 {
		d.add(doctor.Good("数源/凭据", "目录点名的凭据都在"))
	}
	d.add(reachAll(ctx, places)...)
}

// isReached says whether a source is an interface: a file is brought, and a person asked.
func isReached(source *catalog.Source) bool {
	return source.Kind != catalog.SourceSnapshot && source.Kind != catalog.SourceAssist
}

// hostOf cuts an address to what is connected to.
func hostOf(address string, network catalog.Network) (place, bool) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return place{}, false
	}
	ports := map[string]string{"http": "80", "https": "443", "postgres": "5432", "mysql": "3306"}
	port := u.Port()
	if port == "" {
		port = ports[u.Scheme]
	}
	return place{address: u.Scheme + "://" + net.JoinHostPort(u.Hostname(), port), network: network}, port != ""
}

// reachTogether is how many hosts are reached at once, and reachWithin how long one
// may take.
const (
	reachTogether = 8
	reachWithin   = 5 * time.Second
)

func reachAll(ctx context.Context, places map[place]int) []doctor.Finding {
	var mu sync.Mutex
	var all sync.WaitGroup
	var out []doctor.Finding
	free := make(chan struct{}, reachTogether)
	for at, sources := range places {
		all.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			findings := reach(ctx, at, sources)
			mu.Lock()
			defer mu.Unlock()
			out = append(out, findings...)
		})
	}
	all.Wait()
	slices.SortStableFunc(out, func(a, b doctor.Finding) int { return strings.Compare(a.Check, b.Check) })
	return out
}

// reach connects to a host, and takes its certificate and its clock.
func reach(ctx context.Context, at place, sources int) []doctor.Finding {
	check := "数源 " + at.address
	const do = "找对方和网络管理员：地址、防火墙、专线；地址变了就改目录里的 address"
	ctx, stop := context.WithTimeout(ctx, reachWithin)
	defer stop()
	u, err := url.Parse(at.address)
	if err != nil {
		return []doctor.Finding{doctor.Failed(check, do, err)}
	}
	conn, err := egress.Dialer(at.network).DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return []doctor.Finding{doctor.Failed(check, do, fmt.Errorf("%d 个数源连不上：%w", sources, err))}
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline) // a connection that takes no deadline ends with its peer
	}
	out := []doctor.Finding{doctor.Good(check, fmt.Sprintf("%d 个数源，连得上", sources))}
	if u.Scheme == "https" {
		secured := tls.Client(conn, &tls.Config{ServerName: u.Hostname(), InsecureSkipVerify: true}) // it is verified below, so that a bad one is described
		if err := secured.HandshakeContext(ctx); err != nil {
			return append(out, doctor.Failed(check+" TLS", "请对方检查 TLS 设置", err))
		}
		out = append(out, certificateOf(check, u.Hostname(), at.ownCA, secured.ConnectionState().PeerCertificates)...)
		conn = secured
	}
	if at, err := clockOf(conn, u); err == nil && (u.Scheme == "http" || u.Scheme == "https") {
		if f := doctor.Clock(" "+u.Host+" ", time.Since(at)); f.Level != doctor.OK {
			out = append(out, f)
		}
	}
	return out
}

func certificateOf(check, host string, ownCA bool, chain []*x509.Certificate) []doctor.Finding {
	if len(chain) == 0 {
		return nil
	}
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	out := []doctor.Finding{doctor.Certificate(check+" 证书", chain[0].NotAfter, time.Now())}
	if _, err := chain[0].Verify(x509.VerifyOptions{DNSName: host, Intermediates: between}); err != nil && !ownCA && out[0].Level != doctor.Fail {
		out = append(out, doctor.Failed(check+" 证书", "把签发它的根证书装进本机（update-ca-certificates），或请对方换证书", err))
	}
	return out
}

// clockOf asks for the head of the root, whose date is the server's clock, to a second.
func clockOf(conn net.Conn, u *url.URL) (time.Time, error) {
	if _, err := fmt.Fprintf(conn, "HEAD / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nUser-Agent: mianti-doctor\r\n\r\n", u.Host); err != nil {
		return time.Time{}, err
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: http.MethodHead})
	if err != nil {
		return time.Time{}, err
	}
	defer answer.Body.Close()
	return http.ParseTime(answer.Header.Get("Date"))
}
