package main

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mianti/exchange"
	"mianti/internal/pgtest"
	"mianti/policies"
)

// TestRevoked_StopsTheNextReleaseOnTheOtherReplica runs two servers on one
// PostgreSQL, and ends beside them a grant, a consent, a key and a system, and
// stops one. What rested on it was released before by replica B: its very next
// reading and its very next resolution release nothing on a grant or a consent that has
// ended, and within two seconds it refuses a system that may not ask any more.
func TestRevoked_StopsTheNextReleaseOnTheOtherReplica(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the program twice")
	}
	t.Parallel()
	r := newRevoking(t)
	t.Run("grant", r.suspendGrant)
	t.Run("consent", r.withdrawConsent)
	t.Run("key", r.revokeKey)
	t.Run("system", func(t *testing.T) {
		h := r.hold(t, "gone", "")
		h.wantRefused(t, http.StatusUnauthorized, "unauthenticated", func() { r.tool(t, "system", "revoke", h.system) })
	})
	t.Run("stop", func(t *testing.T) {
		h := r.hold(t, "stopped", "")
		h.wantRefused(t, http.StatusForbidden, "stopped", func() { r.tool(t, "stop", "add", "system", h.system, "--reason=演练") })
		r.tool(t, "stop", "lift", "system", h.system)
		h.await(t, "the stop was lifted", func() error { _, err := h.resolve(t); return err }, func(err error) bool { return err == nil })
	})
}

// endHolds is within what time an end must hold on every replica.
const endHolds = 2 * time.Second

// publicAddress is the exchange as its callers know it; see startServer.
const publicAddress = "https://mianti.test"

// revoking is two replicas of one database and one set of keys.
type revoking struct {
	restarting
	a, b *killable
}

func newRevoking(t *testing.T) *revoking {
	t.Helper()
	r := &revoking{restarting: restarting{killing: *newKilling(t, t.Context(), pgtest.Database(t))}}
	people, err := openDemoPeople("127.0.0.1:0", publicAddress)
	if err != nil {
		t.Fatal(err)
	}
	provider := &http.Server{Handler: people.handler, ReadHeaderTimeout: time.Second}
	go func() { _ = provider.Serve(people.listener) }()
	t.Cleanup(func() { _ = provider.Close() })
	settings := people.settings()
	args := []string{"--citizen-issuer", settings.CitizenIssuer, "--citizen-client-id", settings.CitizenClientID}
	for _, replica := range []**killable{&r.a, &r.b} {
		server := r.startServer(t, args...)
		t.Cleanup(func() { server.kill(t) })
		*replica = server
	}
	return r
}

// tool runs the program to its end on the database, and gives what it prints.
func (r *revoking) tool(t *testing.T, args ...string) string {
	t.Helper()
	return mianti(t, 0, append(args, "--database="+r.database)...)
}

// held is a case that replica B resolves, with a token of replica A.
type held struct {
	system, caseID string
	b              *client
	first          *exchange.Resolution
}

// hold registers a system and opens a case for it at replica A. asked is the
// party for whom the window has relayed nothing; "" for none.
func (r *revoking) hold(t *testing.T, system, asked string) *held {
	t.Helper()
	secret := secretIn(t, r.tool(t, "system", "add", system, "--department=SPJ", "--name=审批"))
	a := newClient(r.a.url, system, secret)
	if err := a.signIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	h := &held{system: system, b: newClient(r.b.url, system, secret)}
	h.b.token = a.token
	var opened struct {
		ID string `json:"id"`
	}
	if err := a.call(t.Context(), http.MethodPost, "/v1/cases", r.founding(t, "REVOKED-"+system, asked), &opened); err != nil {
		t.Fatal(err)
	}
	h.caseID = opened.ID
	if asked == "" {
		h.resolveFirst(t)
	}
	return h
}

