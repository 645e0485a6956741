package ledger

import "strconv"

// Link (查阅链的一环) is what marks a person's nth access, from 1: hex HMAC-SHA256
// under his key of the decimal number.
//
// The sealed leaf of an entry holds the link of each person whom it concerns.
// Whoever has the key finds in the log each of his accesses, and that the link
// after the last is nowhere: then his list is complete.
func Link(key []byte, nth int64) string {
	return keyedHex(key, strconv.FormatInt(nth, 10))
}

// Links (查阅链) gives the links of a person's first n accesses, in their order.
func Links(key []byte, n int) []string {
	links := make([]string, max(n, 0))
	for i := range links {
		links[i] = Link(key, int64(i+1))
	}
	return links
}
