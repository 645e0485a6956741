package api

import (
	"fmt"
	"testing"
	"time"
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
