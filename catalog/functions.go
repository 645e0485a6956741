package catalog

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"
)

// functions are those that conditions and checks may call besides the standard
// ones of CEL; docs/catalog-format.md describes them.
func functions() []cel.EnvOption {
	two := func(t *cel.Type) []*cel.Type { return []*cel.Type{t, t} }
	return []cel.EnvOption{
		cel.Function("same_name", cel.Overload("same_name_string_string", two(cel.StringType), cel.BoolType,
			cel.BinaryBinding(onStrings(SameName)))),
		cel.Function("same_address", cel.Overload("same_address_string_string", two(cel.StringType), cel.BoolType,
			cel.BinaryBinding(onStrings(SameAddress)))),
		cel.Function("years", cel.Overload("years_timestamp_timestamp", two(cel.TimestampType), cel.IntType,
			cel.BinaryBinding(onDates(func(from, to time.Time) int { return completedMonths(from, to) / 12 })))),
		cel.Function("months", cel.Overload("months_timestamp_timestamp", two(cel.TimestampType), cel.IntType,
			cel.BinaryBinding(onDates(completedMonths)))),
		cel.Function("date", cel.Overload("date_string", []*cel.Type{cel.StringType}, cel.TimestampType,
			cel.UnaryBinding(celDate))),
	}
}

func onStrings(same func(a, b string) bool) func(a, b ref.Val) ref.Val {
	return func(a, b ref.Val) ref.Val {
		x, okX := a.(types.String)
		y, okY := b.(types.String)
		if !okX || !okY {
			return types.NewErr("not a string")
		}
		return types.Bool(same(string(x), string(y)))
	}
}

func onDates(count func(from, to time.Time) int) func(a, b ref.Val) ref.Val {
	return func(a, b ref.Val) ref.Val {
		from, okFrom := a.(types.Timestamp)
		to, okTo := b.(types.Timestamp)
		if !okFrom || !okTo {
			return types.NewErr("not a timestamp")
		}
		return types.Int(count(from.UTC(), to.UTC()))
	}
}

func celDate(v ref.Val) ref.Val {
	s, ok := v.(types.String)
	if !ok {
		return types.NewErr("not a string")
	}
	day, err := parseDate(string(s))
	if err != nil {
		return types.WrapErr(err)
	}
	return types.Timestamp{Time: day}
}

// parseDate reads "2006-01-02", and "2006-01" as the first day of that month.
// The error does not repeat the text: it may come from a person's record.
func parseDate(s string) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, "2006-01"} {
		if day, err := time.Parse(layout, s); err == nil {
			return day, nil
		}
	}
	return time.Time{}, fmt.Errorf("not a date")
}

// completedMonths counts the completed months between two dates; it is negative
// when to lies before from. A month that has no corresponding day ends with its
// last day (民法典, art. 202), so that one month from 31 January is complete on
// 28 February, and a child born on 29 February is a year old on the next 28th.
func completedMonths(from, to time.Time) int {
	if to.Before(from) {
		return -completedMonths(to, from)
	}
	months := (to.Year()-from.Year())*12 + int(to.Month()) - int(from.Month())
	if to.Day() < min(from.Day(), lastDay(to)) {
		months--
	}
	return months
}

func lastDay(t time.Time) int {
	return time.Date(t.Year(), t.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// SameName reports whether two names of persons or organisations are written
// for the same name: blanks, full-width and half-width forms, the kinds of
// bracket and of middle dot make no difference. An empty name is no name and
// equals nothing.
func SameName(a, b string) bool {
	x, y := foldName(a), foldName(b)
	return x != "" && x == y
}

// SameAddress is SameName for addresses; the kinds of dash make no difference
// either.
func SameAddress(a, b string) bool {
	x, y := strings.Map(foldDash, foldName(a)), strings.Map(foldDash, foldName(b))
	return x != "" && x == y
}

func foldName(s string) string {
	return strings.Map(foldMark, norm.NFC.String(width.Fold.String(s)))
}

// foldMark drops blanks and makes one mark of those that are typed for each
// other. It runs after the width folding, so that the full stop here stands for
// the full-width one too, which many typists use in names that have a middle dot.
func foldMark(r rune) rune {
	if unicode.IsSpace(r) || r == '\u200b' || r == '\ufeff' {
		return -1
	}
	switch r {
	case '·', '•', '.', '・', '‧', '∙', '⋅':
		return '·'
	case '〔', '[', '【', '〈', '《', '{', '<', '⟨':
		return '('
	case '〕', ']', '】', '〉', '》', '}', '>', '⟩':
		return ')'
	}
	return r
}

func foldDash(r rune) rune {
	switch r {
	case '—', '–', '‐', '‑', '−', '─', '~', '〜':
		return '-'
	}
	return r
}
