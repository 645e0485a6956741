// Package keytest has the key-encryption key of tests. It is no secret, and MUST
// NOT be used for anything else.
package keytest

import (
	"encoding/base64"
	"fmt"
	"strings"

	"mianti/keyring"
)

// Line is a line of a file of keys, the same for the same number.
func Line(number int) string {
	key := strings.Repeat(fmt.Sprintf("test-%03d", number), 4)
	return "aes-256-gcm " + base64.StdEncoding.EncodeToString([]byte(key)) + "\n"
}

// Keys gives the keys of these numbers, of which the first wraps; number 1 if there
// are none.
func Keys(numbers ...int) *keyring.File {
	if len(numbers) == 0 {
		numbers = []int{1}
	}
	text := ""
	for _, n := range numbers {
		text += Line(n)
	}
	keys, err := keyring.ParseFile([]byte(text))
	if err != nil {
		panic("keytest: " + err.Error())
	}
	return keys
}
