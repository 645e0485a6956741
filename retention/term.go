package retention

import (
	"strconv"
	"strings"
	"time"

	"mianti/internal/fault"
)

// Term (期限) is a length of time by the calendar: 30d, 3y.
type Term struct {
	Years, Days int
}

// longestTerm bounds a term, so that a slip of the pen is refused.
const longestTerm = 100 // years

// ParseTerm reads a number of days (30d) or years (3y).
func ParseTerm(text string) (Term, error) {
	digits := strings.TrimRight(text, "dy")
	n, err := strconv.Atoi(digits)
	unit := strings.TrimPrefix(text, digits)
	switch {
	case err != nil || n < 0 || digits != strconv.Itoa(n):
	case unit == "d" && n <= longestTerm*366:
		return Term{Days: n}, nil
	case unit == "y" && n <= longestTerm:
		return Term{Years: n}, nil
	}
	return Term{}, fault.New(fault.Invalid, "retention-term", "期限应为天数或年数，如 30d、3y，最长一百年。")
}

// UnmarshalText reads a setting.
func (t *Term) UnmarshalText(text []byte) error {
	read, err := ParseTerm(string(text))
	if err == nil {
		*t = read
	}
	return err
}

// String gives it as it is written.
func (t Term) String() string {
	if t.Years > 0 {
		return strconv.Itoa(t.Years) + "y"
	}
	return strconv.Itoa(t.Days) + "d"
}

// After gives when a term that begins at a moment ends.
func (t Term) After(from time.Time) time.Time { return from.AddDate(t.Years, 0, t.Days) }

// Before gives the last moment at which a term that has ended by now can have
// begun.
func (t Term) Before(now time.Time) time.Time { return now.AddDate(-t.Years, 0, -t.Days) }

func (t Term) none() bool { return t.Years == 0 && t.Days == 0 }
