package api_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mianti/api"
	"mianti/batch"
	"mianti/catalog"
	"mianti/catalog/suggest"
	"mianti/correction"
	"mianti/draft"
	"mianti/effect"
	"mianti/evidence"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/policies"
	"mianti/safeguard"
	"mianti/sharing"
)

const (
	issuer    = "https://mianti.example"
	secret    = "0123456789abcdef0123456789abcdef"
	personA   = "370199198805163315"
	ownSystem = "spj-approval"
	other     = "ga-approval"
	disabled  = "spj-retired"
)

// at is when the tests take place.
func at() time.Time { return time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC) }

// harness is the whole interface over memory.
type harness struct {
	t       testing.TB
	handler http.Handler
	memory  *memory
	key     *ecdsa.PrivateKey
	client  ed25519.PrivateKey // of the system that signs assertions
	log     *bytes.Buffer
	config  api.Config
	// safeguards are the stops, quotas, alarms and failed logins.
	safeguards *safeguards
	notary     *notary // signs evidence
	said       *said   // of the names of materials
	ledger     *lateLog
}

// noDrafts keeps none.
type noDrafts struct {
	rows
	draft.Publisher
}

type rows interface{ draft.Drafts }

func (noDrafts) Draft(context.Context, string) (*draft.Draft, error) {
	return nil, fault.New(fault.NotFound, "unknown-draft", "没有这份草案")
}

func (noDrafts) Drafts(context.Context, draft.Filter) ([]draft.Outline, error) { return nil, nil }

// noPast has no recorded cases.
type noPast struct{ effect.Past }

func (noPast) PastCases(context.Context, *exchange.PastCase, int) ([]exchange.PastCase, error) {
	return nil, nil
}

// noBatches keeps none.
type noBatches struct{ batch.Store }

func (noBatches) Batch(context.Context, string, string) (*batch.Batch, error) {
	return nil, fault.New(fault.NotFound, "unknown-batch", "没有这个批次")
}

func (noBatches) Batches(context.Context, batch.Filter) ([]batch.Batch, error) { return nil, nil }

func newHarness(t testing.TB) *harness {
	t.Helper()
	rev, err := catalog.Load(os.DirFS("testdata/catalog"))
	if err != nil {
		t.Fatalf("load the test catalog: %v", err)
	}
	rev.Number = 1
	h := &harness{t: t, memory: newMemory(rev), log: &bytes.Buffer{}, safeguards: newSafeguards(), ledger: newLateLog(t), notary: newNotary(t, evidence.ES256), said: &said{}}
	if h.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	keys, err := api.NewSigningKeys(h.key)
	if err != nil {
		t.Fatal(err)
	}
	_, h.client, _ = ed25519.GenerateKey(rand.Reader)
	h.fill()
	var ids atomic.Int64
	newID := func() string { return fmt.Sprintf("id-%d", ids.Add(1)) }
	log := slog.New(slog.NewJSONHandler(h.log, nil))
	x := exchange.New(exchange.Config{
		Catalogs: h.memory, Cases: h.memory, Resolutions: h.memory, Submissions: h.memory, Journal: h.memory, Ledger: h.ledger, Grants: h.memory, Consents: h.memory, Inbox: h.memory,
		Keys: h.memory, Systems: h.memory, Queue: queue{}, Sources: source{},
		Desk: &exchange.Desk{Assists: h.memory, Cases: h.memory, Now: at, NewID: newID, Due: func(from time.Time, days int) time.Time { return from.AddDate(0, 0, days) }},
		Locate: func(string, *catalog.Source) (string, catalog.Network) {
			return "http://127.0.0.1:1", catalog.NetworkLocal
		},
		Evidence: h.notary, Versions: h.memory, SheetKey: bytes.Repeat([]byte{9}, 32),
		SubjectKey: bytes.Repeat([]byte{7}, 32), Now: at, NewID: newID, Log: slog.New(slog.DiscardHandler),
	})
	h.config = api.Config{
		Exchange: x, Ledger: h.ledger, Catalogs: h.memory, Systems: h.memory, Tokens: h.memory, Sharing: sharing.New(sharing.Config{}), Figures: newTestFigures(h.memory, at), Drafter: drafting{}, Effects: &effect.Desk{Past: noPast{}, Rights: h.memory, Journal: h.memory, Now: at}, Corrections: correction.New(correction.Config{}), Drafts: draft.New(draft.Config{Drafts: noDrafts{}, Publisher: noDrafts{}, Now: at, NewID: newID}), Batches: batch.New(batch.Config{Store: noBatches{}, Catalogs: h.memory}), Safeguard: h.safeguards.use(safeguard.LoginLimits{PerAddress: 1000, PerClient: 1000}), Keys: keys, Issuer: issuer, Now: at, NewID: newID, Log: log,
		Suggestions: suggest.NewDesk(suggest.Config{Catalogs: h.memory, Decisions: h.said, Now: at}), EvidenceKeys: h.notary, MaxBody: 64 << 10, People: peopleByHeader{},
	}
	h.handler = h.newHandler(h.config)
	return h
}

