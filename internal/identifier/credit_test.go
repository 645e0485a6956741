package identifier_test

import (
	"fmt"
	"strings"
	"testing"

	"mianti/internal/identifier"
)

func TestCreditCode_NamesTheFirstBrokenRule(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, code, want string }{
		{"example of the standard", "91350100M000100Y43", ""},
		{"ministry", "11100000000013338W", ""},
		{"another ministry", "11100000MB0143028R", ""},
		{"generated company", "91370102MA9X00011G", ""},
		{"generated company ending in a digit", "91370104MA9X0002X5", ""},
		{"inner organisation digit wrong, whole code right", withCreditCheck("91370102MA9X00019"), ""},
		{"empty", "", "length"},
		{"one short", "91370102MA9X00011", "length"},
		{"one long", "91370102MA9X00011GG", "length"},
		{"organisation code alone", "MA9X0001-1", "length"},
		{"lower case", "91370102ma9x00011g", "alphabet"},
		{"letter O for zero", "9137O102MA9X00011G", "alphabet"},
		{"letter I at the end", "91370102MA9X00011I", "alphabet"},
		{"full-width", "９1370102MA9X00011G", "alphabet"},
		{"control character", "91370102MA9X0001\n1", "alphabet"},
		{"broken UTF-8", "91370102MA9X0001\xff1", "alphabet"},
		{"wrong check character", "91370102MA9X00011H", "check-digit"},
		{"two characters swapped", "91370102AM9X00011G", "check-digit"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := ruleOf(t, identifier.CreditCode(tt.code)); got != tt.want {
				t.Errorf("rule = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestCreditCode_TakesCodesThatEndInZero(t *testing.T) {
	t.Parallel()
	ending := 0
	for n := range 3100 {
		code := withCreditCheck(fmt.Sprintf("91370102MA9X%04d1", n))
		if err := identifier.CreditCode(code); err != nil {
			t.Fatalf("%s: %v", code, err)
		}
		if strings.HasSuffix(code, "0") {
			ending++
		}
	}
	if ending < 50 {
		t.Errorf("only %d of 3100 codes end in 0; want about 100", ending)
	}
}

// Copies of a much-used validator look the check character up at 31 - sum%31,
// which is past the end of the alphabet for the codes that end in 0: one in 31 of
// all that are issued.
func TestCreditCode_TakesTheCodesThatACopyWithTheSlipRefuses(t *testing.T) {
	t.Parallel()
	slip := func(code string) bool {
		const alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
		sum, weight := 0, 1
		for i := range 17 {
			sum += strings.IndexByte(alphabet, code[i]) * weight
			weight = weight * 3 % 31
		}
		at := 31 - sum%31
		return at < len(alphabet) && alphabet[at] == code[17]
	}
	refused := 0
	for n := range 3100 {
		code := withCreditCheck(fmt.Sprintf("91370102MA9X%04d1", n))
		if identifier.CreditCode(code) != nil {
			t.Fatalf("%s is refused", code)
		}
		if !slip(code) {
			refused++
			if code[17] != '0' {
				t.Errorf("the copy refuses %s, which does not end in 0", code)
			}
		} else if code[17] == '0' {
			t.Errorf("the copy takes %s: it has no slip", code)
		}
	}
	if refused < 50 {
		t.Errorf("the copy refuses %d of 3100, want about 100", refused)
	}
}

func TestOrganizationCheck_AgreesWithIssuedCodes(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"91350100M000100Y43", "11100000000013338W", "11100000MB0143028R", "11100000MB03271699"} {
		if got, want := identifier.OrganizationCheck(code[8:16]), code[16]; got != want {
			t.Errorf("%s: got %q, want %q", code, got, want)
		}
	}
	for _, s := range []string{"", "MA9X000", "MA9X00011", "ma9x0001", "MA9X-001"} {
		if got := identifier.OrganizationCheck(s); got != 0 {
			t.Errorf("OrganizationCheck(%q) = %q, want the zero byte", s, got)
		}
	}
}

func TestCreditCodeCheck_IsZeroOutsideItsAlphabet(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "91370102MA9X0001", "91370102MA9X00011G", "9137010ZMA9X00011"} {
		if got := identifier.CreditCodeCheck(s); got != 0 {
			t.Errorf("CreditCodeCheck(%q) = %q, want the zero byte", s, got)
		}
	}
}

func withCreditCheck(first17 string) string {
	return first17 + string(identifier.CreditCodeCheck(first17))
}

func FuzzCreditCode(f *testing.F) {
	for _, seed := range []string{"91350100M000100Y43", "91370102MA9X00011G", "91370102ma9x00011g", "", "统一社会信用"} {
		f.Add(seed, uint8(3), uint8(9))
	}
	f.Fuzz(func(t *testing.T, code string, at, with uint8) {
		if identifier.CreditCode(code) != nil {
			check := identifier.CreditCodeCheck(code[:min(17, len(code))])
			if check == 0 {
				return
			}
			code = code[:17] + string(check)
			if err := identifier.CreditCode(code); err != nil {
				t.Fatalf("a code with its computed check character is refused: %v", err)
			}
		}
		refusesOneChange(t, identifier.CreditCode, code, int(at), "0123456789ABCDEFGHJKLMNPQRTUWXY"[with%31])
	})
}
