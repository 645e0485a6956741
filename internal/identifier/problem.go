// Package identifier checks the numbers by which persons, bodies and
// electronic licences are known: their shape and their check digit, nothing
// more. A number that passes need not have been issued to anyone.
//
// The checks say nothing about regions: area codes are abolished and the
// numbers that carry them stay valid.
package identifier

// Rule names what a number breaks.
type Rule = string

// The rules, in the order in which they are tried.
const (
	RuleLength     Rule = "length"
	RuleAlphabet   Rule = "alphabet"
	RuleDate       Rule = "date"
	RuleCheckDigit Rule = "check-digit"
)

// Problem is why a number is refused. It never holds the number or a part of
// it, so that it may be logged and sent back.
type Problem struct {
	Rule    Rule
	Message string // Chinese: what is wrong, and the remedy
}

// Error gives the message.
func (p *Problem) Error() string { return p.Message }

// Normalize returns the number with its ASCII letters in upper case, which is
// how it is issued and stored. It repairs nothing else: a number with blanks,
// full-width digits or control characters stays wrong, because two spellings
// of one person must never reach a department.
func Normalize(number string) string {
	upper := []byte(number)
	for i, c := range upper {
		if 'a' <= c && c <= 'z' {
			upper[i] = c - 'a' + 'A'
		}
	}
	return string(upper)
}
