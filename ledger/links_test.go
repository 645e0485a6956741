package ledger_test

import (
	"testing"

	"mianti/ledger"
)

// The expected values are those of: printf 1 | openssl dgst -sha256 -hmac key
func TestLinks_AreTheKeyedHashesOfTheirNumbers(t *testing.T) {
	t.Parallel()
	links := ledger.Links([]byte("key"), 10)
	if len(links) != 10 || links[0] != "6da91fb91517be1f5cdcf3af91d7d40c717dd638a306157606fb2e584f7ae926" || links[9] != "7403041236204d258ccdd2c2fab191b30c4c8573b4ecbd67894f3b6597bac5f8" {
		t.Errorf("links %v", links)
	}
	if got := ledger.Links([]byte("key"), -1); len(got) != 0 {
		t.Errorf("fewer than none gives %v", got)
	}
}
