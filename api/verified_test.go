package api

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"time"
)

func TestVerified_RemembersATokenUntilItEndsOrAMinuteHasPassed(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		expires, until time.Time
	}{
		"long":  {now.Add(10 * time.Minute), now.Add(verifiedLife)},
		"short": {now.Add(20 * time.Second), now.Add(20 * time.Second)},
	} {
		var v verified
		token, digest := &access{system: "spj-1", expires: test.expires}, sha256.Sum256([]byte(name))
		v.keep(digest, token, now)
		if got := v.find(digest, test.until.Add(-time.Nanosecond)); got != token {
			t.Errorf("%s: before its end: %v", name, got)
		}
		if got := v.find(digest, test.until); got != nil {
			t.Errorf("%s: at its end it is still believed", name)
		}
		if got := v.find(sha256.Sum256([]byte("another")), now); got != nil {
			t.Errorf("%s: another token is believed", name)
		}
	}
}

func TestVerified_IsBounded(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	var v verified
	token := &access{expires: now.Add(time.Hour)}
	for i := range 3 * maxVerified {
		v.keep(sha256.Sum256(fmt.Append(nil, i)), token, now)
	}
	if len(v.tokens) > maxVerified {
		t.Errorf("%d tokens are remembered, want at most %d", len(v.tokens), maxVerified)
	}
}
