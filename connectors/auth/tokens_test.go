package auth_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/auth"
)

func TestToken_IsKeptUntilShortlyBeforeItsEnd(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t)
	for _, step := range []struct {
		after time.Duration
		want  string
	}{
		{0, "token-1"}, {time.Minute, "token-1"},
		{58*time.Minute - 1, "token-1"}, // 59 minutes: a minute before the end
		{1, "token-2"}, {0, "token-2"},
	} {
		e.clock.Add(int64(step.after))
		if got, err := e.ask(t, "", keys{"s": canary}); err != nil || got != step.want {
			t.Errorf("got %q, %v, want %q", got, err, step.want)
		}
	}
}

func TestToken_LivesAsLongAsItsEndpointSays(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]time.Duration{
		`3600`: 59 * time.Minute, `"3600"`: 59 * time.Minute, `100`: 90 * time.Second, `100000000`: 24*time.Hour - time.Minute,
		`0`: 4*time.Minute + 30*time.Second, `-5`: 4*time.Minute + 30*time.Second, `null`: 4*time.Minute + 30*time.Second,
	} {
		e := newEndpoint(t)
		e.expires = said
		for i, step := range []time.Duration{0, want - 1, 1} {
			e.clock.Add(int64(step))
			number := 1 + i/2
			if got, err := e.ask(t, "", keys{"s": canary}); err != nil || got != fmt.Sprintf("token-%d", number) {
				t.Errorf("%s: got %q, %v, want token-%d", said, got, err, number)
			}
		}
	}
}

func TestToken_IsNotGivenAgainWhenItWasRefused(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t)
	for i, step := range []struct{ refused, want string }{
		{"", "token-1"}, {"token-1", "token-2"}, {"token-1", "token-2"}, {"", "token-2"}, {"token-2", "token-3"},
	} {
		if got, err := e.ask(t, step.refused, keys{"s": canary}); err != nil || got != step.want {
			t.Errorf("step %d: got %q, %v, want %q", i, got, err, step.want)
		}
	}
}

func TestToken_BelongsToItsSecret(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t)
	secrets := keys{"s": canary}
	for i, secret := range []string{canary, canary + "2", canary} {
		secrets["s"] = secret
		want := []string{"token-1", "token-2", "token-1"}[i]
		if got, err := e.ask(t, "", secrets); err != nil || got != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
}

func TestToken_IsAskedForOnceAtATime(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t)
	e.hold = make(chan struct{})
	const many = 16
	got := make(chan string, many)
	var started sync.WaitGroup
	for range many {
		started.Add(1)
		go func() {
			started.Done()
			token, err := e.ask(t, "", keys{"s": canary})
			if err != nil {
				t.Error(err)
			}
			got <- token
		}()
	}
	started.Wait()
	close(e.hold)
	for range many {
		if token := <-got; token != "token-1" {
			t.Errorf("got %q", token)
		}
	}
	if n := e.asked.Load(); n != 1 {
		t.Errorf("the endpoint was asked %d times", n)
	}
}

func TestToken_ThatSomebodyGaveUpOnIsNoFaultForTheOthers(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t)
	e.hold = make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := e.tokens.Token(ctx, e.question(""))
		ended <- err
	}()
	<-e.arrived
	cancel()
	if err := <-ended; err == nil {
		t.Error("a token after the caller gave up")
	}
	close(e.hold)
	if got, err := e.ask(t, "", keys{"s": canary}); err != nil || !strings.HasPrefix(got, "token-") {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestToken_TakesTheCredentialsWhereTheEndpointWantsThem(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t)
	e.inForm = true
	for i, want := range []string{"token-1", "token-2"} {
		refused := []string{"", "token-1"}[i]
		if got, err := e.ask(t, refused, keys{"s": canary}); err != nil || got != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	if n := e.asked.Load(); n != 3 { // the first time in both ways
		t.Errorf("the endpoint was asked %d times, want 3", n)
	}
}

func TestToken_SaysWhatIsWrongWithoutTheEndpointsWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		status int
		body   string
		want   connectors.FaultKind
	}{
		{"bad request", 400, `{"error":"invalid_client","error_description":"` + canary + `"}`, connectors.FaultRefused},
		{"unauthorized", 401, canary, connectors.FaultRefused},
		{"refused in the body", 200, `{"error":"invalid_client"}`, connectors.FaultRefused},
		{"too many", 429, `{}`, connectors.FaultBusy},
		{"out of order", 500, canary, connectors.FaultDown},
		{"elsewhere", 302, ``, connectors.FaultMalformed},
		{"not found", 404, canary, connectors.FaultMalformed},
		{"no JSON", 200, canary, connectors.FaultMalformed},
		{"no token", 200, `{"token_type":"Bearer"}`, connectors.FaultMalformed},
		{"another kind", 200, `{"access_token":"` + canary + `","token_type":"mac"}`, connectors.FaultMalformed},
		{"two lines", 200, `{"access_token":"` + canary + `\nX-Other: 1","token_type":"Bearer"}`, connectors.FaultMalformed},
	} {
		e := newEndpoint(t)
		e.status, e.body = c.status, c.body
		_, err := e.ask(t, "", keys{"s": canary})
		var fault *connectors.Fault
		if !errors.As(err, &fault) || fault.Kind != c.want {
			t.Errorf("%s: got %v, want fault %s", c.name, err, c.want)
			continue
		}
		if strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: the fault quotes the endpoint or a secret", c.name)
		}
	}
}

