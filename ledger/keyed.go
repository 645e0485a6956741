package ledger

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// keyedHex gives HMAC-SHA256 (RFC 2104) of a text in hexadecimal.
//
// It is written out for the texts of a resolution, of which there are some
// seventy, each under its own key and shorter than a block or two: the library
// allocates two digests and their states for each (BenchmarkDigest: 2 allocations
// instead of 10, three quarters of the time). Longer ones go to the library.
func keyedHex(key []byte, text string) string {
	const block, most = sha256.BlockSize, 256
	if len(key) > block || len(text) > most {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(text))
		return hex.EncodeToString(mac.Sum(nil))
	}
	var inner [block + most]byte
	var outer [block + sha256.Size]byte
	copy(inner[:], key)
	copy(outer[:], key)
	for i := range block {
		inner[i] ^= 0x36
		outer[i] ^= 0x5c
	}
	digest := sha256.Sum256(inner[:block+copy(inner[block:], text)])
	copy(outer[block:], digest[:])
	digest = sha256.Sum256(outer[:])
	var out [2 * sha256.Size]byte
	hex.Encode(out[:], digest[:])
	return string(out[:])
}
