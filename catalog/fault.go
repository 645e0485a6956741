package catalog

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing wrong with a catalog's files.
type Fault struct {
	File string
	Line int // 1 for the first; 1 too where the whole file is meant
	// Code is stable and machine-readable; Reason is Chinese and says what is
	// wrong and what would be right.
	Code, Reason string
}

// String gives "file:line: reason".
func (f Fault) String() string { return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Reason) }

// Faults are all that is wrong with a catalog, by file and line.
type Faults []Fault

// Error lists them, one a line.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.String()
	}
	return strings.Join(lines, "\n")
}

// sorted gives the faults in the order in which they are read, each once.
func (f Faults) sorted() Faults {
	out := slices.Clone(f)
	slices.SortFunc(out, func(a, b Fault) int {
		return cmp.Or(natural(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Reason, b.Reason))
	})
	return slices.Compact(out)
}

// natural compares names with the numbers in them by value: M2 before M10.
func natural(a, b string) int {
	for a != "" && b != "" {
		digitsA, digitsB := leadingDigits(a), leadingDigits(b)
		if digitsA != "" && digitsB != "" {
			trimmedA, trimmedB := strings.TrimLeft(digitsA, "0"), strings.TrimLeft(digitsB, "0")
			if c := cmp.Or(cmp.Compare(len(trimmedA), len(trimmedB)), cmp.Compare(trimmedA, trimmedB)); c != 0 {
				return c
			}
			a, b = a[len(digitsA):], b[len(digitsB):]
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

func leadingDigits(s string) string {
	i := 0
	for i < len(s) && '0' <= s[i] && s[i] <= '9' {
		i++
	}
	return s[:i]
}
