package elicense

import (
	"strings"

	"mianti/internal/identifier"
)

const (
	// warnCheckCharacter remarks on an identifier whose check character is wrong.
	warnCheckCharacter = "licence_check_character"
	// identifierRoot is the object identifier under which GB/T 36904 numbers
	// licences.
	identifierRoot = "1.2.156.3005.2."
)

// checkCharacterFits reports whether an identifier has the shape of GB/T 36904
// (type, issuer, serial number, version, check character) and the check
// character that belongs to it.
func checkCharacterFits(text string) bool {
	parts := strings.Split(strings.TrimPrefix(text, identifierRoot), ".")
	if !strings.HasPrefix(text, identifierRoot) || len(parts) != 5 || len(parts[4]) != 1 {
		return false
	}
	check := identifier.ElicenseCheck(strings.Join(parts[:4], ""))
	return check != 0 && check == parts[4][0]
}