func TestToken_ComesFromTheSourceOrByHTTPS(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t)
	for _, address := range []string{"http://elsewhere.example/token", "token", "", "ftp://elsewhere.example/"} {
		q := e.question("")
		q.Auth.TokenURL = address
		if _, err := e.tokens.Token(t.Context(), q); connectors.KindOf(err) != connectors.FaultMisset {
			t.Errorf("%q: got %v, want fault misset", address, err)
		}
	}
}

func TestToken_GivesWhatTheTransportSays(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t)
	q := e.question("")
	q.Transport = broken{&connectors.Fault{Kind: connectors.FaultMisset}}
	if _, err := e.tokens.Token(t.Context(), q); connectors.KindOf(err) != connectors.FaultMisset {
		t.Errorf("got %v, want the transport's own fault", err)
	}
	q.Transport = broken{io.ErrUnexpectedEOF}
	if _, err := e.tokens.Token(t.Context(), q); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v, want the transport's own error", err)
	}
}

// broken is a transport that gives an error.
type broken struct{ err error }

func (b broken) RoundTrip(*http.Request) (*http.Response, error) { return nil, b.err }

// endpoint issues token-1, token-2 and so on.
type endpoint struct {
	url     string
	secrets keys
	tokens  *auth.Tokens
	clock   atomic.Int64
	asked   atomic.Int64
	arrived chan struct{}

	expires string
	status  int
	body    string
	inForm  bool
	hold    chan struct{}
}

func newEndpoint(t *testing.T) *endpoint {
	t.Helper()
	e := &endpoint{expires: "3600", secrets: keys{"s": canary}, arrived: make(chan struct{}, 100)}
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	e.url = server.URL
	e.tokens = auth.NewTokens(e.secrets, func() time.Time { return time.Unix(0, e.clock.Load()) })
	return e
}

func (e *endpoint) question(refused string) auth.TokenQuestion {
	return auth.TokenQuestion{
		Source: "S", BaseURL: e.url, Transport: http.DefaultTransport, Refused: refused,
		Auth: &catalog.OAuth2Auth{TokenURL: "/oauth/token", ClientID: "client", Secret: "s", Scopes: []string{"read", "write"}},
	}
}

// ask sets the secret first, so it is not for many goroutines with several.
func (e *endpoint) ask(t *testing.T, refused string, secrets keys) (string, error) {
	t.Helper()
	if e.secrets["s"] != secrets["s"] {
		e.secrets["s"] = secrets["s"]
	}
	return e.tokens.Token(t.Context(), e.question(refused))
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	number := e.asked.Add(1)
	e.arrived <- struct{}{}
	if e.hold != nil {
		<-e.hold
	}
	if err := r.ParseForm(); err != nil || r.URL.Path != "/oauth/token" || r.PostForm.Get("grant_type") != "client_credentials" || r.PostForm.Get("scope") != "read write" {
		http.Error(w, "no such question", http.StatusTeapot)
		return
	}
	client, secret, _ := r.BasicAuth()
	if e.inForm {
		client, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
		number-- // the first question was in the header
	}
	w.Header().Set("Content-Type", "application/json")
	switch secret, err := url.QueryUnescape(secret); {
	case e.status != 0:
		w.WriteHeader(e.status)
		_, _ = io.WriteString(w, e.body)
	case err != nil || client != "client" || !strings.HasPrefix(secret, canary):
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error":"invalid_client"}`)
	default:
		_, _ = fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"bearer","expires_in":%s}`, number, e.expires)
	}
}
