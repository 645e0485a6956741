package identity_test

import (
	"bytes"
	"context"
	"encoding/json"
	"html"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"mianti/identity"
	"mianti/identity/testprovider"
	"mianti/internal/fault"
	"mianti/internal/keytest"
	"mianti/internal/pgtest"
	"mianti/ledger"
	"mianti/policies"
	"mianti/store"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m, store.Migrate)) }

const citizenNumber = "370199198805163315"

// site is one replica with its providers, over real HTTP.
type site struct {
	t        *testing.T
	url      string
	identity *identity.Identity
	office   *identity.Office // of the operator at the machine
	db       *store.Store
	log      *lockedBuffer
	clock    *atomic.Int64 // how far it is ahead
	staff    *testprovider.Provider
	citizens *testprovider.Provider
	settings siteSettings
}

type siteSettings struct {
	database string // default: a new SQLite file
	like     *site  // a running site whose providers and database are used
	spoil    func(*testprovider.IDToken)
}

func newSite(t *testing.T, c siteSettings) *site {
	t.Helper()
	s := &site{t: t, log: &lockedBuffer{}, clock: &atomic.Int64{}, settings: c}
	if c.like != nil {
		s.clock, s.staff, s.citizens = c.like.clock, c.like.staff, c.like.citizens
		c.database = c.like.settings.database
	}
	if c.database == "" {
		c.database = "sqlite:" + t.TempDir() + "/identity.db"
		if err := store.Migrate(t.Context(), c.database); err != nil {
			t.Fatal(err)
		}
	}
	s.settings = c
	db, err := store.Open(t.Context(), store.Config{URL: c.database, Keys: keytest.Keys(), Now: s.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s.db = db
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	s.url = server.URL
	if s.staff == nil {
		s.openProviders()
	}
	s.wire()
	handler = s.routes()
	return s
}

func (s *site) now() time.Time { return time.Now().Add(time.Duration(s.clock.Load())) }

func (s *site) pass(d time.Duration) { s.clock.Add(int64(d)) }

// openProviders opens both providers on one port.
func (s *site) openProviders() {
	s.t.Helper()
	listener, err := testprovider.Listen("127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	base := "http://" + listener.Addr().String()
	make := func(kind string, people []testprovider.Person) *testprovider.Provider {
		p, err := testprovider.New(testprovider.Config{
			Issuer: base + "/" + kind, Title: kind, People: people, ClientID: "mianti-" + kind, ClientSecret: "not a secret: +/ &",
			RedirectURLs: []string{s.url + "/auth/callback/" + kind}, Now: s.now, Spoil: func(t *testprovider.IDToken) {
				if s.settings.spoil != nil {
					s.settings.spoil(t)
				}
			},
		})
		if err != nil {
			s.t.Fatal(err)
		}
		return p
	}
	s.staff = make("staff", []testprovider.Person{{Subject: "s-1", Name: "张三"}, {Subject: "s-2", Name: "李四"}, {Subject: "s-3", Name: "<b>\u202e"}})
	s.citizens = make("citizen", []testprovider.Person{
		{Subject: "c-1", Name: "王建国", Claims: map[string]any{"citizen_id": citizenNumber}},
		{Subject: "c-2", Name: "没有号码"},
		{Subject: "c-3", Name: "号码有误", Claims: map[string]any{"citizen_id": "370199198805163316"}},
	})
	mux := http.NewServeMux()
	mux.Handle("/staff/", s.staff)
	mux.Handle("/citizen/", s.citizens)
	serve(s.t, listener, mux)
}

func serve(t *testing.T, listener net.Listener, h http.Handler) {
	server := &http.Server{Handler: h}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
}

func (s *site) provider(p *testprovider.Provider) *identity.Provider {
	s.t.Helper()
	made, err := identity.NewProvider(identity.ProviderConfig{
		Issuer: p.Issuer, ClientID: p.ClientID, ClientSecret: p.ClientSecret, Scopes: []string{"profile"}, Now: s.now,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return made
}

func (s *site) wire() {
	s.t.Helper()
	made, err := identity.New(identity.Config{
		Persons: s.db, Store: s.db.Sessions(), Uses: s.db.Sessions(), Staff: s.provider(s.staff), Citizens: s.provider(s.citizens),
		SubjectOf:      func(number string) string { return ledger.Digest([]byte("key"), number) },
		DepartmentName: departmentName, Address: s.url, Now: s.now, NewID: uuid.NewString, Log: slog.New(slog.NewJSONHandler(s.log, nil)),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.identity = made
	s.office = s.newOffice(true)
}

// newOffice is the office of the operator at the machine, or of administrators.
func (s *site) newOffice(machine bool) *identity.Office {
	return &identity.Office{
		Persons: s.db, Assignments: s.db, Now: s.now, AtTheMachine: machine,
		Known: func(ctx context.Context, code string) (bool, error) { return departmentName(ctx, code) != "", nil },
	}
}

// routes are the pages, and one more that tells who calls.
func (s *site) routes() http.Handler {
	s.t.Helper()
	pages, err := s.identity.Handler()
	if err != nil {
		s.t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/auth/", pages)
	mux.HandleFunc("/whoami", func(w http.ResponseWriter, r *http.Request) {
		caller, err := s.identity.Caller(r)
		if f := fault.As(err); f != nil {
			http.Error(w, f.Code, map[fault.Kind]int{fault.Unauthenticated: 401}[f.Kind])
			return
		}
		if err != nil {
			http.Error(w, err.Error(), 500)
			return
		}
		_ = json.NewEncoder(w).Encode(caller)
	})
	return mux
}

// browser is somebody's browser.
type browser struct {
	t    *testing.T
	http *http.Client
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, http: &http.Client{Jar: jar, Timeout: 20 * time.Second}}
}

// answer is what a page said.
type answer struct {
	status int
	body   string
	at     *url.URL // where the browser ended
	header http.Header
}

func (b *browser) get(address string) answer {
	b.t.Helper()
	response, err := b.http.Get(address)
	return b.read(response, err)
}

func (b *browser) post(address string, form url.Values, headers ...string) answer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := b.http.Do(r)
	return b.read(response, err)
}

func (b *browser) read(response *http.Response, err error) answer {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{response.StatusCode, string(body), response.Request.URL, response.Header}
}

// signIn goes the whole way: our link, the provider's page, the person there, and
// back.
func (b *browser) signIn(s *site, kind, subject string) answer {
	b.t.Helper()
	page := b.get(s.url + "/auth/" + kind + "/login?return=/whoami")
	return b.get(choiceOn(b.t, page, subject))
}

// choiceOn finds a person on the provider's page.
func choiceOn(t *testing.T, page answer, subject string) string {
	t.Helper()
	for _, found := range regexp.MustCompile(`href="([^"]+)"`).FindAllStringSubmatch(page.body, -1) {
		link, err := page.at.Parse(html.UnescapeString(found[1]))
		if err == nil && link.Query().Get("choose") == subject {
			return link.String()
		}
	}
	t.Fatalf("no %s on the page (%d %s):\n%s", subject, page.status, page.at, page.body)
	return ""
}

// callback stops where the provider sends the browser back, and gives that
// address.
func (b *browser) callback(s *site, kind, subject string) string {
	b.t.Helper()
	link := choiceOn(b.t, b.get(s.url+"/auth/"+kind+"/login"), subject)
	b.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	defer func() { b.http.CheckRedirect = nil }()
	return b.get(link).header.Get("Location")
}

func (b *browser) whoami(s *site) (policies.Caller, int) {
	b.t.Helper()
	a := b.get(s.url + "/whoami")
	var caller policies.Caller
	if a.status == http.StatusOK {
		if err := json.Unmarshal([]byte(a.body), &caller); err != nil {
			b.t.Fatal(err)
		}
	}
	return caller, a.status
}

// cookie gives the value of a cookie of the site.
func (b *browser) cookie(s *site, name string) string {
	b.t.Helper()
	at, err := url.Parse(s.url)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range b.http.Jar.Cookies(at) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

func (b *browser) setCookie(s *site, name, value string) {
	b.t.Helper()
	at, err := url.Parse(s.url)
	if err != nil {
		b.t.Fatal(err)
	}
	b.http.Jar.SetCookies(at, []*http.Cookie{{Name: name, Value: value, Path: "/"}})
}

// person gives the person whom the provider knows as subject.
func (s *site) person(name string) identity.Person {
	s.t.Helper()
	all, err := s.db.Persons(s.t.Context(), identity.Filter{Limit: 100})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, p := range all {
		if p.Name == name {
			return p
		}
	}
	s.t.Fatalf("no person called %q among %d", name, len(all))
	return identity.Person{}
}

// machine is the operator at the machine, acting for a department.
func machine(department string) policies.Caller {
	return policies.Caller{Person: ledger.Operator, Department: department}
}

func (s *site) assign(person, department string, duty policies.Duty) {
	s.t.Helper()
	if _, err := s.office.Assign(s.t.Context(), machine(department), person, duty); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) entries() []ledger.Entry {
	s.t.Helper()
	all, err := s.db.Entries(s.t.Context(), "")
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

func departmentName(_ context.Context, code string) string {
	return map[string]string{"SPJ": "市行政审批服务局", "GA": "市公安局"}[code]
}
