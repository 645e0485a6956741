package retention_test

import (
	"errors"
	"testing"
	"time"

	"mianti/internal/fault"
	"mianti/retention"
)

func TestParseTerm_TakesDaysAndYearsAlone(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]retention.Term{
		"30d": {Days: 30}, "3y": {Years: 3}, "0d": {}, "36600d": {Days: 36600},
	} {
		got, err := retention.ParseTerm(text)
		if err != nil || got != want {
			t.Errorf("ParseTerm(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "d", "30", "30h", "-1d", "+1d", "030d", "1d1d", "3yd", "1.5y", "101y", "36601d", " 30d", "30天"} {
		if got, err := retention.ParseTerm(text); !errors.Is(err, fault.Invalid) {
			t.Errorf("ParseTerm(%q) = %v, %v; want it refused", text, got, err)
		}
	}
}

func TestTerm_IsCountedByTheCalendar(t *testing.T) {
	t.Parallel()
	from := time.Date(2027, 12, 1, 8, 0, 0, 0, time.UTC)
	for term, want := range map[retention.Term]time.Time{
		{Days: 90}: time.Date(2028, 2, 29, 8, 0, 0, 0, time.UTC), // 2028 is a leap year
		{Years: 3}: time.Date(2030, 12, 1, 8, 0, 0, 0, time.UTC),
	} {
		if got := term.After(from); !got.Equal(want) {
			t.Errorf("%s after %s = %s, want %s", term, from, got, want)
		}
		if got := term.Before(want); !got.Equal(from) {
			t.Errorf("%s before %s = %s, want %s", term, want, got, from)
		}
	}
}

// 政务数据共享条例, art. 29: not less than three years, whichever years they are.
func TestTerms_OfTheRecordAreThreeYearsAtLeast(t *testing.T) {
	t.Parallel()
	for record, allowed := range map[retention.Term]bool{
		{Years: 3}: true, {Years: 10}: true, {Days: 1096}: true,
		{Years: 2}: false, {Days: 1095}: false, {Days: 30}: false, {}: false,
	} {
		terms := retention.DefaultTerms()
		terms.Record = record
		if err := terms.Check(); (err == nil) != allowed {
			t.Errorf("record of %s: %v, want allowed %v", record, err, allowed)
		}
	}
	terms := retention.DefaultTerms()
	terms.Open = retention.Term{}
	if err := terms.Check(); !errors.Is(err, fault.Invalid) {
		t.Errorf("an open case that is kept for no time: %v, want it refused", err)
	}
}
