package ledger

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
)

// Links (查阅链) gives the links of a person's first n accesses, in their order:
// hex HMAC-SHA256 under his key of the decimal number of the access, from 1.
//
// The sealed leaf of an entry holds the link of each person whom it concerns.
// Whoever has the key finds in the log each of his accesses, and that link n+1 is
// nowhere: then his list is complete.
func Links(key []byte, n int) []string {
	links := make([]string, max(n, 0))
	for i := range links {
		mac := hmac.New(sha256.New, key)
		mac.Write(strconv.AppendInt(nil, int64(i+1), 10))
		links[i] = hex.EncodeToString(mac.Sum(nil))
	}
	return links
}