// founding is the case of a company that is founded, under another number.
func (r *revoking) founding(t *testing.T, number, asked string) map[string]any {
	t.Helper()
	at := slices.IndexFunc(r.cases, func(c namedCase) bool { return c.Name == "S01-own-premises.yaml" })
	var body map[string]any
	if err := json.Unmarshal([]byte(asJSON(t, r.cases[at].Case)), &body); err != nil {
		t.Fatal(err)
	}
	body["number"] = number
	for _, each := range body["parties"].([]any) {
		if party := each.(map[string]any); party["id"] == asked {
			delete(party, "consent")
		}
	}
	return body
}

func (h *held) resolve(t *testing.T) (*exchange.Resolution, error) {
	t.Helper()
	var got exchange.Resolution
	err := h.b.call(t.Context(), http.MethodPost, "/v1/cases/"+h.caseID+"/resolutions", struct{}{}, &got)
	return &got, err
}

// read reads the first resolution again.
func (h *held) read(t *testing.T) (*exchange.Resolution, error) {
	t.Helper()
	var got exchange.Resolution
	err := h.b.call(t.Context(), http.MethodGet, "/v1/resolutions/"+h.first.ID, nil, &got)
	return &got, err
}

// resolveFirst makes the first resolution, and wants it to be readable: before
// the end nothing stands in the way.
func (h *held) resolveFirst(t *testing.T) {
	t.Helper()
	var err error
	if h.first, err = h.resolve(t); err != nil {
		t.Fatalf("before the end: resolve: %v", err)
	}
	if _, err := h.read(t); err != nil {
		t.Fatalf("before the end: read: %v", err)
	}
}

// evidences are those of a resolution that rest on something.
func evidences(r *exchange.Resolution, rests func(*exchange.Evidence) bool) []*exchange.Evidence {
	var found []*exchange.Evidence
	for i := range r.Materials {
		found = append(found, r.Materials[i].Evidences()...)
	}
	return slices.DeleteFunc(found, func(e *exchange.Evidence) bool { return !rests(e) })
}

func givesFields(e *exchange.Evidence) bool { return len(e.Fields) > 0 && e.Withheld == "" }

// wantWithheld ends a right: the next reading says why the fields are gone, and
// the next resolution, which it gives, has no evidence on the right.
func (h *held) wantWithheld(t *testing.T, why exchange.Withheld, rests func(*exchange.Evidence) bool, end func()) *exchange.Resolution {
	t.Helper()
	before, err := h.read(t)
	if err != nil {
		t.Fatal(err)
	}
	again, err := h.resolve(t)
	if err != nil {
		t.Fatal(err)
	}
	for does, r := range map[string]*exchange.Resolution{"resolution": h.first, "reading": before, "second resolution": again} {
		if !slices.ContainsFunc(evidences(r, rests), givesFields) {
			t.Fatalf("before the end the %s releases nothing that rests on it; the test would prove nothing", does)
		}
	}
	end()
	read, next := h.veryNext(t)
	if read.err != nil || next.err != nil {
		t.Fatalf("read: %v, resolve: %v", read.err, next.err)
	}
	if got, want := len(evidences(read.got, rests)), len(evidences(before, rests)); got != want {
		t.Errorf("%d evidences of the earlier resolution rest on it, want %d", got, want)
	}
	for _, e := range evidences(read.got, rests) {
		if e.Withheld != why || len(e.Fields) > 0 || e.Reference != "" || e.ValidUntil != "" {
			t.Errorf("reading: withheld %q with %d fields, want %q with none", e.Withheld, len(e.Fields), why)
		}
	}
	if left := evidences(next.got, rests); len(left) > 0 {
		t.Errorf("resolution: %d evidences still rest on it", len(left))
	}
	return next.got
}

// wantRefused ends what the caller is known by: within endHolds readings and
// resolutions are refused.
func (h *held) wantRefused(t *testing.T, status int, code string, end func()) {
	t.Helper()
	end()
	h.await(t, "it is refused", func() error { _, err := h.read(t); return err }, isProblem(status, code))
	read, resolve := h.veryNext(t)
	for does, err := range map[string]error{"reading": read.err, "resolution": resolve.err} {
		if !isProblem(status, code)(err) {
			t.Errorf("%s: %v, want %d %s", does, err, status, code)
		}
	}
}

