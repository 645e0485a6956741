package ledger_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"mianti/ledger"
)

func hmacHex(key []byte, text string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

func TestDigest_IsHMACOfEveryLength(t *testing.T) {
	t.Parallel()
	for _, keyed := range []int{0, 1, 16, 32, 63, 64, 65, 200} {
		key := bytes.Repeat([]byte{0xa7}, keyed)
		for _, long := range []int{0, 1, 20, 55, 56, 63, 64, 65, 119, 120, 128, 255, 256, 257, 1000} {
			text := strings.Repeat("济", long/3) + strings.Repeat("x", long%3)
			if got, want := ledger.Digest(key, text), "hmac-sha256:"+hmacHex(key, text); got != want {
				t.Errorf("key of %d bytes, text of %d: %s, want %s", keyed, long, got, want)
			}
		}
	}
	if got, want := ledger.Link([]byte("key"), 12), hmacHex([]byte("key"), "12"); got != want {
		t.Errorf("link %s, want %s", got, want)
	}
}

// BenchmarkDigest is the digest of a subject, and the same by the library.
func BenchmarkDigest(b *testing.B) {
	key, text := make([]byte, 32), "organization|91370102MA9X10033G"
	b.Run("written-out", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			ledger.Digest(key, text)
		}
	})
	b.Run("library", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = "hmac-sha256:" + hmacHex(key, text)
		}
	})
}