func (h *harness) newHandler(c api.Config) http.Handler {
	h.t.Helper()
	handler, err := api.New(c)
	if err != nil {
		h.t.Fatalf("api.New: %v", err)
	}
	return handler
}

// credentialOf gives the id of the one credential of a system.
func credentialOf(system string) string { return "c-" + system }

// fill registers the systems and the one grant.
func (h *harness) fill() {
	public, _ := h.client.Public().(ed25519.PublicKey)
	jwks := fmt.Sprintf(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k1","x":%q}]}`, base64url(public))
	keys, err := api.KeyCredentials([]byte(jwks), func() string { return credentialOf("signer") }, at())
	if err != nil {
		h.t.Fatal(err)
	}
	withSecret := func(id string) []exchange.Credential {
		return []exchange.Credential{api.SecretCredential(credentialOf(id), secret, at())}
	}
	for _, s := range []exchange.System{
		{ID: ownSystem, Department: "SPJ", Credentials: withSecret(ownSystem)},
		{ID: other, Department: "GA", Credentials: withSecret(other)},
		{ID: disabled, Department: "SPJ", Credentials: withSecret(disabled), Disabled: true},
		{ID: "signer", Department: "SPJ", Credentials: keys},
	} {
		h.memory.systems[s.ID] = s
	}
	h.memory.grants = []policies.Grant{{
		ID: "g1", Department: "SPJ", Matter: "S01.M1", Dataset: "D-GA01", Fields: []string{"name", "valid_to"}, Basis: "条例16(2)",
		From: at().AddDate(0, -1, 0), Until: at().AddDate(1, 0, 0), State: policies.GrantActive,
	}}
}

// request makes a request. Headers are names and values by turns.
func request(method, target, body string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

func (h *harness) send(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	return w
}

// call sends a request as a system, with a JSON body if there is any.
func (h *harness) call(system, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	h.t.Helper()
	r := request(method, target, body, headers...)
	r.Header.Set("Authorization", "Bearer "+h.token(system))
	if body != "" && r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return h.send(r)
}

// token gets an access token by the client secret.
func (h *harness) token(system string) string {
	h.t.Helper()
	w := h.send(tokenRequest(url.Values{"grant_type": {"client_credentials"}}, system, secret))
	var got struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.AccessToken == "" {
		h.t.Fatalf("no token: %d %s", w.Code, w.Body)
	}
	return got.AccessToken
}

func tokenRequest(form url.Values, id, password string) *http.Request {
	r := request(http.MethodPost, "/oauth/token", form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	if id != "" {
		r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(password))
	}
	return r
}

// problem is an error as a caller reads it.
type problem struct {
	Type, Title, Detail, Instance, Fault, Code string
	Status                                     int
	RequestID                                  string `json:"request_id"`
	Errors                                     []struct{ Location, Code, Message string }
}

// wantProblem checks that an answer is a problem of this status and code.
func wantProblem(t testing.TB, w *httptest.ResponseRecorder, status int, code string) problem {
	t.Helper()
	var p problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("status %d, body is no problem: %v\n%s", w.Code, err, w.Body)
	}
	if w.Code != status || p.Status != status || p.Code != code || p.Type != "/problems/"+code {
		t.Errorf("got %d %s (%s), want %d %s\n%s", w.Code, p.Code, p.Type, status, code, w.Body)
	}
	if kind := w.Header().Get("Content-Type"); kind != "application/problem+json" {
		t.Errorf("content type %q", kind)
	}
	if p.Title == "" || p.Detail == "" || p.RequestID == "" || p.RequestID != w.Header().Get("X-Request-Id") {
		t.Errorf("incomplete problem: %s", w.Body)
	}
	return p
}

func decode(t testing.TB, w *httptest.ResponseRecorder, into any) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
		t.Fatalf("status %d: %v\n%s", w.Code, err, w.Body)
	}
}

// opening is a good case.
func opening(number string) string {
	return `{"number":"` + number + `","one_thing":"S01","facts":{"need_seal":true,"premises":"own"},"parties":[` +
		`{"id":"p1","roles":["applicant"],"kind":"organization","name":"济南示例新设有限公司"},` +
		`{"id":"p2","roles":["shareholder"],"kind":"person","name":"王建国","number":"` + personA + `","consent":"given"}]}`
}

// open opens a case and gives its id.
func (h *harness) open(number string) string {
	h.t.Helper()
	w := h.call(ownSystem, http.MethodPost, "/v1/cases", opening(number))
	if w.Code != http.StatusCreated {
		h.t.Fatalf("open: %d %s", w.Code, w.Body)
	}
	return strings.TrimPrefix(w.Header().Get("Location"), "/v1/cases/")
}

func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