func isProblem(status int, code string) func(error) bool {
	return func(err error) bool {
		var p *problem
		return errors.As(err, &p) && p.Status == status && p.Code == code
	}
}

// await asks replica B again and again until it knows what another process has changed,
// for endHolds at most.
func (h *held) await(t *testing.T, what string, ask func() error, knows func(error) bool) {
	t.Helper()
	changed := time.Now()
	for {
		asked := time.Now()
		err := ask()
		if knows(err) {
			t.Logf("replica B knows that %s %s after it was", what, time.Since(changed).Round(time.Millisecond))
			return
		}
		if asked.Sub(changed) > endHolds {
			t.Fatalf("%s after the change replica B does not know that %s: %v", asked.Sub(changed), what, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// answered is what came of a request, and how long after the end.
type answered struct {
	got   *exchange.Resolution
	err   error
	after time.Duration
}

// veryNext reads and resolves at once, so that neither is helped by what the
// other made replica B look up.
func (h *held) veryNext(t *testing.T) (read, resolved answered) {
	t.Helper()
	ended := time.Now()
	var both sync.WaitGroup
	both.Go(func() {
		read.got, read.err = h.read(t)
		read.after = time.Since(ended)
	})
	both.Go(func() {
		resolved.got, resolved.err = h.resolve(t)
		resolved.after = time.Since(ended)
	})
	both.Wait()
	t.Logf("replica B answered a reading %s and a resolution %s after the end",
		read.after.Round(time.Millisecond), resolved.after.Round(time.Millisecond))
	if slowest := max(read.after, resolved.after); slowest > endHolds {
		t.Errorf("answered %s after the end, want at most %s", slowest, endHolds)
	}
	return read, resolved
}

func (r *revoking) suspendGrant(t *testing.T) {
	h := r.hold(t, "grants", "")
	released := evidences(h.first, func(e *exchange.Evidence) bool { return e.Grant != "" && givesFields(e) })
	if len(released) == 0 {
		t.Fatal("nothing with fields rests on a grant")
	}
	grant := released[0].Grant
	rests := func(e *exchange.Evidence) bool { return e.Grant == grant }
	h.wantWithheld(t, exchange.WithheldGrantSuspended, rests, func() { r.tool(t, "grant", "suspend", grant, "--reason=演练") })
	r.tool(t, "grant", "resume", grant, "--reason=演练结束")
	if back, err := h.read(t); err != nil || !slices.ContainsFunc(evidences(back, rests), givesFields) {
		t.Errorf("after it was resumed nothing is released: %v", err)
	}
}

// withdrawConsent lets a shareholder sign in at replica A, agree to what he is
// asked, and take it back.
func (r *revoking) withdrawConsent(t *testing.T) {
	const shareholder = "p2"
	h := r.hold(t, "consents", shareholder)
	var asked exchange.ConsentsAsked
	if err := h.b.call(t.Context(), http.MethodPost, "/v1/cases/"+h.caseID+"/consents", struct{}{}, &asked); err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(asked.Consents, func(c exchange.Consent) bool { return c.Party == shareholder })
	if at < 0 {
		t.Fatalf("he is not asked: %+v", asked)
	}
	id := asked.Consents[at].ID
	citizen := r.signInAtA(t, "wang")
	var sheet exchange.Consent
	if status, body := citizen.call(http.MethodGet, "/v1/consents/"+id, ""); status != http.StatusOK || json.Unmarshal([]byte(body), &sheet) != nil {
		t.Fatalf("he reads what he is asked: %d %s", status, body)
	}
	yes := asJSON(t, exchange.ConsentDecision{Decision: "given", SheetDigest: sheet.SheetDigest})
	if status, body := citizen.call(http.MethodPost, "/v1/consents/"+id+"/decision", yes); status != http.StatusOK {
		t.Fatalf("he agrees: %d %s", status, body)
	}
	h.resolveFirst(t)
	rests := func(e *exchange.Evidence) bool { return e.Consent == id }
	next := h.wantWithheld(t, exchange.WithheldConsentWithdrawn, rests, func() {
		if status, body := citizen.call(http.MethodPost, "/v1/consents/"+id+"/withdrawal", ""); status != http.StatusOK {
			t.Fatalf("he takes it back: %d %s", status, body)
		}
	})
	for i := range h.first.Materials {
		m := &h.first.Materials[i]
		if !slices.ContainsFunc(m.Evidences(), rests) {
			continue
		}
		now := slices.IndexFunc(next.Materials, func(n exchange.MaterialResult) bool { return n.Code == m.Code && sameParty(&n, m) })
		if now < 0 || next.Materials[now].Outcome != policies.Upload {
			t.Errorf("%s does not have to be uploaded now: %+v", m.Code, next.Materials)
		}
	}
}

func sameParty(a, b *exchange.MaterialResult) bool {
	return a.Subject != nil && b.Subject != nil && a.Subject.Party == b.Subject.Party
}

// revokeKey ends one of two keys of a system: the token that came of it is
// refused, and the other one is not.
func (r *revoking) revokeKey(t *testing.T) {
	h := r.hold(t, "keys", "")
	var listed []listedSystem
	if err := json.Unmarshal([]byte(r.tool(t, "system", "list", "--json")), &listed); err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(listed, func(s listedSystem) bool { return s.ID == h.system })
	key := listed[at].Credentials[0].ID
	other := *h
	other.b = newClient(r.b.url, h.system, secretIn(t, r.tool(t, "system", "rotate", h.system)))
	if err := other.b.signIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := h.read(t); err != nil {
		t.Fatalf("within the overlap the first key is refused: %v", err)
	}
	h.wantRefused(t, http.StatusUnauthorized, "unauthenticated", func() { r.tool(t, "system", "revoke", h.system, "--credential="+key) })
	if err := h.b.signIn(t.Context()); err == nil {
		t.Error("the key gets a new token")
	}
	if _, err := other.resolve(t); err != nil {
		t.Errorf("the other key: %v", err)
	}
}

// signInAtA is an applicant's browser whose proxy hands it to replica A.
func (r *revoking) signInAtA(t *testing.T, subject string) *surfer {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &surfer{t: t, url: publicAddress, http: &http.Client{Jar: jar, Timeout: 20 * time.Second, Transport: proxyTo(r.a.url)}}
	login := s.open(publicAddress + "/auth/citizen/login?return=/v1/session")
	s.open(login.String() + "&choose=" + subject)
	if status, body := s.call(http.MethodGet, "/v1/session", ""); status != http.StatusOK || !strings.Contains(body, `"citizen"`) {
		t.Fatalf("he is not signed in: %d %s", status, body)
	}
	return s
}

// open follows a link, and says where it led.
func (s *surfer) open(link string) *url.URL {
	s.t.Helper()
	page, err := s.http.Get(link)
	if err != nil {
		s.t.Fatal(err)
	}
	defer page.Body.Close()
	if _, err := io.Copy(io.Discard, page.Body); err != nil || page.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %d (%v)", page.Request.URL.Path, page.StatusCode, err)
	}
	return page.Request.URL
}

// proxyTo stands where a deployment has the proxy that ends TLS: what is for the
// public address goes to one server.
type proxyTo string

// RoundTrip sends one request.
func (p proxyTo) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme+"://"+r.URL.Host != publicAddress {
		return http.DefaultTransport.RoundTrip(r)
	}
	onward := r.Clone(r.Context())
	onward.Host = r.URL.Host
	onward.URL.Scheme, onward.URL.Host = "http", strings.TrimPrefix(string(p), "http://")
	response, err := http.DefaultTransport.RoundTrip(onward)
	if response != nil {
		response.Request = r
	}
	return response, err
}
