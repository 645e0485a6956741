package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os/exec"
	"strings"
	"time"

	"mianti/bench/load"
	"mianti/identity/testprovider"
)

const (
	staffClient  = "mianti-soak"
	staffSubject = "clerk"
)

// provider is the OpenID provider of staff, with one person.
type provider struct {
	issuer string
	server *http.Server
}

func newProvider() (*provider, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &provider{issuer: "http://" + listener.Addr().String() + "/staff"}
	handler, err := testprovider.New(testprovider.Config{
		Issuer: p.issuer, Title: "登录", ClientID: staffClient, RedirectURLs: []string{load.Issuer + "/auth/callback/staff"}, Now: time.Now,
		People: []testprovider.Person{{Subject: staffSubject, Name: "测试窗口人员"}},
	})
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	p.server = &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = p.server.Serve(listener) }() // ends with close
	return p, nil
}

// browser is a clerk's, who knows the exchange by its one address.
type browser struct{ client *http.Client }

// front is the balancer as a browser sees it: TLS ends there.
type front struct {
	bed   *bed
	carry *http.Transport
}

// RoundTrip keeps http.RoundTripper.
func (f front) RoundTrip(r *http.Request) (*http.Response, error) {
	to := strings.TrimPrefix(load.Issuer, "https://")
	if r.URL.Host != to {
		return f.carry.RoundTrip(r)
	}
	node, _ := f.bed.pick()
	if node == nil {
		return nil, errors.New("no node runs")
	}
	inner := r.Clone(r.Context())
	inner.URL.Scheme, inner.URL.Host, inner.Host = "http", strings.TrimPrefix(node.URL, "http://"), to
	return f.carry.RoundTrip(inner)
}

// CloseIdleConnections is what http.Client looks for.
func (f front) CloseIdleConnections() { f.carry.CloseIdleConnections() }

// signIn goes the whole way, and has the clerk made one.
func (b *bed) signIn(ctx context.Context) (*browser, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	s := &browser{&http.Client{Jar: jar, Timeout: answerWithin, Transport: front{b, &http.Transport{MaxIdleConnsPerHost: 16, IdleConnTimeout: 30 * time.Second}}}}
	page, err := s.client.Get(load.Issuer + "/auth/staff/login?return=/v1/session")
	if err != nil {
		return nil, err
	}
	_ = page.Body.Close() // what stands on it is not needed
	if page, err = s.client.Get(page.Request.URL.String() + "&choose=" + staffSubject); err != nil {
		return nil, err
	}
	_ = page.Body.Close()
	back, err := s.client.Get(load.Issuer + "/v1/session")
	if err != nil {
		return nil, err
	}
	defer back.Body.Close()
	text, err := io.ReadAll(back.Body)
	if err != nil {
		return nil, err
	}
	var me struct{ Person string }
	if err := json.Unmarshal(text, &me); err != nil || me.Person == "" {
		return nil, fmt.Errorf("the clerk does not get in: %s: %.300s", back.Status, text)
	}
	for _, duty := range []string{"clerk", "department_admin"} {
		cmd := exec.CommandContext(ctx, b.tools.Mianti, "person", "assign", me.Person, "--department="+load.AskingDepartment, "--duty="+duty, "--database="+b.pooled)
		if said, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("assign: %w: %s", err, said)
		}
	}
	return s, nil
}

// staffPages are what a clerk looks at, with what stands on them. All of them are read
// from the replica, but for what was written lately.
func staffPages() map[string]string {
	return map[string]string{"/clerk": "LOAD-", "/clerk?state=done": "收件台", "/overview": "指标"}
}

// looking is a page of staff that is looked at.
func looking(path string) request {
	want := staffPages()[path]
	return request{method: http.MethodGet, path: path, staff: true, took: func(body []byte) error {
		if !strings.Contains(string(body), want) {
			return fmt.Errorf("%s does not show %q", path, want)
		}
		return nil
	}}
}
