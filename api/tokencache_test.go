package api

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"mianti/exchange"
)

func TestTokenCache_FindsWhatIsKeptWhileItLives(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
	token := &access{system: "spj-1", expires: now.Add(time.Minute)}
	var c tokenCache
	if c.find("a", now) != nil {
		t.Error("an empty cache knows a token")
	}
	c.keep("a", token, now)
	for _, s := range []struct {
		text string
		at   time.Time
		want *access
	}{
		{"a", now, token}, {"a", now.Add(time.Minute - 1), token}, {"a", now.Add(time.Minute), nil}, {"a", now.Add(time.Hour), nil},
		{"a", now.Add(-1), nil}, {"b", now, nil}, {"", now, nil}, {string(make([]byte, maxToken+1)), now, nil},
	} {
		if got := c.find(s.text, s.at); got != s.want {
			t.Errorf("%.10q at %v: %v, want %v", s.text, s.at, got, s.want)
		}
	}
}

func TestTokenCache_IsBounded(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
	var c tokenCache
	for i := range 5 * maxTokens {
		text := fmt.Sprint(i)
		c.keep(text, &access{expires: now.Add(time.Hour)}, now)
		if c.find(text, now) == nil {
			t.Fatalf("token %d is not kept", i)
		}
	}
	if n := len(c.young) + len(c.older); n > 2*maxTokens {
		t.Errorf("%d tokens are kept", n)
	}
	if c.find("0", now) != nil {
		t.Error("the first is still kept")
	}
}

// BenchmarkAccessToken verifies a token that is known, and one that is not, in
// one run.
func BenchmarkAccessToken(b *testing.B) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	keys, err := NewSigningKeys(key)
	if err != nil {
		b.Fatal(err)
	}
	s := &server{
		Config:   Config{Issuer: "https://mianti.test", Keys: keys, Now: time.Now, NewID: func() string { return "t-1" }, TokenLife: time.Hour},
		audience: "https://mianti.test/v1",
	}
	s.tokens = s.accessTokenParser()
	text, err := s.sign(&client{system: &exchange.System{ID: "spj-1", Department: "SPJ"}, credential: "c-1"}, confirmation{})
	if err != nil {
		b.Fatal(err)
	}
	for name, verify := range map[string]func(string) (*access, error){"known": s.verify, "anew": s.verifyAnew} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if token, err := verify(text); err != nil || token.system != "spj-1" {
					b.Fatalf("%v %v", token, err)
				}
			}
		})
	}
}
