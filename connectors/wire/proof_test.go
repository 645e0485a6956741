package wire

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"mianti/catalog"
	"mianti/connectors"
)

func TestDo_SignsEveryCallWithANonceOfItsOwn(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[string]bool{}
	url := listen(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		nonce := r.Header.Get("X-Nonce")
		if len(nonce) < 22 || seen[nonce] || r.Header.Get("X-Signature") == "" || r.Header.Get("X-Timestamp") != "1795392000000" {
			t.Errorf("nonce %q, signed %q at %q", nonce, r.Header.Get("X-Signature"), r.Header.Get("X-Timestamp"))
		}
		seen[nonce] = true
		sendEmpty(w, r)
	})
	secrets := newSecrets()
	secrets.set("s", []byte("secret"))
	client := secrets.client(t)
	q := local()
	q.Source.Auth = &catalog.Auth{HMAC: &catalog.HMACAuth{Key: "k", Secret: "s", Algorithm: "sm3", Sign: "${nonce}"}}
	for range 20 {
		if _, err := client.Do(t.Context(), Call{Query: q, Method: http.MethodPost, URL: url}); err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) != 20 {
		t.Errorf("%d nonces for 20 calls", len(seen))
	}
}

func TestDo_IsMissetWithoutASecret(t *testing.T) {
	t.Parallel()
	url := listen(t, func(http.ResponseWriter, *http.Request) { t.Error("asked all the same") })
	for _, a := range []*catalog.Auth{
		{Header: &catalog.HeaderAuth{Name: "X-App-Key", Secret: "s-none"}},
		{OAuth2: &catalog.OAuth2Auth{TokenURL: "/token", ClientID: "c", Secret: "s-none"}},
	} {
		q := local()
		q.BaseURL, q.Source.Auth = strings.TrimSuffix(url, "/"), a
		for _, client := range []*Client{newClient(t), newSecrets().client(t)} {
			_, err := client.Do(t.Context(), Call{Query: q, Method: http.MethodPost, URL: url})
			wantFault(t, err, connectors.FaultMisset)
			if !strings.Contains(err.Error(), "s-none") {
				t.Errorf("%v does not name the secret", err)
			}
		}
	}
}

func TestDo_GetsANewTokenOnceWhenTheSourceRefusesTheOld(t *testing.T) {
	t.Parallel()
	s := &tokenSource{}
	client, call := s.start(t)
	for _, step := range []struct {
		revoke       bool
		asked, calls int64 // in all, afterwards
	}{{false, 1, 1}, {false, 1, 2}, {true, 2, 4}, {false, 2, 5}} {
		if step.revoke {
			s.good.Store(s.tokens.Load() + 1)
		}
		if _, err := client.Do(t.Context(), call); err != nil {
			t.Fatal(err)
		}
		if s.tokens.Load() != step.asked || s.calls.Load() != step.calls {
			t.Errorf("%d tokens and %d calls, want %d and %d", s.tokens.Load(), s.calls.Load(), step.asked, step.calls)
		}
	}
	s.good.Store(-1) // takes no token at all
	_, err := client.Do(t.Context(), call)
	wantFault(t, err, connectors.FaultRefused)
	if s.tokens.Load() != 3 || s.calls.Load() != 7 {
		t.Errorf("%d tokens and %d calls, want one more and two more", s.tokens.Load(), s.calls.Load())
	}
}

func TestDo_AsksForATokenWithTheSameCare(t *testing.T) {
	t.Parallel()
	elsewhere := listen(t, func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") })
	for _, c := range []struct {
		name   string
		url    string
		answer func(w http.ResponseWriter, r *http.Request)
		want   connectors.FaultKind
	}{
		{"outside the network", "https://10.1.2.3/token", nil, connectors.FaultMisset},
		{"in the clear elsewhere", "http://10.1.2.3/token", nil, connectors.FaultMisset},
		{"moved", "/token", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere, http.StatusTemporaryRedirect)
		}, connectors.FaultMalformed},
		{"too large", "/token", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, strings.Repeat(" ", maxToken)+`{"access_token":"a","token_type":"Bearer"}`)
		}, connectors.FaultMalformed},
		{"cut", "/token", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"access`)
		}, connectors.FaultDown},
		{"out of order", "/token", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, connectors.FaultDown},
	} {
		s := &tokenSource{answer: c.answer}
		client, call := s.start(t)
		call.Query.Source.Auth.OAuth2.TokenURL = c.url
		_, err := client.Do(t.Context(), call)
		t.Log(c.name)
		wantFault(t, err, c.want)
		if n := s.calls.Load(); n != 0 {
			t.Errorf("%s: the source was asked %d times without a token", c.name, n)
		}
	}
}

func TestDo_IsDownWhenTheTokenEndpointIsGone(t *testing.T) {
	t.Parallel()
	s := &tokenSource{}
	client, call := s.start(t)
	call.Query.BaseURL = "http://127.0.0.1:1" // where nobody listens
	_, err := client.Do(t.Context(), call)
	wantFault(t, err, connectors.FaultDown)
}

// tokenSource issues tokens by number and takes them from the number good on.
type tokenSource struct {
	answer        http.HandlerFunc // of the token endpoint, instead of a token
	tokens, calls atomic.Int64
	good          atomic.Int64
}

func (s *tokenSource) start(t *testing.T) (*Client, Call) {
	t.Helper()
	url := listen(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/token" && s.answer != nil:
			s.answer(w, r)
		case r.URL.Path == "/token":
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprintf(w, `{"access_token":"%d","token_type":"Bearer","expires_in":3600}`, s.tokens.Add(1))
		default:
			s.calls.Add(1)
			var number int64
			body, _ := io.ReadAll(r.Body)
			_, err := fmt.Sscanf(r.Header.Get("Authorization"), "Bearer %d", &number)
			if good := s.good.Load(); err != nil || good < 0 || number < good || string(body) != "question" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			sendEmpty(w, r)
		}
	})
	secrets := newSecrets()
	secrets.set("s", []byte("secret"))
	q := local()
	q.BaseURL = strings.TrimSuffix(url, "/")
	q.Source.Auth = &catalog.Auth{OAuth2: &catalog.OAuth2Auth{TokenURL: "/token", ClientID: "client", Secret: "s"}}
	return secrets.client(t), Call{Query: q, Method: http.MethodPost, URL: url + "query", Body: []byte("question")}
}
