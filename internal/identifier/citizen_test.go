package identifier_test

import (
	"errors"
	"strings"
	"testing"

	"mianti/internal/identifier"
)

// ruleOf gives the rule that err names, "" for no error.
func ruleOf(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var problem *identifier.Problem
	if !errors.As(err, &problem) {
		t.Fatalf("error %v is not a *Problem", err)
	}
	if problem.Message == "" {
		t.Errorf("problem %q has no message", problem.Rule)
	}
	return problem.Rule
}

func TestCitizenID_NamesTheFirstBrokenRule(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, number, want string }{
		{"example of the standard", "11010519491231002X", ""},
		{"second example of the standard", "440524188001010014", ""},
		{"man", "370199198805163323", ""},
		{"woman", "370199199007221247", ""},
		{"check digit X", "37019920180910451X", ""},
		{"child", "370199201805124484", ""},
		{"leap day", withCitizenCheck("37019920000229001"), ""},
		{"empty", "", "length"},
		{"one short", "37019919880516332", "length"},
		{"one long", "3701991988051633230", "length"},
		{"old number", "370199880516332", "length"},
		{"trailing blank", "370199198805163323 ", "length"},
		{"six wide characters are 18 bytes", "身份证号码错", "length"},
		{"lower-case x", "37019920180910451x", "alphabet"},
		{"letter within", "3701991988O5163323", "alphabet"},
		{"X within", "37019919880516X323", "alphabet"},
		{"full-width digits", "３７０１９９１９８８０５１６３３２３", "alphabet"},
		{"full-width last digit", "37019919880516332３", "alphabet"},
		{"control character", "37019919880516\x00323", "alphabet"},
		{"broken UTF-8", "37019919880516\xff323", "alphabet"},
		{"minus sign", "-70199198805163323", "alphabet"},
		{"month 13", withCitizenCheck("37019919881316332"), "date"},
		{"day 0", withCitizenCheck("37019919880500332"), "date"},
		{"no leap year", withCitizenCheck("37019919000229001"), "date"},
		{"year 1", withCitizenCheck("37019900010516332"), "date"},
		{"wrong check digit", "370199198805163324", "check-digit"},
		{"two digits swapped", "370199198805613323", "date"},
		{"two serial digits swapped", "370199198805163233", "check-digit"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := ruleOf(t, identifier.CitizenID(tt.number)); got != tt.want {
				t.Errorf("rule = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestCitizenID_TakesNormalizedLowerCaseX(t *testing.T) {
	t.Parallel()
	got := identifier.Normalize("37019920180910451x")
	if got != "37019920180910451X" {
		t.Fatalf("Normalize = %q", got)
	}
	if err := identifier.CitizenID(got); err != nil {
		t.Errorf("CitizenID after Normalize: %v", err)
	}
}

func TestNormalize_RepairsNothingButCase(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", " 37 ", "ｘ", "济南x", "\x00\xff"} {
		want := strings.ReplaceAll(s, "x", "X")
		if got := identifier.Normalize(s); got != want {
			t.Errorf("Normalize(%q) = %q, want %q", s, got, want)
		}
	}
}

func TestProblem_NeverHoldsTheNumber(t *testing.T) {
	t.Parallel()
	for _, number := range []string{"370199198805163324", "37019920180910451x", "370199198813163324", "370199880516332", "13701991988051633"} {
		err := identifier.CitizenID(number)
		if err == nil {
			t.Fatalf("a wrong number passed")
		}
		for i := 0; i+4 <= len(number); i++ {
			if strings.Contains(err.Error(), number[i:i+4]) {
				t.Errorf("message %q holds a part of the number", err)
			}
		}
	}
}

func TestCitizenIDCheck_IsZeroForAnythingButSeventeenDigits(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "3701991988051633", "370199198805163323", "3701991988051633X"} {
		if got := identifier.CitizenIDCheck(s); got != 0 {
			t.Errorf("CitizenIDCheck(%q) = %q, want the zero byte", s, got)
		}
	}
}

func withCitizenCheck(first17 string) string {
	return first17 + string(identifier.CitizenIDCheck(first17))
}

func FuzzCitizenID(f *testing.F) {
	for _, seed := range []string{"11010519491231002X", "370199198805163323", "37019920180910451x", "", "身份证号码错"} {
		f.Add(seed, uint8(3), uint8('7'))
	}
	f.Fuzz(func(t *testing.T, number string, at, digit uint8) {
		if identifier.CitizenID(number) != nil {
			// Most inputs are wrong; give them a right check digit to reach further.
			check := identifier.CitizenIDCheck(number[:min(17, len(number))])
			if check == 0 {
				return
			}
			number = number[:17] + string(check)
			if identifier.CitizenID(number) != nil {
				return // its date does not exist
			}
		}
		refusesOneChange(t, identifier.CitizenID, number, int(at), "0123456789"[digit%10])
	})
}

// refusesOneChange fails unless the number with another character at one place
// is refused.
func refusesOneChange(t *testing.T, check func(string) error, number string, at int, with byte) {
	t.Helper()
	changed := []byte(number)
	at %= len(changed)
	if changed[at] == with {
		return
	}
	changed[at] = with
	if check(string(changed)) == nil {
		t.Errorf("changing character %d of %q to %q is not noticed", at, number, with)
	}
}
