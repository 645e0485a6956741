package identifier_test

import (
	"strings"
	"testing"

	"mianti/internal/identifier"
)

func TestElicenseCheck_AgreesWithIssuedIdentifiers(t *testing.T) {
	t.Parallel()
	for _, issued := range []string{
		"11100000000013338W011.11430000006122244L.20230000403.001.U",
		"11100000000013338W032.11220000013544541J.2430599.001.F",
		"11100000MB03271699022.340100.000000016.001.9",
	} {
		cut := strings.LastIndexByte(issued, '.')
		joined := strings.ReplaceAll(issued[:cut], ".", "")
		if got, want := identifier.ElicenseCheck(joined), issued[cut+1]; got != want {
			t.Errorf("%s: got %q, want %q", issued, got, want)
		}
	}
}

func TestElicenseCheck_NoticesOneChangedCharacter(t *testing.T) {
	t.Parallel()
	const joined = "11100000MB03271699022340100000000016001"
	want := identifier.ElicenseCheck(joined)
	for at := range len(joined) {
		for _, with := range "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ" {
			changed := joined[:at] + string(with) + joined[at+1:]
			if changed != joined && identifier.ElicenseCheck(changed) == want {
				t.Errorf("changing character %d to %q is not noticed", at, with)
			}
		}
	}
}

func TestElicenseCheck_IsZeroForOtherCharacters(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "111.000", "11a", "证照", "11 "} {
		if got := identifier.ElicenseCheck(s); got != 0 {
			t.Errorf("ElicenseCheck(%q) = %q, want the zero byte", s, got)
		}
	}
}
